//! Starts the program or the tests, after making sure that the compiler can build components.
//!
//! The compiler's target is checked before anything is compiled: a fresh clone otherwise compiles for minutes and then
//! fails. `rust-toolchain.toml` names the target, but rustup installs it by itself only where it may install at all.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::language::text;

/// What the components are compiled for.
const TARGET: &str = "wasm32-wasip2";
/// Variables by which cargo describes a program's package to it. Build scripts ask for some of them: handed on from
/// here, they would have dependencies compiled again that a cargo started by hand left as they should be.
const OWN_VARIABLES: [&str; 2] = ["CARGO_MANIFEST_", "CARGO_PKG_"];
/// Libraries that every installed target with a standard library has.
const LIBRARIES: [&str; 2] = ["libcore-", "libstd-"];

/// Builds and runs `xieka COMMAND ARGUMENTS`, which builds the components itself.
///
/// The workspace's default members are selected, not the package alone: their features together are those that the
/// tests are built with, so that the tests find every dependency compiled.
pub(crate) fn program(root: &Path, command: &str, arguments: &[String]) -> Result<ExitCode, String> {
    Compiler::of_this_process().require_target(root)?;
    let mut words = vec!["run", "--locked", "--", command];
    words.extend(arguments.iter().map(String::as_str));
    cargo(root, &words)
}

/// Builds and runs the tests, which build the components themselves.
pub(crate) fn tests(root: &Path, arguments: &[String]) -> Result<ExitCode, String> {
    Compiler::of_this_process().require_target(root)?;
    let mut words = vec!["test", "--locked"];
    words.extend(arguments.iter().map(String::as_str));
    cargo(root, &words)
}

/// Plants faults in the product, and counts those that a test notices.
pub(crate) fn mutants(root: &Path, arguments: &[String]) -> Result<ExitCode, String> {
    let mut words = vec!["run", "--locked", "-p", "xieka-mutants", "--"];
    words.extend(arguments.iter().map(String::as_str));
    cargo(root, &words)
}

fn cargo(root: &Path, words: &[&str]) -> Result<ExitCode, String> {
    let program = variable_or("CARGO", "cargo");
    let mut command = Command::new(&program);
    for (name, _) in std::env::vars_os() {
        if is_own(&name.to_string_lossy()) {
            command.env_remove(name);
        }
    }
    let status = command
        .args(words)
        .current_dir(root)
        .status()
        .map_err(|problem| cannot_run(&program, &problem))?;
    // A process that was ended by a signal has no code.
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}

fn cannot_run(program: &OsStr, problem: &std::io::Error) -> String {
    let cannot_run = text("无法运行", "cannot run");
    format!("{cannot_run} {}: {problem}", program.display())
}

fn is_own(variable: &str) -> bool {
    OWN_VARIABLES.into_iter().any(|own| variable.starts_with(own))
}

fn variable_or(name: &str, default: &str) -> OsString {
    std::env::var_os(name).unwrap_or_else(|| default.into())
}

/// The programs that say what is installed, and install.
struct Compiler {
    rustc: OsString,
    rustup: OsString,
}

impl Compiler {
    fn of_this_process() -> Self {
        Self {
            rustc: variable_or("RUSTC", "rustc"),
            rustup: "rustup".into(),
        }
    }

    /// Makes sure that the target is installed.
    fn require_target(&self, root: &Path) -> Result<(), String> {
        if self.has_target(root)? {
            return Ok(());
        }
        let needed = text(
            "构建组件需要编译器的目标平台",
            "The components need the compiler's target",
        );
        println!("{needed} {TARGET}: rustup target add {TARGET}");
        let added = Command::new(&self.rustup)
            .args(["target", "add", TARGET])
            .current_dir(root)
            .status();
        let is_added = matches!(added, Ok(status) if status.success());
        if is_added && self.has_target(root)? {
            return Ok(());
        }
        let problem = text(
            format!("目标平台 {TARGET} 未安装，也未能补装。尚未编译任何内容。请补装后重试："),
            format!(
                "the target {TARGET} is not installed and could not be added. Nothing was compiled. \
                 Add it and try again:"
            ),
        );
        Err(format!("{problem}\n\n    rustup target add {TARGET}\n"))
    }

