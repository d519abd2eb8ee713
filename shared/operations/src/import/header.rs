//! The header of a table: what separates the fields, and which column stands where.

use std::collections::BTreeSet;

use super::records::{Record, Records, SEPARATORS};
use super::rules::ColumnRule;
use super::warnings::Warnings;
use crate::warning_kind::WarningKind;
use domain::error::{Error, Reason};
use domain::mask_identifiers;

/// Most characters of a header that is shown.
const MAX_SHOWN_CHARS: usize = 200;
/// Begins a first line that only names the separator, as Excel reads it.
const SEPARATOR_LINE: &str = "sep=";

/// Where the columns of a table are.
#[derive(Debug)]
pub(super) struct Header {
    /// Position of each rule's column in the file.
    pub(super) places: Vec<Option<usize>>,
    /// Fields of the header.
    pub(super) width: usize,
    /// What stands in them.
    pub(super) names: Vec<String>,
}

impl Header {
    /// Reads the header, and returns the records behind it.
    pub(super) fn read<'a>(
        text: &'a str,
        rules: &[ColumnRule],
        warnings: &mut Warnings,
    ) -> Result<(Self, Records<'a>), Error> {
        let mut best: Option<(usize, Record, Records<'a>)> = None;
        let mut refused = None;
        for separator in SEPARATORS {
            let mut records = Records::new(text, separator);
            let first = records.next();
            let is_hint = matches!(&first, Some(Ok(record)) if names_separator(record));
            match if is_hint { records.next() } else { first } {
                Some(Ok(header)) => {
                    let names = header.fields.iter();
                    let known = names.filter(|name| rule_of(name, rules).is_some()).count();
                    if best.as_ref().is_none_or(|(most, ..)| known > *most) {
                        best = Some((known, header, records));
                    }
                }
                Some(Err(error)) => refused = refused.or(Some(error)),
                None => (),
            }
        }
        let Some((_, header, records)) = best else {
            let (zh, en) = ("文件没有内容", "there is nothing in the file");
            return Err(refused.unwrap_or_else(|| Error::new(Reason::BadCsv).with_detail(zh, en)));
        };
        let places = places(&header, rules, &records, warnings)?;
        let width = header.fields.len();
        let names = header.fields;
        Ok((Self { places, width, names }, records))
    }
}

fn names_separator(record: &Record) -> bool {
    let first = record.fields.first();
    first.is_some_and(|first| first.to_ascii_lowercase().starts_with(SEPARATOR_LINE))
}

/// The rule that a name in the header belongs to.
fn rule_of(name: &str, rules: &[ColumnRule]) -> Option<usize> {
    let name = plain(name);
    rules.iter().position(|rule| {
        let mut names = std::iter::once(rule.name).chain(rule.zh.iter().copied());
        names.any(|known| plain(known) == name)
    })
}

/// A name without what people write differently: capitals, blanks, underscores, hyphens, brackets, a mark of what is
/// required.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-' | '(' | ')' | '（' | '）' | '*'))
        .flat_map(char::to_lowercase)
        .collect()
}

fn places(
    header: &Record,
    rules: &[ColumnRule],
    records: &Records<'_>,
    warnings: &mut Warnings,
) -> Result<Vec<Option<usize>>, Error> {
    let bad = |zh: String, en: String| Error::new(Reason::BadCsv).with_detail(zh, en);
    let mut places = vec![None; rules.len()];
    let mut unknown = Vec::new();
    for (place, name) in header.fields.iter().enumerate() {
        match rule_of(name, rules) {
            Some(at) if places[at].replace(place).is_some() => {
                let name = rules[at].name;
                return Err(bad(
                    format!("列 {name} 重复"),
                    format!("column {name} appears twice"),
                ));
            }
            Some(_) => (),
            None => unknown.push((place, name)),
        }
    }
    let is_missing = |(rule, place): &(&ColumnRule, &Option<usize>)| rule.required && place.is_none();
    let missing = rules.iter().zip(&places).filter(is_missing);
    let missing: Vec<&str> = missing.map(|(rule, _)| rule.name).collect();
    if !missing.is_empty() {
        let (missing, found) = (missing.join(", "), shown(&header.fields.join(", ")));
        return Err(bad(
            format!("缺少列 {missing}；表头为 {found}"),
            format!("columns are missing: {missing}; the header is {found}"),
        ));
    }
    let filled = if unknown.iter().any(|(_, name)| name.is_empty()) {
        filled_places(records)
    } else {
        BTreeSet::new()
    };
    for (place, name) in unknown {
        // A column without a name and without a value comes from a spreadsheet that was wider once.
        if !name.is_empty() || filled.contains(&place) {
            warnings.add(WarningKind::ColumnUnknown, Some(shown(name)), header.line);
        }
    }
    Ok(places)
}

/// The places at which any record has a value.
fn filled_places(records: &Records<'_>) -> BTreeSet<usize> {
    let mut filled = BTreeSet::new();
    for record in records.clone().flatten() {
        let fields = record.fields.iter().enumerate();
        filled.extend(
            fields
                .filter(|(_, field)| !field.is_empty())
                .map(|(place, _)| place),
        );
    }
    filled
}

/// A text of the header, short, without identifiers: in a file without a header, the first row has them.
fn shown(text: &str) -> String {
    let start: String = text.chars().take(MAX_SHOWN_CHARS).collect();
    mask_identifiers(&start)
}
