//! §6.2.2, §7.2.2.2: an application.

use super::{Caller, Context};
use crate::domain::{CardStatus, TaskId};
use crate::error::{Error, Reason};
use crate::store::Database;

/// An application as the client sent it. All of it is validated here, because a refused application
/// changes the state of a known card (§6.3 Table 2). Absent and empty are the same.
#[derive(Clone, Copy, Debug, Default)]
pub struct ApplyRequest<'a> {
    /// The chip.
    pub eid: &'a str,
    /// `0` designated, `1` automatic.
    pub write_type: &'a str,
    /// Province to take a number from; automatic only.
    pub province_code: &'a str,
    /// Card to write; designated only.
    pub iccid: &'a str,
    /// Number to write; designated only.
    pub msisdn: &'a str,
}

/// An accepted application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The task.
    pub task_id: TaskId,
    /// State of the card now.
    pub card_status: CardStatus,
    /// True when this very application was accepted before and nothing changed.
    pub repeated: bool,
}

/// Applies for writing.
///
/// # Errors
/// See the reasons of the domain.
pub async fn apply<D: Database>(
    cx: &Context<'_, D>,
    caller: &Caller,
    request: &ApplyRequest<'_>,
) -> Result<Applied, Error> {
    let _ = (cx, caller, request);
    Err(Reason::Unavailable.into())
}
