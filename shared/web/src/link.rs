//! What OTA gateways and the platform say to each other, as JSON documents: bytes as lower-case hex, key material
//! only as it left the vault, wrapped under the link key.
//!
//! Fields this program does not know are passed over: gateways and platform are upgraded one after the other.

use serde::Deserialize;
use serde_json::{Value, json};

use super::fields::{field, present};
use super::refusal::Refusal;
use super::reply::Reply;
use domain::error::Reason;
use domain::{Eid, FailureKind, SessionId};
use operations::{ChipKeys, OpenSession, Report, ReportAnswer, ReportEvent, SessionWork, WriteData};

/// Longest PSK identity, in bytes: OpenSSL's limit.
pub const MAX_PSK_IDENTITY_BYTES: usize = 256;

/// Asks for the keys of a chip that opens a TLS session.
#[derive(Deserialize)]
pub struct KeysDocument {
    psk_identity: String,
    eid: Option<String>,
}

impl KeysDocument {
    /// The identity as it stood on the wire.
    ///
    /// # Errors
    /// [`Reason::ParameterMalformed`].
    pub fn psk_identity(&self) -> Result<Vec<u8>, Refusal> {
        let bytes = hex::decode(&self.psk_identity).ok();
        bytes
            .filter(|bytes| (1..=MAX_PSK_IDENTITY_BYTES).contains(&bytes.len()))
            .ok_or_else(|| Refusal::of_field("psk_identity", Reason::ParameterMalformed))
    }

    /// The EID that the identity carries. One with wrong check digits is none: nobody vouches for what stands in
    /// an identity, and the chip may still be known by the identity as a whole.
    pub fn eid(&self) -> Option<Eid> {
        self.eid.as_deref().and_then(|text| Eid::parse(text).ok())
    }
}

/// The keys of a chip.
pub fn keys_reply(keys: &ChipKeys) -> Reply {
    Reply::ok()
        .with("eid", keys.eid.as_str())
        .with("key_version", keys.key_version)
        .with("psk_wrapped", hex_or_null(keys.psk_wrapped.as_deref()))
        .with("dek_wrapped", hex_or_null(keys.dek_wrapped.as_deref()))
}

/// Announces a device session.
#[derive(Deserialize)]
pub struct SessionDocument {
    session_id: String,
    eid: String,
    peer: String,
    agent: Option<String>,
    resumed: bool,
}

impl SessionDocument {
    /// The session as operations take it.
    ///
    /// # Errors
    /// The field that is malformed.
    pub fn read(&self) -> Result<OpenSession<'_>, Refusal> {
        Ok(OpenSession {
            session_id: session_id(&self.session_id)?,
            eid: field("eid", Eid::parse(&self.eid))?,
            peer: &self.peer,
            agent: self.agent.as_deref(),
            resumed: self.resumed,
        })
    }
}

/// What is to be done in a session.
pub fn session_reply(work: &SessionWork) -> Reply {
    Reply::ok()
        .with("work", work.work.code())
        .with("task_id", work.task_id.map(|id| id.text()))
        .with("chip_model", work.chip_model.as_str())
        .with("profile", work.profile.as_str())
        .with("attempt", work.attempt)
        .with("allowance_bytes", work.allowance_bytes)
        .with("resume_step", work.resume_step)
        .with("data", work.data.as_ref().map_or(Value::Null, data_value))
}

fn data_value(data: &WriteData) -> Value {
    json!({
        "iccid": data.iccid.as_str(),
        "msisdn": data.msisdn.as_str(),
        "imsi": data.imsi.as_str(),
        "smsc": data.smsc,
        "k_wrapped": hex_or_null(data.k_wrapped.as_deref()),
        "opc_wrapped": hex_or_null(data.opc_wrapped.as_deref()),
    })
}

/// Tells what happened in a device session.
#[derive(Deserialize)]
pub struct ReportDocument {
    session_id: String,
    seq: u64,
    event: EventDocument,
    bytes_up: u64,
    bytes_down: u64,
}

/// An event: its kind, and the fields that belong to it. One flat document, because the library's reader of tagged
/// ones would be a thirtieth of the component.
#[derive(Default, Deserialize)]
#[serde(default)]
struct EventDocument {
    kind: String,
    step: Option<u32>,
    steps: Option<u32>,
    rewrite: Option<bool>,
    detail: Option<String>,
    failure: Option<String>,
    chip_fault: Option<bool>,
    reason: Option<String>,
}

