//! The remote file management application: runs expanded command scripts against the file system
//! (TS 102 226 §5.2, §7.2, §7.3).
//!
//! It must never run a script that was addressed to another application, nor continue after an APDU that failed.

use super::core::Core;
use super::describe;
use super::fs::{Authority, FileSystem, Selection};
use super::key_command;
use super::layout::{Directory, FILES, IMSI};
use crate::faults::Side;
use crate::observer::Event;
use crate::personalisation::RfmStart;
use uicc::apdu::{CommandApdu, ResponseApdu, StatusWord, ins};
use uicc::cat::{Command, ProactiveCommand};
use uicc::script::{
    BadFormat, Chaining, ChainingResult, CommandScript, ErrorAction, Form, ImmediateAction, ResponseForm,
    ResponseScript, ScriptCommand, ScriptResult,
};
use uicc::tlv::ber;

/// Most bytes of response data of one script; an APDU that exceeds it gets `62F1` and no data.
const MAX_ANSWER_BYTES: usize = 8 * 1024;
/// Class of ISO commands on the basic channel.
const ISO: u8 = 0x00;
/// Class of STATUS on the basic channel.
const TOOLKIT: u8 = 0x80;

/// State kept from one script to the next while target and content type stay the same (Amendment B §3.6).
#[derive(Debug, Clone, Copy)]
pub(super) struct CommandSession {
    selection: Selection,
    chained: bool,
}

impl CommandSession {
    /// A new command session, with the start directory of the application selected.
    #[must_use]
    pub(super) const fn start(start: RfmStart) -> Self {
        let directory = match start {
            RfmStart::Usim => Directory::Usim,
            RfmStart::Mf => Directory::Mf,
        };
        Self {
            selection: Selection::at(directory),
            chained: false,
        }
    }
}

/// Result of a script.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ScriptOutcome {
    /// The response script.
    pub response: Vec<u8>,
    /// Qualifier of the REFRESH that the script ordered, if any.
    pub refresh: Option<u8>,
}

/// Runs a script. If power is lost during the script ([`Core::power_lost`]), the outcome is not sent.
pub(super) fn run(core: &mut Core, session: &mut CommandSession, script: &[u8]) -> ScriptOutcome {
    match CommandScript::parse(script) {
        Ok(parsed) => {
            let mut run = ScriptRun {
                core,
                session,
                results: Vec::new(),
                response_bytes: 0,
                refresh: None,
                error_action: None,
            };
            let executed = run.all(&parsed.commands);
            let form = match parsed.form {
                Form::Definite => ResponseForm::Definite { executed },
                Form::Indefinite => ResponseForm::Indefinite,
            };
            ScriptOutcome {
                response: ResponseScript {
                    form,
                    results: run.results,
                }
                .encode(),
                refresh: run.refresh,
            }
        }
        Err(_) => ScriptOutcome {
            response: bad_format(script),
            refresh: None,
        },
    }
}

/// The response to bytes that are not a script: nothing was executed.
fn bad_format(script: &[u8]) -> Vec<u8> {
    use uicc::script::tag;
    let form = match script.first().copied().map(u16::from) {
        Some(tag::COMMAND_SCRIPT) => ResponseForm::Definite { executed: 0 },
        _ => ResponseForm::Indefinite,
    };
    let inner = match script {
        [0xAE, 0x80, content @ ..] => content.strip_suffix(&[0, 0]).unwrap_or(content),
        [0xAA, ..] => ber::Tlv::parse(script).map_or(&[][..], |tlv| tlv.value),
        _ => &[],
    };
    let known = [
        tag::C_APDU,
        tag::IMMEDIATE_ACTION,
        tag::ERROR_ACTION,
        tag::SCRIPT_CHAINING,
    ];
    let mut kind = BadFormat::WrongLength;
    if !matches!(script.first(), Some(0xAA | 0xAE)) {
        kind = BadFormat::UnknownTag;
    } else if script.len() < 2 {
        kind = BadFormat::LengthNotFound;
    }
    for item in ber::items(inner) {
        match item {
            Ok(tlv) if !known.contains(&tlv.tag.get()) => kind = BadFormat::UnknownTag,
            Ok(_) => continue,
            Err(_) => kind = BadFormat::WrongLength,
        }
        break;
    }
    ResponseScript {
        form,
        results: vec![ScriptResult::BadFormat(kind)],
    }
    .encode()
}

struct ScriptRun<'a> {
    core: &'a mut Core,
    session: &'a mut CommandSession,
    results: Vec<ScriptResult>,
    /// Bytes of response data so far.
    response_bytes: usize,
    refresh: Option<u8>,
    error_action: Option<u8>,
}

