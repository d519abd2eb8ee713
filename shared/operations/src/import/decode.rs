//! Decodes a table file to text. Refuses other formats by name, and says how to save them.

use std::borrow::Cow;

use domain::error::{Error, Reason};
use domain::without_byte_order_mark;

/// How an archive begins.
const ARCHIVE: &[u8] = b"PK\x03\x04";
/// Where an archive may name the type of its document, in bytes.
const ARCHIVE_START: usize = 256;
/// How a spreadsheet is saved so that it can be read.
const SAVE_AS: [&str; 2] = [
    "请在表格软件中另存为“CSV UTF-8（逗号分隔）”后重新导入",
    "save it as \"CSV UTF-8 (comma delimited)\" and import that file",
];

/// What a file is that begins with certain bytes, in both languages.
const NO_TEXT: [(&[u8], [&str; 2]); 3] = [
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        [
            "文件是 Excel 97–2003 工作簿（.xls），不是 CSV",
            "the file is a workbook of Excel 97 to 2003 (.xls), not CSV",
        ],
    ),
    (b"%PDF", ["文件是 PDF，不是 CSV", "the file is a PDF, not CSV"]),
    (
        b"<",
        [
            "文件是网页或 XML（常以 .xls 为名），不是 CSV",
            "the file is a web page or XML, often named .xls, not CSV",
        ],
    ),
];

/// Reads GBK. A component has no tables for it.
pub(super) type ReadGbk = fn(&[u8]) -> Option<String>;

/// The text of a file: UTF-8 or UTF-16, with or without a byte order mark.
///
/// # Errors
/// [`Reason::BadCsv`], which says what the file is instead.
pub(crate) fn decode(file: &[u8]) -> Result<Cow<'_, str>, Error> {
    decode_with(file, |_| None)
}

/// The text of a file: as [`decode`], or GBK.
///
/// # Errors
/// As [`decode`].
pub(super) fn decode_with(file: &[u8], read_gbk: ReadGbk) -> Result<Cow<'_, str>, Error> {
    let file = without_byte_order_mark(file);
    let begin = file.trim_ascii_start();
    if begin.starts_with(ARCHIVE) {
        return Err(is_other(archive(begin)));
    }
    if let Some((_, what)) = NO_TEXT.iter().find(|(start, _)| begin.starts_with(start)) {
        return Err(is_other(*what));
    }
    let text = match utf_16(file) {
        Some((units, read)) => Cow::Owned(utf16(units, read)?),
        None => utf8(file, read_gbk)?,
    };
    if text.contains('\0') {
        return Err(is_other([
            "文件含二进制内容，不是 CSV",
            "the file is binary, not CSV",
        ]));
    }
    Ok(text)
}

/// Whether a file is a workbook (.xlsx) or text in GBK, which have to be made CSV in UTF-8 before they are imported.
#[must_use]
pub fn is_spreadsheet(file: &[u8]) -> bool {
    if file.starts_with(ARCHIVE) {
        return !is_open_document(file);
    }
    std::str::from_utf8(file).is_err() && utf_16(file).is_none() && is_gbk(file)
}

/// Which spreadsheet an archive is.
fn archive(file: &[u8]) -> [&'static str; 2] {
    if is_open_document(file) {
        [
            "文件是 OpenDocument 表格（.ods），不是 CSV",
            "the file is an OpenDocument spreadsheet (.ods), not CSV",
        ]
    } else {
        [
            "文件是 Excel 工作簿（.xlsx）或压缩包，不是 CSV",
            "the file is an Excel workbook (.xlsx) or another archive, not CSV",
        ]
    }
}

fn is_open_document(file: &[u8]) -> bool {
    const OPEN_DOCUMENT: &[u8] = b"application/vnd.oasis.opendocument";
    let start = &file[..file.len().min(ARCHIVE_START)];
    start
        .windows(OPEN_DOCUMENT.len())
        .any(|bytes| bytes == OPEN_DOCUMENT)
}

fn is_other([zh, en]: [&str; 2]) -> Error {
    let [save_zh, save_en] = SAVE_AS;
    Error::new(Reason::BadCsv).with_detail(format!("{zh}；{save_zh}"), format!("{en}; {save_en}"))
}

/// Reads a unit of UTF-16.
type ReadUnit = fn([u8; 2]) -> u16;

