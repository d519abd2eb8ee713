//! Immediate action and error action: actions of the card besides running commands
//! (TS 102 226 §5.2.1.2 and §5.2.1.3).
//!
//! Referenced format: one byte. Normal format: the COMPREHENSION-TLV objects of a proactive command,
//! without the `D0` around them. It must never guess: other lengths are an error.

use crate::cat::ProactiveCommand;
use crate::tlv::ber::Tlv;
use crate::{Error, Result};

/// Highest record number of EF_RMA that one byte can refer to.
const MAX_RECORD: u8 = 0x7F;
const PROACTIVE_SESSION: u8 = 0x81;
const EARLY_RESPONSE: u8 = 0x82;

/// Tag `81` in a command script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImmediateAction {
    /// `01..=7F`: the proactive command in this record of EF_RMA.
    Record(u8),
    /// `81`: the script may need proactive sessions; do not run it while one is going on.
    ProactiveSession,
    /// `82`: answer now, before the rest of the script is run.
    EarlyResponse,
    /// A proactive command written out, e.g. REFRESH.
    Proactive(ProactiveCommand),
}

impl ImmediateAction {
    pub(super) fn read(tlv: &Tlv<'_>) -> Result<Self> {
        match tlv.value {
            [record @ 1..=MAX_RECORD] => Ok(Self::Record(*record)),
            [PROACTIVE_SESSION] => Ok(Self::ProactiveSession),
            [EARLY_RESPONSE] => Ok(Self::EarlyResponse),
            [] | [_] => Err(Error::new(
                tlv.offset,
                "an immediate action: 01 to 7F, 81, 82 or a proactive command",
            )),
            _ => ProactiveCommand::read_objects(tlv.reader()).map(Self::Proactive),
        }
    }

    pub(super) fn value(&self) -> Vec<u8> {
        match self {
            Self::Record(record) => vec![*record],
            Self::ProactiveSession => vec![PROACTIVE_SESSION],
            Self::EarlyResponse => vec![EARLY_RESPONSE],
            Self::Proactive(command) => command.encode_objects(),
        }
    }
}

/// Tag `82` in a command script: what to do if a C-APDU fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorAction {
    /// Length 0: no action; takes back an earlier one.
    None,
    /// The proactive command in this record of EF_RMA.
    Record(u8),
    /// A proactive command written out.
    Proactive(ProactiveCommand),
}

impl ErrorAction {
    pub(super) fn read(tlv: &Tlv<'_>) -> Result<Self> {
        match tlv.value {
            [] => Ok(Self::None),
            [record @ 1..=MAX_RECORD] => Ok(Self::Record(*record)),
            [_] => Err(Error::new(
                tlv.offset,
                "an error action: nothing, 01 to 7F or a proactive command",
            )),
            _ => ProactiveCommand::read_objects(tlv.reader()).map(Self::Proactive),
        }
    }

    pub(super) fn value(&self) -> Vec<u8> {
        match self {
            Self::None => Vec::new(),
            Self::Record(record) => vec![*record],
            Self::Proactive(command) => command.encode_objects(),
        }
    }
}
