//! A table of any size, cut into parts that an import takes one after the other. Rows that share a key stay together, so
//! that the import of their part finds rows that contradict one another, as if it had the whole file.
//!
//! It must not judge rows: what is wrong with one is the import's answer.

use std::collections::{BTreeMap, HashMap};

use super::chips::Chip;
use super::columns::{RowLimit, Table};
use super::decode::decode_with;
use super::numbers::Number;
use super::records::Record;
use super::{ImportChoices, ImportedRow, MAX_IMPORT_BYTES, MAX_IMPORT_ROWS};
use domain::error::{Error, Reason};

/// What the rows of a table are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableKind {
    /// Chips.
    Chips,
    /// Operator numbers.
    Numbers,
}

/// Some rows of a table, as a table of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TablePart {
    /// The header and the rows, as CSV.
    pub csv: String,
    /// The line of each row in the whole file, by its line in the part.
    pub lines: BTreeMap<u64, u64>,
}

/// Cuts a file into parts of at most [`MAX_IMPORT_ROWS`] rows and [`MAX_IMPORT_BYTES`] bytes.
///
/// # Errors
/// [`Reason::BadCsv`] for what is no table, and for more rows than a part has that share keys with each other.
///
/// `accept_zeros` is that of [`ImportChoices`]: rounded ICCIDs are keys only where they are accepted.
pub fn table_parts(
    file: &[u8],
    kind: TableKind,
    accept_zeros: bool,
    read_gbk: fn(&[u8]) -> Option<String>,
) -> Result<Vec<TablePart>, Error> {
    let text = decode_with(file, read_gbk)?;
    let choices = ImportChoices {
        accept_zeros,
        ..ImportChoices::default()
    };
    match kind {
        TableKind::Chips => parts::<Chip>(&text, &choices),
        TableKind::Numbers => parts::<Number>(&text, &choices),
    }
}

fn parts<R: ImportedRow>(text: &str, choices: &ImportChoices) -> Result<Vec<TablePart>, Error> {
    let any = RowLimit {
        rows: usize::MAX,
        beyond: [""; 2],
    };
    let table = Table::of_text(text, R::COLUMNS, &any)?;
    let mut parts = Vec::new();
    let mut part = OpenPart::new(table.names());
    for group in groups::<R>(&table, choices) {
        if group.len() > MAX_IMPORT_ROWS {
            return Err(too_many_alike(group[0].line, group.len()));
        }
        let rows: Vec<(u64, String)> = group
            .iter()
            .map(|record| (record.line, written(&record.fields)))
            .collect();
        if !part.has_room_for(&rows) {
            parts.push(std::mem::replace(&mut part, OpenPart::new(table.names())).part);
        }
        for (line, row) in rows {
            part.push(line, &row);
        }
    }
    parts.push(part.part);
    Ok(parts)
}

fn too_many_alike(line: u64, rows: usize) -> Error {
    Error::new(Reason::BadCsv).with_detail(
        format!("自第 {line} 行起共有 {rows} 行的键互相重复"),
        format!("{rows} rows from line {line} on share keys with each other"),
    )
}

/// The rows, those together that share a key, directly or through others; in the order of each one's first row.
fn groups<'a, R: ImportedRow>(table: &'a Table, choices: &ImportChoices) -> Vec<Vec<&'a Record>> {
    let mut first_of = HashMap::new();
    let mut group_of: Vec<usize> = (0..table.rows.len()).collect();
    for (at, record) in table.rows.iter().enumerate() {
        for key in R::keys(&table.row(record), choices) {
            let other = *first_of.entry(key).or_insert(at);
            let (one, other) = (root(&mut group_of, at), root(&mut group_of, other));
            group_of[one.max(other)] = one.min(other);
        }
    }
    let mut groups: BTreeMap<usize, Vec<&Record>> = BTreeMap::new();
    for (at, record) in table.rows.iter().enumerate() {
        groups.entry(root(&mut group_of, at)).or_default().push(record);
    }
    groups.into_values().collect()
}

/// The first row of the group that a row belongs to.
fn root(group_of: &mut [usize], mut at: usize) -> usize {
    while group_of[at] != at {
        group_of[at] = group_of[group_of[at]];
        at = group_of[at];
    }
    at
}

/// A part that may get more rows.
struct OpenPart {
    part: TablePart,
    next_line: u64,
}

impl OpenPart {
    fn new(names: &[String]) -> Self {
        let mut open = Self {
            part: TablePart::default(),
            next_line: 1,
        };
        open.push_text(&written(names));
        open
    }

    fn has_room_for(&self, rows: &[(u64, String)]) -> bool {
        let bytes: usize = rows.iter().map(|(_, row)| row.len()).sum();
        let is_empty = self.part.lines.is_empty();
        let fits = self.part.lines.len() + rows.len() <= MAX_IMPORT_ROWS
            && self.part.csv.len() + bytes <= MAX_IMPORT_BYTES;
        is_empty || fits
    }

    fn push(&mut self, line: u64, row: &str) {
        self.part.lines.insert(self.next_line, line);
        self.push_text(row);
    }

    fn push_text(&mut self, row: &str) {
        self.part.csv.push_str(row);
        self.next_line += row.matches('\n').count() as u64;
    }
}

/// A row as CSV, with its line end.
fn written(fields: &[String]) -> String {
    let quoted: Vec<String> = fields
        .iter()
        .map(|field| format!("\"{}\"", field.replace('"', "\"\"")))
        .collect();
    quoted.join(",") + "\n"
}
