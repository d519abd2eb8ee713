//! Converts the documents of OTA gateways (`gateway_protocol`) to and from the values of operations.
//!
//! Bytes become lower-case hexadecimal text. Key material stays wrapped under the link key.

use std::net::IpAddr;

use gateway_protocol::{
    AnnounceRequest, CardData, EventError, KeysAnswer, KeysRequest, MAX_ANNOUNCED_KEY_VERSIONS,
    MAX_ANNOUNCED_PROFILES, MAX_FAILED_HANDSHAKES, MAX_HANDSHAKE_COUNT, MAX_PSK_IDENTITY_BYTES, ReportAnswer,
    ReportEvent, ReportRequest, SessionAnswer, SessionRequest, is_announced_name,
};

use super::fields::field;
use super::refusal::Refusal;
use domain::error::Reason;
use domain::{Eid, SessionId};
use operations::{Announcement, ChipKeys, OpenSession, Report, SessionWork, WriteData};

/// The field of an announcement with the failed handshakes.
const FAILED_HANDSHAKES: &str = "failed_handshakes";

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

/// The EID in the identity. A malformed one counts as none: the identity is not authenticated, and the chip may still be
/// known by the whole identity.
pub fn eid_of_identity(request: &KeysRequest) -> Option<Eid> {
    request.eid.as_deref().and_then(|text| Eid::parse(text).ok())
}

/// The address that the chip connects from, if the gateway names it.
pub fn address(request: &KeysRequest) -> Option<IpAddr> {
    request.address.as_deref()?.parse().ok()
}

/// The answer with the keys of a chip.
pub fn keys_answer(keys: &ChipKeys) -> KeysAnswer {
    KeysAnswer {
        eid: keys.eid.as_str().to_owned(),
        home: Some(keys.home),
        key_version: keys.key_version,
        psk_wrapped: keys.psk_wrapped.as_deref().map(hex::encode),
        dek_wrapped: keys.dek_wrapped.as_deref().map(hex::encode),
    }
}

/// The announced session.
///
/// # Errors
/// [`Reason::ParameterMalformed`] and [`Reason::EidMalformed`], with the names of the fields.
pub fn session_to_open(request: &SessionRequest) -> Result<OpenSession<'_>, Refusal> {
    let eid = field("eid", Eid::parse(&request.eid));
    let (session_id, eid) = both(session_id(&request.session_id), eid)?;
    let gateway = request.gateway.as_deref();
    if gateway.is_some_and(|name| !is_announced_name(name)) {
        return Err(Refusal::of_field("gateway", Reason::ParameterMalformed));
    }
    Ok(OpenSession {
        session_id,
        eid,
        peer: &request.peer,
        agent: request.agent.as_deref(),
        resumed: request.resumed,
        gateway,
    })
}

