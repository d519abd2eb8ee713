//! The rows of an Excel workbook (.xlsx, ECMA-376 part 1) as the text of a table, each on the line that its row number
//! says. What is unpacked and what is made of it is bounded; beyond, `xieka import` reads the file elsewhere.
//!
//! A number that a spreadsheet keeps as a number has at most 15 digits: a longer one is written with its exponent, so
//! that it is refused by name.

mod archive;
mod cells;
#[cfg(test)]
mod tests;
mod xml;

use archive::Archive;
use cells::{Book, rows};
use domain::error::{Error, Reason};
use xml::{Event, Events, unescape};

/// The longest text that is made of a workbook, in bytes.
const MAX_TEXT_BYTES: usize = super::MAX_IMPORT_BYTES;
/// The folder of the workbook's documents.
const FOLDER: &str = "xl/";

/// Why a workbook is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    /// It is none.
    Unreadable,
    /// It is beyond the bounds.
    TooLarge,
    /// Several sheets have rows.
    SeveralSheets,
    /// No sheet has rows.
    Empty,
}

/// The rows of the only sheet that has any. `None` for an archive that is no workbook.
///
/// # Errors
/// [`Reason::BodyTooLarge`] and [`Reason::BadCsv`].
pub(super) fn text(file: &[u8]) -> Result<Option<String>, Error> {
    let (reason, zh, en) = match read(file) {
        Ok(text) => return Ok(Some(text)),
        Err(Refused::Unreadable) => return Ok(None),
        Err(Refused::TooLarge) => (
            Reason::BodyTooLarge,
            "工作簿解压后过大；请用 xieka import 导入",
            "the workbook is too large unpacked; import it with `xieka import`",
        ),
        Err(Refused::SeveralSheets) => (
            Reason::BadCsv,
            "工作簿有多个工作表有内容；请只保留一个，或用 xieka import --sheet 导入",
            "several sheets of the workbook have rows; keep one, or import with `xieka import --sheet`",
        ),
        Err(Refused::Empty) => (
            Reason::BadCsv,
            "工作簿没有内容",
            "there is nothing in the workbook",
        ),
    };
    Err(Error::new(reason).with_detail(zh, en))
}

fn read(file: &[u8]) -> Result<String, Refused> {
    let mut archive = Archive::new(file);
    let mut part = |name: &str| archive.file(&format!("{FOLDER}{name}"));
    let workbook = part("workbook.xml")?.ok_or(Refused::Unreadable)?;
    let relations = part("_rels/workbook.xml.rels")?.ok_or(Refused::Unreadable)?;
    let strings = part("sharedStrings.xml")?.unwrap_or_default();
    let styles = part("styles.xml")?.unwrap_or_default();
    let book = Book::read(&workbook, &strings, &styles)?;
    let mut filled: Option<String> = None;
    for sheet in sheets(&workbook, &relations)? {
        let Some(document) = part(&sheet)? else { continue };
        let text = rows(&document, &book)?;
        if !text.trim().is_empty() && filled.replace(text).is_some() {
            return Err(Refused::SeveralSheets);
        }
    }
    filled.ok_or(Refused::Empty)
}

/// The documents of the sheets, in the workbook's folder.
fn sheets(workbook: &[u8], relations: &[u8]) -> Result<Vec<String>, Refused> {
    let mut targets = Vec::new();
    for event in Events::of(relations)? {
        let Event::Open(tag) = event else { continue };
        let is_sheet = tag
            .attribute("Type")
            .is_some_and(|kind| kind.ends_with("/worksheet"));
        if let (true, Some(id), Some(target)) = (is_sheet, tag.attribute("Id"), tag.attribute("Target")) {
            targets.push((id, target));
        }
    }
    let mut sheets = Vec::new();
    for event in Events::of(workbook)? {
        let Event::Open(tag) = event else { continue };
        let id = tag.attribute("r:id").filter(|_| tag.name == "sheet");
        if let Some((_, target)) = targets.iter().find(|(known, _)| Some(*known) == id) {
            let mut name = String::new();
            unescape(target, &mut name);
            let name = name.trim_start_matches('/');
            sheets.push(name.strip_prefix(FOLDER).unwrap_or(name).to_owned());
        }
    }
    Ok(sheets)
}
