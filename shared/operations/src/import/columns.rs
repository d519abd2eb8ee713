//! Reads a CSV file with a header: which columns there are, and the fields of each row.

use csv::{ByteRecord, ReaderBuilder};

use super::{MAX_IMPORT_BYTES, MAX_IMPORT_ROWS};
use domain::Malformed;
use domain::error::{Error, Lang, Reason};
use domain::{mask_identifiers, without_byte_order_mark};

/// Longest field, in bytes.
const MAX_FIELD_BYTES: usize = 512;

/// A column that a kind of file may have.
#[derive(Debug)]
pub(super) struct ColumnRule {
    pub(super) name: &'static str,
    pub(super) required: bool,
}

pub(super) const fn required(name: &'static str) -> ColumnRule {
    ColumnRule { name, required: true }
}

pub(super) const fn optional(name: &'static str) -> ColumnRule {
    ColumnRule {
        name,
        required: false,
    }
}

/// One error in a row.
#[derive(Debug)]
pub(super) struct ColumnError {
    pub(super) column: Option<&'static str>,
    pub(super) reason: Reason,
    pub(super) zh: String,
    pub(super) en: String,
}

impl ColumnError {
    pub(super) fn new(column: &'static str, reason: Reason, zh: &str, en: &str) -> Self {
        Self {
            column: Some(column),
            reason,
            zh: zh.to_owned(),
            en: en.to_owned(),
        }
    }

    /// An error without detail.
    pub(super) fn plain(column: Option<&'static str>, reason: Reason) -> Self {
        let text = |lang| reason.message(lang).to_owned();
        Self {
            column,
            reason,
            zh: text(Lang::Zh),
            en: text(Lang::En),
        }
    }

    fn malformed(column: &'static str, wrong: Malformed) -> Self {
        Self::new(column, Error::from(wrong).reason(), wrong.zh, wrong.en)
    }
}

/// The rows of a file.
#[derive(Debug)]
pub(super) struct Table {
    rules: &'static [ColumnRule],
    /// Position of each rule's column in the file.
    places: Vec<Option<usize>>,
    pub(super) rows: Vec<Line>,
}

/// One row, with its line in the file.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) number: u64,
    fields: Result<Vec<String>, Reason>,
}

impl Table {
    /// Reads a file whose header has the columns of `rules`, in any order.
    ///
    /// # Errors
    /// [`Reason::BodyTooLarge`] for too many bytes or rows, [`Reason::BadCsv`] for a wrong header.
    pub(super) fn read(csv: &[u8], rules: &'static [ColumnRule]) -> Result<Self, Error> {
        if csv.len() > MAX_IMPORT_BYTES {
            return Err(Reason::BodyTooLarge.into());
        }
        let csv = without_byte_order_mark(csv);
        let mut reader = ReaderBuilder::new()
            .flexible(true)
            .has_headers(true)
            .trim(csv::Trim::All)
            .from_reader(csv);
        let header = reader.byte_headers().map_err(unreadable)?.clone();
        let places = places(&header, rules)?;
        let mut rows = Vec::new();
        for record in reader.byte_records() {
            let record = record.map_err(unreadable)?;
            if rows.len() == MAX_IMPORT_ROWS {
                let most = MAX_IMPORT_ROWS;
                let error = Error::new(Reason::BodyTooLarge);
                return Err(
                    error.with_detail(format!("每个文件最多 {most} 行"), format!("at most {most} rows"))
                );
            }
            let number = record.position().map_or(0, |position| line_of(csv, position));
            rows.push(Line {
                number,
                fields: fields(&record, header.len()),
            });
        }
        Ok(Self { rules, places, rows })
    }

    /// Starts reading one row.
    pub(super) fn row<'a>(&'a self, line: &'a Line) -> RowReader<'a> {
        let errors = match &line.fields {
            Ok(_) => Vec::new(),
            Err(reason) => vec![ColumnError::plain(None, *reason)],
        };
        RowReader {
            table: self,
            fields: line.fields.as_deref().unwrap_or_default(),
            errors,
        }
    }
}

