//! The only way to change the state of a card: the state machine decides, a guarded statement changes the row, and the
//! history records the step.

use super::Context;
use domain::error::{Error, Reason};
use domain::{Actor, CardEvent, CardStatus, TaskId, next};
use store::{
    Database, Tx,
    card_history::{self, Step},
    chip::{self, ChipRow},
};

/// Why a card moves, as its history shows it.
pub(super) struct Cause<'a> {
    /// Who caused it.
    pub(super) actor: &'a Actor,
    /// Stable name of the cause.
    pub(super) reason: &'a str,
    /// The task it belongs to.
    pub(super) task: Option<TaskId>,
    /// The person who caused it and why, both sealed.
    pub(super) sealed_note: Option<[Vec<u8>; 2]>,
}

impl<'a> Cause<'a> {
    /// A cause within a task.
    pub(super) fn of_task(actor: &'a Actor, reason: &'a str, task: TaskId) -> Self {
        Self {
            actor,
            reason,
            task: Some(task),
            sealed_note: None,
        }
    }
}

/// Moves a card by `event` and returns its new state. When the card has changed since, the transaction fails with
/// [`Reason::Conflict`].
///
/// # Errors
/// [`Reason::WrongState`] when Table 2 has no such step.
pub(super) async fn move_card<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    chip: &ChipRow,
    event: CardEvent,
    cause: &Cause<'_>,
) -> Result<CardStatus, Error> {
    let to = next(chip.status, event).map_err(|refused| {
        Error::new(Reason::WrongState)
            .with_detail(chip.status.zh(), chip.status.en())
            .with_cause(refused)
    })?;
    chip::set_status(tx, &chip.eid_index, chip.status, to, cx.now).await?;
    let step = Step {
        eid_index: &chip.eid_index,
        from: Some(chip.status),
        to,
        actor: cause.actor,
        reason: cause.reason,
        task: cause.task,
        sealed_note: cause.sealed_note.clone(),
    };
    card_history::insert(tx, &step, cx.now).await?;
    cx.note_change("card_status", chip.status.zh(), to.zh());
    Ok(to)
}

/// `Ok` when a guarded statement found the row in the state it expects.
pub(super) fn guarded(changed: bool) -> Result<(), Error> {
    if changed {
        Ok(())
    } else {
        Err(Reason::Conflict.into())
    }
}

/// `Ok` when a report fits the session and the task that it is about.
pub(super) fn in_order(yes: bool) -> Result<(), Error> {
    if yes {
        Ok(())
    } else {
        Err(Reason::ReportOutOfOrder.into())
    }
}
