//! Every cargo command that a document names, held to this checkout: the package, the target, the feature, the profile
//! and the arguments exist. Nothing is built and nothing is run.

#![expect(clippy::unwrap_used, reason = "what goes wrong in a test ends it")]

mod check;
mod documents;
mod features;
mod workspace;

use std::path::{Path, PathBuf};

use check::check;
use documents::{Snippet, commands};
use workspace::Workspace;

/// Folders whose documents are read, the root first.
const FOLDERS: [&str; 3] = ["", "docs", "ota-gateway"];
/// Commands that both READMEs name; if they are not found, nothing is.
const NAMED_BY_BOTH: [&str; 3] = ["-- demo", "-- test", "-- up"];

fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap().to_owned()
}

/// The commands of every document.
fn all_commands() -> Vec<(String, Snippet)> {
    let mut all = Vec::new();
    for folder in FOLDERS {
        let folder = root().join(folder);
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "md") {
                let name = path.strip_prefix(root()).unwrap().display().to_string();
                let text = std::fs::read_to_string(&path).unwrap();
                all.extend(commands(&text).into_iter().map(|command| (name.clone(), command)));
            }
        }
    }
    all
}

#[test]
fn every_command_of_the_documents_exists() {
    let workspace = Workspace::of(&root());
    let mut problems = Vec::new();
    for (document, command) in all_commands() {
        if let Err(problem) = check(&command.words, &workspace) {
            problems.push(format!(
                "{document}:{}: {}: {problem}",
                command.line,
                command.words.join(" ")
            ));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn both_readmes_name_the_same_ways_in() {
    for readme in ["README.md", "README.zh-CN.md"] {
        let own: Vec<String> = all_commands()
            .into_iter()
            .filter(|(document, _)| document == readme)
            .map(|(_, command)| command.words.join(" "))
            .collect();
        for named in NAMED_BY_BOTH {
            let is_named =
                |command: &String| command.starts_with("cargo run -p xtask ") && command.contains(named);
            assert!(
                own.iter().any(is_named),
                "{readme} does not name {named}: {own:?}"
            );
        }
    }
}

#[test]
fn wrong_commands_are_refused() {
    let workspace = Workspace::of(&root());
    for (command, complaint) in [
        ("cargo run --release --bin caos", "no binary"),
        ("cargo run -- dmeo", "dmeo"),
        ("cargo run -- demo --chps 3", "--chps"),
        ("cargo run -p xtask -- tset", "tset"),
        ("cargo run -p xtask -- demo --chps 3", "--chps"),
        ("cargo run -p xtask -- test -p nobody", "no package"),
        ("cargo run -p xieka-load -- al", "al"),
        ("cargo run --bin chaos -- sixty", "sixty"),
        ("cargo run -p xieka --features none -- demo", "no feature"),
        ("cargo test -p uicc --test none", "no test"),
        ("cargo test --relaese", "--relaese"),
        ("cargo build --profile comp", "no profile"),
        ("cargo build --target wasm32-wasip9", "no target"),
        ("cargo frobnicate", "frobnicate"),
        ("xieka dmeo", "dmeo"),
    ] {
        let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
        let problem = check(&words, &workspace).expect_err(command);
        assert!(problem.contains(complaint), "{command}: {problem}");
    }
}

/// `cargo run` builds one program: one that starts another of its package fails in a fresh clone.
#[test]
fn a_program_beside_another_one_is_refused() {
    let mut workspace = Workspace::of(&root());
    let words = ["cargo", "run", "--bin", "chaos"].map(str::to_owned);
    assert_eq!(check(&words, &workspace), Ok(()));
    let package = workspace
        .packages
        .iter_mut()
        .find(|package| package.name == "xieka-tests")
        .unwrap();
    package.targets.push(("bin".to_owned(), "node".to_owned()));
    assert!(check(&words, &workspace).unwrap_err().contains("node"));
}
