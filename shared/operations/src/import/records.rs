//! Splits the text of a table into records (RFC 4180, as spreadsheets write it): any line end, quoted fields with line
//! ends inside, and the separators that programs use. The `csv` crate takes a quote that never closes as the end of the
//! file, and counts lines by `\n` alone: here both would name the wrong row.

use domain::error::{Error, Reason};

/// What separates fields: comma, as everybody; semicolon, as Excel where the comma is decimal; tab, as copied tables.
pub(crate) const SEPARATORS: [char; 3] = [',', ';', '\t'];

/// A record: the line that it begins in, the first being 1, and its fields without blanks around them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) line: u64,
    pub(crate) fields: Vec<String>,
}

impl Record {
    /// Whether nothing stands in it.
    fn is_blank(&self) -> bool {
        self.fields.iter().all(String::is_empty)
    }
}

/// The records of a text, without blank ones.
#[derive(Clone, Debug)]
pub(crate) struct Records<'a> {
    rest: &'a str,
    line: u64,
    separator: char,
}

impl<'a> Records<'a> {
    pub(crate) fn new(text: &'a str, separator: char) -> Self {
        Self {
            rest: text,
            line: 1,
            separator,
        }
    }

    /// The next record. `None` at the end of the text.
    fn read(&mut self) -> Result<Option<Record>, Error> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let line = self.line;
        let mut fields = Vec::new();
        loop {
            fields.push(self.field(line)?);
            if let Some(rest) = self.rest.strip_prefix(self.separator) {
                self.rest = rest;
            } else {
                self.end_line();
                return Ok(Some(Record { line, fields }));
            }
        }
    }

    /// Goes beyond a line end, if one is next.
    fn end_line(&mut self) -> bool {
        let rest = self.rest;
        let end = ["\r\n", "\n", "\r"]
            .iter()
            .find_map(|end| rest.strip_prefix(*end));
        if let Some(rest) = end {
            self.rest = rest;
            self.line += 1;
        }
        end.is_some()
    }

    /// A field, up to its separator or line end.
    fn field(&mut self, line: u64) -> Result<String, Error> {
        let separator = self.separator;
        let is_end = |c: char| c == separator || c == '\r' || c == '\n';
        let quoted = self.rest.trim_start_matches(|c| is_around(c) && !is_end(c));
        let mut field = String::new();
        if let Some(rest) = quoted.strip_prefix('"') {
            self.rest = rest;
            self.quoted(line, &mut field)?;
        }
        let (text, rest) = self
            .rest
            .split_at(self.rest.find(is_end).unwrap_or(self.rest.len()));
        field.push_str(text);
        self.rest = rest;
        Ok(field.trim_matches(is_around).to_owned())
    }

    /// The inside of a quoted field, and its closing quote.
    fn quoted(&mut self, line: u64, field: &mut String) -> Result<(), Error> {
        while let Some(next) = self.rest.chars().next() {
            if let Some(rest) = self.rest.strip_prefix("\"\"") {
                field.push('"');
                self.rest = rest;
            } else if next == '"' {
                self.rest = &self.rest[1..];
                return Ok(());
            } else if self.end_line() {
                field.push('\n');
            } else {
                field.push(next);
                self.rest = &self.rest[next.len_utf8()..];
            }
        }
        Err(Error::new(Reason::BadCsv).with_detail(
            format!("第 {line} 行的引号没有闭合"),
            format!("a quote of line {line} is not closed"),
        ))
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.read() {
                Ok(Some(record)) if record.is_blank() => (),
                Ok(record) => return record.map(Ok),
                Err(error) => {
                    self.rest = "";
                    return Some(Err(error));
                }
            }
        }
    }
}

/// Blanks, and characters without a width that come along when text is copied.
fn is_around(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Record, Records, SEPARATORS};

    fn records(text: &str) -> Vec<(u64, Vec<String>)> {
        Records::new(text, ',')
            .map(|record| record.map(|Record { line, fields }| (line, fields)).unwrap())
            .collect()
    }

    fn record(line: u64, fields: &[&str]) -> (u64, Vec<String>) {
        (line, fields.iter().map(|field| (*field).to_owned()).collect())
    }

    #[test]
    fn every_kind_of_line_end_counts_one_line() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["a,b", "", ",", "\"c", "d\",e", "f,g"].join(end);
            let expected = [
                record(1, &["a", "b"]),
                record(4, &["c\nd", "e"]),
                record(6, &["f", "g"]),
            ];
            assert_eq!(records(&text), expected, "{end:?}");
            assert_eq!(records(&(text + end)), expected, "{end:?}");
        }
        assert_eq!(
            records("a\r\rb\n\rc"),
            [record(1, &["a"]), record(3, &["b"]), record(5, &["c"])]
        );
    }

    #[test]
    fn blank_rows_of_every_look_are_no_rows() {
        let blank = [
            "",
            " ",
            "\t",
            ",,,",
            "\"\",\"\"",
            " , \u{a0},\u{3000}",
            "\" \"",
            "\u{feff}",
        ];
        assert_eq!(records(&blank.join("\n")), []);
        assert_eq!(records(&(blank.join("\n") + "\na")), [record(9, &["a"])]);
    }

    #[test]
    fn quotes_and_blanks_around_a_field_are_not_its_own() {
        assert_eq!(
            records("\u{feff} a ,\" b\"\"c \" ,\"d\"e,f\"g,\u{202a}1\u{202c}"),
            [record(1, &["a", "b\"c", "de", "f\"g", "1"])]
        );
    }

    #[test]
    fn a_quote_that_is_not_closed_is_named_with_its_line() {
        let mut records = Records::new("a\n\"b\nc", ',');
        assert!(records.next().unwrap().is_ok());
        let refused = records.next().unwrap().unwrap_err();
        assert!(refused.to_string().contains("line 2"), "{refused}");
        assert!(records.next().is_none());
    }

    proptest! {
        #[test]
        fn what_is_written_with_quotes_reads_back(
            rows in prop::collection::vec(prop::collection::vec("[a-z,;\t\"]{0,4}[\r\n]?[a-z]", 1..5), 0..6),
            separator in prop::sample::select(SEPARATORS.to_vec()),
            end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
        ) {
            let separated = |row: &Vec<String>| {
                let quoted: Vec<String> =
                    row.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
                quoted.join(&separator.to_string())
            };
            let text: String = rows.iter().map(|row| separated(row) + end).collect();
            let read: Vec<Vec<String>> =
                Records::new(&text, separator).map(|record| record.unwrap().fields).collect();
            let expected: Vec<Vec<String>> = rows
                .iter()
                .map(|row| row.iter().map(|field| field.replace('\r', "\n").trim().to_owned()).collect())
                .collect();
            prop_assert_eq!(read, expected);
        }

        #[test]
        fn no_text_makes_it_panic_or_read_for_ever(text in "[,;\"a\r\n\u{feff}卡 ]{0,60}") {
            let lines = text.replace("\r\n", "\n").split(['\r', '\n']).count() as u64;
            for record in Records::new(&text, ',').flatten() {
                prop_assert!(record.line <= lines);
            }
        }
    }
}
