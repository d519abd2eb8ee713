//! The rows of an Excel workbook (.xlsx) as CSV, each on the line that its row number says.
//!
//! A number that a spreadsheet keeps as a number has at most 15 digits: a longer one is written with its exponent, so
//! that the platform refuses it by name.

use std::io::{Cursor, Read as _};

use calamine::{Data, DataRef, ExcelDateTime, Reader as _, Xlsx, XlsxError};
use zip::ZipArchive;

/// Most sheets of a workbook that is searched for the one with rows.
const MAX_SHEETS: usize = 64;
/// The least number that a spreadsheet may have rounded.
const FIRST_ROUNDED: f64 = 1e15;

/// What is made of a workbook at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of all its parts together, unpacked.
    pub unpacked_bytes: u64,
    /// Bytes of the CSV.
    pub csv_bytes: usize,
}

impl Limits {
    /// No limits, for files of one's own.
    pub const NONE: Self = Self {
        unpacked_bytes: u64::MAX,
        csv_bytes: usize::MAX,
    };
}

/// Why a workbook was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnreadWorkbook {
    /// It is no .xlsx workbook, or damaged.
    Malformed,
    /// It, or the CSV made of it, is beyond the limits.
    TooLarge,
    /// It has no cells with a value.
    Empty,
    /// It has no such sheet.
    UnknownSheet {
        /// The sheet that was asked for.
        sheet: String,
        /// The first sheets that it has.
        sheets: Vec<String>,
    },
    /// Several sheets have rows, and none was named.
    SeveralSheets {
        /// The first two of them.
        sheets: [String; 2],
    },
}

impl UnreadWorkbook {
    /// What to say of it, in Chinese and in English.
    #[must_use]
    pub fn message(&self) -> [String; 2] {
        let [zh, en] = match self {
            Self::Malformed => [
                "无法作为 Excel 工作簿（.xlsx）读取；请另存为 .xlsx 或“CSV UTF-8”",
                "cannot be read as an Excel workbook (.xlsx); save it as .xlsx or \"CSV UTF-8\"",
            ],
            Self::TooLarge => [
                "工作簿过大；请用 xieka import 导入",
                "the workbook is too large; import it with `xieka import`",
            ],
            Self::Empty => ["工作簿没有内容", "there is nothing in the workbook"],
            Self::UnknownSheet { sheet, sheets } => {
                let sheets = sheets.join(", ");
                return [
                    format!("没有工作表 {sheet}；工作簿中有：{sheets}"),
                    format!("there is no sheet {sheet}; the workbook has: {sheets}"),
                ];
            }
            Self::SeveralSheets { sheets: [one, other] } => {
                return [
                    format!("多个工作表有内容，如 {one} 与 {other}；请用 sheet 指定"),
                    format!("several sheets have rows, such as {one} and {other}; name one as sheet"),
                ];
            }
        };
        [zh.to_owned(), en.to_owned()]
    }
}

impl From<XlsxError> for UnreadWorkbook {
    fn from(_: XlsxError) -> Self {
        Self::Malformed
    }
}

/// The rows of a sheet as CSV: of the named one, or of the only one that has any.
///
/// # Errors
/// See [`UnreadWorkbook`].
pub fn csv(file: &[u8], sheet: Option<&str>, limits: Limits) -> Result<String, UnreadWorkbook> {
    check_unpacked(file, limits.unpacked_bytes)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(file))?;
    let sheets = book.sheet_names();
    if let Some(name) = sheet {
        let csv = rows(&mut book, name, limits.csv_bytes)?;
        return csv.ok_or_else(|| UnreadWorkbook::UnknownSheet {
            sheet: name.to_owned(),
            sheets: sheets.into_iter().take(MAX_SHEETS).collect(),
        });
    }
    if sheets.len() > MAX_SHEETS && limits.csv_bytes != usize::MAX {
        return Err(UnreadWorkbook::TooLarge);
    }
    let mut filled: Option<(String, String)> = None;
    for name in sheets {
        let Some(csv) = rows(&mut book, &name, limits.csv_bytes)? else {
            continue;
        };
        match filled {
            _ if csv.trim().is_empty() => (),
            None => filled = Some((name, csv)),
            Some((other, _)) => {
                return Err(UnreadWorkbook::SeveralSheets {
                    sheets: [other, name],
                });
            }
        }
    }
    filled.map(|(_, csv)| csv).ok_or(UnreadWorkbook::Empty)
}

