//! Converts the documents of OTA gateways (`gateway_protocol`) to and from the values of operations.
//!
//! Bytes become lower-case hexadecimal text. Key material stays wrapped under the link key.

use gateway_protocol::{
    CardData, EventError, KeysAnswer, KeysRequest, MAX_PSK_IDENTITY_BYTES, ReportEvent, ReportRequest,
    SessionAnswer, SessionRequest,
};
use serde_json::Value;

use super::fields::field;
use super::refusal::Refusal;
use super::reply::Reply;
use domain::error::Reason;
use domain::{Eid, SessionId, Work};
use operations::{ChipKeys, OpenSession, Report, ReportAnswer, SessionWork, WriteData};

/// The PSK identity as the chip sent it.
///
/// # Errors
/// [`Reason::ParameterMalformed`].
pub fn psk_identity(request: &KeysRequest) -> Result<Vec<u8>, Refusal> {
    let bytes = hex::decode(&request.psk_identity).ok();
    bytes
        .filter(|bytes| (1..=MAX_PSK_IDENTITY_BYTES).contains(&bytes.len()))
        .ok_or_else(|| Refusal::of_field("psk_identity", Reason::ParameterMalformed))
}

/// The EID in the identity. One with wrong check digits counts as none: the identity is not authenticated, and the
/// chip may still be known by the whole identity.
pub fn eid_of_identity(request: &KeysRequest) -> Option<Eid> {
    request.eid.as_deref().and_then(|text| Eid::parse(text).ok())
}

/// The answer with the keys of a chip.
pub fn keys_reply(keys: &ChipKeys) -> Reply {
    let KeysAnswer {
        eid,
        key_version,
        psk_wrapped,
        dek_wrapped,
    } = keys_answer(keys);
    Reply::ok()
        .with("eid", eid)
        .with("key_version", key_version)
        .with("psk_wrapped", psk_wrapped)
        .with("dek_wrapped", dek_wrapped)
}

fn keys_answer(keys: &ChipKeys) -> KeysAnswer {
    KeysAnswer {
        eid: keys.eid.as_str().to_owned(),
        key_version: keys.key_version,
        psk_wrapped: keys.psk_wrapped.as_deref().map(hex::encode),
        dek_wrapped: keys.dek_wrapped.as_deref().map(hex::encode),
    }
}

/// The announced session.
///
/// # Errors
/// [`Reason::ParameterMalformed`] and [`Reason::EidMalformed`], with the name of the field.
pub fn session_to_open(request: &SessionRequest) -> Result<OpenSession<'_>, Refusal> {
    Ok(OpenSession {
        session_id: session_id(&request.session_id)?,
        eid: field("eid", Eid::parse(&request.eid))?,
        peer: &request.peer,
        agent: request.agent.as_deref(),
        resumed: request.resumed,
    })
}

/// The answer with the work of a session.
pub fn session_reply(work: &SessionWork) -> Reply {
    let SessionAnswer {
        work,
        task_id,
        chip_model,
        profile,
        attempt,
        allowance_bytes,
        resume_step,
        data,
    } = session_answer(work);
    Reply::ok()
        .with("work", work.code())
        .with("task_id", task_id)
        .with("chip_model", chip_model)
        .with("profile", profile)
        .with("attempt", attempt)
        .with("allowance_bytes", allowance_bytes)
        .with("resume_step", resume_step)
        // A struct of texts always becomes JSON.
        .with("data", serde_json::to_value(data).unwrap_or(Value::Null))
}

fn session_answer(work: &SessionWork) -> SessionAnswer {
    SessionAnswer {
        work: match work.work {
            Work::Write => gateway_protocol::Work::Write,
            Work::Verify => gateway_protocol::Work::Verify,
            Work::None => gateway_protocol::Work::None,
        },
        task_id: work.task_id.map(|id| id.text()),
        chip_model: work.chip_model.clone(),
        profile: work.profile.clone(),
        attempt: work.attempt,
        allowance_bytes: work.allowance_bytes,
        resume_step: work.resume_step,
        data: work.data.as_ref().map(card_data),
    }
}

fn card_data(data: &WriteData) -> CardData {
    CardData {
        iccid: data.iccid.as_str().to_owned(),
        imsi: data.imsi.as_str().to_owned(),
        k_wrapped: data.k_wrapped.as_deref().map(hex::encode),
        msisdn: data.msisdn.as_str().to_owned(),
        opc_wrapped: data.opc_wrapped.as_deref().map(hex::encode),
        smsc: data.smsc.clone(),
    }
}

/// The report of a session's event.
///
/// # Errors
/// [`Reason::ParameterMissing`], [`Reason::ParameterMalformed`] and [`Reason::ReportMalformed`], with the name of the
/// field.
pub fn report_of(request: ReportRequest) -> Result<Report, Refusal> {
    let event = ReportEvent::try_from(request.event).map_err(|error| match error {
        EventError::Missing(name) => Refusal::of_field(name, Reason::ParameterMissing),
        EventError::Unknown(name) => Refusal::of_field(name, Reason::ReportMalformed),
    })?;
    Ok(Report {
        session_id: session_id(&request.session_id)?,
        seq: request.seq,
        event,
        bytes_up: request.bytes_up,
        bytes_down: request.bytes_down,
    })
}

