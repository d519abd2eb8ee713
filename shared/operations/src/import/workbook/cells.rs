//! The cells of a sheet (ECMA-376 part 1 §18.3.1.4), written as people see them.

use jiff::Span;
use jiff::civil::Date;

use super::xml::{Event, Events, unescape};
use super::{MAX_TEXT_BYTES, Refused};

/// Most columns: more than any table has.
const MAX_COLUMNS: usize = 256;
/// The least number that a spreadsheet may have rounded.
const FIRST_ROUNDED: f64 = 1e15;
/// The formats of days that every workbook has (§18.8.30): the international ones and those of East Asia.
const DAY_FORMATS: [std::ops::RangeInclusive<u32>; 4] = [14..=17, 22..=22, 27..=36, 50..=58];
/// The day of number 0, by the workbook's date system (§18.17.4.1).
const DAY_ZERO: [(i16, i8, i8); 2] = [(1899, 12, 30), (1904, 1, 1)];

/// What the cells of every sheet refer to.
pub(super) struct Book {
    strings: Vec<String>,
    /// Whether each style shows a number as a day.
    shows_day: Vec<bool>,
    day_zero: Date,
}

impl Book {
    pub(super) fn read(workbook: &[u8], strings: &[u8], styles: &[u8]) -> Result<Self, Refused> {
        let mut since_1904 = false;
        for event in Events::of(workbook)? {
            let Event::Open(tag) = event else { continue };
            since_1904 |= matches!(tag.attribute("date1904"), Some("1" | "true"));
        }
        let (year, month, day) = DAY_ZERO[usize::from(since_1904)];
        Ok(Self {
            strings: shared_strings(strings)?,
            shows_day: day_styles(styles)?,
            day_zero: Date::new(year, month, day).map_err(|_| Refused::Unreadable)?,
        })
    }

    /// The value of a cell: `kind` and `style` are its attributes `t` and `s`.
    fn shown(&self, kind: Option<&str>, style: Option<&str>, value: String) -> Result<String, Refused> {
        match kind {
            Some("s") => {
                let at: usize = value.trim().parse().map_err(|_| Refused::Unreadable)?;
                self.strings.get(at).cloned().ok_or(Refused::Unreadable)
            }
            None | Some("n") => {
                let style = style.and_then(|style| style.parse::<usize>().ok());
                let is_day = style.and_then(|at| self.shows_day.get(at)).copied();
                Ok(self.number(&value, is_day.unwrap_or_default()))
            }
            _ => Ok(value),
        }
    }

    fn number(&self, text: &str, is_day: bool) -> String {
        let Ok(number) = text.trim().parse::<f64>() else {
            return text.to_owned();
        };
        if number.abs() >= FIRST_ROUNDED {
            return format!("{number:E}").replace('E', "E+");
        }
        #[expect(clippy::cast_possible_truncation, reason = "the number is below 10^15")]
        let days = number as i64;
        #[expect(clippy::cast_precision_loss, reason = "the number is below 10^15")]
        let is_whole = days as f64 == number;
        if is_day && is_whole {
            let since = Span::new().try_days(days).ok();
            if let Some(day) = since.and_then(|days| self.day_zero.checked_add(days).ok()) {
                return day.to_string();
            }
        }
        number.to_string()
    }
}

/// The rows of a sheet as CSV.
pub(super) fn rows(sheet: &[u8], book: &Book) -> Result<String, Refused> {
    let mut out = String::new();
    let mut at = (1, 0);
    let mut cell: Option<(Option<&str>, Option<&str>, (usize, usize))> = None;
    let mut value = String::new();
    let mut is_value = false;
    let (mut row, mut column) = (0, 0);
    for event in Events::of(sheet)? {
        match event {
            Event::Open(tag) if tag.name == "row" => {
                let stated = tag.attribute("r").and_then(|row| row.parse().ok());
                (row, column) = (stated.unwrap_or(row + 1), 0);
            }
            Event::Open(tag) if tag.name == "c" => {
                column = tag.attribute("r").and_then(column_of).unwrap_or(column + 1);
                cell = Some((tag.attribute("t"), tag.attribute("s"), (row, column)));
                value.clear();
            }
            Event::Open(tag) => is_value = matches!(tag.name, "v" | "t"),
            Event::Text(text) if is_value => unescape(text, &mut value),
            Event::Text(_) => (),
            Event::Close("c") => {
                if let Some((kind, style, place)) = cell.take() {
                    let text = book.shown(kind, style, std::mem::take(&mut value))?;
                    put(&mut out, &mut at, place, &text)?;
                }
            }
            Event::Close(_) => is_value = false,
        }
    }
    Ok(out)
}