/// Line of the record that begins at `position`; the first line is 1. The parser reports where it continued reading,
/// which is before any empty lines it skipped.
fn line_of(csv: &[u8], position: &csv::Position) -> u64 {
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = csv.get(start..).unwrap_or_default();
    let empty = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + empty.filter(|byte| **byte == b'\n').count() as u64
}

fn unreadable(error: csv::Error) -> Error {
    // The parser's text names positions, never contents.
    Error::new(Reason::BadCsv).with_detail(error.to_string(), error.to_string())
}

fn places(header: &ByteRecord, rules: &[ColumnRule]) -> Result<Vec<Option<usize>>, Error> {
    let bad = |zh: String, en: String| Error::new(Reason::BadCsv).with_detail(zh, en);
    let mut places = vec![None; rules.len()];
    for (place, name) in header.iter().enumerate() {
        let shown = String::from_utf8_lossy(name)
            .chars()
            .take(MAX_FIELD_BYTES)
            .collect::<String>();
        // In a file without a header, the first row has identifiers.
        let shown = mask_identifiers(&shown);
        let Some(at) = rules.iter().position(|rule| rule.name.as_bytes() == name) else {
            return Err(bad(
                format!("未定义的列 {shown}"),
                format!("unknown column {shown}"),
            ));
        };
        if places[at].replace(place).is_some() {
            return Err(bad(
                format!("列 {shown} 重复"),
                format!("column {shown} appears twice"),
            ));
        }
    }
    match rules
        .iter()
        .zip(&places)
        .find(|(rule, place)| rule.required && place.is_none())
    {
        Some((rule, _)) => Err(bad(
            format!("缺少列 {}", rule.name),
            format!("column {} is missing", rule.name),
        )),
        None => Ok(places),
    }
}

fn fields(record: &ByteRecord, columns: usize) -> Result<Vec<String>, Reason> {
    if record.len() != columns {
        return Err(Reason::BadCsv);
    }
    record
        .iter()
        .map(|field| String::from_utf8(field.to_owned()).map_err(|_| Reason::BadUtf8))
        .collect()
}

/// Reads the fields of one row and collects every error.
pub(super) struct RowReader<'a> {
    table: &'a Table,
    fields: &'a [String],
    errors: Vec<ColumnError>,
}

impl<'a> RowReader<'a> {
    /// The field of column `name`; empty when the column or the field is.
    pub(super) fn text(&mut self, name: &'static str) -> &'a str {
        let at = self.table.rules.iter().position(|rule| rule.name == name);
        let place = at.and_then(|at| self.table.places[at]);
        let text = place
            .and_then(|place| self.fields.get(place))
            .map_or("", String::as_str);
        if text.len() > MAX_FIELD_BYTES {
            self.errors
                .push(ColumnError::plain(Some(name), Reason::ParameterTooLong));
            return "";
        }
        text
    }

    /// A field that must not be empty, read by `parse`.
    pub(super) fn required<T, E: Into<Malformed>>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        // A row that could not be split has no fields to check.
        if self.fields.is_empty() {
            return None;
        }
        match self.text(name) {
            "" => {
                self.errors
                    .push(ColumnError::plain(Some(name), Reason::ParameterMissing));
                None
            }
            text => self.take(parse(text).map_err(|wrong| ColumnError::malformed(name, wrong.into()))),
        }
    }

    /// A field that may be empty, read by `parse`.
    pub(super) fn optional<T, E: Into<Malformed>>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        match self.text(name) {
            "" => None,
            text => self.take(parse(text).map_err(|wrong| ColumnError::malformed(name, wrong.into()))),
        }
    }

    /// Collects an error.
    pub(super) fn take<T>(&mut self, result: Result<T, ColumnError>) -> Option<T> {
        result.map_err(|error| self.errors.push(error)).ok()
    }

    /// The row, or every error in it.
    pub(super) fn finish<T>(self, row: Option<T>) -> Result<T, Vec<ColumnError>> {
        match row {
            Some(row) if self.errors.is_empty() => Ok(row),
            _ => Err(self.errors),
        }
    }
}
