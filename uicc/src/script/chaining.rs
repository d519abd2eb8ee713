//! Script chaining: keeping the card's context from one script to the next (TS 102 226 §5.2.1.4,
//! §5.2.2.4).
//!
//! It must never be anywhere but first in a script; [`super::CommandScript::parse`] sees to that.

use crate::tlv::ber::Tlv;
use crate::{Error, Result};

/// Tag `83` in a command script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Chaining {
    /// First script; the context goes with a card reset.
    FirstDeleteOnReset = 0x01,
    /// First script; the context outlives a card reset.
    FirstKeepOnReset = 0x11,
    /// A following script, more to come.
    SubsequentMore = 0x02,
    /// The last script of the chain.
    SubsequentLast = 0x03,
}

impl Chaining {
    pub(super) fn read(tlv: &Tlv<'_>) -> Result<Self> {
        match tlv.value {
            [0x01] => Ok(Self::FirstDeleteOnReset),
            [0x11] => Ok(Self::FirstKeepOnReset),
            [0x02] => Ok(Self::SubsequentMore),
            [0x03] => Ok(Self::SubsequentLast),
            _ => Err(Error::new(
                tlv.offset,
                "a script chaining value: 01, 11, 02 or 03",
            )),
        }
    }
}

/// Tag `83` in a response script: why the chain could not be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ChainingResult {
    /// There is no previous script.
    NoPreviousScript = 0x01,
    /// Chaining is not supported, or the script is out of sequence.
    NotSupported = 0x02,
    /// The card was unable to process the command.
    UnableToProcess = 0x03,
}

impl ChainingResult {
    pub(super) fn read(tlv: &Tlv<'_>) -> Result<Self> {
        match tlv.value {
            [0x01] => Ok(Self::NoPreviousScript),
            [0x02] => Ok(Self::NotSupported),
            [0x03] => Ok(Self::UnableToProcess),
            _ => Err(Error::new(tlv.offset, "a script chaining result: 01, 02 or 03")),
        }
    }
}
