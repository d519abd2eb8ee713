//! Digits packed two to a byte, the first digit in the low nibble ("swapped", TS 102 221 §13.2,
//! TS 31.102 §4.2.2, §4.4.2.3) or in the high nibble (EID).
//!
//! It must never invent a digit: a nibble that has no digit in the alphabet is an error.

use crate::{Error, Result};

/// The nibble that fills an odd place.
pub const FILLER: u8 = 0xF;

/// The sixteen symbols of a telephone number, TS 31.102 table 4.4 (F is the filler): digits, `*`, `#`,
/// pause, wild, expansion.
const DIALLING: &[u8; 15] = b"0123456789*#PWE";
/// Hexadecimal digits, as some issuers put letters into ICCIDs.
const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Hexadecimal digits swapped into bytes; an odd place is filled with `F`.
pub fn encode_hex_digits(digits: &str) -> Result<Vec<u8>> {
    pack(digits, HEX)
}

/// The digits of swapped bytes; a final run of `F` is filler and dropped.
#[must_use]
pub fn decode_hex_digits(bytes: &[u8]) -> String {
    let digits: String = swapped_nibbles(bytes)
        .map(|nibble| char::from(HEX[usize::from(nibble)]))
        .collect();
    digits.trim_end_matches('F').to_owned()
}

/// Dialling digits swapped into bytes; an odd place is filled with `F`.
pub fn encode_dialling(digits: &str) -> Result<Vec<u8>> {
    pack(digits, DIALLING)
}

/// The dialling digits of swapped bytes, up to the first filler; after it only fillers may follow.
pub fn decode_dialling(bytes: &[u8]) -> Result<String> {
    decode_until_filler(bytes, DIALLING)
}

/// The decimal digits of swapped bytes, up to the first filler; after it only fillers may follow.
pub fn decode_decimal(bytes: &[u8]) -> Result<String> {
    decode_until_filler(bytes, &DIALLING[..10])
}

/// The decimal digits of bytes in reading order, as in the EID (`89 04 …`).
pub fn decode_in_order(bytes: &[u8]) -> Result<String> {
    bytes
        .iter()
        .enumerate()
        .flat_map(|(at, byte)| [(at, byte >> 4), (at, byte & 0xF)])
        .map(|(at, nibble)| match nibble {
            0..=9 => Ok(char::from(b'0' + nibble)),
            _ => Err(Error::new(at, "a decimal digit in each half of the byte")),
        })
        .collect()
}

fn pack(digits: &str, alphabet: &[u8]) -> Result<Vec<u8>> {
    let nibbles = digits
        .bytes()
        .enumerate()
        .map(|(at, digit)| nibble_of(digit, alphabet).ok_or(Error::new(at, "a digit")))
        .collect::<Result<Vec<u8>>>()?;
    Ok(nibbles
        .chunks(2)
        .map(|pair| pair[0] | pair.get(1).copied().unwrap_or(FILLER) << 4)
        .collect())
}

fn nibble_of(digit: u8, alphabet: &[u8]) -> Option<u8> {
    let upper = digit.to_ascii_uppercase();
    alphabet
        .iter()
        .position(|&known| known == upper)
        .and_then(|at| u8::try_from(at).ok())
}

fn swapped_nibbles(bytes: &[u8]) -> impl Iterator<Item = u8> + '_ {
    bytes.iter().flat_map(|byte| [byte & 0xF, byte >> 4])
}

fn decode_until_filler(bytes: &[u8], alphabet: &[u8]) -> Result<String> {
    let mut digits = String::with_capacity(bytes.len() * 2);
    let mut ended = false;
    for (at, nibble) in swapped_nibbles(bytes).enumerate() {
        match alphabet.get(usize::from(nibble)) {
            Some(&digit) if !ended => digits.push(char::from(digit)),
            _ if nibble == FILLER => ended = true,
            _ => {
                return Err(Error::new(
                    at / 2,
                    "a digit, or only fillers after the first filler",
                ));
            }
        }
    }
    Ok(digits)
}
