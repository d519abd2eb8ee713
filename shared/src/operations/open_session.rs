//! §6.2.3.1: a card powered up and opened its channel.

use super::Context;
use crate::domain::{Eid, Iccid, Imsi, Msisdn, SessionId, TaskId, Work};
use crate::error::{Error, Reason};
use crate::store::Database;

/// A device session as the gateway announces it.
#[derive(Clone, Debug)]
pub struct OpenSession<'a> {
    /// Made by the gateway; the same again asks for the same answer.
    pub session_id: SessionId,
    /// The chip.
    pub eid: Eid,
    /// Address and port of the device.
    pub peer: &'a str,
    /// The `X-Admin-From` of the chip's agent.
    pub agent: Option<&'a str>,
    /// True when the chip resumes a broken session.
    pub resumed: bool,
}

/// What to do in a session.
#[derive(Clone, Debug)]
pub struct SessionWork {
    /// Write, verify or nothing.
    pub work: Work,
    /// The task, when there is something to do.
    pub task_id: Option<TaskId>,
    /// Chip model.
    pub chip_model: String,
    /// Name of the card profile.
    pub profile: String,
    /// Which time the card is being written for this task, from 1.
    pub attempt: u32,
    /// Test allowance left, in bytes; none when the session does not use it.
    pub allowance_bytes: Option<u64>,
    /// Last step that the card acknowledged in this attempt.
    pub resume_step: u32,
    /// What the card is to hold, for writing and verifying.
    pub data: Option<WriteData>,
}

/// What a card is to hold. Key material is wrapped under the link key and only there for writing.
#[derive(Clone, Debug)]
pub struct WriteData {
    /// Card identifier.
    pub iccid: Iccid,
    /// Subscriber number.
    pub msisdn: Msisdn,
    /// Subscriber identity.
    pub imsi: Imsi,
    /// Address of the short message service centre.
    pub smsc: Option<String>,
    /// K, wrapped.
    pub k_wrapped: Option<Vec<u8>>,
    /// OPc, wrapped.
    pub opc_wrapped: Option<Vec<u8>>,
}

/// Opens a session and says what is to be done in it.
///
/// # Errors
/// [`Reason::UnknownChip`], [`Reason::ChipFaulty`], [`Reason::AllowanceExhausted`], [`Reason::NumberSuspended`], …
pub async fn open_session<D: Database>(cx: &Context<'_, D>, open: &OpenSession<'_>) -> Result<SessionWork, Error> {
    let _ = (cx, open);
    Err(Reason::Unavailable.into())
}
