//! What became of each mutant, kept so that a later run does not repeat it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::list::Mutant;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Caught,
    Missed,
    Unviable,
    TimedOut,
}

#[derive(Clone, Serialize, Deserialize)]
struct Line {
    /// Of the mutant and the text of its file.
    key: String,
    /// Of the whole source.
    source: String,
    name: String,
    outcome: Outcome,
    /// The tests among which the first failure was, or how many ran.
    by: String,
}

/// The file of outcomes, one a line.
pub(crate) struct Record {
    file: Mutex<File>,
    known: BTreeMap<String, Line>,
    source: String,
}

impl Record {
    pub(crate) fn open(path: &Path, source: String) -> Result<Self> {
        let mut known = BTreeMap::new();
        for line in std::fs::read_to_string(path).unwrap_or_default().lines() {
            // The last line of a run that was interrupted may be half a line.
            if let Ok(line) = serde_json::from_str::<Line>(line) {
                known.insert(line.key.clone(), line);
            }
        }
        let file = Mutex::new(File::options().append(true).create(true).open(path)?);
        Ok(Self { file, known, source })
    }

    /// What is known of a mutant. What no test noticed is tried again as soon as anything else in the source differs:
    /// a test may have come.
    pub(crate) fn known(&self, mutant: &Mutant, text: &str) -> Option<Outcome> {
        let line = self.known.get(&key(mutant, text))?;
        let holds = match line.outcome {
            Outcome::Caught | Outcome::Unviable => true,
            Outcome::Missed | Outcome::TimedOut => line.source == self.source,
        };
        holds.then_some(line.outcome)
    }

    pub(crate) fn add(&self, mutant: &Mutant, text: &str, outcome: Outcome, by: String) -> Result<()> {
        let line = Line {
            key: key(mutant, text),
            source: self.source.clone(),
            name: mutant.name.clone(),
            outcome,
            by,
        };
        let mut file = self
            .file
            .lock()
            .map_err(|_| anyhow::anyhow!("another thread failed"))?;
        Ok(writeln!(file, "{}", serde_json::to_string(&line)?)?)
    }
}

fn key(mutant: &Mutant, text: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(&mutant.name);
    digest.update([0]);
    digest.update(text);
    hex::encode(digest.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::list::Genre;
    use crate::list::tests::mutant;

    #[test]
    fn a_caught_mutant_is_tried_again_only_when_its_file_changes_and_a_missed_one_after_any_change() {
        let path = std::env::temp_dir().join(format!("xieka-mutants-{}", std::process::id()));
        let caught = mutant(Genre::FnValue, (1, 1), (1, 2), "0");
        let missed = mutant(Genre::FnValue, (2, 1), (2, 2), "0");
        let record = Record::open(&path, "one".to_owned()).unwrap();
        record
            .add(&caught, "text", Outcome::Caught, String::new())
            .unwrap();
        record
            .add(&missed, "text", Outcome::Missed, String::new())
            .unwrap();
        let same = Record::open(&path, "one".to_owned()).unwrap();
        let other = Record::open(&path, "two".to_owned()).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(same.known(&caught, "text"), Some(Outcome::Caught));
        assert_eq!(same.known(&missed, "text"), Some(Outcome::Missed));
        assert_eq!(same.known(&caught, "edited"), None);
        assert_eq!(other.known(&caught, "text"), Some(Outcome::Caught));
        assert_eq!(other.known(&missed, "text"), None);
    }
}