/// The units of a file in UTF-16, and how each is read.
fn utf_16(file: &[u8]) -> Option<(&[u8], ReadUnit)> {
    Some(match file {
        [0xff, 0xfe, rest @ ..] => (rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => (rest, u16::from_be_bytes),
        [1..=0xff, 0, 1..=0xff, 0, ..] => (file, u16::from_le_bytes),
        [0, 1..=0xff, 0, 1..=0xff, ..] => (file, u16::from_be_bytes),
        _ => return None,
    })
}

fn utf16(file: &[u8], read: ReadUnit) -> Result<String, Error> {
    let units = file
        .chunks(2)
        .map(|pair| read([pair[0], pair.get(1).copied().unwrap_or_default()]));
    let text: Result<String, _> = char::decode_utf16(units).collect();
    match text {
        Ok(text) if file.len().is_multiple_of(2) => Ok(text),
        _ => Err(is_other([
            "文件是不完整的 UTF-16 文本",
            "the file is UTF-16 text that is not whole",
        ])),
    }
}

fn utf8(file: &[u8], read_gbk: ReadGbk) -> Result<Cow<'_, str>, Error> {
    let broken = match std::str::from_utf8(file) {
        Ok(text) => return Ok(Cow::Borrowed(text)),
        Err(broken) => broken,
    };
    if is_gbk(file) {
        return read_gbk(file).map(Cow::Owned).ok_or_else(|| {
            is_other([
                "文件以 GBK 编码保存，不是 UTF-8",
                "the file is saved in GBK, not UTF-8",
            ])
        });
    }
    let line = line_at(file, broken.valid_up_to());
    Err(is_other([
        &format!("文件不是 UTF-8 文本，第 {line} 行有无法识别的字节"),
        &format!("the file is not UTF-8 text: line {line} has other bytes"),
    ]))
}

/// Line of the byte at `at`; the first is 1.
fn line_at(file: &[u8], at: usize) -> usize {
    let before = &file[..at];
    let returns = before.iter().filter(|byte| **byte == b'\r').count();
    let feeds = before
        .iter()
        .enumerate()
        .filter(|(at, byte)| **byte == b'\n' && (*at == 0 || before[at - 1] != b'\r'))
        .count();
    returns + feeds + 1
}

/// Whether bytes that are not UTF-8 have the form of GBK, or of GB 18030 with four bytes.
fn is_gbk(file: &[u8]) -> bool {
    let mut rest = file;
    loop {
        rest = match rest {
            [] => return true,
            [0..=0x7f, rest @ ..] | [0x81..=0xfe, 0x40..=0x7e | 0x80..=0xfe, rest @ ..] => rest,
            [0x81..=0xfe, 0x30..=0x39, 0x81..=0xfe, 0x30..=0x39, rest @ ..] => rest,
            _ => return false,
        };
    }
}

#[cfg(test)]
mod tests {
    use domain::error::Lang;

    use super::decode;

    fn refusal(file: &[u8]) -> String {
        let error = decode(file).unwrap_err();
        let (zh, en) = (error.message(Lang::Zh), error.message(Lang::En));
        assert!(zh.contains("另存为") && en.contains("save it as"), "{zh} {en}");
        en
    }

    #[test]
    fn utf_8_and_utf_16_are_read_with_and_without_their_marks() {
        let text = "卡,a\n";
        let [little, big] = [u16::to_le_bytes, u16::to_be_bytes]
            .map(|bytes| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>());
        for file in [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            [b"\xff\xfe", little.as_slice()].concat(),
            [b"\xfe\xff", big.as_slice()].concat(),
        ] {
            assert_eq!(decode(&file).unwrap(), text);
        }
        assert_eq!(decode(b"a\0,\0b\0").unwrap(), "a,b");
        assert_eq!(decode(b"\0a\0,\0b").unwrap(), "a,b");
    }

    #[test]
    fn what_is_no_text_is_refused_by_name() {
        for (file, what) in [
            (&b"PK\x03\x04\x14\0\x06\0[Content_Types].xml"[..], "(.xlsx)"),
            (
                b"PK\x03\x04\x14\0mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
                "(.ods)",
            ),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", "(.xls)"),
            (b"%PDF-1.7", "PDF"),
            (b"\r\n<html><table>", "web page"),
            (b"iccid,msisdn\n\0\0\0\0", "binary"),
            (b"\xff\xfea\0,", "UTF-16"),
            // "号码,a" and "卡" as Excel saves them in China.
            (b"\xba\xc5\xc2\xeb,a\r\n\xbf\xa8,1\r\n", "GBK"),
            (b"a\rb\r\n\n\xff\xff", "line 4"),
        ] {
            assert!(refusal(file).contains(what), "{what}");
        }
    }
}
