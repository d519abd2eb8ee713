//! What happened in a session: reported by the gateway until the platform acknowledges it.

use serde::{Deserialize, Serialize};

use crate::EventDocument;

/// Reports one event of a session. A repeated report is the same document and changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct ReportRequest {
    /// Identifier of the session.
    pub session_id: String,
    /// Number of the report within the session, from 1.
    pub seq: u64,
    /// What happened.
    pub event: EventDocument,
    /// TCP payload from the chip in this session so far, in bytes.
    pub bytes_up: u64,
    /// TCP payload to the chip in this session so far, in bytes.
    pub bytes_down: u64,
}

/// The platform's acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct ReportAnswer {
    /// Whether the session may go on; after `not_verified` also whether the card is to be written now.
    #[serde(rename = "continue", default)]
    pub go_on: bool,
    /// Bytes the session may still cost; `None` for no limit.
    #[serde(default)]
    pub allowance_bytes: Option<u64>,
}
