//! EF_ICCID, the card's own number (TS 102 221 §13.2, ITU-T E.118).
//!
//! It must never insist on a Luhn digit or on decimal digits: Chinese IoT cards carry hexadecimal ones.

use core::fmt;
use core::str::FromStr;

use crate::bcd;
use crate::mask::masked;
use crate::{Error, Result};

/// What stands in the place after the last digit.
const FILLER: char = 'F';

/// An ICCID of 18 to 20 digits; the letters A to F occur.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Iccid(String);

impl Iccid {
    /// Bytes of the file.
    pub const BYTES: usize = 10;
    /// Fewest digits.
    pub const MIN_DIGITS: usize = 18;
    /// Most digits.
    pub const MAX_DIGITS: usize = 20;

    /// The digits without filler, letters in upper case.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// Parses the content of the file.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.len() != Self::BYTES {
            return Err(Error::new(bytes.len().min(Self::BYTES), "an ICCID of ten bytes"));
        }
        bcd::decode_hex_digits(bytes)
            .parse()
            .map_err(|_: Error| Error::new(0, "an ICCID of 18 to 20 digits"))
    }

    /// The content of the file; a place after the last digit holds `F`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = bcd::encode_hex_digits(&self.0).expect("from_str() let only hexadecimal digits in");
        bytes.resize(Self::BYTES, 0xFF);
        bytes
    }
}

impl FromStr for Iccid {
    type Err = Error;

    /// From 18 to 20 hexadecimal digits of either case. The last may not be `F`, which is filler: 19 digits may be
    /// written with the `F` that fills the file, as 20 characters.
    fn from_str(digits: &str) -> Result<Self> {
        if let Some(at) = digits.bytes().position(|digit| !digit.is_ascii_hexdigit()) {
            return Err(Error::new(at, "a hexadecimal digit"));
        }
        if !(Self::MIN_DIGITS..=Self::MAX_DIGITS).contains(&digits.len()) {
            return Err(Error::new(digits.len().min(Self::MAX_DIGITS), "18 to 20 digits"));
        }
        let mut digits = digits.to_ascii_uppercase();
        if digits.len() == Self::MAX_DIGITS && digits.ends_with(FILLER) {
            digits.pop();
        }
        if digits.ends_with(FILLER) {
            return Err(Error::new(digits.len() - 1, "a last digit other than F"));
        }
        Ok(Self(digits))
    }
}

impl fmt::Debug for Iccid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Iccid({})", masked(&self.0))
    }
}
