//! Reads files of a ZIP archive (PKWARE APPNOTE 6.3), as a workbook is one. What it unpacks is bounded, because a small
//! archive can unpack to any size.

use super::Refused;

/// Most bytes of all files together that are unpacked.
pub(super) const MAX_UNPACKED_BYTES: usize = 16 * 1024 * 1024;

/// The end of the central directory: its signature and its shortest length, in bytes (§4.3.16).
const END: (&[u8], usize) = (b"PK\x05\x06", 22);
/// The longest comment behind it, in bytes.
const MAX_COMMENT_BYTES: usize = 0xffff;
/// A file in the central directory: its signature and the length of its fixed part, in bytes (§4.3.12).
const ENTRY: (&[u8], usize) = (b"PK\x01\x02", 46);
/// A file at its place: its signature and the length of its fixed part, in bytes (§4.3.7).
const LOCAL: (&[u8], usize) = (b"PK\x03\x04", 30);
/// The ways of packing that are read (§4.4.5).
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// An archive.
pub(super) struct Archive<'a> {
    bytes: &'a [u8],
    /// Bytes that may still be unpacked.
    left: usize,
}

impl<'a> Archive<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            left: MAX_UNPACKED_BYTES,
        }
    }

    /// Unpacks a file. `None` when the archive does not have it.
    pub(super) fn file(&mut self, name: &str) -> Result<Option<Vec<u8>>, Refused> {
        let Some((method, packed)) = find(self.bytes, name).ok_or(Refused::Unreadable)? else {
            return Ok(None);
        };
        let file =
            match method {
                STORED if packed.len() <= self.left => packed.to_vec(),
                STORED => return Err(Refused::TooLarge),
                DEFLATED => miniz_oxide::inflate::decompress_to_vec_with_limit(packed, self.left).map_err(
                    |error| match error.status {
                        miniz_oxide::inflate::TINFLStatus::HasMoreOutput => Refused::TooLarge,
                        _ => Refused::Unreadable,
                    },
                )?,
                _ => return Err(Refused::Unreadable),
            };
        self.left -= file.len();
        Ok(Some(file))
    }
}

/// How a file is packed, and its packed bytes. The outer `None` is for what is no archive.
fn find<'a>(bytes: &'a [u8], name: &str) -> Option<Option<(u16, &'a [u8])>> {
    let (signature, length) = END;
    let last = bytes.len().checked_sub(length)?;
    let first = last.saturating_sub(MAX_COMMENT_BYTES);
    let end = (first..=last)
        .rev()
        .find(|at| bytes[*at..].starts_with(signature))?;
    let entries = short(bytes, end + 10)?;
    let mut at = long(bytes, end + 16)?;
    for _ in 0..entries {
        let (signature, length) = ENTRY;
        bytes.get(at..)?.starts_with(signature).then_some(())?;
        let method = short(bytes, at + 10)?;
        let packed = long(bytes, at + 20)?;
        let [named, extra, comment] = [28, 30, 32].map(|field| short(bytes, at + field).map(usize::from));
        let (named, extra, comment) = (named?, extra?, comment?);
        let start = at + length;
        if bytes.get(start..start + named)? == name.as_bytes() {
            let place = long(bytes, at + 42)?;
            return Some(Some((method, data(bytes, place, packed)?)));
        }
        at = start + named + extra + comment;
    }
    Some(None)
}

/// The packed bytes of the file at a place.
fn data(bytes: &[u8], place: usize, packed: usize) -> Option<&[u8]> {
    let (signature, length) = LOCAL;
    bytes.get(place..)?.starts_with(signature).then_some(())?;
    let named = usize::from(short(bytes, place + 26)?);
    let extra = usize::from(short(bytes, place + 28)?);
    let start = place + length + named + extra;
    bytes.get(start..start.checked_add(packed)?)
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    let field = bytes.get(at..at + 2)?;
    Some(u16::from_le_bytes(field.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<usize> {
    let field = bytes.get(at..at + 4)?;
    usize::try_from(u32::from_le_bytes(field.try_into().ok()?)).ok()
}
