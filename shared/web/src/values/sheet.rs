//! The name of a sheet.

use utoipa::openapi::schema::Object;

use super::acts::{line, words};
use super::{Kind, Parsed};
use domain::{Kind as Sort, Malformed};

/// Longest name of a sheet, in characters, as spreadsheet programs have it.
const MAX_SHEET_CHARS: usize = 31;

/// The sheet of a workbook.
pub type Sheet = Parsed<SheetName>;

/// Name of a sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetName(pub String);

impl Kind for SheetName {
    const NAME: &'static str = "SheetName";

    fn parse(text: &str) -> Result<Self, Malformed> {
        words(text, MAX_SHEET_CHARS).map(Self).ok_or(Malformed::new(
            Sort::Value,
            "应为 1 至 31 个字符",
            "not 1 to 31 characters",
        ))
    }

    fn object() -> Object {
        line(MAX_SHEET_CHARS, "工作表名称 / name of a sheet", "Sheet1")
    }
}
