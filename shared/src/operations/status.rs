//! §7.2.2.3: how far a card is.

use super::{Caller, Context};
use crate::domain::{CardStatus, Eid, FailureKind, TaskId, Timestamp};
use crate::error::{Error, Reason};
use crate::store::Database;

/// Which task a call is about: the card's latest, or the one named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskRef {
    /// The latest task of this chip.
    Eid(Eid),
    /// This task.
    Task(TaskId),
}

/// What a client sees of a card and its task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusView {
    /// The chip.
    pub eid: Eid,
    /// The task, if there ever was one.
    pub task_id: Option<TaskId>,
    /// State of the card; asked by task, the state in which that task holds or left it.
    pub card_status: CardStatus,
    /// Progress in percent, 0 to 100.
    pub progress: u8,
    /// When the card was written; empty until it is.
    pub write_time: Option<Timestamp>,
    /// Why writing failed, if it did.
    pub failure: Option<FailureKind>,
}

/// Reads the status.
///
/// # Errors
/// [`Reason::UnknownChip`], [`Reason::UnknownTask`]; also when they are another client's.
pub async fn status<D: Database>(cx: &Context<'_, D>, caller: &Caller, what: &TaskRef) -> Result<StatusView, Error> {
    let _ = (cx, caller, what);
    Err(Reason::Unavailable.into())
}
