//! Command script: `AA <length> …` or `AE 80 … 00 00` (TS 102 226 §5.2.1).
//!
//! It must never accept an unknown tag: the card would answer bad format, and so does the parser.

use super::{Chaining, ErrorAction, ImmediateAction, tag};
use crate::apdu::CommandApdu;
use crate::reader::Reader;
use crate::tlv::ber::{self, Tlv};
use crate::{Error, Result};

/// Most command TLVs that are read from one script: what fits in one byte of "number executed".
pub const MAX_COMMANDS: usize = 255;

/// How the end of a script is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// By a length in front (`AA`).
    Definite,
    /// By two zero bytes behind (`AE 80`): what HTTP transport uses.
    Indefinite,
}

/// One command TLV.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptCommand {
    /// Tag `22`. Le `00` asks for response data; GET RESPONSE is not used.
    Apdu(CommandApdu),
    /// Tag `81`.
    ImmediateAction(ImmediateAction),
    /// Tag `82`.
    ErrorAction(ErrorAction),
    /// Tag `83`, only at the head of a script.
    Chaining(Chaining),
}

/// A script for the card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandScript {
    /// Definite or indefinite.
    pub form: Form,
    /// What to do, in this order.
    pub commands: Vec<ScriptCommand>,
}

impl CommandScript {
    /// A script of APDUs alone.
    pub fn of_apdus(form: Form, apdus: impl IntoIterator<Item = CommandApdu>) -> Self {
        Self {
            form,
            commands: apdus.into_iter().map(ScriptCommand::Apdu).collect(),
        }
    }

    /// The APDUs among the commands, in order: the n-th belongs to the n-th R-APDU.
    pub fn apdus(&self) -> impl Iterator<Item = &CommandApdu> {
        self.commands.iter().filter_map(|command| match command {
            ScriptCommand::Apdu(apdu) => Some(apdu),
            _ => None,
        })
    }

    /// Parses either form. At most [`MAX_COMMANDS`] commands.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let (form, tlvs) = read_envelope(bytes, tag::COMMAND_SCRIPT, tag::COMMAND_SCRIPT_INDEFINITE)?;
        if let Some(surplus) = tlvs.get(MAX_COMMANDS) {
            return Err(Error::new(surplus.offset, "at most 255 commands in a script"));
        }
        let commands = tlvs
            .iter()
            .enumerate()
            .map(|(at, tlv)| read_command(at, tlv))
            .collect::<Result<_>>()?;
        Ok(Self { form, commands })
    }

    /// The script as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut content = Vec::new();
        for command in &self.commands {
            match command {
                ScriptCommand::Apdu(apdu) => ber::put(&mut content, tag::C_APDU, &apdu.encode()),
                ScriptCommand::ImmediateAction(action) => {
                    ber::put(&mut content, tag::IMMEDIATE_ACTION, &action.value());
                }
                ScriptCommand::ErrorAction(action) => {
                    ber::put(&mut content, tag::ERROR_ACTION, &action.value());
                }
                ScriptCommand::Chaining(chaining) => {
                    ber::put(&mut content, tag::SCRIPT_CHAINING, &[*chaining as u8]);
                }
            }
        }
        let mut out = Vec::with_capacity(content.len() + 4);
        match self.form {
            Form::Definite => ber::put(&mut out, tag::COMMAND_SCRIPT, &content),
            Form::Indefinite => ber::put_indefinite(&mut out, tag::COMMAND_SCRIPT_INDEFINITE, &content),
        }
        out
    }
}

fn read_command(at: usize, tlv: &Tlv<'_>) -> Result<ScriptCommand> {
    match tlv.tag.get() {
        tag::C_APDU => CommandApdu::read(tlv.reader()).map(ScriptCommand::Apdu),
        tag::IMMEDIATE_ACTION => ImmediateAction::read(tlv).map(ScriptCommand::ImmediateAction),
        tag::ERROR_ACTION => ErrorAction::read(tlv).map(ScriptCommand::ErrorAction),
        tag::SCRIPT_CHAINING if at == 0 => Chaining::read(tlv).map(ScriptCommand::Chaining),
        tag::SCRIPT_CHAINING => Err(Error::new(
            tlv.offset,
            "script chaining only at the head of a script",
        )),
        _ => Err(Error::new(tlv.offset, "a command TLV: tag 22, 81, 82 or 83")),
    }
}

/// The TLVs inside a script, common to command and response scripts.
pub(super) fn read_envelope(bytes: &[u8], definite: u16, indefinite: u16) -> Result<(Form, Vec<Tlv<'_>>)> {
    let mut reader = Reader::new(bytes);
    let first = reader.peek().map(u16::from);
    let found = if first == Some(definite) {
        let script = Tlv::read(&mut reader)?;
        (Form::Definite, script.children().collect::<Result<_>>()?)
    } else if first == Some(indefinite) {
        reader.u8("a script tag")?;
        (Form::Indefinite, ber::read_indefinite(&mut reader)?)
    } else {
        return Err(reader.error("a script tag: AA or AE for commands, AB or AF for responses"));
    };
    reader.finish("the end after the script")?;
    Ok(found)
}