/// The acknowledgement of a report.
pub fn report_reply(answer: &ReportAnswer) -> Reply {
    Reply::ok()
        .with("continue", answer.go_on)
        .with("allowance_bytes", answer.allowance_bytes)
}

fn session_id(text: &str) -> Result<SessionId, Refusal> {
    field("session_id", SessionId::parse(text))
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::interface::{CRON, GATEWAY_KEYS, GATEWAY_REPORT, GATEWAY_SESSIONS};
    use crate::render;
    use domain::error::Lang;
    use domain::{Iccid, Imsi, Msisdn};

    const SESSION: &str = "0190a5b0-0000-7000-8000-000000000001";
    const EID: &str = "89086030202200000022000000000090";

    fn read<T: DeserializeOwned>(text: &str) -> T {
        serde_json::from_str(text).unwrap()
    }

    /// A reply as a gateway reads it.
    fn answered<T: DeserializeOwned>(reply: Reply) -> T {
        let response = render(&GATEWAY_KEYS, &Ok(reply), Lang::En, "r-1");
        serde_json::from_slice(response.body()).unwrap()
    }

    #[test]
    fn the_routes_and_limits_are_those_of_the_protocol() {
        for (interface, path) in [
            (&GATEWAY_KEYS, "/internal/gateway/keys"),
            (&GATEWAY_SESSIONS, "/internal/gateway/sessions"),
            (&GATEWAY_REPORT, "/internal/gateway/report"),
            (&CRON, "/internal/cron"),
        ] {
            assert_eq!(interface.path, path);
            assert_eq!(interface.max_body_bytes, 64 * 1024, "{path}");
        }
    }

    #[test]
    fn every_answer_is_read_by_a_gateway_as_it_was_meant() {
        let keys = ChipKeys {
            eid: Eid::parse(EID).unwrap(),
            key_version: 64,
            psk_wrapped: Some(vec![0x28, 0xc9]),
            dek_wrapped: None,
        };
        assert_eq!(answered::<KeysAnswer>(keys_reply(&keys)), keys_answer(&keys));
        let work = SessionWork {
            work: Work::Write,
            task_id: None,
            chip_model: "QB-SEED-4G".into(),
            profile: "qibiao-seed".into(),
            attempt: 2,
            allowance_bytes: Some(32_768),
            resume_step: 7,
            data: Some(WriteData {
                iccid: Iccid::parse("89860411269000000013").unwrap(),
                msisdn: Msisdn::parse("1440100000001").unwrap(),
                imsi: Imsi::parse("460001357924680").unwrap(),
                smsc: Some("+8613800100500".into()),
                k_wrapped: Some(vec![0xab]),
                opc_wrapped: None,
            }),
        };
        let answer = answered::<SessionAnswer>(session_reply(&work));
        assert_eq!(answer, session_answer(&work));
        assert_eq!(answer.data.unwrap().k_wrapped.as_deref(), Some("ab"));
        let acknowledged = ReportAnswer {
            go_on: true,
            allowance_bytes: Some(100),
        };
        let answer: gateway_protocol::ReportAnswer = answered(report_reply(&acknowledged));
        assert_eq!((answer.go_on, answer.allowance_bytes), (true, Some(100)));
    }

    #[test]
    fn a_report_is_understood_and_what_is_wrong_with_it_is_named() {
        let report = |event: &str| {
            report_of(read(&format!(
                r#"{{"session_id":"{SESSION}","seq":7,"event":{event},"bytes_up":10,"bytes_down":20}}"#
            )))
        };
        let understood = report(r#"{"kind":"progress","step":3,"steps":12}"#).unwrap();
        assert_eq!(
            (understood.seq, understood.bytes_up, understood.bytes_down),
            (7, 10, 20)
        );
        assert_eq!(understood.event, ReportEvent::Progress { step: 3, steps: 12 });
        for (event, reason, name) in [
            (
                r#"{"kind":"failed","failure":"tired","detail":"","chip_fault":false}"#,
                Reason::ReportMalformed,
                "failure",
            ),
            (r#"{"kind":"tired"}"#, Reason::ReportMalformed, "kind"),
            (
                r#"{"kind":"progress","steps":12}"#,
                Reason::ParameterMissing,
                "step",
            ),
        ] {
            let refusal = report(event).unwrap_err();
            assert_eq!(
                (refusal.reason(), refusal.first().field.as_deref()),
                (reason, Some(name))
            );
        }
    }

    #[test]
    fn an_unknown_session_identifier_is_named() {
        let request: SessionRequest =
            read(r#"{"session_id":"7","eid":"1","peer":"","agent":null,"resumed":false}"#);
        let refusal = session_to_open(&request).unwrap_err();
        assert_eq!(refusal.first().field.as_deref(), Some("session_id"));
    }

    #[test]
    fn an_identity_is_bounded_and_an_eid_in_it_is_only_a_hint() {
        let request: KeysRequest =
            read(r#"{"psk_identity":"8001ff","eid":"89086030202200000022000000000091"}"#);
        assert_eq!(psk_identity(&request).unwrap(), [0x80, 0x01, 0xff]);
        assert_eq!(eid_of_identity(&request), None);
        let long = "00".repeat(MAX_PSK_IDENTITY_BYTES + 1);
        for identity in ["", "8", "zz", long.as_str()] {
            let request: KeysRequest = read(&format!(r#"{{"psk_identity":"{identity}","eid":null}}"#));
            assert!(psk_identity(&request).is_err());
        }
    }
}
