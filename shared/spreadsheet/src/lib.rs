//! Tables that are no UTF-8 text, as programs save them: workbooks (.xlsx) and CSV in GBK. Both become CSV in UTF-8.
//!
//! A file may come from anywhere: what is made of it has limits, and nothing it says about its own size is believed.

#![forbid(unsafe_code)]

mod workbook;

pub use workbook::{Limits, UnreadWorkbook, csv};

/// How a ZIP archive, such as .xlsx is, begins.
const ARCHIVE: &[u8] = b"PK\x03\x04";

/// Whether a file is an archive of the kind that workbooks are.
#[must_use]
pub fn is_archive(file: &[u8]) -> bool {
    file.starts_with(ARCHIVE)
}

/// The text of a file in GBK, or in GB 18030, which contains it. `None` when it has other bytes.
#[must_use]
pub fn gbk(file: &[u8]) -> Option<String> {
    let text = encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(file)?;
    Some(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::{gbk, is_archive};

    #[test]
    fn gbk_and_gb_18030_are_read_and_other_bytes_are_not() {
        assert_eq!(gbk(b"\xba\xc5\xc2\xeb,1").as_deref(), Some("号码,1"));
        assert_eq!(gbk(b"\x81\x30\x81\x30").as_deref(), Some("\u{80}"));
        assert_eq!(gbk(b"\xff\xff"), None);
    }

    #[test]
    fn an_archive_is_known_by_how_it_begins() {
        assert!(is_archive(b"PK\x03\x04\x14") && !is_archive(b"iccid,msisdn"));
    }
}
