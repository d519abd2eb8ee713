//! Hexadecimal text of PSK identities, URIs and AIDs.

use crate::reader::Reader;
use crate::{Error, Result};

/// Upper-case hexadecimal digits.
pub(crate) fn encode_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0xF)])
        .collect()
}

/// Bytes from hexadecimal digits of either case; offsets count characters.
pub(crate) fn decode_hex(text: &str) -> Result<Vec<u8>> {
    let nibble = |at: usize, digit: u8| match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(Error::new(at, "a hexadecimal digit")),
    };
    let mut reader = Reader::new(text.as_bytes());
    let mut out = Vec::with_capacity(text.len() / 2);
    while !reader.is_empty() {
        let at = reader.offset();
        let [high, low] = reader.array("an even number of hexadecimal digits")?;
        out.push(nibble(at, high)? << 4 | nibble(at + 1, low)?);
    }
    Ok(out)
}
