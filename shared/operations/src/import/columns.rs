//! Reads a table with a header: which columns there are, and the fields of each row.

use super::contradictions::{Contradiction, Key};
use super::decode::decode;
use super::header::Header;
use super::records::Record;
use super::rounded::{has_lost_digits, is_exponent, is_rounded};
use super::rules::ColumnRule;
use super::warnings::Warnings;
use super::{MAX_IMPORT_BYTES, MAX_IMPORT_ROWS};
use crate::warning_kind::WarningKind;
use domain::error::{Error, Lang, Reason};
use domain::{Iccid, Malformed, Msisdn, NumberRanges, mask_identifiers};

/// Longest field, in bytes.
const MAX_FIELD_BYTES: usize = 512;

/// How many rows a table may have, and what to do with more, in both languages.
pub(crate) struct RowLimit {
    pub(crate) rows: usize,
    pub(crate) beyond: [&'static str; 2],
}

/// The limit of one import.
const IMPORT_LIMIT: RowLimit = RowLimit {
    rows: MAX_IMPORT_ROWS,
    beyond: [
        "更大的文件由 xieka import 分批导入",
        "`xieka import` imports larger files in parts",
    ],
};

/// One error in a row.
#[derive(Debug)]
pub(crate) struct ColumnError {
    pub(crate) column: Option<&'static str>,
    pub(crate) reason: Reason,
    pub(crate) zh: String,
    pub(crate) en: String,
}

impl ColumnError {
    pub(crate) fn new(
        column: &'static str,
        reason: Reason,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Self {
            column: Some(column),
            reason,
            zh: zh.into(),
            en: en.into(),
        }
    }

    /// An error without detail.
    pub(crate) fn plain(column: Option<&'static str>, reason: Reason) -> Self {
        let text = |lang| reason.message(lang).to_owned();
        Self {
            column,
            reason,
            zh: text(Lang::Zh),
            en: text(Lang::En),
        }
    }

    /// What is malformed in `text`.
    fn malformed(column: &'static str, wrong: Malformed, text: &str) -> Self {
        Self::of(column, &wrong.of(text))
    }

    fn of(column: &'static str, error: &Error) -> Self {
        let (zh, en) = error.detail().map_or(("", ""), |detail| (&detail.zh, &detail.en));
        Self::new(column, error.reason(), zh, en)
    }
}

/// What the stored rows do not permit.
impl From<Error> for ColumnError {
    fn from(error: Error) -> Self {
        let plain = Self::plain(error.field(), error.reason());
        match error.detail() {
            Some(detail) => Self {
                zh: detail.zh.clone(),
                en: detail.en.clone(),
                ..plain
            },
            None => plain,
        }
    }
}

impl From<Contradiction> for ColumnError {
    fn from(Contradiction { column, line }: Contradiction) -> Self {
        Self::new(
            column,
            Reason::ImportConflict,
            format!("与文件第 {line} 行的 {column} 相同，其他内容不同"),
            format!("line {line} of the file has the same {column} and other content"),
        )
    }
}

/// The rows of a file.
#[derive(Debug)]
pub(crate) struct Table {
    rules: &'static [ColumnRule],
    header: Header,
    pub(crate) rows: Vec<Record>,
    /// What is not as usual in the file, without being wrong.
    pub(crate) warnings: Warnings,
}

impl Table {
    /// Reads a file whose header has the columns of `rules`, in any order, by their names in either language.
    ///
    /// # Errors
    /// [`Reason::BodyTooLarge`] for too many bytes or rows, [`Reason::BadCsv`] for what is no such table.
    pub(crate) fn read(file: &[u8], rules: &'static [ColumnRule]) -> Result<Self, Error> {
        if file.len() > MAX_IMPORT_BYTES {
            return Err(Reason::BodyTooLarge.into());
        }
        Self::of_text(&decode(file)?, rules, &IMPORT_LIMIT)
    }

    /// Reads a text within a limit.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub(crate) fn of_text(text: &str, rules: &'static [ColumnRule], limit: &RowLimit) -> Result<Self, Error> {
        let mut warnings = Warnings::default();
        let (header, records) = Header::read(text, rules, &mut warnings)?;
        let mut rows = Vec::new();
        for record in records {
            let record = record?;
            if rows.len() == limit.rows {
                let (most, [zh, en]) = (limit.rows, limit.beyond);
                let error = Error::new(Reason::BodyTooLarge);
                return Err(error.with_detail(
                    format!("每个文件最多 {most} 行；{zh}"),
                    format!("at most {most} rows; {en}"),
                ));
            }
            if record.fields.len() < header.width {
                warnings.add(WarningKind::RowShort, None, record.line);
            }
            rows.push(record);
        }
        Ok(Self {
            rules,
            header,
            rows,
            warnings,
        })
    }

    /// What stands in the header.
    pub(crate) fn names(&self) -> &[String] {
        &self.header.names
    }

    /// Starts reading one row.
    pub(crate) fn row<'a>(&'a self, record: &'a Record) -> RowReader<'a> {
        let (has, width) = (record.fields.len(), self.header.width);
        let beyond = record.fields.iter().skip(width);
        let errors = beyond
            .filter(|field| !field.is_empty())
            .take(1)
            .map(|_| ColumnError {
                column: None,
                reason: Reason::BadCsv,
                zh: format!("该行有 {has} 列，表头有 {width} 列"),
                en: format!("the row has {has} fields, the header {width}"),
            })
            .collect();
        RowReader {
            table: self,
            fields: &record.fields,
            errors,
        }
    }

