//! The program and the tests must be built from the same dependencies: one that tests build with more features is
//! compiled again, and with it everything that depends on it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use super::root;

/// The dependencies of the default members along some kinds of edges, each with its features.
fn dependencies(root: &Path, edges: &str) -> BTreeSet<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["tree", "--locked", "--prefix", "none"])
        .args(["--edges", edges, "--format", "{p} with {f}"])
        .current_dir(root)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout);
    // What was printed before is marked, and printed without what it depends on.
    let lines = text.lines().map(|line| line.trim_end_matches(" (*)").trim());
    let lines = lines.filter(|line| !line.is_empty());
    // Packages of this checkout are named with their folder; they may be compiled again.
    lines
        .filter(|line| !line.contains(" (/"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn tests_add_no_feature_to_what_the_program_is_built_from() {
    let without_tests = dependencies(&root(), "normal,build");
    let with_tests = dependencies(&root(), "normal,build,dev");
    assert!(without_tests.len() > 100, "{without_tests:?}");
    let twice: Vec<_> = without_tests.difference(&with_tests).collect();
    assert!(
        twice.is_empty(),
        "compiled twice; name the features in tests/Cargo.toml: {twice:#?}"
    );
}
