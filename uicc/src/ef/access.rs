//! EF_ACC (access control class, TS 31.102 §4.2.15) and EF_AD (administrative data, §4.2.18).
//!
//! They must never set classes 11 to 15 by themselves: those are for emergency services and operators.

use crate::reader::Reader;
use crate::{Error, Result};

use super::Imsi;

/// Access control classes 0 to 15, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acc(pub u16);

impl Acc {
    /// The class that a network assigns by the last digit of the IMSI.
    #[must_use]
    pub fn for_imsi(imsi: &Imsi) -> Self {
        let last = imsi.digits().bytes().next_back().map_or(0, |digit| digit - b'0');
        Self(1 << last)
    }

    /// Parses the two bytes of the file.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let classes = bytes
            .try_into()
            .map_err(|_| Error::new(bytes.len().min(2), "access classes of two bytes"))?;
        Ok(Self(u16::from_be_bytes(classes)))
    }

    /// The two bytes of the file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.0.to_be_bytes().to_vec()
    }
}

/// Administrative data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ad {
    /// UE operation mode: `00` normal, `80` type approval, …
    pub mode: u8,
    /// Additional information.
    pub additional: [u8; 2],
    /// Digits of the mobile network code in the IMSI, 2 or 3; `None` in files of three bytes.
    pub mnc_digits: Option<MncDigits>,
    /// Bytes after the fourth, reserved.
    pub reserved: Vec<u8>,
}

/// Length of the mobile network code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum MncDigits {
    /// Two digits, as in China.
    Two = 2,
    /// Three digits.
    Three = 3,
}

impl Ad {
    /// Normal operation, network code of this length.
    #[must_use]
    pub const fn normal(mnc_digits: MncDigits) -> Self {
        Self {
            mode: 0,
            additional: [0; 2],
            mnc_digits: Some(mnc_digits),
            reserved: Vec::new(),
        }
    }

    /// Parses three bytes or more.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let [mode, additional @ ..] = reader.array::<3>("administrative data of at least three bytes")?;
        let at = reader.offset();
        let mnc_digits = match reader.peek().map(|byte| byte & 0x0F) {
            None => None,
            Some(2) => Some(MncDigits::Two),
            Some(3) => Some(MncDigits::Three),
            Some(_) => return Err(Error::new(at, "a network code length of 2 or 3")),
        };
        let reserved = reader.rest().get(1..).unwrap_or_default().to_vec();
        Ok(Self {
            mode,
            additional,
            mnc_digits,
            reserved,
        })
    }

    /// The content of the file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![self.mode];
        out.extend(self.additional);
        if let Some(digits) = self.mnc_digits {
            out.push(digits as u8);
            out.extend_from_slice(&self.reserved);
        }
        out
    }
}
