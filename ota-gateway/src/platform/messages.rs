//! What gateway and platform say to each other: JSON over HTTP.
//!
//! Key material crosses this link wrapped under the link key alone. These types must never show it, nor a
//! whole identifier, in `Debug` output.

use std::fmt;

use serde::{Deserialize, Serialize};
use uicc::{Eid, masked};

/// Asks for the keys of an identity.
#[derive(Serialize)]
pub(crate) struct KeysRequest {
    /// The identity as it came, in hexadecimal.
    pub(crate) psk_identity: String,
    /// The EID, if the identity has the SGP.02 layout.
    pub(crate) eid: Option<String>,
}

/// The keys of an identity.
#[derive(Deserialize)]
pub(crate) struct KeysAnswer {
    pub(crate) eid: String,
    pub(crate) key_version: u8,
    pub(crate) psk_wrapped: Option<String>,
    pub(crate) dek_wrapped: Option<String>,
}

/// Opens a session.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct OpenRequest {
    pub(crate) session_id: String,
    #[serde(serialize_with = "eid_digits")]
    pub(crate) eid: Eid,
    pub(crate) peer: String,
    pub(crate) agent: Option<String>,
    pub(crate) resumed: bool,
}

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WorkKind {
    Write,
    Verify,
    None,
}

impl WorkKind {
    /// The word for it on the link.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Verify => "verify",
            Self::None => "none",
        }
    }
}

/// The platform's answer to an opened session.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct OpenAnswer {
    pub(crate) work: WorkKind,
    #[serde(default)]
    pub(crate) task_id: Option<String>,
    #[serde(default)]
    pub(crate) profile: Option<String>,
    #[serde(default = "first_attempt")]
    pub(crate) attempt: u32,
    #[serde(default)]
    pub(crate) allowance_bytes: Option<u64>,
    #[serde(default)]
    pub(crate) resume_step: u32,
    #[serde(default)]
    pub(crate) data: Option<CardData>,
}

const fn first_attempt() -> u32 {
    1
}

/// What the card shall hold.
#[derive(Clone, Deserialize)]
pub(crate) struct CardData {
    pub(crate) iccid: String,
    pub(crate) msisdn: String,
    pub(crate) imsi: String,
    #[serde(default)]
    pub(crate) smsc: Option<String>,
    #[serde(default)]
    pub(crate) k_wrapped: Option<String>,
    #[serde(default)]
    pub(crate) opc_wrapped: Option<String>,
}

impl fmt::Debug for CardData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "CardData(iccid {}, imsi {})",
            masked(&self.iccid),
            masked(&self.imsi)
        )
    }
}

/// Tells the platform what happened in a session.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ReportRequest {
    pub(crate) session_id: String,
    /// Number of the report within the session, from 1; a repeated report keeps its number.
    pub(crate) seq: u32,
    pub(crate) event: Report,
    /// TCP payload from the chip in this session so far.
    pub(crate) bytes_up: u64,
    /// TCP payload to the chip in this session so far.
    pub(crate) bytes_down: u64,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Report {
    /// The chip acknowledged `step` of `steps`.
    Progress { step: u32, steps: u32 },
    /// Everything is written and reads back equal; REFRESH is ordered next.
    Written,
    /// The card holds what was reserved and registered with it.
    Verified,
    /// It does not, or did not; `rewrite` says whether files must be written again.
    NotVerified { detail: String, rewrite: bool },
    /// The writing failed.
    Failed {
        failure: &'static str,
        detail: String,
        chip_fault: bool,
    },
    /// The link ended.
    Closed { reason: &'static str },
}

/// The platform's answer to a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct ReportAnswer {
    /// Whether the session may go on; after `not_verified` also whether to write now.
    #[serde(rename = "continue", default)]
    pub(crate) go_on: bool,
    /// Bytes the session may still cost from here on; none: no limit.
    #[serde(default)]
    pub(crate) allowance_bytes: Option<u64>,
}

/// The platform's refusal.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Refusal {
    #[serde(default)]
    pub(crate) reason: String,
    #[serde(default)]
    pub(crate) message: String,
}

fn eid_digits<S: serde::Serializer>(eid: &Eid, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(eid.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_written_as_the_platform_reads_them() {
        let cases = [
            (
                Report::Progress { step: 3, steps: 12 },
                r#"{"kind":"progress","step":3,"steps":12}"#,
            ),
            (Report::Written, r#"{"kind":"written"}"#),
            (Report::Verified, r#"{"kind":"verified"}"#),
            (
                Report::NotVerified {
                    detail: "d".into(),
                    rewrite: true,
                },
                r#"{"kind":"not_verified","detail":"d","rewrite":true}"#,
            ),
            (
                Report::Failed {
                    failure: "file_refused",
                    detail: "d".into(),
                    chip_fault: false,
                },
                r#"{"kind":"failed","failure":"file_refused","detail":"d","chip_fault":false}"#,
            ),
            (
                Report::Closed { reason: "done" },
                r#"{"kind":"closed","reason":"done"}"#,
            ),
        ];
        for (report, expected) in cases {
            assert_eq!(serde_json::to_string(&report).unwrap(), expected);
        }
    }

    #[test]
    fn what_a_card_shall_hold_is_not_shown() {
        let data: CardData = serde_json::from_str(
            r#"{"iccid":"89860112345678901234","msisdn":"1440123456789","imsi":"460001357924680","k_wrapped":"abcdef"}"#,
        )
        .unwrap();
        let shown = format!("{data:?}");
        assert!(
            !shown.contains("abcdef") && !shown.contains("89860112345678901234"),
            "{shown}"
        );
    }
}
