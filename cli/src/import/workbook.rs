//! The rows of an Excel workbook (.xlsx) as CSV, each on the line that its row number says.
//!
//! A number that a spreadsheet keeps as a number has at most 15 digits: a longer one is written with its exponent, so
//! that the platform refuses it by name.

use std::io::Cursor;

use anyhow::{Context as _, Result, bail};
use calamine::{Data, DataRef, ExcelDateTime, Reader as _, Xlsx, XlsxError};

use crate::language::text;

/// How a ZIP archive, such as .xlsx is, begins.
const ARCHIVE: &[u8] = b"PK\x03\x04";
/// The least number that a spreadsheet may have rounded.
const FIRST_ROUNDED: f64 = 1e15;

/// Whether a file is an archive of the kind that workbooks are.
pub(super) fn is_workbook(file: &[u8]) -> bool {
    file.starts_with(ARCHIVE)
}

/// The rows of a sheet as CSV: of the named one, or of the only one that has any.
///
/// # Errors
/// What is no .xlsx workbook, no sheet of that name, several sheets with rows and no name.
pub(super) fn csv(file: &[u8], sheet: Option<&str>) -> Result<String> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(file)).context(text(
        "无法作为 Excel 工作簿（.xlsx）读取；请另存为 .xlsx 或“CSV UTF-8”",
        "cannot be read as an Excel workbook (.xlsx); save it as .xlsx or \"CSV UTF-8\"",
    ))?;
    let names = book.sheet_names();
    if let Some(name) = sheet {
        let known = names.join(", ");
        return rows(&mut book, name)?.with_context(|| {
            text(
                format!("没有工作表 {name}；工作簿中有：{known}"),
                format!("there is no sheet {name}; the workbook has: {known}"),
            )
        });
    }
    let mut filled: Option<(String, String)> = None;
    for name in names {
        let Some(csv) = rows(&mut book, &name)? else {
            continue;
        };
        match &filled {
            _ if csv.trim().is_empty() => (),
            None => filled = Some((name, csv)),
            Some((other, _)) => bail!(text(
                format!("多个工作表有内容，如 {other} 与 {name}；请用 --sheet 指定"),
                format!("several sheets have rows, such as {other} and {name}; name one with --sheet"),
            )),
        }
    }
    let (_, csv) = filled.context(text("工作簿没有内容", "there is nothing in the workbook"))?;
    Ok(csv)
}

/// The rows of a sheet; `None` when there is no such sheet of cells.
fn rows(book: &mut Xlsx<Cursor<&[u8]>>, sheet: &str) -> Result<Option<String>> {
    let mut cells = match book.worksheet_cells_reader(sheet) {
        Ok(cells) => cells,
        Err(XlsxError::WorksheetNotFound(_) | XlsxError::NotAWorksheet(_)) => return Ok(None),
        Err(error) => return Err(error).context(sheet.to_owned()),
    };
    let mut csv = String::new();
    let mut at = (0, 0);
    while let Some(cell) = cells.next_cell().context(sheet.to_owned())? {
        let (row, column) = cell.get_position();
        let text = shown(cell.get_value());
        if text.is_empty() {
            continue;
        }
        if row > at.0 {
            csv.extend(std::iter::repeat_n('\n', (row - at.0) as usize));
            at = (row, 0);
        }
        csv.extend(std::iter::repeat_n(',', column.saturating_sub(at.1) as usize));
        at.1 = column;
        csv.push_str(&format!(
            "\"{}\"",
            text.replace('"', "\"\"").replace(['\r', '\n'], " ")
        ));
    }
    Ok(Some(csv))
}

/// A cell as people write it.
fn shown(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::Float(number) => shown_number(*number),
        DataRef::DateTime(time) => shown_time(time),
        DataRef::DateTimeIso(time) => time.replace('T', " "),
        other => Data::from(other.clone()).to_string(),
    }
}

fn shown_number(number: f64) -> String {
    if number.abs() < FIRST_ROUNDED {
        number.to_string()
    } else {
        format!("{number:E}").replace('E', "E+")
    }
}

fn shown_time(time: &ExcelDateTime) -> String {
    if !time.is_datetime() {
        return shown_number(time.as_f64());
    }
    let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
    let date = format!("{year:04}-{month:02}-{day:02}");
    match (hour, minute, second) {
        (0, 0, 0) => date,
        _ => format!("{date} {hour:02}:{minute:02}:{second:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{csv, is_workbook, shown_number};

    #[test]
    fn numbers_of_up_to_15_digits_are_whole_and_longer_ones_have_an_exponent() {
        for (number, text) in [
            (1_440_190_000_001.0, "1440190000001"),
            (460_001_357_924_680.0, "460001357924680"),
            (0.5, "0.5"),
            (5.0, "5"),
            (8.986_041_126_9e19, "8.9860411269E+19"),
            (1e20, "1E+20"),
        ] {
            assert_eq!(shown_number(number), text);
        }
    }

    #[test]
    fn an_archive_that_is_no_workbook_is_refused() {
        let file = b"PK\x03\x04nothing";
        assert!(is_workbook(file) && !is_workbook(b"iccid,msisdn"));
        let refused = format!("{:#}", csv(file, None).unwrap_err());
        assert!(refused.contains(".xlsx"), "{refused}");
    }
}
