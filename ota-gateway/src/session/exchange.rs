//! What goes into a session's state machine and what comes out of it.
//!
//! Data alone. It must never hold key material, but for the link key that all sessions share.

use uicc::ident::Aid;

use super::answers::Answered;
use super::job::{Place, Purpose};
use crate::http::Cursor;
use crate::keys::LinkKey;
use crate::platform::Report;
use crate::profile::Catalogue;

/// What a session may not exceed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionLimits {
    pub(crate) requests: u32,
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

/// What comes out of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Output {
    /// Ask the platform what to do, in a new session of its own.
    Open { agent: Option<String>, resumed: bool },
    /// Tell the platform.
    Report(Report),
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

/// Something worth telling, in the order in which it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Moment {
    Work {
        work: &'static str,
        resumed: bool,
    },
    Script {
        accepted: bool,
    },
    Apdu(Answered),
    Progress {
        step: u32,
        steps: u32,
    },
    State {
        state: &'static str,
        detail: Option<String>,
    },
}

/// Where an interrupted session stood; holds no secret.
#[derive(Debug, Clone)]
pub(crate) struct Parked {
    pub(crate) session: String,
    /// The next URI that was given with the script whose answer is missing.
    pub(super) seq: u32,
    pub(super) task: Task,
    pub(super) place: Place,
}

/// What makes two sessions the same work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) id: Option<String>,
    pub(super) attempt: u32,
    pub(super) purpose: Purpose,
    pub(super) profile: String,
}

/// What is told once a report was acknowledged.
pub(super) fn acknowledged(report: &Report) -> Moment {
    let (state, detail) = match report {
        Report::Progress { step, steps } => {
            return Moment::Progress {
                step: *step,
                steps: *steps,
            };
        }
        Report::Written => ("written", None),
        Report::Verified => ("verified", None),
        Report::NotVerified { detail, .. } => ("not_verified", Some(detail.clone())),
        Report::Failed { detail, .. } => ("failed", Some(detail.clone())),
        Report::Closed { reason } => ("closed", Some((*reason).to_owned())),
    };
    Moment::State { state, detail }
}
