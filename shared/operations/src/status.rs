//! §7.2.2.3: state and progress of a card.

use super::{Caller, Context};
use domain::error::{Error, Reason};
use domain::{CardStatus, Eid, TaskFailure, TaskId, TaskState, Timestamp};
use store::{
    Database, Tx,
    chip::{self, ChipRow},
    task::{self, TaskRow},
    views::{self, StatusRow, StatusTask},
};

/// Which task a call is about: the card's latest, or the one named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskRef {
    /// The latest task of this chip.
    Eid(Eid),
    /// This task.
    Task(TaskId),
}

/// A card and its task, as their client sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusView {
    /// EID of the chip.
    pub eid: Eid,
    /// The task, if there is one.
    pub task_id: Option<TaskId>,
    /// State of the card; for a query by task, the state that belongs to the state of the task.
    pub card_status: CardStatus,
    /// Progress in percent, 0 to 100.
    pub progress: u8,
    /// When the card was written; `None` before, and when writing failed.
    pub write_time: Option<Timestamp>,
    /// Why writing failed, if it did.
    pub failure: Option<TaskFailure>,
}

/// Reads the status of card and task in one statement.
///
/// # Errors
/// [`Reason::UnknownChip`] and [`Reason::UnknownTask`], also for those of another client.
pub async fn status<D: Database>(
    cx: &Context<'_, D>,
    caller: &Caller,
    what: &TaskRef,
) -> Result<StatusView, Error> {
    let row = row_of(cx, caller, what).await?;
    // A task that another client had with this chip before stays that client's.
    let task = row.task.filter(|task| task.client_id == caller.id);
    let card_status = match (what, &task) {
        (TaskRef::Eid(_), _) => row.status,
        (TaskRef::Task(_), Some(task)) => task.state.card_status(),
        (TaskRef::Task(_), None) => return Err(Reason::UnknownTask.into()),
    };
    // A card that has changed since, for example by a refused application, does not show the old task's result.
    let current = task
        .as_ref()
        .filter(|task| task.state.card_status() == card_status);
    let eid = cx
        .vault
        .open_text(chip::EID, row.eid_index.as_bytes(), &row.eid_sealed)?;
    Ok(StatusView {
        eid: Eid::parse(&eid).map_err(Error::internal)?,
        task_id: task.as_ref().map(|task| task.id),
        card_status,
        progress: current.map_or(0, |task| task.progress),
        write_time: current.and_then(written_at),
        failure: current.and_then(|task| task.failure),
    })
}

/// The chip and the task that are asked for; the chip, if it is the caller's.
async fn row_of<D: Database>(
    cx: &Context<'_, D>,
    caller: &Caller,
    what: &TaskRef,
) -> Result<StatusRow, Error> {
    match what {
        TaskRef::Eid(eid) => {
            let index = cx.eid_index(eid);
            let row = views::status_by_eid(cx.db, &index).await?;
            let own = row.filter(|row| row.client_id == caller.id);
            Ok(own.ok_or(Reason::UnknownChip)?)
        }
        TaskRef::Task(id) => {
            let row = views::status_by_task(cx.db, *id).await?;
            Ok(row.ok_or(Reason::UnknownTask)?)
        }
    }
}

/// When a task wrote its card; none while it has not.
fn written_at(task: &StatusTask) -> Option<Timestamp> {
    task.finished_at.filter(|_| task.state == TaskState::Succeeded)
}

/// The chip and the task a call is about, if they are the caller's.
pub(super) async fn find<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    caller: &Caller,
    what: &TaskRef,
) -> Result<(ChipRow, Option<TaskRow>), Error> {
    match what {
        TaskRef::Eid(eid) => {
            let index = cx.eid_index(eid);
            let task = task::latest(tx, &index).await?;
            let chip = chip::by_eid(tx, &index)
                .await?
                .filter(|chip| chip.client_id == caller.id);
            // A task that another client had with this chip stays that client's.
            Ok((
                chip.ok_or(Reason::UnknownChip)?,
                task.filter(|task| task.client_id == caller.id),
            ))
        }
        TaskRef::Task(id) => {
            let task = task::by_id(tx, *id)
                .await?
                .filter(|task| task.client_id == caller.id);
            let task = task.ok_or(Reason::UnknownTask)?;
            let chip = chip::by_eid(tx, &task.eid_index).await?;
            Ok((
                chip.ok_or_else(|| Error::internal("a task without its chip"))?,
                Some(task),
            ))
        }
    }
}
