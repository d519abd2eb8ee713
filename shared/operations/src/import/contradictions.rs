//! Rows of one file that contradict one another: they share a key and differ in their content. Which of them is right
//! is not known, so none is imported. The whole file is looked at before its first row is written.

use std::collections::BTreeMap;

/// A key of a row: the column, and the value in its one form.
pub(super) type Key = (&'static str, String);

/// What became of a row when it was compared with the others of its file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Compared {
    /// No other row has its keys.
    Alone,
    /// An earlier row has the same content.
    Repeated,
    /// Another row has one of its keys and other content.
    Contradicted(Contradiction),
}

/// The column that two rows share, and the line of the other row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Contradiction {
    pub(super) column: &'static str,
    pub(super) line: u64,
}

/// The rows of a file, as far as they identify anything.
#[derive(Debug, Default)]
pub(super) struct FileKeys {
    rows: Vec<Row>,
    /// The first row of each content.
    contents: BTreeMap<Vec<u8>, usize>,
    /// The rows that have a key, one for each content.
    keys: BTreeMap<Key, Vec<usize>>,
}

#[derive(Debug)]
struct Row {
    line: u64,
    keys: Vec<Key>,
    /// The first row with this content.
    first: usize,
}

impl FileKeys {
    /// Adds a row. `content` is the same for rows that say the same.
    pub(super) fn add(&mut self, line: u64, keys: Vec<Key>, content: Vec<u8>) {
        let at = self.rows.len();
        let first = *self.contents.entry(content).or_insert(at);
        if first == at {
            for key in &keys {
                self.keys.entry(key.clone()).or_default().push(at);
            }
        }
        self.rows.push(Row { line, keys, first });
    }

    /// Compares the row that was added as number `at` with all others.
    pub(super) fn compare(&self, at: usize) -> Compared {
        let row = &self.rows[at];
        for key in &row.keys {
            let sharing = self.keys.get(key).into_iter().flatten();
            if let Some(other) = sharing.copied().find(|other| *other != row.first) {
                return Compared::Contradicted(Contradiction {
                    column: key.0,
                    line: self.rows[other].line,
                });
            }
        }
        if row.first == at {
            Compared::Alone
        } else {
            Compared::Repeated
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Compared, Contradiction, FileKeys};

    #[test]
    fn rows_that_share_a_key_are_all_contradicted_unless_they_say_the_same() {
        let mut file = FileKeys::default();
        for (line, iccid, imsi, content) in [
            (2, "a", "1", "x"),
            (3, "b", "2", "y"),
            (5, "a", "3", "z"),
            (6, "b", "2", "y"),
            (7, "c", "1", "w"),
            (8, "a", "1", "x"),
        ] {
            let keys = vec![("iccid", iccid.to_owned()), ("imsi", imsi.to_owned())];
            file.add(line, keys, content.into());
        }
        let by = |column, line| Compared::Contradicted(Contradiction { column, line });
        let found: Vec<Compared> = (0..6).map(|at| file.compare(at)).collect();
        assert_eq!(
            found,
            [
                by("iccid", 5),
                Compared::Alone,
                by("iccid", 2),
                Compared::Repeated,
                by("imsi", 2),
                by("iccid", 5),
            ]
        );
    }
}
