//! Another revision, checked out and built beside this one.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// Where other revisions are checked out, below the application's root. They stay there for the next comparison.
const FOLDER: &str = "target/against";
/// What this process inherited from its own cargo and must not hand on: the other revision may name another toolchain.
const OWN_VARIABLES: [&str; 5] = [
    "CARGO",
    "RUSTUP_TOOLCHAIN",
    "RUSTC",
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_MANIFEST_DIR",
];

/// A revision in a folder of its own.
pub(super) struct Revision {
    id: String,
    folder: PathBuf,
}

impl Revision {
    /// Checks the revision out, unless it is already, and builds its program with a target folder of its own.
    pub(super) fn built(root: &Path, name: &str) -> Result<Self> {
        let commit = format!("{name}^{{commit}}");
        let id = git(root, &["rev-parse", "--verify", "--short=12", &commit])?;
        let folder = root.join(FOLDER).join(&id);
        if !folder.join("Cargo.toml").is_file() {
            // The list of work trees still has those whose folders were removed with `target/`.
            git(root, &["worktree", "prune"])?;
            let path = folder.to_str().context("the path of this checkout is no text")?;
            git(root, &["worktree", "add", "--detach", path, &id])?;
        }
        let revision = Self { id, folder };
        let status = revision
            .command(OsStr::new("cargo"))
            .args(["build", "--release", "--locked", "-p", "xieka-load"])
            .status()
            .context("cannot run cargo")?;
        ensure!(status.success(), "building {name} failed: {status}");
        Ok(revision)
    }

    /// The abbreviated commit.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The program that measures.
    pub(super) fn program(&self) -> PathBuf {
        self.folder.join("target/release/xieka-load")
    }

    /// A program that runs in the revision's folder as if a person had started it there.
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", self.folder.join("target"));
        for variable in OWN_VARIABLES {
            command.env_remove(variable);
        }
        command
    }
}

/// What git prints.
fn git(root: &Path, words: &[&str]) -> Result<String> {
    let output = Command::new("git")
        .args(words)
        .current_dir(root)
        .output()
        .context("cannot run git")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "git {}: {}",
        words.join(" "),
        said.trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_revision_inherits_no_toolchain() {
        let revision = Revision {
            id: "0".to_owned(),
            folder: "/x".into(),
        };
        let command = revision.command(revision.program());
        let removed = |name: &str| {
            command
                .get_envs()
                .any(|(own, value)| own == name && value.is_none())
        };
        assert!(OWN_VARIABLES.into_iter().all(removed));
        assert_eq!(command.get_current_dir(), Some(Path::new("/x")));
        assert_eq!(command.get_program(), "/x/target/release/xieka-load");
    }
}
