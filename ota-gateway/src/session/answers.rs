//! The card's answer to a script, matched to the commands it answers (TS 102 226 §5.2.2).
//!
//! A card stops at the first command that fails, so that fewer answers than commands are whole only if the
//! last one is an error. It must never take a missing answer for a success.

use uicc::apdu::StatusWord;
use uicc::script::{ImmediateActionResult, ResponseScript, ScriptResult};

use super::failure::{Failure, FailureKind};
use super::script::{Batch, Role};

/// One command that was answered, for whoever watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) meaning: String,
    pub(crate) command: Option<String>,
    pub(crate) status: u16,
}

/// A command that was carried out.
#[derive(Debug)]
pub(super) struct Done {
    /// Its position in the batch.
    pub(super) command: usize,
    pub(super) unit: usize,
    pub(super) data: Vec<u8>,
}

/// A command that was not.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) unit: usize,
    pub(super) role: Role,
    pub(super) meaning: String,
    pub(super) status: StatusWord,
    /// Whether the card stopped there.
    pub(super) stopped: bool,
}

/// What became of a batch.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) done: Vec<Done>,
    pub(super) refused: Vec<Refused>,
}

/// Reads the answer to `batch`. The commands that were answered are told in any case.
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
        let (meaning, status) = (command.meaning(), response.status);
        answered.push(Answered {
            meaning: meaning.clone(),
            command: command.shown(),
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
                meaning,
                status,
                stopped,
            });
        }
    }
    let checked = check_whole(batch, &script, &outcome);
    (answered, checked.map(|()| outcome))
}

/// A warning is good enough for what only looks, but not for what changes something.
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