impl ScriptRun<'_> {
    /// Executes commands until one fails; returns how many were executed, the failing one included.
    fn all(&mut self, commands: &[ScriptCommand]) -> u16 {
        let mut executed = 0;
        for command in commands {
            executed += 1;
            let goes_on = match command {
                ScriptCommand::Apdu(apdu) => self.apdu(apdu),
                ScriptCommand::ImmediateAction(action) => {
                    self.immediate(action);
                    true
                }
                ScriptCommand::ErrorAction(action) => {
                    self.error_action = match action {
                        ErrorAction::Proactive(command) => refresh_qualifier(command),
                        ErrorAction::None | ErrorAction::Record(_) => None,
                    };
                    true
                }
                ScriptCommand::Chaining(chaining) => self.chain(*chaining),
            };
            if !goes_on || self.core.power_lost {
                break;
            }
        }
        executed
    }

    fn immediate(&mut self, action: &ImmediateAction) {
        // Over HTTPS a proactive session is always in progress and the response is never early, so both
        // references change nothing; this chip has no EF_RMA.
        if let ImmediateAction::Proactive(command) = action {
            self.refresh = refresh_qualifier(command).or(self.refresh);
        }
    }

    fn chain(&mut self, chaining: Chaining) -> bool {
        let possible = match chaining {
            Chaining::FirstDeleteOnReset | Chaining::FirstKeepOnReset => true,
            Chaining::SubsequentMore | Chaining::SubsequentLast => self.session.chained,
        };
        self.session.chained = possible && chaining != Chaining::SubsequentLast;
        if !possible {
            self.results
                .push(ScriptResult::Chaining(ChainingResult::NoPreviousScript));
        }
        possible
    }

    fn apdu(&mut self, apdu: &CommandApdu) -> bool {
        if self.core.power_lost_at(Side::Before) {
            return false;
        }
        let before = self.session.selection;
        let mut answer = match self.execute(apdu) {
            Ok(data) => ResponseApdu::ok(data),
            Err(status) => ResponseApdu::status(status),
        };
        if self.response_bytes + answer.data.len() > MAX_ANSWER_BYTES {
            answer = ResponseApdu::status(StatusWord::RESPONSE_TRUNCATED);
        }
        let status = answer.status;
        let selected = self.session.selection;
        self.core.record(|| Event::Apdu {
            description: describe::command(apdu, before, selected),
            status,
        });
        self.response_bytes += answer.data.len();
        self.results.push(ScriptResult::Apdu(answer));
        let lost = self.core.power_lost_at(Side::After);
        self.core.script_apdus += 1;
        let goes_on = status.continues_script();
        if !goes_on {
            self.refresh = self.error_action.or(self.refresh);
        }
        goes_on && !lost
    }

    fn execute(&mut self, apdu: &CommandApdu) -> Result<Vec<u8>, StatusWord> {
        let updates = matches!(
            (apdu.cla, apdu.ins),
            (ISO, ins::UPDATE_BINARY | ins::UPDATE_RECORD)
        ) || (apdu.cla, apdu.ins) == (key_command::CLA, key_command::INS);
        if let Some(problem) = self.core.memory_problem().filter(|_| updates) {
            return Err(problem);
        }
        match (apdu.cla, apdu.ins) {
            (key_command::CLA, key_command::INS) => self.load_keys(apdu),
            (
                ISO,
                ins::SELECT | ins::READ_BINARY | ins::READ_RECORD | ins::UPDATE_BINARY | ins::UPDATE_RECORD,
            )
            | (TOOLKIT, ins::STATUS) => self.file_command(apdu),
            (ISO | TOOLKIT, _) => Err(StatusWord::INS_NOT_SUPPORTED),
            _ => Err(StatusWord::CLA_NOT_SUPPORTED),
        }
    }

    fn load_keys(&mut self, apdu: &CommandApdu) -> Result<Vec<u8>, StatusWord> {
        let Core {
            card, nvm, faults, ..
        } = &mut *self.core;
        let loaded = key_command::load(card, nvm, &faults.refused_files, apdu)?;
        if let Some(at) = loaded.imsi {
            if !self.core.changed.contains(&at) {
                self.core.changed.push(at);
            }
            self.core.identity_changed();
        }
        Ok(Vec::new())
    }

    fn file_command(&mut self, apdu: &CommandApdu) -> Result<Vec<u8>, StatusWord> {
        let mut files = FileSystem {
            nvm: &mut self.core.nvm,
            selection: &mut self.session.selection,
            authority: Authority::Remote,
            iccid_writable: self.core.card.iccid_writable,
            refusals: &self.core.faults.refused_files,
            changed: &mut self.core.changed,
        };
        let data = files.execute(apdu)?;
        let current = self.session.selection.file.map(|at| FILES[at].fid);
        if apdu.ins == ins::UPDATE_BINARY && current == Some(IMSI) {
            self.core.identity_changed();
        }
        // Without Le no data is returned (TS 102 226 §5.2.1.1: GET RESPONSE is not used).
        Ok(if apdu.le.is_some() { data } else { Vec::new() })
    }
}

/// The qualifier, if the command is a REFRESH.
fn refresh_qualifier(command: &ProactiveCommand) -> Option<u8> {
    match &command.command {
        Command::Refresh(refresh) => Some(refresh.mode.byte()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
