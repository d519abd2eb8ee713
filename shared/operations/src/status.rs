//! §7.2.2.3: state and progress of a card.

use super::{Caller, Context};
use domain::error::{Error, Reason};
use domain::{CardStatus, Eid, FailureKind, TaskId, TaskState, Timestamp};
use store::{
    Database,
    chip::{self, ChipRow},
    task::{self, TaskRow},
    views,
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
    pub failure: Option<FailureKind>,
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
    let (row, asked_by_task) = match what {
        TaskRef::Eid(eid) => {
            let index = cx.eid_index(eid);
            let row = views::status_by_eid(cx.db, &index).await?;
            let own = row.filter(|row| row.client_id == caller.id);
            (own.ok_or(Reason::UnknownChip)?, false)
        }
        TaskRef::Task(id) => {
            let row = views::status_by_task(cx.db, *id).await?;
            (row.ok_or(Reason::UnknownTask)?, true)
        }
    };
    // A task that another client had with this chip stays that client's.
    let task = row.task.filter(|task| task.client_id == caller.id);
    let card_status = match (&task, asked_by_task) {
        (Some(task), true) => task.state.card_status(),
        (None, true) => return Err(Reason::UnknownTask.into()),
        (_, false) => row.status,
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
        write_time: current
            .filter(|task| task.state == TaskState::Succeeded)
            .and_then(|task| task.finished_at),
        failure: current.and_then(|task| task.failure),
    })
}

/// The chip and the task of the call, if they belong to the caller.
pub(super) async fn find<D: Database>(
    cx: &Context<'_, D>,
    caller: &Caller,
    what: &TaskRef,
) -> Result<(ChipRow, Option<TaskRow>), Error> {
    match what {
        TaskRef::Eid(eid) => {
            let index = cx.eid_index(eid);
            let task = task::latest(cx.db, &index).await?;
            let chip = chip::by_eid(cx.db, &index)
                .await?
                .filter(|chip| chip.client_id == caller.id);
            // A task that another client had with this chip stays that client's.
            Ok((
                chip.ok_or(Reason::UnknownChip)?,
                task.filter(|task| task.client_id == caller.id),
            ))
        }
        TaskRef::Task(id) => {
            let task = task::by_id(cx.db, *id)
                .await?
                .filter(|task| task.client_id == caller.id);
            let task = task.ok_or(Reason::UnknownTask)?;
            let chip = chip::by_eid(cx.db, &task.eid_index).await?;
            Ok((
                chip.ok_or_else(|| Error::internal("a task without its chip"))?,
                Some(task),
            ))
        }
    }
}