/// Writes a cell at its row and column; `at` is where the text ends.
fn put(out: &mut String, at: &mut (usize, usize), place: (usize, usize), text: &str) -> Result<(), Refused> {
    if text.is_empty() {
        return Ok(());
    }
    let (row, column) = place;
    let lines = row.checked_sub(at.0).ok_or(Refused::Unreadable)?;
    if lines > 0 {
        *at = (row, 0);
    }
    let fields = column.checked_sub(at.1.max(1)).ok_or(Refused::Unreadable)?;
    if column > MAX_COLUMNS || out.len() + lines + fields + text.len() > MAX_TEXT_BYTES {
        return Err(Refused::TooLarge);
    }
    out.extend(std::iter::repeat_n('\n', lines));
    out.extend(std::iter::repeat_n(',', fields));
    at.1 = column;
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\"\""),
            '\r' | '\n' => out.push(' '),
            other => out.push(other),
        }
    }
    out.push('"');
    Ok(())
}

/// The column of a reference such as `AB12`, the first being 1.
fn column_of(reference: &str) -> Option<usize> {
    let letters = reference.bytes().take_while(u8::is_ascii_uppercase).take(4);
    let column = letters.fold(0, |column, letter| column * 26 + usize::from(letter - b'A') + 1);
    (column > 0).then_some(column)
}

/// The shared strings (§18.4), without how they are pronounced.
fn shared_strings(document: &[u8]) -> Result<Vec<String>, Refused> {
    let mut strings = Vec::new();
    let mut string = String::new();
    let (mut is_text, mut is_phonetic) = (false, false);
    for event in Events::of(document)? {
        match event {
            Event::Open(tag) => {
                is_phonetic |= tag.name == "rPh";
                is_text = tag.name == "t";
            }
            Event::Text(text) if is_text && !is_phonetic => unescape(text, &mut string),
            Event::Text(_) => (),
            Event::Close("si") => strings.push(std::mem::take(&mut string)),
            Event::Close(name) => {
                is_phonetic &= name != "rPh";
                is_text = false;
            }
        }
    }
    Ok(strings)
}

/// Whether each style of cells (§18.8.10) shows a number as a day.
fn day_styles(document: &[u8]) -> Result<Vec<bool>, Refused> {
    let mut own = Vec::new();
    let mut styles = Vec::new();
    let mut is_of_cells = false;
    for event in Events::of(document)? {
        match event {
            Event::Open(tag) => {
                let id = tag.attribute("numFmtId").and_then(|id| id.parse::<u32>().ok());
                match (tag.name, id) {
                    ("cellXfs", _) => is_of_cells = true,
                    ("numFmt", Some(id)) if tag.attribute("formatCode").is_some_and(has_day) => own.push(id),
                    ("xf", id) if is_of_cells => {
                        let shows =
                            |id: u32| own.contains(&id) || DAY_FORMATS.iter().any(|days| days.contains(&id));
                        styles.push(id.is_some_and(shows));
                    }
                    _ => (),
                }
            }
            Event::Close("cellXfs") => is_of_cells = false,
            _ => (),
        }
    }
    Ok(styles)
}

/// Whether a format (§18.8.31) has a year or a day outside quotes and brackets.
fn has_day(format: &str) -> bool {
    let mut code = String::new();
    unescape(format, &mut code);
    let mut end = None;
    code.chars().any(|c| {
        match end {
            Some(mark) if mark == c => end = None,
            Some(_) => (),
            None if c == '"' => end = Some('"'),
            None if c == '[' => end = Some(']'),
            None => return matches!(c.to_ascii_lowercase(), 'y' | 'd'),
        }
        false
    })
}
