//! EF_IMSI, the subscriber's identity (TS 31.102 §4.2.2; coding of TS 24.008 §10.5.1.4).
//!
//! It must never guess where the network code ends: that is EF_AD's business.

use core::fmt;
use core::str::FromStr;

use crate::bcd;
use crate::mask::masked;
use crate::{Error, Result};

/// An IMSI of 6 to 15 digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Imsi(String);

/// Low nibble of the first byte: identity type 001 and, in bit 4, "odd number of digits".
const TYPE_EVEN: u8 = 0x1;
const TYPE_ODD: u8 = 0x9;

impl Imsi {
    /// Bytes of the file.
    pub const BYTES: usize = 9;
    /// Fewest digits: country, network and one more.
    pub const MIN_DIGITS: usize = 6;
    /// Most digits.
    pub const MAX_DIGITS: usize = 15;

    /// The digits.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// Parses the content of the file.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        const DIGITS: &str = "6 to 15 decimal digits, then fillers";
        let &[length, ref body @ ..] = bytes else {
            return Err(Error::new(0, "an IMSI of nine bytes"));
        };
        if body.len() != Self::BYTES - 1 {
            return Err(Error::new(bytes.len().min(Self::BYTES), "an IMSI of nine bytes"));
        }
        let (used, unused) = body
            .split_at_checked(usize::from(length))
            .filter(|(used, _)| !used.is_empty())
            .ok_or(Error::new(0, "a length of 1 to 8"))?;
        let odd = match used[0] & 0xF {
            TYPE_ODD => true,
            TYPE_EVEN => false,
            _ => return Err(Error::new(1, "identity type 1 or 9 in the low half of the byte")),
        };
        // The type nibble stands where a digit would: put one there, decode, and take it off again.
        let mut nibbles = used.to_vec();
        nibbles[0] &= 0xF0;
        let digits = bcd::decode_decimal(&nibbles).map_err(|error| error.shifted(1))?;
        let imsi: Self = digits[1..].parse().map_err(|_: Error| Error::new(1, DIGITS))?;
        if (imsi.0.len() % 2 == 1) != odd {
            return Err(Error::new(
                1,
                "a parity bit that agrees with the number of digits",
            ));
        }
        if usize::from(length) != imsi.0.len() / 2 + 1 || unused.iter().any(|&byte| byte != 0xFF) {
            return Err(Error::new(
                0,
                "a length that agrees with the number of digits, then FF",
            ));
        }
        Ok(imsi)
    }

    /// The content of the file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let kind = if self.0.len() % 2 == 1 {
            TYPE_ODD
        } else {
            TYPE_EVEN
        };
        let swapped = bcd::encode_dialling(&format!("{kind}{}", self.0));
        let digits = swapped.expect("from_str() let only decimal digits in");
        // At most eight bytes for fifteen digits and the type.
        let mut bytes = vec![digits.len() as u8];
        bytes.extend(digits);
        bytes.resize(Self::BYTES, 0xFF);
        bytes
    }
}

impl FromStr for Imsi {
    type Err = Error;

    fn from_str(digits: &str) -> Result<Self> {
        if let Some(at) = digits.bytes().position(|digit| !digit.is_ascii_digit()) {
            return Err(Error::new(at, "a decimal digit"));
        }
        if !(Self::MIN_DIGITS..=Self::MAX_DIGITS).contains(&digits.len()) {
            return Err(Error::new(digits.len().min(Self::MAX_DIGITS), "6 to 15 digits"));
        }
        Ok(Self(digits.to_owned()))
    }
}

impl fmt::Debug for Imsi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Imsi({})", masked(&self.0))
    }
}
