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

/// Moves a card by `event` and returns its new state.
///
/// # Errors
/// [`Reason::WrongState`] when Table 2 has no such step; [`Reason::Conflict`] when the card has changed since.
pub(super) async fn move_card<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    chip: &ChipRow,
    event: CardEvent,
    actor: &Actor,
    reason: &str,
    task: Option<TaskId>,
) -> Result<CardStatus, Error> {
    let to = next(chip.status, event).map_err(|refused| {
        Error::new(Reason::WrongState)
            .with_detail(chip.status.zh(), chip.status.en())
            .with_cause(refused)
    })?;
    if !chip::set_status(tx, &chip.eid_index, chip.status, to, cx.now).await? {
        return Err(Reason::Conflict.into());
    }
    let step = Step {
        eid_index: &chip.eid_index,
        from: Some(chip.status),
        to,
        actor,
        reason,
        task,
    };
    card_history::insert(tx, &step, cx.now).await?;
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
