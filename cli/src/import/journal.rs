//! What was answered about the parts of an import that did not end yet, in a file beside the table: a repeated command
//! sends no part again that the platform has. The file is gone once every part is answered.
//!
//! It holds digests of parts and answers of the platform, which mask identifiers; never rows.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::language::text;

/// What the name of the file ends with, after that of the table.
const SUFFIX: &str = ".xieka-import";

/// The answers so far.
pub(super) struct Journal {
    answers: BTreeMap<String, Value>,
    /// Where answers are added; nowhere for a preview.
    file: Option<(PathBuf, File)>,
}

impl Journal {
    /// Opens the journal of a table. A preview has none.
    pub(super) fn open(table: &Path, is_preview: bool) -> Result<Self> {
        if is_preview {
            return Ok(Self {
                answers: BTreeMap::new(),
                file: None,
            });
        }
        let mut path = table.as_os_str().to_owned();
        path.push(SUFFIX);
        let path = PathBuf::from(path);
        let name = path.display();
        let cannot = || text(format!("无法使用 {name}"), format!("cannot use {name}"));
        let known = match std::fs::read_to_string(&path) {
            Ok(known) => known,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).with_context(cannot),
        };
        // The last line is not whole when the program was killed: that part is sent again.
        let answers = known.lines().filter_map(|line| {
            let entry: Value = serde_json::from_str(line).ok()?;
            Some((entry["part"].as_str()?.to_owned(), entry["answer"].clone()))
        });
        let answers: BTreeMap<_, _> = answers.collect();
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .with_context(cannot)?;
        if !known.is_empty() && !known.ends_with('\n') {
            file.write_all(b"\n").with_context(cannot)?;
        }
        Ok(Self {
            answers,
            file: Some((path, file)),
        })
    }

    /// What was answered about a part before.
    pub(super) fn answer(&self, part: &str) -> Option<&Value> {
        self.answers.get(part)
    }

    /// Keeps the answer about a part.
    pub(super) fn add(&mut self, part: &str, answer: &Value) -> Result<()> {
        if let Some((_, file)) = &mut self.file {
            let line = json!({"part": part, "answer": answer}).to_string() + "\n";
            file.write_all(line.as_bytes())?;
            file.sync_data()?;
        }
        Ok(())
    }

    /// Removes the file: nothing is left to do.
    pub(super) fn finish(self) -> Result<()> {
        match self.file {
            Some((path, _)) => Ok(std::fs::remove_file(path)?),
            None => Ok(()),
        }
    }
}

/// The digest of texts, each preceded by its length.
pub(super) fn digest(texts: &[&str]) -> String {
    let mut all = Sha256::new();
    for text in texts {
        all.update((text.len() as u64).to_be_bytes());
        all.update(text);
    }
    hex::encode(all.finalize())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Journal, SUFFIX, digest};

    #[test]
    fn answers_are_known_again_until_the_import_ends_even_after_a_torn_line() {
        let folder = tempfile::tempdir().unwrap();
        let table = folder.path().join("chips.csv");
        let path = folder.path().join(format!("chips.csv{SUFFIX}"));
        let part = digest(&["a", "bc"]);
        assert_ne!(part, digest(&["ab", "c"]));
        let mut journal = Journal::open(&table, false).unwrap();
        journal.add(&part, &json!({"rows": 1})).unwrap();
        drop(journal);
        let mut torn = std::fs::read_to_string(&path).unwrap();
        torn.push_str("{\"part\":\"x");
        std::fs::write(&path, torn).unwrap();
        let mut journal = Journal::open(&table, false).unwrap();
        assert_eq!(journal.answer(&part), Some(&json!({"rows": 1})));
        assert_eq!(journal.answer("x"), None);
        journal.add("x", &json!({"rows": 2})).unwrap();
        drop(journal);
        let journal = Journal::open(&table, false).unwrap();
        assert_eq!(journal.answer("x"), Some(&json!({"rows": 2})));
        journal.finish().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_preview_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(&folder.path().join("a.csv"), true).unwrap();
        journal.add("x", &json!({})).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        journal.finish().unwrap();
    }
}
