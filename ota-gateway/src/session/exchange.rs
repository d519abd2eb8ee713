//! What goes into a session's state machine and what comes out of it.
//!
//! Data alone. It must never hold key material, except the link key that all sessions share.

use gateway_protocol::ReportEvent;
use uicc::ident::Aid;

use super::answers::Answered;
use super::card_job::{Checkpoint, Purpose};
use crate::http::Cursor;
use crate::keys::LinkKey;
use crate::profile::Catalogue;

/// What a session may not exceed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionLimits {
    /// Most requests of the chip.
    pub(crate) requests: u32,
    /// Most scripts sent to the chip.
    pub(crate) scripts: u32,
    /// Bytes of one TLS record, as the chip asked for.
    pub(crate) max_fragment: Option<usize>,
}

/// What every session of a gateway shares.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) catalogue: Catalogue,
    pub(crate) link_key: LinkKey,
}

/// What comes out of the session machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Output {
    /// Ask the platform what to do, in a new session of its own.
    Open { agent: Option<String>, resumed: bool },
    /// Report to the platform.
    Report(ReportEvent),
    /// Answer the chip.
    Reply(Reply),
}

/// An answer to the chip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    /// A script whose result goes to `next`.
    Script {
        target: Aid,
        body: Vec<u8>,
        next: Cursor,
    },
    /// A script that ends the session; its result is not wanted.
    LastScript {
        target: Aid,
        body: Vec<u8>,
        reason: &'static str,
    },
    /// Nothing more.
    End { reason: &'static str },
    /// The platform cannot be reached: try again later.
    Unavailable,
}

/// What happened in a session, for logs, metrics and observers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SessionEvent {
    /// The platform said what the session is for.
    Work { work: &'static str, resumed: bool },
    /// The chip answered a script.
    Script { accepted: bool },
    /// The chip answered a command.
    Apdu(Answered),
    /// The platform acknowledged progress.
    Progress { step: u32, steps: u32 },
    /// The platform acknowledged a state.
    State {
        state: &'static str,
        detail: Option<String>,
    },
}

/// An interrupted session that the chip may resume; it holds no secret.
#[derive(Debug, Clone)]
pub(crate) struct SuspendedSession {
    /// Its token in URIs.
    pub(crate) token: String,
    /// Number of the script whose answer is missing.
    pub(super) seq: u32,
    pub(super) task: Task,
    /// How far the work has come.
    pub(super) checkpoint: Checkpoint,
}

/// The work for which a card was busy until its session gave up; it holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BusyCard(pub(super) Task);

/// What makes two sessions the same work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) id: Option<String>,
    pub(super) attempt: u32,
    pub(super) purpose: Purpose,
    pub(super) profile: String,
}

/// The event of an acknowledged report.
pub(super) fn acknowledged(report: &ReportEvent) -> SessionEvent {
    let detail = match report {
        ReportEvent::Progress { step, steps } => {
            return SessionEvent::Progress {
                step: *step,
                steps: *steps,
            };
        }
        ReportEvent::Written | ReportEvent::Verified | ReportEvent::PoweredUp { .. } => None,
        ReportEvent::NotVerified { detail, .. } | ReportEvent::Failed { detail, .. } => Some(detail.clone()),
        ReportEvent::Closed { reason } => Some(reason.clone()),
    };
    SessionEvent::State {
        state: report.kind(),
        detail,
    }
}