    /// Whether the compiler has the target's standard library. Asks the compiler, which may not come from rustup.
    fn has_target(&self, root: &Path) -> Result<bool, String> {
        let asked = Command::new(&self.rustc)
            .args(["--print", "target-libdir", "--target", TARGET])
            .current_dir(root)
            .output()
            .map_err(|problem| cannot_run(&self.rustc, &problem))?;
        if !asked.status.success() {
            // A compiler that has never heard of the target.
            return Ok(false);
        }
        let folder = PathBuf::from(String::from_utf8_lossy(&asked.stdout).trim_end());
        let Ok(entries) = std::fs::read_dir(folder) else {
            return Ok(false);
        };
        let names: Vec<String> = entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        let has = |library: &str| {
            names
                .iter()
                .any(|name| name.starts_with(library) && name.ends_with(".rlib"))
        };
        Ok(LIBRARIES.into_iter().all(has))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::temp::Folder;

    /// A compiler whose libraries are in the folder `lib`, and a rustup that runs `add`.
    fn compiler(folder: &Folder, add: &str) -> Compiler {
        let lib = folder.path().join("lib");
        let script = |name: &str, text: &str| {
            let written = format!("{name}.txt");
            folder.write(&written, &format!("#!/bin/sh\n{text}\n"));
            let (from, to) = (folder.path().join(written), folder.path().join(name));
            // Copied by another process: a file that this one has written may still be open in a child that another test
            // has just started, and is then not carried out.
            let mut copy = Command::new("install");
            assert!(
                copy.args(["-m", "755"])
                    .args([&from, &to])
                    .status()
                    .unwrap()
                    .success()
            );
            to.into_os_string()
        };
        Compiler {
            rustc: script("rustc", &format!("echo {}", lib.display())),
            rustup: script("rustup", &add.replace("LIB", &lib.display().to_string())),
        }
    }

    const ADD: &str =
        "test \"$*\" = 'target add wasm32-wasip2' && mkdir LIB && touch LIB/libcore-1.rlib LIB/libstd-1.rlib";

    #[test]
    fn an_installed_target_is_found_without_rustup() {
        let folder = Folder::new();
        folder.write("lib/libcore-0a.rlib", "");
        let mut found = compiler(&folder, "exit 1");
        found.rustup = "no-such-program".into();
        assert!(found.require_target(folder.path()).is_err(), "there is no libstd");
        folder.write("lib/libstd-0b.rlib", "");
        assert_eq!(found.require_target(folder.path()), Ok(()));
    }

    #[test]
    fn variables_of_this_package_are_not_handed_on_and_settings_are() {
        assert!(is_own("CARGO_PKG_NAME") && is_own("CARGO_MANIFEST_DIR"));
        for setting in [
            "CARGO",
            "CARGO_TARGET_DIR",
            "CARGO_HOME",
            "CARGO_INCREMENTAL",
            "PATH",
        ] {
            assert!(!is_own(setting), "{setting}");
        }
    }

    #[test]
    fn a_missing_target_is_added() {
        let folder = Folder::new();
        assert_eq!(compiler(&folder, ADD).require_target(folder.path()), Ok(()));
        assert!(folder.path().join("lib/libstd-1.rlib").is_file());
    }

    #[test]
    fn a_target_that_cannot_be_added_ends_with_the_command_to_type() {
        let folder = Folder::new();
        for add in ["exit 1", "exit 0"] {
            let problem = compiler(&folder, add).require_target(folder.path()).unwrap_err();
            assert!(problem.contains("rustup target add wasm32-wasip2"), "{problem}");
        }
    }
}
