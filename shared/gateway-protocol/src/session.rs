//! The work of a session, requested when the chip's agent makes its first request.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Announces a session and asks for its work. The same `session_id` again gets the same answer.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct SessionRequest {
    /// UUID version 7, made by the gateway.
    pub session_id: String,
    /// The chip, 32 digits.
    pub eid: String,
    /// Address and port of the device.
    pub peer: String,
    /// The `X-Admin-From` header of the chip's agent.
    pub agent: Option<String>,
    /// Whether the chip resumes an interrupted session.
    pub resumed: bool,
}

impl fmt::Debug for SessionRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionRequest")
            .field("session_id", &self.session_id)
            .field("resumed", &self.resumed)
            .finish_non_exhaustive()
    }
}

/// The work of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Write the card.
    Write,
    /// Verify that the card holds what was reserved and has registered with it.
    Verify,
    /// Nothing to do.
    None,
}

impl Work {
    /// Its name in JSON.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Verify => "verify",
            Self::None => "none",
        }
    }
}

/// The work of a session.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct SessionAnswer {
    /// What is to be done.
    pub work: Work,
    /// The task, if there is work.
    #[serde(default)]
    pub task_id: Option<String>,
    /// Chip model; for people.
    #[serde(default)]
    pub chip_model: String,
    /// Name of the card profile.
    #[serde(default)]
    pub profile: String,
    /// Number of the write attempt of this task, from 1.
    #[serde(default = "first_attempt")]
    pub attempt: u32,
    /// Bytes the session may cost in both directions; `None` for no limit.
    #[serde(default)]
    pub allowance_bytes: Option<u64>,
    /// Last step that the card acknowledged in this attempt.
    #[serde(default)]
    pub resume_step: u32,
    /// What the card must hold, for writing and verifying.
    #[serde(default)]
    pub data: Option<CardData>,
}

const fn first_attempt() -> u32 {
    1
}

/// What a card must hold. Key material is present for writing only.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct CardData {
    /// Card identifier.
    pub iccid: String,
    /// Subscriber identity.
    pub imsi: String,
    /// K, wrapped.
    #[serde(default)]
    pub k_wrapped: Option<String>,
    /// Subscriber number.
    pub msisdn: String,
    /// OPc, wrapped.
    #[serde(default)]
    pub opc_wrapped: Option<String>,
    /// Address of the short message service centre.
    #[serde(default)]
    pub smsc: Option<String>,
}

impl fmt::Debug for CardData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardData").finish_non_exhaustive()
    }
}
