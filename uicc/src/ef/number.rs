//! EF_MSISDN: own telephone numbers (TS 31.102 §4.2.26, coding of EF_ADN in §4.4.2.3).
//!
//! It must never change the alpha identifier: its alphabet is the issuer's choice.

use core::fmt;
use core::str::FromStr;

use crate::bcd;
use crate::mask::masked;
use crate::reader::Reader;
use crate::{Error, Result};

/// Bytes of the number field in EF_MSISDN and of the addresses in EF_SMSP.
const NUMBER_BYTES: usize = 10;
/// No number, no capability record, no extension record.
const UNUSED: u8 = 0xFF;

/// A dialling number with its type (TS 24.008 §10.5.4.7).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DialNumber {
    type_and_plan: u8,
    digits: String,
}

impl DialNumber {
    /// Type unknown, ISDN numbering plan.
    pub const UNKNOWN: u8 = 0x81;
    /// International number, ISDN numbering plan.
    pub const INTERNATIONAL: u8 = 0x91;
    /// National number, ISDN numbering plan.
    pub const NATIONAL: u8 = 0xA1;
    /// Most digits of the fields used here.
    pub const MAX_DIGITS: usize = NUMBER_BYTES * 2;

    /// A number of 0 to 20 dialling digits (`0`–`9`, `*`, `#`, `P`, `W`, `E`) of this type of number and
    /// numbering plan.
    pub fn new(type_and_plan: u8, digits: &str) -> Result<Self> {
        if digits.len() > Self::MAX_DIGITS {
            return Err(Error::new(Self::MAX_DIGITS, "at most 20 digits"));
        }
        bcd::encode_dialling(digits)?;
        Ok(Self {
            type_and_plan,
            digits: digits.to_ascii_uppercase(),
        })
    }

    /// Type of number and numbering plan, e.g. [`Self::INTERNATIONAL`].
    #[must_use]
    pub const fn type_and_plan(&self) -> u8 {
        self.type_and_plan
    }

    /// The digits, without `+`.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.digits
    }

    /// Type byte and swapped digits, without the fillers.
    fn packed(&self) -> Vec<u8> {
        let digits = bcd::encode_dialling(&self.digits).expect("new() let only dialling digits in");
        [vec![self.type_and_plan], digits].concat()
    }

    /// Length (type byte and digits), type, digits, and fillers up to ten bytes of digits: 12 bytes.
    pub(super) fn field(number: Option<&Self>) -> [u8; NUMBER_BYTES + 2] {
        let mut field = [UNUSED; NUMBER_BYTES + 2];
        if let Some(number) = number {
            let packed = number.packed();
            // At most eleven bytes, as new() limits the digits. Length of TS 31.102 §4.4.2.3.
            field[0] = packed.len() as u8;
            field[1..=packed.len()].copy_from_slice(&packed);
        }
        field
    }

    /// The inverse of [`Self::field`]; length `FF` or 0 means there is no number.
    pub(super) fn read_field(reader: &mut Reader<'_>) -> Result<Option<Self>> {
        let start = reader.offset();
        let [length, type_and_plan, digits @ ..] =
            reader.array::<{ NUMBER_BYTES + 2 }>("a number field of twelve bytes")?;
        if length == UNUSED || length == 0 {
            return Ok(None);
        }
        let used = digits.get(..usize::from(length) - 1).ok_or(Error::new(
            start,
            "a length of at most eleven: type and ten bytes of digits",
        ))?;
        let digits = bcd::decode_dialling(used).map_err(|error| error.shifted(start + 2))?;
        Ok(Some(Self {
            type_and_plan,
            digits,
        }))
    }
}

impl FromStr for DialNumber {
    type Err = Error;

    /// `+` makes it international; otherwise the type is unknown.
    fn from_str(number: &str) -> Result<Self> {
        match number.strip_prefix('+') {
            Some(digits) => Self::new(Self::INTERNATIONAL, digits).map_err(|error| error.shifted(1)),
            None => Self::new(Self::UNKNOWN, number),
        }
    }
}

impl fmt::Debug for DialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "DialNumber({:02X}, {})",
            self.type_and_plan,
            masked(&self.digits)
        )
    }
}

/// One record of EF_MSISDN: X bytes of alpha identifier and 14 of number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MsisdnRecord {
    /// Alpha identifier with its `FF` padding; its length is the record's length less 14.
    pub alpha: Vec<u8>,
    /// The number, if there is one.
    pub number: Option<DialNumber>,
    /// Record of EF_CCP2, `FF` for none.
    pub capability: u8,
    /// Record of EF_EXT5, `FF` for none.
    pub extension: u8,
}

impl MsisdnRecord {
    /// Bytes after the alpha identifier.
    pub const FIXED_BYTES: usize = NUMBER_BYTES + 4;

    /// A record of `record_size` bytes without alpha identifier. Fails below 14.
    pub fn with_number(record_size: usize, number: Option<DialNumber>) -> Result<Self> {
        let alpha = record_size
            .checked_sub(Self::FIXED_BYTES)
            .ok_or(Error::new(record_size, "a record of at least 14 bytes"))?;
        Ok(Self {
            alpha: vec![UNUSED; alpha],
            number,
            capability: UNUSED,
            extension: UNUSED,
        })
    }

    /// Parses a record of 14 bytes or more.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let alpha = bytes
            .len()
            .checked_sub(Self::FIXED_BYTES)
            .ok_or(Error::new(bytes.len(), "a record of at least 14 bytes"))?;
        Ok(Self {
            alpha: reader.take(alpha, "an alpha identifier")?.to_vec(),
            number: DialNumber::read_field(&mut reader)?,
            capability: reader.u8("a capability record")?,
            extension: reader.u8("an extension record")?,
        })
    }

    /// The record as bytes, as long as its alpha identifier and 14.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.alpha.clone();
        out.extend(DialNumber::field(self.number.as_ref()));
        out.extend([self.capability, self.extension]);
        out
    }
}
