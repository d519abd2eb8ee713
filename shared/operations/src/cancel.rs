//! §7.2.2.4: withdrawing an application while the card waits for power-up.

use super::messages::{ChangeEvent, StateChange, enqueue};
use super::status::find;
use super::transition::{Cause, guarded, move_card};
use super::{Caller, Context, TaskRef};
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{Actor, CardEvent, Eid, TaskId, TaskState, Timestamp};
use store::{
    Database, Tx,
    chip::ChipRow,
    lock, number,
    task::{self, TaskRow},
    views,
};

/// A withdrawn application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancelled {
    /// EID of the chip.
    pub eid: Eid,
    /// Identifier of the task.
    pub task_id: TaskId,
    /// When it was withdrawn.
    pub at: Timestamp,
}

/// Withdraws an application. The card is 待写卡 again, and its number returns to its client or pool. A number that may
/// partly be on the chip from an earlier, failed task stays held for that chip.
///
/// Repeating the call, by either key, changes nothing and returns the same time, until anything else happens to the
/// card.
///
/// # Errors
/// [`Reason::UnknownChip`] and [`Reason::UnknownTask`], also for those of another client; [`Reason::WrongState`] (403)
/// unless the card is 待开机上电 for this task, or this task's cancellation is the last that happened to it.
pub async fn cancel<D: Database>(
    cx: &Context<'_, D>,
    caller: &Caller,
    what: &TaskRef,
) -> Result<Cancelled, Error> {
    transaction(cx, async |tx| cancel_in(cx, tx, caller, what).await).await
}

/// The same in an open transaction. An error changes nothing.
pub(super) async fn cancel_in<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    caller: &Caller,
    what: &TaskRef,
) -> Result<Cancelled, Error> {
    match what {
        TaskRef::Eid(eid) => lock::chip(tx, &cx.eid_index(eid)).await?,
        TaskRef::Task(id) => lock::chip_of_task(tx, *id).await?,
    }
    let (chip, task) = find(cx, tx, caller, what).await?;
    let Some(task) = task else {
        return Err(wrong_state(&chip));
    };
    if !task.state.is_open() {
        let at = repeated(tx, &chip, &task).await?;
        return Ok(Cancelled {
            eid: chip.eid(cx.vault)?,
            task_id: task.id,
            at: at.ok_or_else(|| wrong_state(&chip))?,
        });
    }
    let actor = Actor::Client(caller.id.clone());
    let cause = Cause::of_task(&actor, "cancelled_by_client", task.id);
    let status = move_card(cx, tx, &chip, CardEvent::ApplicationCancelled, &cause).await?;
    guarded(task::cancel(tx, task.id, None, cx.now).await?)?;
    number::leave_task(tx, task.id, cx.now).await?;
    let change = StateChange {
        chip: &chip,
        status,
        task: Some(task.id),
        event: ChangeEvent::Cancelled,
    };
    enqueue(cx, tx, &change).await?;
    Ok(Cancelled {
        eid: chip.eid(cx.vault)?,
        task_id: task.id,
        at: cx.now,
    })
}

fn wrong_state(chip: &ChipRow) -> Error {
    Error::new(Reason::WrongState).with_detail(chip.status.zh(), chip.status.en())
}

/// When this task was withdrawn before, if nothing has happened to its card since.
async fn repeated<D: Database>(
    tx: &Tx<'_, D>,
    chip: &ChipRow,
    task: &TaskRow,
) -> Result<Option<Timestamp>, Error> {
    let is_cancelled = task.state == TaskState::Cancelled && task.failure.is_none();
    let Some(at) = task.finished_at.filter(|_| is_cancelled) else {
        return Ok(None);
    };
    let is_last = views::is_last(tx, &chip.eid_index, task.id, at).await?;
    Ok(is_last.then_some(at))
}
