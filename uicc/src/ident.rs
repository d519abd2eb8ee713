//! Identifiers that several protocols share: EID and AID, and how an identifier may be shown.
//!
//! It must never show a whole identifier in `Debug` output.

use core::fmt;
use core::str::FromStr;

use crate::bcd;
use crate::reader::Reader;
use crate::{Error, Result};

/// Digits of an EID.
pub const EID_DIGITS: usize = 32;
/// Bytes of an EID.
pub const EID_BYTES: usize = 16;
/// Bytes of the registered application provider identifier at the head of an AID.
pub const RID_BYTES: usize = 5;
/// Most bytes of an AID (ISO/IEC 7816-4 §8.2.1.2).
pub const MAX_AID_BYTES: usize = 16;

/// The identifier with its middle hidden: `890860****0090`. Short ones are hidden wholly.
#[must_use]
pub fn mask(identifier: &str) -> String {
    const HEAD: usize = 6;
    const TAIL: usize = 4;
    match (
        identifier.get(..HEAD),
        identifier
            .len()
            .checked_sub(TAIL)
            .and_then(|at| identifier.get(at..)),
    ) {
        (Some(head), Some(tail)) if identifier.len() > HEAD + TAIL => format!("{head}****{tail}"),
        _ => "****".to_owned(),
    }
}

/// The unchanging number of a chip: 32 decimal digits, on the wire 16 bytes in reading order.
///
/// The last two digits are check digits (GSMA SGP.29 §10), but chips and even published examples exist
/// whose check digits are wrong, so a message is not refused because of them: whoever registers a chip asks
/// [`Eid::has_valid_check_digits`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Eid([u8; EID_BYTES]);

impl Eid {
    /// The EID of 16 bytes, each of two decimal digits.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let eid: [u8; EID_BYTES] = bytes
            .try_into()
            .map_err(|_| Error::new(bytes.len().min(EID_BYTES), "an EID of 16 bytes"))?;
        bcd::decode_in_order(&eid)?;
        Ok(Self(eid))
    }

    /// The whole number is 1 modulo 97, as ISO 7064 mod 97-10 wants.
    #[must_use]
    pub fn has_valid_check_digits(&self) -> bool {
        self.digits()
            .bytes()
            .fold(0u32, |rest, digit| (rest * 10 + u32::from(digit - b'0')) % 97)
            == 1
    }

    /// The 16 bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.0.to_vec()
    }

    /// The 16 bytes, borrowed.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; EID_BYTES] {
        &self.0
    }

    /// The 32 digits.
    #[must_use]
    pub fn digits(&self) -> String {
        self.0
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 0xF])
            .map(|nibble| char::from(b'0' + nibble))
            .collect()
    }
}

impl FromStr for Eid {
    type Err = Error;

    fn from_str(digits: &str) -> Result<Self> {
        if digits.len() != EID_DIGITS {
            return Err(Error::new(digits.len().min(EID_DIGITS), "an EID of 32 digits"));
        }
        Self::parse(&bcd::encode_in_order(digits)?)
    }
}

impl fmt::Display for Eid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.digits())
    }
}

impl fmt::Debug for Eid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Eid({})", mask(&self.digits()))
    }
}

/// An application identifier, 5 to 16 bytes: RID and PIX (ISO/IEC 7816-4 §8.2.1.2).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Aid(Vec<u8>);

impl Aid {
    /// The AID of these bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        if (RID_BYTES..=MAX_AID_BYTES).contains(&bytes.len()) {
            Ok(Self(bytes.to_vec()))
        } else {
            Err(Error::new(bytes.len(), "an AID of 5 to 16 bytes"))
        }
    }

    /// The AID as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.0.clone()
    }

    /// The AID as bytes, borrowed.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The registered application provider.
    #[must_use]
    pub fn rid(&self) -> &[u8] {
        &self.0[..RID_BYTES]
    }

    /// The proprietary application identifier extension; may be empty.
    #[must_use]
    pub fn pix(&self) -> &[u8] {
        &self.0[RID_BYTES..]
    }
}

impl FromStr for Aid {
    type Err = Error;

    /// From hexadecimal digits, either case.
    fn from_str(text: &str) -> Result<Self> {
        Self::parse(&decode_hex(text)?)
    }
}

impl fmt::Display for Aid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode_hex(&self.0))
    }
}

impl fmt::Debug for Aid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Aid({self})")
    }
}

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
