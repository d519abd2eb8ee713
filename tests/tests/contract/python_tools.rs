//! Programs from PyPI, installed into `target/` with pinned versions.

use std::path::{Path, PathBuf};
use std::process::Command;

use test_support::components::root;

/// Runs a program, which must succeed, and returns what it printed.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|problem| panic!("{command:?}: {problem}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{stdout}{stderr}");
    stdout
}

/// The folder of programs with the packages of `tests/<name>/requirements.txt`, installed once for each list of
/// versions.
pub(crate) fn installed(name: &str) -> PathBuf {
    let (root, list) = (root(), root().join("tests").join(name).join("requirements.txt"));
    let folder = root.join("target").join(name);
    let marker = folder.join("installed.txt");
    let wanted = std::fs::read_to_string(&list).unwrap();
    if std::fs::read_to_string(&marker).is_ok_and(|present| present == wanted) {
        return folder.join("bin");
    }
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&folder));
    let install = ["install", "--quiet", "--disable-pip-version-check", "-r"];
    run(Command::new(folder.join("bin/pip")).args(install).arg(&list));
    std::fs::write(marker, wanted).unwrap();
    folder.join("bin")
}

/// `PATH` with a folder of programs before the others.
pub(crate) fn path_with(folder: &Path) -> std::ffi::OsString {
    let known = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&known));
    std::env::join_paths(folders).unwrap()
}
