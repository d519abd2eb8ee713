//! The card's answer to a script, matched to the commands it answers (TS 102 226 §5.2.2).
//!
//! A card stops at the first command that fails, so that fewer answers than commands are whole only if the
//! last one is an error. It must never take a missing answer for a success.

use gateway_protocol::FailureKind;
use uicc::apdu::StatusWord;
use uicc::script::{ImmediateActionResult, ResponseScript, ScriptResult};

use super::failure::Failure;
use super::script::{Batch, Role};

/// One command that was answered, for logs and observers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answered {
    /// What the command does, such as `UPDATE BINARY EF_IMSI`.
    pub(crate) description: String,
    /// The command in hexadecimal; none where it carries key material.
    pub(crate) command: Option<String>,
    /// Status word.
    pub(crate) status: u16,
}

/// A command that was carried out.
#[derive(Debug)]
pub(super) struct Done {
    /// Position of the command in the batch.
    pub(super) command: usize,
    /// Number of its unit within the phase.
    pub(super) unit: usize,
    pub(super) data: Vec<u8>,
}

/// A command that was refused.
#[derive(Debug)]
pub(super) struct Refused {
    /// Number of its unit within the phase.
    pub(super) unit: usize,
    pub(super) role: Role,
    /// What the command does.
    pub(super) description: String,
    pub(super) status: StatusWord,
    /// Whether the card stopped there.
    pub(super) stopped: bool,
}

impl Refused {
    /// The card has no such file or directory (TS 102 221 §10.2.1.5.6; `9404` of TS 51.011).
    pub(super) const fn is_absence(&self) -> bool {
        matches!(self.role, Role::Select) && matches!(self.status.0, 0x6A82 | 0x9404)
    }

    /// The card does not let the file be changed, by its access conditions or its state. Strict cards answer `6900`.
    pub(super) const fn is_denial(&self) -> bool {
        matches!(self.status.0, 0x6900 | 0x6981..=0x6986 | 0x6989 | 0x9804)
    }
}

/// The answers to a batch, by whether the card carried the command out.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) done: Vec<Done>,
    pub(super) refused: Vec<Refused>,
}

/// Reads the answer to `batch`. The list of answered commands is given even where the answer is a failure.
pub(super) fn read(batch: &Batch, answer: &[u8]) -> (Vec<Answered>, Result<Outcome, Failure>) {
    let script = match ResponseScript::parse(answer) {
        Ok(script) => script,
        Err(error) => {
            let detail = format!("the answer is no response script: {error}");
            return (Vec::new(), Err(Failure::new(FailureKind::BadFormat, detail)));
        }
    };
    let mut answered = Vec::new();
    let mut outcome = Outcome::default();
    for (at, (command, response)) in batch.commands.iter().zip(script.apdus()).enumerate() {
        let (description, status) = (command.describe(), response.status);
        answered.push(Answered {
            description: description.clone(),
            command: command.hex(),
            status: status.0,
        });
        if carried_out(command.role, status) {
            outcome.done.push(Done {
                command: at,
                unit: command.unit,
                data: response.data.clone(),
            });
        } else {
            let stopped = !status.continues_script();
            outcome.refused.push(Refused {
                unit: command.unit,
                role: command.role,
                description,
                status,
                stopped,
            });
        }
    }
    let checked = check_whole(batch, &script, &outcome);
    (answered, checked.map(|()| outcome))
}

/// Whether the status counts as success: a warning does for commands that only read, not for those that change
/// something.
const fn carried_out(role: Role, status: StatusWord) -> bool {
    match role {
        Role::Select | Role::Read => status.continues_script(),
        Role::Update | Role::LoadKeys => status.is_success(),
    }
}

fn check_whole(batch: &Batch, script: &ResponseScript, outcome: &Outcome) -> Result<(), Failure> {
    for result in &script.results {
        match result {
            ScriptResult::BadFormat(bad) => return Err(Failure::of_bad_format(*bad)),
            ScriptResult::Chaining(result) => return Err(Failure::of_chaining(*result)),
            ScriptResult::ImmediateAction(ImmediateActionResult::SuspensionError) => {
                return Err(Failure::new(
                    FailureKind::CardError,
                    "the script could not be suspended for an action",
                ));
            }
            ScriptResult::ImmediateAction(ImmediateActionResult::Other(_)) | ScriptResult::Apdu(_) => {}
        }
    }
    let (answers, commands) = (script.apdus().count(), batch.commands.len());
    if answers > commands {
        return Err(Failure::new(
            FailureKind::BadFormat,
            format!("{answers} answers to {commands} commands"),
        ));
    }
    let stopped = outcome.refused.iter().any(|refused| refused.stopped);
    if answers < commands && !stopped {
        return Err(Failure::new(
            FailureKind::CardError,
            format!("only {answers} of {commands} commands answered, none refused"),
        ));
    }
    Ok(())
}
