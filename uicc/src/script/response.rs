//! Response script: `AB <length> …` or `AF 80 … 00 00` (TS 102 226 §5.2.2).
//!
//! A card stops at the first command that fails, so the last R-APDU of a short answer is the failing one.
//! It must never hide a bad-format answer behind the R-APDUs before it.

use core::fmt;

use super::command::read_envelope;
use super::{ChainingResult, Form, tag};
use crate::apdu::ResponseApdu;
use crate::byte_enum::byte_enum;
use crate::tlv::ber::{self, Tlv};
use crate::{Error, Result};

/// How the end of the answer is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseForm {
    /// `AB`: begins with the number of command TLVs that were executed.
    Definite {
        /// Command TLVs executed, of every kind.
        executed: u16,
    },
    /// `AF 80`: the results are counted by who reads them.
    Indefinite,
}

byte_enum! {
    /// Tag `90`: the script could not be understood from here on.
    pub enum BadFormat {
        /// Unknown tag found.
        UnknownTag = 0x01,
        /// Wrong length found.
        WrongLength = 0x02,
        /// Length not found.
        LengthNotFound = 0x03,
    }
}

/// Tag `81`: result of an immediate action.
#[derive(Clone, PartialEq, Eq)]
pub enum ImmediateActionResult {
    /// `01`: the script could not be suspended for the action.
    SuspensionError,
    /// Objects of the terminal's response to the proactive command, or an unknown value.
    Other(Vec<u8>),
}

impl fmt::Debug for ImmediateActionResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SuspensionError => f.write_str("SuspensionError"),
            Self::Other(value) => write!(f, "Other({} bytes)", value.len()),
        }
    }
}

impl ImmediateActionResult {
    fn value(&self) -> Vec<u8> {
        match self {
            Self::SuspensionError => vec![0x01],
            Self::Other(value) => value.clone(),
        }
    }
}

/// One result TLV.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptResult {
    /// Tag `23`.
    Apdu(ResponseApdu),
    /// Tag `81`.
    ImmediateAction(ImmediateActionResult),
    /// Tag `83`.
    Chaining(ChainingResult),
    /// Tag `90`.
    BadFormat(BadFormat),
}

/// A card's answer to a command script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseScript {
    /// Definite (with the number of executed commands) or indefinite.
    pub form: ResponseForm,
    /// The results, in the order of the commands.
    pub results: Vec<ScriptResult>,
}

impl ResponseScript {
    /// The R-APDUs, in the order of the C-APDUs of the script.
    pub fn apdus(&self) -> impl Iterator<Item = &ResponseApdu> {
        self.results.iter().filter_map(|result| match result {
            ScriptResult::Apdu(apdu) => Some(apdu),
            _ => None,
        })
    }

    /// The bad-format answer, if there is one.
    #[must_use]
    pub fn bad_format(&self) -> Option<BadFormat> {
        self.results.iter().find_map(|result| match result {
            ScriptResult::BadFormat(bad) => Some(*bad),
            _ => None,
        })
    }

    /// Parses a response script of either form.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let (form, tlvs) = read_envelope(bytes, tag::RESPONSE_SCRIPT, tag::RESPONSE_SCRIPT_INDEFINITE)?;
        let (form, tlvs) = match (form, tlvs.split_first()) {
            (Form::Indefinite, _) => (ResponseForm::Indefinite, tlvs.as_slice()),
            (Form::Definite, Some((first, others))) if first.tag.get() == tag::NUMBER_EXECUTED => (
                ResponseForm::Definite {
                    executed: read_number(first)?,
                },
                others,
            ),
            (Form::Definite, _) => {
                return Err(Error::new(
                    bytes.len().min(2),
                    "tag 80, the number of executed commands",
                ));
            }
        };
        let results = tlvs.iter().map(read_result).collect::<Result<_>>()?;
        Ok(Self { form, results })
    }

    /// The answer as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut content = Vec::new();
        if let ResponseForm::Definite { executed } = self.form {
            match u8::try_from(executed) {
                Ok(byte) => ber::put(&mut content, tag::NUMBER_EXECUTED, &[byte]),
                Err(_) => ber::put(&mut content, tag::NUMBER_EXECUTED, &executed.to_be_bytes()),
            }
        }
        for result in &self.results {
            match result {
                ScriptResult::Apdu(apdu) => ber::put(&mut content, tag::R_APDU, &apdu.encode()),
                ScriptResult::ImmediateAction(result) => {
                    ber::put(&mut content, tag::IMMEDIATE_ACTION, &result.value());
                }
                ScriptResult::Chaining(result) => {
                    ber::put(&mut content, tag::SCRIPT_CHAINING, &[*result as u8]);
                }
                ScriptResult::BadFormat(bad) => ber::put(&mut content, tag::BAD_FORMAT, &[bad.byte()]),
            }
        }
        let mut out = Vec::with_capacity(content.len() + 4);
        match self.form {
            ResponseForm::Definite { .. } => ber::put(&mut out, tag::RESPONSE_SCRIPT, &content),
            ResponseForm::Indefinite => {
                ber::put_indefinite(&mut out, tag::RESPONSE_SCRIPT_INDEFINITE, &content);
            }
        }
        out
    }
}

fn read_number(tlv: &Tlv<'_>) -> Result<u16> {
    match tlv.value {
        [byte] => Ok(u16::from(*byte)),
        [high, low] => Ok(u16::from_be_bytes([*high, *low])),
        _ => Err(Error::new(
            tlv.offset,
            "the number of executed commands in one or two bytes",
        )),
    }
}

fn read_result(tlv: &Tlv<'_>) -> Result<ScriptResult> {
    match tlv.tag.get() {
        tag::R_APDU => ResponseApdu::read(tlv.reader()).map(ScriptResult::Apdu),
        tag::IMMEDIATE_ACTION => Ok(ScriptResult::ImmediateAction(match tlv.value {
            [0x01] => ImmediateActionResult::SuspensionError,
            other => ImmediateActionResult::Other(other.to_vec()),
        })),
        tag::SCRIPT_CHAINING => ChainingResult::read(tlv).map(ScriptResult::Chaining),
        tag::BAD_FORMAT => match tlv.value {
            [byte] => Ok(ScriptResult::BadFormat(BadFormat::from_byte(*byte))),
            _ => Err(Error::new(tlv.offset, "a bad format value of one byte")),
        },
        _ => Err(Error::new(tlv.offset, "a result TLV: tag 23, 81, 83 or 90")),
    }
}
