//! §7.2.2.4: withdrawing an application while the card waits for power-up.

use super::status::find;
use super::transition::{Cause, guarded, move_card};
use super::{Caller, Context, TaskRef};
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{Actor, CardEvent, CardStatus, Eid, TaskId, TaskState, Timestamp};
use store::{
    Database,
    chip::ChipRow,
    number,
    task::{self, TaskRow},
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
/// Repeating the call by task changes nothing and returns the same time, as long as the card is still 待写卡.
///
/// # Errors
/// [`Reason::UnknownChip`] and [`Reason::UnknownTask`], also for those of another client; [`Reason::WrongState`] (403)
/// unless the card is 待开机上电 for this task.
pub async fn cancel<D: Database>(
    cx: &Context<'_, D>,
    caller: &Caller,
    what: &TaskRef,
) -> Result<Cancelled, Error> {
    transaction(cx, async |tx| {
        let (chip, task) = find(cx, tx, caller, what).await?;
        let task = match task {
            Some(task) if task.state.is_open() => task,
            Some(task) if is_repeated(what, &chip, &task) => {
                return Ok(Cancelled {
                    eid: chip.eid(cx.vault)?,
                    task_id: task.id,
                    at: task.finished_at.unwrap_or(cx.now),
                });
            }
            _ => return Err(Error::new(Reason::WrongState).with_detail(chip.status.zh(), chip.status.en())),
        };
        let actor = Actor::Client(caller.id.clone());
        let cause = Cause::of_task(&actor, "cancelled_by_client", task.id);
        move_card(cx, tx, &chip, CardEvent::ApplicationCancelled, &cause).await?;
        guarded(task::cancel(tx, task.id, None, cx.now).await?)?;
        number::leave_task(tx, task.id, cx.now).await?;
        Ok(Cancelled {
            eid: chip.eid(cx.vault)?,
            task_id: task.id,
            at: cx.now,
        })
    })
    .await
}

/// Whether this task was withdrawn before and its card has not changed since.
fn is_repeated(what: &TaskRef, chip: &ChipRow, task: &TaskRow) -> bool {
    matches!(what, TaskRef::Task(_))
        && task.state == TaskState::Cancelled
        && task.failure.is_none()
        && chip.status == CardStatus::ToWrite
}