/// Unpacks every part once, counting bytes alone: what an archive says about the sizes of its parts may be wrong.
fn check_unpacked(file: &[u8], limit: u64) -> Result<(), UnreadWorkbook> {
    if limit == u64::MAX {
        return Ok(());
    }
    let mut archive = ZipArchive::new(Cursor::new(file)).map_err(|_| UnreadWorkbook::Malformed)?;
    let mut left = limit;
    for at in 0..archive.len() {
        let part = archive.by_index(at).map_err(|_| UnreadWorkbook::Malformed)?;
        let read = std::io::copy(&mut part.take(left.saturating_add(1)), &mut std::io::sink());
        let read = read.map_err(|_| UnreadWorkbook::Malformed)?;
        left = left.checked_sub(read).ok_or(UnreadWorkbook::TooLarge)?;
    }
    Ok(())
}

/// The rows of a sheet; `None` when there is no such sheet of cells.
fn rows(
    book: &mut Xlsx<Cursor<&[u8]>>,
    sheet: &str,
    max_bytes: usize,
) -> Result<Option<String>, UnreadWorkbook> {
    let mut cells = match book.worksheet_cells_reader(sheet) {
        Ok(cells) => cells,
        Err(XlsxError::WorksheetNotFound(_) | XlsxError::NotAWorksheet(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut csv = String::new();
    let mut at = (0, 0);
    while let Some(cell) = cells.next_cell()? {
        let (row, column) = cell.get_position();
        let text = shown(cell.get_value());
        if text.is_empty() {
            continue;
        }
        let lines = row.saturating_sub(at.0) as usize;
        if lines > 0 {
            at = (row, 0);
        }
        let columns = column.saturating_sub(at.1) as usize;
        // Quotes, and each quote within doubled.
        let bytes = lines + columns + 2 * text.len() + 2;
        if csv.len().saturating_add(bytes) > max_bytes {
            return Err(UnreadWorkbook::TooLarge);
        }
        csv.extend(std::iter::repeat_n('\n', lines));
        csv.extend(std::iter::repeat_n(',', columns));
        at.1 = column;
        let text = text.replace('"', "\"\"").replace(['\r', '\n'], " ");
        csv.extend(["\"", &text, "\""]);
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
    use std::io::{Cursor, Write as _};

    use super::{Limits, UnreadWorkbook, csv, shown_number};
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    const LIMITS: Limits = Limits {
        unpacked_bytes: 1 << 20,
        csv_bytes: 1 << 16,
    };

    /// A workbook whose sheets are named `s0`, `s1` and so on, each with this content of `sheetData`.
    fn workbook(sheets: &[&str], shared: &str) -> Vec<u8> {
        let numbered = |text: fn(usize) -> String| (1..=sheets.len()).map(text).collect::<String>();
        let names = numbered(|n| format!(r#"<sheet name="s{}" sheetId="{n}" r:id="r{n}"/>"#, n - 1));
        let parts = numbered(|n| {
            let kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet";
            format!(r#"<Relationship Id="r{n}" Type="{kind}" Target="worksheets/s{n}.xml"/>"#)
        });
        let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
        let relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let package = "http://schemas.openxmlformats.org/package/2006/relationships";
        let mut files = vec![
            (
                "_rels/.rels".to_owned(),
                format!(
                    r#"<Relationships xmlns="{package}"><Relationship Id="w" Type="{relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
                ),
            ),
            (
                "xl/workbook.xml".to_owned(),
                format!(
                    r#"<workbook xmlns="{main}" xmlns:r="{relations}"><sheets>{names}</sheets></workbook>"#
                ),
            ),
            (
                "xl/_rels/workbook.xml.rels".to_owned(),
                format!(r#"<Relationships xmlns="{package}">{parts}</Relationships>"#),
            ),
            (
                "xl/sharedStrings.xml".to_owned(),
                format!(r#"<sst xmlns="{main}"><si><t>{shared}</t></si></sst>"#),
            ),
        ];
        files.extend(sheets.iter().enumerate().map(|(at, rows)| {
            let text = format!(r#"<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>"#);
            (format!("xl/worksheets/s{}.xml", at + 1), text)
        }));
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in files {
            zip.start_file(name, SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn row(row: u32, cells: &str) -> String {
        format!(r#"<row r="{row}">{cells}</row>"#)
    }

    fn text(cell: &str) -> String {
        format!(r#"<c r="{cell}" t="s"><v>0</v></c>"#)
    }

    #[test]
    fn each_row_is_on_its_line_and_each_cell_in_its_column() {
        let cells = [text("A1"), r#"<c r="C1"><v>12</v></c>"#.to_owned()].concat();
        let rows = [row(1, &cells), row(4, &text("B4"))].concat();
        let file = workbook(&["", &rows], "a \"b\"");
        assert_eq!(
            csv(&file, None, LIMITS).unwrap(),
            "\"a \"\"b\"\"\",,\"12\"\n\n\n,\"a \"\"b\"\"\""
        );
        assert_eq!(csv(&file, None, LIMITS), csv(&file, Some("s1"), Limits::NONE));
    }

    #[test]
    fn one_of_several_sheets_has_to_be_named() {
        let rows = row(1, &text("A1"));
        let file = workbook(&[&rows, "", &rows], "a");
        assert!(csv(&file, Some("s2"), LIMITS).is_ok());
        let several = csv(&file, None, LIMITS).unwrap_err().message();
        assert!(
            several
                .iter()
                .all(|text| text.contains("s0") && text.contains("s2"))
        );
        let unknown = csv(&file, Some("s3"), LIMITS).unwrap_err().message();
        assert!(
            unknown
                .iter()
                .all(|text| text.contains("s3") && text.contains("s0, s1, s2"))
        );
        assert_eq!(
            csv(&workbook(&["", ""], "a"), None, LIMITS),
            Err(UnreadWorkbook::Empty)
        );
    }

    #[test]
    fn what_unpacks_to_more_than_the_limit_is_refused() {
        let bomb = workbook(&[&row(1, &text("A1"))], &"a".repeat(4 << 20));
        assert!(bomb.len() < 1 << 14);
        assert_eq!(csv(&bomb, None, LIMITS), Err(UnreadWorkbook::TooLarge));
        assert!(csv(&bomb, None, Limits::NONE).is_ok());
    }

    #[test]
    fn an_archive_that_lies_about_its_sizes_is_refused_all_the_same() {
        let mut bomb = workbook(&[&row(1, &text("A1"))], &"a".repeat(4 << 20));
        let size = u32::to_le_bytes(4 << 20);
        // Whatever has that size in the headers, to within the tags around the text, now says 100 bytes.
        let mut changed = 0;
        for at in 0..bomb.len() - 4 {
            let is_size = bomb[at + 2..at + 4] == size[2..] && bomb[at + 1] == size[1];
            if is_size {
                bomb[at..at + 4].copy_from_slice(&100_u32.to_le_bytes());
                changed += 1;
            }
        }
        assert!(changed > 0);
        assert!(csv(&bomb, None, LIMITS).is_err());
    }

    #[test]
    fn one_long_text_in_many_cells_is_refused() {
        let cells: String = (1..100).map(|n| row(n, &text(&format!("A{n}")))).collect();
        let file = workbook(&[&cells], &"a".repeat(1000));
        assert_eq!(csv(&file, None, LIMITS), Err(UnreadWorkbook::TooLarge));
    }

    #[test]
    fn cells_at_the_far_end_of_a_sheet_are_refused() {
        let far = row(1_048_576, &text("XFD1048576"));
        assert_eq!(
            csv(&workbook(&[&far], "a"), None, LIMITS),
            Err(UnreadWorkbook::TooLarge)
        );
    }

    #[test]
    fn more_sheets_than_are_searched_are_refused_unless_one_is_named() {
        let file = workbook(&vec![""; 65], "a");
        assert_eq!(csv(&file, None, LIMITS), Err(UnreadWorkbook::TooLarge));
        assert_eq!(csv(&file, Some("s64"), LIMITS), Ok(String::new()));
    }

    #[test]
    fn an_archive_that_is_no_workbook_and_a_cut_one_are_refused() {
        let whole = workbook(&[&row(1, &text("A1"))], "a");
        for file in [b"PK\x03\x04nothing".as_slice(), &whole[..whole.len() / 2], b""] {
            assert_eq!(csv(file, None, LIMITS), Err(UnreadWorkbook::Malformed));
        }
    }

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
}
