//! EID: the unchanging number of a chip, 32 digits of which the last two are check digits
//! (GSMA SGP.29 §10, ISO/IEC 7064 MOD 97-10 over the whole number). Chips outside that scheme have EIDs of 32
//! hexadecimal digits.
//!
//! It must never show a whole EID in `Debug` output.

use core::fmt;
use core::str::FromStr;

use crate::mask::masked;
use crate::{Error, Result, bcd};

/// Digits of an EID.
pub const EID_DIGITS: usize = 32;
/// Bytes of an EID, two digits a byte.
pub const EID_BYTES: usize = EID_DIGITS / 2;
/// Modulus of ISO/IEC 7064; a valid number leaves the remainder 1.
const MODULUS: u32 = 97;

/// Identifier of one chip: 32 hexadecimal digits, with capital letters.
///
/// Chips and even published examples exist whose check digits are wrong, so reading one accepts any digits: a message is
/// not refused because of them. Who registers a chip asks [`Eid::check`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Eid([u8; EID_DIGITS]);

/// Which rule of an EID a text breaks. It never carries the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EidError {
    /// The text is not 32 digits.
    #[error("an EID has 32 digits")]
    Digits,
    /// The number is not 1 modulo 97.
    #[error("the check digits of the EID are wrong (ISO/IEC 7064 MOD 97-10)")]
    CheckDigits,
}

impl Eid {
    /// Reads 32 hexadecimal digits, whatever the check digits.
    ///
    /// # Errors
    /// [`EidError::Digits`].
    pub fn parse(text: &str) -> Result<Self, EidError> {
        Self::from_digits(text).map_err(|_| EidError::Digits)
    }

    /// Reads 32 hexadecimal digits of a message, whatever the check digits.
    ///
    /// # Errors
    /// [`Error`] with the offset of the first character that is not a digit, or of the end of a text of another
    /// length.
    pub fn from_digits(text: &str) -> Result<Self> {
        let mut digits: [u8; EID_DIGITS] = text
            .as_bytes()
            .try_into()
            .map_err(|_| Error::new(text.len().min(EID_DIGITS), "an EID of 32 digits"))?;
        digits.make_ascii_uppercase();
        match digits.iter().position(|digit| !digit.is_ascii_hexdigit()) {
            Some(at) => Err(Error::new(at, "a digit")),
            None => Ok(Self(digits)),
        }
    }

    /// Checks that these are decimal digits with valid check digits.
    ///
    /// # Errors
    /// [`EidError::Digits`] for letters, [`EidError::CheckDigits`].
    pub fn check(&self) -> Result<(), EidError> {
        if self.has_letters() {
            Err(EidError::Digits)
        } else if self.has_valid_check_digits() {
            Ok(())
        } else {
            Err(EidError::CheckDigits)
        }
    }

    /// Whether some of the digits are hexadecimal letters, which the layout of a PSK identity cannot carry.
    #[must_use]
    pub fn has_letters(&self) -> bool {
        !self.0.iter().all(u8::is_ascii_digit)
    }

    /// Reads the packed BCD of a message, first digit in the high nibble, whatever the check digits. It has no letters.
    ///
    /// # Errors
    /// [`Error`] when there are not 16 bytes, or with the offset of the first byte that is not two decimal digits.
    pub fn from_bcd(bytes: &[u8]) -> Result<Self> {
        if bytes.len() != EID_BYTES {
            return Err(Error::new(bytes.len().min(EID_BYTES), "an EID of 16 bytes"));
        }
        Self::from_digits(&bcd::decode_in_order(bytes)?)
    }

    /// Tells whether the whole number is 1 modulo 97, as ISO/IEC 7064 MOD 97-10 demands.
    #[must_use]
    pub fn has_valid_check_digits(&self) -> bool {
        let remainder = |rest: u32, digit: &u8| (rest * 10 + u32::from(value(*digit))) % MODULUS;
        !self.has_letters() && self.0.iter().fold(0, remainder) == 1
    }

    /// The 32 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The bytes are ASCII digits by construction, so the empty text never appears.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Two digits a byte, the first in the high nibble, as in a PSK identity: packed BCD where there are no letters.
    #[must_use]
    pub fn to_bcd(&self) -> [u8; EID_BYTES] {
        let mut out = [0; EID_BYTES];
        for (byte, pair) in out.iter_mut().zip(self.0.chunks_exact(2)) {
            *byte = (value(pair[0]) << 4) | value(pair[1]);
        }
        out
    }

    /// First six and last four digits only, for logs.
    #[must_use]
    pub fn masked(&self) -> String {
        masked(self.as_str())
    }
}

/// The value of a hexadecimal digit.
fn value(digit: u8) -> u8 {
    match digit {
        b'A'.. => digit - b'A' + 10,
        _ => digit - b'0',
    }
}

impl FromStr for Eid {
    type Err = EidError;

    /// Does what [`Eid::parse`] does.
    fn from_str(text: &str) -> Result<Self, EidError> {
        Self::parse(text)
    }
}

impl fmt::Display for Eid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Eid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Eid({})", self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::{Eid, EidError};
    use proptest::prelude::*;

    const VALID: [&str; 2] = [
        "89049032123451234512345678901235",
        "89086030202200000022000000000090",
    ];

    #[test]
    fn published_eids_are_valid() {
        for text in VALID {
            let eid = Eid::parse(text).unwrap();
            assert_eq!((eid.as_str(), eid.check()), (text, Ok(())));
        }
    }

    #[test]
    fn any_single_wrong_digit_is_found() {
        for text in VALID {
            for at in 0..text.len() {
                for digit in b'0'..=b'9' {
                    let mut bytes = text.as_bytes().to_vec();
                    if bytes[at] == digit {
                        continue;
                    }
                    bytes[at] = digit;
                    let wrong = Eid::parse(std::str::from_utf8(&bytes).unwrap()).unwrap();
                    assert_eq!(wrong.check(), Err(EidError::CheckDigits));
                }
            }
        }
    }

    #[test]
    fn wrong_length_and_other_characters_are_refused() {
        for text in [
            "",
            "8908603020220000002200000000009",
            "890860302022000000220000000000900",
            "8908603020220000002200000000009G",
            "890860302022000000220000000000９",
        ] {
            assert_eq!(Eid::parse(text), Err(EidError::Digits), "{text}");
        }
    }

    #[test]
    fn hexadecimal_digits_are_read_in_any_case_and_have_no_check_digits() {
        let text = "0011223344556677889aAbBcCdDeEfF0";
        let eid = Eid::parse(text).unwrap();
        assert_eq!(eid.as_str(), text.to_uppercase());
        assert_eq!(eid.check(), Err(EidError::Digits));
        assert!(eid.has_letters() && !eid.has_valid_check_digits());
        assert_eq!(hex::encode_upper(eid.to_bcd()), text.to_uppercase());
    }

    #[test]
    fn bcd_puts_the_first_digit_in_the_high_nibble() {
        let eid = Eid::parse(VALID[1]).unwrap();
        assert_eq!(hex::encode(eid.to_bcd()), VALID[1]);
    }

    #[test]
    fn debug_output_is_masked() {
        assert_eq!(
            format!("{:?}", Eid::parse(VALID[1]).unwrap()),
            "Eid(890860****0090)"
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,40}") {
            let _ = Eid::parse(&text);
        }
    }
}
