//! §7.2.2.3: state and progress of a card.

use super::{Caller, Context};
use domain::error::{Error, Reason};
use domain::{CardStatus, Eid, TaskFailure, TaskId, TaskState, TaskStatus, Timestamp, unknown_chip};
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

/// A card and one of its tasks, as their client sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusView {
    /// EID of the chip.
    pub eid: Eid,
    /// Present state of the card, whichever task is asked for.
    pub card_status: CardStatus,
    /// The task asked for; by EID the client's latest one, if there is one.
    pub task: Option<TaskView>,
}

/// A task, as its client sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskView {
    /// Identifier.
    pub id: TaskId,
    /// State of the task.
    pub status: TaskStatus,
    /// Progress in percent, 0 to 100; of a task that has ended, how far it came.
    pub progress: u8,
    /// When it wrote the card; `None` before, and of a task that ended without a written card.
    pub write_time: Option<Timestamp>,
    /// When it ended, however.
    pub finished_at: Option<Timestamp>,
    /// Why it ended without a written card, unless its client withdrew it.
    pub failure: Option<TaskFailure>,
    /// The latest task for the chip, where that is another one.
    pub latest_id: Option<TaskId>,
}

/// Reads the status of card and task in one statement. What is said of the task stays as it is when the card goes on.
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
    if task.is_none() && matches!(what, TaskRef::Task(_)) {
        return Err(Reason::UnknownTask.into());
    }
    let eid = cx
        .vault
        .open_text(chip::EID, row.eid_index.as_bytes(), &row.eid_sealed)?;
    Ok(StatusView {
        eid: Eid::parse(&eid).map_err(Error::internal)?,
        card_status: row.status,
        task: task.as_ref().map(task_view),
    })
}

fn task_view(task: &StatusTask) -> TaskView {
    TaskView {
        id: task.id,
        status: TaskStatus::of(task.state, task.failure),
        progress: task.progress,
        write_time: task.finished_at.filter(|_| task.state == TaskState::Succeeded),
        finished_at: task.finished_at,
        failure: task.failure,
        latest_id: Some(task.latest_id).filter(|latest| *latest != task.id),
    }
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
            own.ok_or_else(|| unknown_chip("eid", eid))
        }
        TaskRef::Task(id) => {
            let row = views::status_by_task(cx.db, *id).await?;
            Ok(row.ok_or(Reason::UnknownTask)?)
        }
    }
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
                chip.ok_or_else(|| unknown_chip("eid", eid))?,
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
