//! §6.2.3.3, §6.2.4.1: what happens in a device session.

use super::Context;
use crate::domain::{FailureKind, SessionId};
use crate::error::{Error, Reason};
use crate::store::Database;

/// What the gateway reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportEvent {
    /// The card acknowledged `step` of `steps`.
    Progress {
        /// Acknowledged steps.
        step: u32,
        /// All steps.
        steps: u32,
    },
    /// All files are written and read back equal; the card was told to restart.
    Written,
    /// In a new session the card holds what was reserved and has registered with the operator number.
    Verified,
    /// In a new session it does not.
    NotVerified {
        /// True when the card must be written again.
        rewrite: bool,
        /// For the operator.
        detail: String,
    },
    /// Writing ended without success.
    Failed {
        /// Why.
        failure: FailureKind,
        /// For the operator.
        detail: String,
        /// True when the chip itself is at fault (§8.2.2).
        chip_fault: bool,
    },
    /// The link ended.
    Closed {
        /// Why.
        reason: String,
    },
}

/// One report of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The session.
    pub session_id: SessionId,
    /// Counts the reports of the session upwards; a number seen before changes nothing.
    pub seq: u64,
    /// What happened.
    pub event: ReportEvent,
    /// Bytes from the card so far.
    pub bytes_up: u64,
    /// Bytes to the card so far.
    pub bytes_down: u64,
}

/// The platform's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportAnswer {
    /// False: end the session.
    pub go_on: bool,
    /// Test allowance left, in bytes; none when the session does not use it.
    pub allowance_bytes: Option<u64>,
}

/// Takes a report.
///
/// # Errors
/// [`Reason::UnknownSession`], [`Reason::SessionSuperseded`], [`Reason::ReportOutOfOrder`], [`Reason::ReportMalformed`].
pub async fn report<D: Database>(cx: &Context<'_, D>, report: &Report) -> Result<ReportAnswer, Error> {
    let _ = (cx, report);
    Err(Reason::Unavailable.into())
}
