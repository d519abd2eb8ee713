//! Length fields, common to both kinds of TLV: one byte up to 127, then `81`, `82`, `83` long form.
//!
//! It must never return a length that is longer than what follows.

use crate::Result;
use crate::reader::Reader;

/// Most bytes that may follow the first byte of a long-form length (TS 101 220 §7.1.2).
const MAX_LENGTH_BYTES: u8 = 3;
/// First byte of the indefinite form (ISO/IEC 8825-1 §8.1.3.6).
pub(super) const INDEFINITE: u8 = 0x80;

/// Reads a definite length and then as many bytes. A long form where the short one would do is
/// accepted, as BER does.
pub(super) fn take_value<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8]> {
    let at = *reader;
    let first = reader.u8("a length")?;
    let length = match first {
        0..=0x7F => usize::from(first),
        0x81..=0x83 => {
            let mut length = 0usize;
            for _ in 0..(first & MAX_LENGTH_BYTES) {
                length = length << 8 | usize::from(reader.u8("the rest of a long-form length")?);
            }
            length
        }
        _ => return Err(at.error("a length of at most three bytes in definite form")),
    };
    if length > reader.len() {
        return Err(at.error("a length no longer than the bytes that follow"));
    }
    reader.take(length, "a value")
}

/// Appends the shortest definite length field.
pub(crate) fn put_length(out: &mut Vec<u8>, length: usize) {
    if let Ok(short @ 0..=0x7F) = u8::try_from(length) {
        out.push(short);
        return;
    }
    let bytes = length.to_be_bytes();
    let significant = bytes
        .iter()
        .position(|&byte| byte != 0)
        .map_or(&bytes[..0], |at| &bytes[at..]);
    // At most the eight bytes of a usize: the cast keeps the value.
    out.push(0x80 | significant.len() as u8);
    out.extend_from_slice(significant);
}