impl EventDocument {
    fn read(self) -> Result<ReportEvent, Refusal> {
        Ok(match self.kind.as_str() {
            "progress" => ReportEvent::Progress {
                step: present("step", self.step)?,
                steps: present("steps", self.steps)?,
            },
            "written" => ReportEvent::Written,
            "verified" => ReportEvent::Verified,
            "not_verified" => ReportEvent::NotVerified {
                rewrite: present("rewrite", self.rewrite)?,
                detail: present("detail", self.detail)?,
            },
            "failed" => ReportEvent::Failed {
                failure: FailureKind::from_code(&present("failure", self.failure)?)
                    .ok_or_else(|| Refusal::of_field("failure", Reason::ReportMalformed))?,
                detail: present("detail", self.detail)?,
                chip_fault: present("chip_fault", self.chip_fault)?,
            },
            "closed" => ReportEvent::Closed {
                reason: present("reason", self.reason)?,
            },
            _ => return Err(Refusal::of_field("kind", Reason::ReportMalformed)),
        })
    }
}

impl ReportDocument {
    /// The report as operations take it.
    ///
    /// # Errors
    /// The field that is malformed.
    pub fn read(self) -> Result<Report, Refusal> {
        let event = self.event.read()?;
        let (seq, bytes_up, bytes_down) = (self.seq, self.bytes_up, self.bytes_down);
        Ok(Report {
            session_id: session_id(&self.session_id)?,
            seq,
            event,
            bytes_up,
            bytes_down,
        })
    }
}

/// Whether the session goes on.
pub fn report_reply(answer: &ReportAnswer) -> Reply {
    Reply::ok()
        .with("continue", answer.go_on)
        .with("allowance_bytes", answer.allowance_bytes)
}

fn session_id(text: &str) -> Result<SessionId, Refusal> {
    field("session_id", SessionId::parse(text))
}

fn hex_or_null(bytes: Option<&[u8]>) -> Value {
    bytes.map_or(Value::Null, |bytes| Value::from(hex::encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: &str = "0190a5b0-0000-7000-8000-000000000001";

    fn report(event: &str) -> Result<Report, Refusal> {
        let text = format!(
            r#"{{"session_id":"{SESSION}","seq":7,"event":{event},"bytes_up":10,"bytes_down":20,"later":1}}"#
        );
        serde_json::from_str::<ReportDocument>(&text).unwrap().read()
    }

    #[test]
    fn every_kind_of_report_is_understood() {
        for (event, expected) in [
            (
                r#"{"kind":"progress","step":3,"steps":12}"#,
                ReportEvent::Progress { step: 3, steps: 12 },
            ),
            (r#"{"kind":"written"}"#, ReportEvent::Written),
            (r#"{"kind":"verified"}"#, ReportEvent::Verified),
            (
                r#"{"kind":"not_verified","detail":"d","rewrite":true}"#,
                ReportEvent::NotVerified {
                    rewrite: true,
                    detail: "d".into(),
                },
            ),
            (
                r#"{"kind":"failed","failure":"file_refused","detail":"6982","chip_fault":false}"#,
                ReportEvent::Failed {
                    failure: FailureKind::FileRefused,
                    detail: "6982".into(),
                    chip_fault: false,
                },
            ),
            (
                r#"{"kind":"closed","reason":"link"}"#,
                ReportEvent::Closed {
                    reason: "link".into(),
                },
            ),
        ] {
            let report = report(event).unwrap();
            assert_eq!((report.seq, report.bytes_up, report.bytes_down), (7, 10, 20));
            assert_eq!(report.event, expected, "{event}");
        }
    }

    #[test]
    fn an_unknown_failure_or_session_is_named() {
        let refusal =
            report(r#"{"kind":"failed","failure":"tired","detail":"","chip_fault":false}"#).unwrap_err();
        assert_eq!(
            (refusal.reason(), refusal.first().field.as_deref()),
            (Reason::ReportMalformed, Some("failure"))
        );
        let text = r#"{"session_id":"7","eid":"1","peer":"","agent":null,"resumed":false}"#;
        let document: SessionDocument = serde_json::from_str(text).unwrap();
        assert_eq!(
            document.read().unwrap_err().first().field.as_deref(),
            Some("session_id")
        );
    }

    #[test]
    fn an_identity_is_bounded_and_an_eid_in_it_is_only_a_hint() {
        let read = |text: &str| serde_json::from_str::<KeysDocument>(text).unwrap();
        let document = read(r#"{"psk_identity":"8001ff","eid":"89086030202200000022000000000091"}"#);
        assert_eq!(document.psk_identity().unwrap(), [0x80, 0x01, 0xff]);
        assert_eq!(document.eid(), None);
        let long = "00".repeat(MAX_PSK_IDENTITY_BYTES + 1);
        for identity in ["", "8", "zz", long.as_str()] {
            assert!(
                read(&format!(r#"{{"psk_identity":"{identity}","eid":null}}"#))
                    .psk_identity()
                    .is_err()
            );
        }
    }
}