    /// The field of column `name`; empty when the column or the field is.
    fn field<'a>(&self, fields: &'a [String], name: &'static str) -> &'a str {
        let at = self.rules.iter().position(|rule| rule.name == name);
        let place = at.and_then(|at| self.header.places[at]);
        let field = place.and_then(|place| fields.get(place));
        field.map_or("", |field| bare(field))
    }
}

/// A field without what programs write around digits so that a spreadsheet takes them for text: `="8986…"`, `'8986…`.
fn bare(field: &str) -> &str {
    let formula = field.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    formula.or(field.strip_prefix('\'')).unwrap_or(field).trim()
}

/// Reads the fields of one row and collects every error.
pub(crate) struct RowReader<'a> {
    table: &'a Table,
    fields: &'a [String],
    errors: Vec<ColumnError>,
}

impl<'a> RowReader<'a> {
    /// The field of column `name`; empty when the column or the field is.
    pub(crate) fn text(&mut self, name: &'static str) -> &'a str {
        let text = self.table.field(self.fields, name);
        if text.len() > MAX_FIELD_BYTES {
            self.errors
                .push(ColumnError::plain(Some(name), Reason::ParameterTooLong));
            return "";
        }
        text
    }

    /// The key in column `name`, in the one form that `read` gives it, if it can be read. Collects no error.
    pub(crate) fn key(&self, name: &'static str, read: impl FnOnce(&str) -> Option<String>) -> Option<Key> {
        Some((name, read(self.table.field(self.fields, name))?))
    }

    /// The key that is an ICCID. Those that a spreadsheet seems to have rounded are alike by accident.
    pub(crate) fn iccid_key(&self, name: &'static str, accept_zeros: bool) -> Option<Key> {
        self.key(name, |text| {
            let iccid = Iccid::parse(text).ok()?;
            (accept_zeros || !is_rounded(&iccid)).then(|| iccid.as_str().to_owned())
        })
    }

    /// A field that must not be empty, read by `parse`.
    pub(crate) fn required<T, E: Into<Malformed>>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        match self.text(name) {
            "" => {
                self.errors
                    .push(ColumnError::plain(Some(name), Reason::ParameterMissing));
                None
            }
            text => self.read(name, text, parse),
        }
    }

    /// A field that may be empty, read by `parse`.
    pub(crate) fn optional<T, E: Into<Malformed>>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        match self.text(name) {
            "" => None,
            text => self.read(name, text, parse),
        }
    }

    /// A field that may be empty and of which nothing is shown: key material.
    pub(crate) fn optional_secret<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Malformed>,
    ) -> Option<T> {
        match self.text(name) {
            "" => None,
            text => self
                .take(parse(text).map_err(|wrong| {
                    ColumnError::new(name, Error::from(wrong).reason(), wrong.zh, wrong.en)
                })),
        }
    }

    /// An ICCID. One that a spreadsheet seems to have rounded is refused, unless `accept_zeros`.
    pub(crate) fn iccid(&mut self, name: &'static str, accept_zeros: bool) -> Option<Iccid> {
        let iccid = self.required(name, Iccid::parse)?;
        if is_rounded(&iccid) && !accept_zeros {
            let shown = iccid.masked();
            self.errors.push(ColumnError::new(
                name,
                Reason::NumberRounded,
                format!("{shown} 以五个以上的零结尾且校验位不符"),
                format!("{shown} ends in five or more zeros and its check digit is wrong"),
            ));
            return None;
        }
        Some(iccid)
    }

    /// A number of one of these ranges.
    pub(crate) fn msisdn(&mut self, name: &'static str, ranges: &NumberRanges) -> Option<Msisdn> {
        let msisdn = self.required(name, Msisdn::parse)?;
        let checked = ranges.check(&msisdn);
        self.take(checked.map_err(|error| ColumnError::of(name, &error)))?;
        Some(msisdn)
    }

    fn read<T, E: Into<Malformed>>(
        &mut self,
        name: &'static str,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if is_exponent(text) {
            let shown = mask_identifiers(text);
            return self.take(Err(ColumnError::new(
                name,
                Reason::NumberRounded,
                format!("收到科学计数法 {shown}，末尾数字已丢失"),
                format!("received {shown}, a number with an exponent, whose last digits are lost"),
            )));
        }
        self.take(parse(text).map_err(|wrong| {
            if has_lost_digits(text) {
                ColumnError::new(
                    name,
                    Reason::NumberRounded,
                    "数字以五个以上的零结尾",
                    "the number ends in five or more zeros",
                )
            } else {
                ColumnError::malformed(name, wrong.into(), text)
            }
        }))
    }

    /// Collects an error.
    pub(crate) fn take<T>(&mut self, result: Result<T, ColumnError>) -> Option<T> {
        result.map_err(|error| self.errors.push(error)).ok()
    }

    /// The row, or every error in it.
    pub(crate) fn finish<T>(self, row: Option<T>) -> Result<T, Vec<ColumnError>> {
        match row {
            Some(row) if self.errors.is_empty() => Ok(row),
            _ => Err(self.errors),
        }
    }
}
