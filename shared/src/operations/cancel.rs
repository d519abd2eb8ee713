//! §7.2.2.4: withdrawing an application while the card waits for power-up.

use super::{Caller, Context, TaskRef};
use crate::domain::{Eid, TaskId, Timestamp};
use crate::error::{Error, Reason};
use crate::store::Database;

/// A withdrawn application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancelled {
    /// The chip.
    pub eid: Eid,
    /// The task.
    pub task_id: TaskId,
    /// When.
    pub at: Timestamp,
}

/// Withdraws an application.
///
/// # Errors
/// [`Reason::UnknownChip`], [`Reason::UnknownTask`], [`Reason::WrongState`].
pub async fn cancel<D: Database>(cx: &Context<'_, D>, caller: &Caller, what: &TaskRef) -> Result<Cancelled, Error> {
    let _ = (cx, caller, what);
    Err(Reason::Unavailable.into())
}
