//! A copy of the checkout below `target/`, in which the mutants are planted and built.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

/// The module that answers which mutant is active, and writes down which ones a test reaches.
const QUESTION: &str = include_str!("question.rs");

/// The copy, and what the checkout has.
pub(crate) struct Tree {
    pub(crate) root: PathBuf,
    /// The files of the checkout by path.
    files: BTreeMap<String, Vec<u8>>,
}

impl Tree {
    /// Reads the checkout: what git tracks or would track.
    pub(crate) fn read(checkout: &Path, root: PathBuf) -> Result<Self> {
        let mut git = Command::new("git");
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let printed = git.current_dir(checkout).output()?;
        ensure!(printed.status.success(), "`git ls-files` failed");
        let mut files = BTreeMap::new();
        for path in String::from_utf8(printed.stdout)?.split_terminator('\0') {
            let from = checkout.join(path);
            if from.is_file() {
                files.insert(path.to_owned(), std::fs::read(from)?);
            }
        }
        Ok(Self { root, files })
    }

    /// The text of a file of the checkout.
    pub(crate) fn text(&self, path: &str) -> Result<&str> {
        let bytes = self
            .files
            .get(path)
            .with_context(|| format!("{path} is not in the checkout"))?;
        Ok(std::str::from_utf8(bytes)?)
    }

    /// What distinguishes this source from another one.
    pub(crate) fn digest(&self) -> String {
        let mut digest = Sha256::new();
        for (path, bytes) in &self.files {
            if [".rs", ".sql", ".toml"]
                .iter()
                .any(|ending| path.ends_with(ending))
            {
                digest.update(path);
                digest.update(Sha256::digest(bytes));
            }
        }
        hex::encode(digest.finalize())
    }

    /// The folder of the package of a file.
    pub(crate) fn package(&self, file: &str) -> Result<String> {
        let mut folders = Path::new(file).ancestors().skip(1);
        let folder = folders.find(|folder| {
            let manifest = folder.join("Cargo.toml");
            manifest
                .to_str()
                .is_some_and(|path| self.files.contains_key(path))
        });
        let folder = folder.and_then(Path::to_str).map(str::to_owned);
        folder.with_context(|| format!("{file} belongs to no package"))
    }

    /// Writes the copy, with these files instead of the checkout's. An unchanged file keeps its time: it is not
    /// compiled again.
    pub(crate) fn write(&self, changed: &BTreeMap<String, String>) -> Result<()> {
        let mut asking = BTreeSet::new();
        for file in changed.keys() {
            asking.insert(format!("{}/src/lib.rs", self.package(file)?));
        }
        for (path, bytes) in &self.files {
            let mut bytes = changed
                .get(path)
                .map_or(bytes.as_slice(), |text| text.as_bytes())
                .to_vec();
            if asking.contains(path) {
                bytes.extend_from_slice(QUESTION.as_bytes());
            }
            let to = self.root.join(path);
            if std::fs::read(&to).ok().as_deref() != Some(&bytes) {
                let folder = to.parent().context("a file has a folder")?;
                std::fs::create_dir_all(folder)?;
                std::fs::write(to, bytes)?;
            }
        }
        Ok(())
    }
}
