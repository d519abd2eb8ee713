//! Rows as CSV by RFC 4180, in UTF-8 with a byte order mark, which lets spreadsheets read it. The first line has the names
//! of the columns, which are those of the fields in JSON and the same in every language.
//!
//! A spreadsheet takes a cell that begins like a formula for one. So text that begins so gets an apostrophe before it;
//! numbers are left as they are.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::end::End;
use domain::error::Error;

/// Lets spreadsheets read the file as UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";
/// First cell of the end record.
const END_MARK: &str = "#end";

/// The fields of a JSON object, in their order.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = Vec::with_capacity(32);
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Fields(fields))
    }
}

/// The line with the names of the columns.
pub(super) fn write_header(csv: &mut Vec<u8>, columns: &[&str]) {
    csv.extend_from_slice(BYTE_ORDER_MARK.as_bytes());
    csv.extend_from_slice(columns.join(",").as_bytes());
    csv.extend_from_slice(b"\r\n");
}

/// The line of a row, which is a JSON object. Fields that are null or not there are empty, and lists are JSON.
pub(super) fn write_row(csv: &mut Vec<u8>, columns: &[&str], row: &[u8]) -> Result<(), Error> {
    let Fields(fields) = serde_json::from_slice(row).map_err(Error::internal)?;
    for (at, column) in columns.iter().enumerate() {
        if at > 0 {
            csv.push(b',');
        }
        let value = fields.iter().find(|(name, _)| name == column);
        match value.map(|(_, value)| value.get()) {
            None | Some("null") => (),
            Some(text) if text.starts_with('"') => {
                let text: Cow<'_, str> = serde_json::from_str(text).map_err(Error::internal)?;
                write_text(csv, &text);
            }
            Some(json) if json.starts_with(['[', '{']) => write_text(csv, json),
            Some(number) => csv.extend_from_slice(number.as_bytes()),
        }
    }
    csv.extend_from_slice(b"\r\n");
    Ok(())
}

/// The last line: what it is, `complete` or `incomplete`, rows, where the next export begins, reason, SHA-256 of all
/// bytes before. It has as many cells as every other line.
pub(super) fn write_end(csv: &mut Vec<u8>, columns: &[&str], end: &End) {
    let state = if end.complete { "complete" } else { "incomplete" };
    let (next, reason) = (
        end.next.as_deref().unwrap_or_default(),
        end.reason.unwrap_or_default(),
    );
    let cells = [END_MARK, state, &end.rows.to_string(), next, reason, &end.sha256];
    let padding = ",".repeat(columns.len().saturating_sub(cells.len()));
    csv.extend_from_slice(cells.join(",").as_bytes());
    csv.extend_from_slice(padding.as_bytes());
    csv.extend_from_slice(b"\r\n");
}

/// A cell of text.
fn write_text(csv: &mut Vec<u8>, text: &str) {
    let guard = if is_like_a_formula(text) { "'" } else { "" };
    let must_be_quoted = text.contains([',', '"', '\r', '\n']);
    if must_be_quoted {
        csv.push(b'"');
    }
    csv.extend_from_slice(guard.as_bytes());
    if must_be_quoted {
        csv.extend_from_slice(text.replace('"', "\"\"").as_bytes());
        csv.push(b'"');
    } else {
        csv.extend_from_slice(text.as_bytes());
    }
}

/// Whether a spreadsheet may take a cell for a formula, also one of full-width characters. What it skips before counts
/// too.
fn is_like_a_formula(text: &str) -> bool {
    let skipped = |c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}';
    let is_cut = text.starts_with(['\t', '\r', '\n']);
    is_cut
        || text
            .trim_start_matches(skipped)
            .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(row: &str) -> String {
        let mut csv = Vec::new();
        write_row(&mut csv, &["a", "b", "c"], row.as_bytes()).unwrap();
        String::from_utf8(csv).unwrap()
    }

    #[test]
    fn a_row_has_its_fields_in_the_order_of_the_columns() {
        assert_eq!(line(r#"{"c":1,"a":"x","b":null}"#), "x,,1\r\n");
        assert_eq!(line(r#"{"b":true,"other":"y"}"#), ",true,\r\n");
        assert_eq!(
            line(r#"{"a":["x","y"],"c":-2.5}"#),
            "\"[\"\"x\"\",\"\"y\"\"]\",,-2.5\r\n"
        );
        assert_eq!(line(r#"{"a":"x,\"y\"\n写卡"}"#), "\"x,\"\"y\"\"\n写卡\",,\r\n");
    }

    // OWASP, CSV injection
    #[test]
    fn no_text_is_a_formula() {
        for text in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\tx",
            "\rx",
            " =1",
            "\u{feff}=1",
            "＝1",
            "＠x",
            "=cmd|' /C calc'!A0,1",
        ] {
            let row = serde_json::json!({ "a": text }).to_string();
            let line = line(&row);
            let cell = line.trim_start_matches('"');
            assert!(cell.starts_with('\''), "{line}");
        }
        for text in ["a=1", "1-2", "写卡=", ""] {
            let row = serde_json::json!({ "a": text }).to_string();
            assert_eq!(line(&row), format!("{text},,\r\n"));
        }
    }

    #[test]
    fn every_line_has_as_many_cells() {
        let columns = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let end = End {
            complete: false,
            rows: 2,
            next: Some("00".to_owned()),
            reason: Some("unavailable"),
            message: Some("数据库繁忙".to_owned()),
            sha256: "ff".to_owned(),
        };
        let mut csv = Vec::new();
        write_header(&mut csv, &columns);
        write_row(&mut csv, &columns, b"{}").unwrap();
        write_end(&mut csv, &columns, &end);
        let text = String::from_utf8(csv).unwrap();
        assert_eq!(
            text,
            "\u{feff}a,b,c,d,e,f,g,h\r\n,,,,,,,\r\n#end,incomplete,2,00,unavailable,ff,,\r\n"
        );
    }
}