/// The answer with the work of a session.
pub fn session_answer(work: &SessionWork) -> SessionAnswer {
    SessionAnswer {
        work: work.work,
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
/// [`Reason::ParameterMissing`], [`Reason::ParameterMalformed`] and [`Reason::ReportMalformed`], with the names of the
/// fields.
pub fn report_of(request: ReportRequest) -> Result<Report, Refusal> {
    let event = ReportEvent::try_from(request.event).map_err(|error| match error {
        EventError::Missing(name) => Refusal::of_field(name, Reason::ParameterMissing),
        EventError::Unknown(name) => Refusal::of_field(name, Reason::ReportMalformed),
    });
    let (event, session_id) = both(event, session_id(&request.session_id))?;
    let eid = request.eid.as_deref().map(|text| field("eid", Eid::parse(text)));
    let eid = eid.transpose()?;
    Ok(Report {
        unopened: eid.map(|eid| (eid, request.peer.unwrap_or_default())),
        session_id,
        seq: request.seq,
        event,
        bytes_up: request.bytes_up,
        bytes_down: request.bytes_down,
    })
}

/// The acknowledgement of a report.
pub fn report_answer(answer: &operations::ReportAnswer) -> ReportAnswer {
    ReportAnswer {
        go_on: answer.go_on,
        allowance_bytes: answer.allowance_bytes,
    }
}

/// What a gateway announces.
///
/// # Errors
/// [`Reason::ParameterMalformed`] and [`Reason::EidMalformed`], with the name of the field.
pub fn announcement_of(request: AnnounceRequest) -> Result<Announcement, Refusal> {
    let are_names = request.profiles.iter().all(|name| is_announced_name(name));
    let seq = i64::try_from(request.seq);
    let mut failed = request.failed_handshakes.iter();
    let are_counts = failed.all(|failed| failed.count <= MAX_HANDSHAKE_COUNT);
    for (name, is_fit) in [
        ("gateway", is_announced_name(&request.gateway)),
        ("instance", is_announced_name(&request.instance)),
        ("seq", seq.is_ok()),
        (
            "profiles",
            are_names && request.profiles.len() <= MAX_ANNOUNCED_PROFILES,
        ),
        (
            "key_versions",
            request.key_versions.len() <= MAX_ANNOUNCED_KEY_VERSIONS,
        ),
        (
            FAILED_HANDSHAKES,
            request.failed_handshakes.len() <= MAX_FAILED_HANDSHAKES && are_counts,
        ),
    ] {
        if !is_fit {
            return Err(Refusal::of_field(name, Reason::ParameterMalformed));
        }
    }
    let mut failed_handshakes = Vec::new();
    for failed in request.failed_handshakes {
        let eid = field(FAILED_HANDSHAKES, Eid::parse(&failed.eid))?;
        failed_handshakes.push((eid, failed.count, failed.failure));
    }
    Ok(Announcement {
        gateway: request.gateway,
        instance: request.instance,
        seq: seq.unwrap_or_default(),
        profiles: request.profiles,
        key_versions: request.key_versions.iter().map(u8::to_string).collect(),
        failed_handshakes,
    })
}

fn session_id(text: &str) -> Result<SessionId, Refusal> {
    field("session_id", SessionId::parse(text))
}

/// Both values, or the problems of both.
fn both<A, B>(first: Result<A, Refusal>, second: Result<B, Refusal>) -> Result<(A, B), Refusal> {
    match (first, second) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (Err(first), Err(second)) => Err(first.and(second)),
        (Err(refusal), Ok(_)) | (Ok(_), Err(refusal)) => Err(refusal),
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use axum::response::IntoResponse as _;
    use futures::executor::block_on;
    use http_body_util::BodyExt as _;
    use serde::Serialize;

    use super::*;
    use crate::answer::{Success, written};
    use domain::error::Lang;
    use domain::{Iccid, Imsi, Msisdn, Work};

    const SESSION: &str = "0190a5b0-0000-7000-8000-000000000001";
    const EID: &str = "89086030202200000022000000000090";

    fn read<T: DeserializeOwned>(text: &str) -> T {
        serde_json::from_str(text).unwrap()
    }

    /// An answer as a gateway reads it.
    fn answered<T: Serialize + DeserializeOwned>(answer: T) -> T {
        let response = written(Success::new(answer).into_response(), Lang::En, "r-1");
        let body = block_on(response.into_body().collect()).unwrap();
        serde_json::from_slice(&body.to_bytes()).unwrap()
    }

    #[test]
    fn every_answer_is_read_by_a_gateway_as_it_was_meant() {
        let keys = ChipKeys {
            eid: Eid::parse(EID).unwrap(),
            home: 111,
            key_version: 64,
            psk_wrapped: Some(vec![0x28, 0xc9]),
            dek_wrapped: None,
        };
        assert_eq!(answered(keys_answer(&keys)), keys_answer(&keys));
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
        let answer = answered(session_answer(&work));
        assert_eq!(answer, session_answer(&work));
        assert_eq!(answer.data.unwrap().k_wrapped.as_deref(), Some("ab"));
        let acknowledged = operations::ReportAnswer {
            go_on: true,
            allowance_bytes: Some(100),
        };
        let answer = answered(report_answer(&acknowledged));
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
    fn every_problem_of_a_document_is_named() {
        let fields = |refusal: &Refusal| -> Vec<String> {
            refusal
                .problems()
                .filter_map(|problem| problem.field.clone())
                .collect()
        };
        let request: SessionRequest =
            read(r#"{"session_id":"7","eid":"1","peer":"","agent":null,"resumed":false}"#);
        let refusal = session_to_open(&request).unwrap_err();
        assert_eq!(fields(&refusal), ["session_id", "eid"]);
        let request = read(r#"{"session_id":"7","seq":1,"event":{},"bytes_up":0,"bytes_down":0}"#);
        assert_eq!(fields(&report_of(request).unwrap_err()), ["kind", "session_id"]);
    }

    #[test]
    fn a_gateway_may_have_a_name_of_few_plain_characters() {
        let named = |gateway: &str| {
            let request: SessionRequest = read(&format!(
                r#"{{"session_id":"{SESSION}","eid":"{EID}","peer":"","agent":null,"resumed":false,"gateway":{gateway}}}"#
            ));
            session_to_open(&request).map(|open| open.gateway.map(str::to_owned))
        };
        assert_eq!(named("null").unwrap(), None);
        assert_eq!(named(r#""gd-1.a_b""#).unwrap().as_deref(), Some("gd-1.a_b"));
        for name in [r#""""#, r#""a,b""#, r#""a b""#, &format!("{:?}", "a".repeat(65))] {
            let refusal = named(name).unwrap_err();
            assert_eq!(refusal.first().field.as_deref(), Some("gateway"), "{name}");
        }
    }

    #[test]
    fn an_identity_is_bounded_and_an_eid_in_it_is_only_a_hint() {
        let request: KeysRequest =
            read(r#"{"psk_identity":"8001ff","eid":"8908603020220000002200000000009"}"#);
        assert_eq!(psk_identity(&request).unwrap(), [0x80, 0x01, 0xff]);
        assert_eq!(eid_of_identity(&request), None);
        let long = "00".repeat(MAX_PSK_IDENTITY_BYTES + 1);
        for identity in ["", "8", "zz", long.as_str()] {
            let request: KeysRequest = read(&format!(r#"{{"psk_identity":"{identity}","eid":null}}"#));
            assert!(psk_identity(&request).is_err());
        }
    }
}
