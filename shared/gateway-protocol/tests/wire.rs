//! The JSON of every document, written out: what stands here is what deployed gateways and platforms exchange.

#![expect(clippy::unwrap_used, reason = "a document that cannot be read ends the test")]

use gateway_protocol::{
    AnnounceAnswer, AnnounceRequest, CardData, EventDocument, EventError, FailedHandshakes, FailureKind,
    KeysAnswer, KeysRequest, Refusal, ReportAnswer, ReportEvent, ReportRequest, SessionAnswer,
    SessionRequest, TickAnswer, Work,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

const SESSION: &str = "0190a5b0-0000-7000-8000-000000000001";

/// Asserts that `value` is written as `json` and read from it, also with a field that does not exist yet.
fn assert_wire<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T, json: &str) {
    assert_eq!(serde_json::to_string(value).unwrap(), json);
    assert_eq!(&serde_json::from_str::<T>(json).unwrap(), value, "{json}");
    let later = format!(r#"{{"later":[1],{}"#, &json[1..]);
    assert_eq!(&serde_json::from_str::<T>(&later).unwrap(), value, "{later}");
}

#[test]
fn keys_are_asked_for_and_answered() {
    let request = KeysRequest {
        psk_identity: "8001ff".into(),
        eid: Some("89086030202200000022000000000090".into()),
        address: Some("192.0.2.1".into()),
    };
    assert_wire(
        &request,
        r#"{"psk_identity":"8001ff","eid":"89086030202200000022000000000090","address":"192.0.2.1"}"#,
    );
    let request = KeysRequest {
        address: None,
        ..request
    };
    assert_wire(
        &request,
        r#"{"psk_identity":"8001ff","eid":"89086030202200000022000000000090"}"#,
    );
    assert_wire(
        &KeysRequest { eid: None, ..request },
        r#"{"psk_identity":"8001ff","eid":null}"#,
    );
    let answer = KeysAnswer {
        eid: "89086030202200000022000000000090".into(),
        home: Some(111),
        key_version: 64,
        psk_wrapped: Some("28c9f404".into()),
        dek_wrapped: None,
    };
    assert_wire(
        &answer,
        r#"{"eid":"89086030202200000022000000000090","home":111,"key_version":64,"psk_wrapped":"28c9f404","dek_wrapped":null}"#,
    );
}

#[test]
fn a_gateway_announces_itself() {
    let request = AnnounceRequest {
        gateway: "gw-1".into(),
        instance: SESSION.into(),
        seq: 3,
        profiles: vec!["qibiao-seed".into()],
        key_versions: vec![64, 65],
        failed_handshakes: vec![FailedHandshakes {
            eid: "89086030202200000022000000000090".into(),
            count: 2,
            failure: "wrong_key".into(),
        }],
    };
    assert_wire(
        &request,
        concat!(
            r#"{"gateway":"gw-1","instance":"0190a5b0-0000-7000-8000-000000000001","seq":3,"profiles":["qibiao-seed"],"#,
            r#""key_versions":[64,65],"failed_handshakes":[{"eid":"89086030202200000022000000000090","count":2,"#,
            r#""failure":"wrong_key"}]}"#
        ),
    );
    assert!(!format!("{request:?}").contains("890860"));
    assert_wire(&AnnounceAnswer { repeated: true }, r#"{"repeated":true}"#);
}

#[test]
fn a_session_is_opened() {
    let request = SessionRequest {
        session_id: SESSION.into(),
        eid: "89086030202200000022000000000090".into(),
        peer: "192.0.2.1:40000".into(),
        agent: Some("//se-id/eid/x".into()),
        resumed: true,
        gateway: Some("gd-1".into()),
    };
    assert_wire(
        &request,
        concat!(
            r#"{"session_id":"0190a5b0-0000-7000-8000-000000000001","eid":"89086030202200000022000000000090","#,
            r#""peer":"192.0.2.1:40000","agent":"//se-id/eid/x","resumed":true,"gateway":"gd-1"}"#
        ),
    );
}

#[test]
fn the_work_of_a_session_is_answered() {
    let write = SessionAnswer {
        work: Work::Write,
        task_id: Some("task-1".into()),
        chip_model: "QB-SEED-4G".into(),
        profile: "qibiao-seed".into(),
        attempt: 2,
        allowance_bytes: Some(32_768),
        resume_step: 7,
        data: Some(CardData {
            iccid: "89860112345678901234".into(),
            imsi: "460001357924680".into(),
            k_wrapped: Some("aa".into()),
            msisdn: "1440123456789".into(),
            opc_wrapped: Some("bb".into()),
            smsc: Some("+8613800100500".into()),
        }),
    };
    assert_wire(
        &write,
        concat!(
            r#"{"work":"write","task_id":"task-1","chip_model":"QB-SEED-4G","profile":"qibiao-seed","attempt":2,"#,
            r#""allowance_bytes":32768,"resume_step":7,"data":{"iccid":"89860112345678901234","#,
            r#""imsi":"460001357924680","k_wrapped":"aa","msisdn":"1440123456789","opc_wrapped":"bb","#,
            r#""smsc":"+8613800100500"}}"#
        ),
    );
    for (work, code) in [
        (Work::Write, "write"),
        (Work::Verify, "verify"),
        (Work::None, "none"),
    ] {
        assert_eq!(serde_json::to_string(&work).unwrap(), format!("\"{code}\""));
        assert_eq!(work.code(), code);
        assert_eq!(Work::from_code(code), Some(work));
    }
    assert_eq!(Work::from_code("Write"), None);
}

#[test]
fn fields_that_older_platforms_do_not_send_have_defaults() {
    let answer: SessionAnswer = serde_json::from_str(r#"{"work":"none"}"#).unwrap();
    let expected = SessionAnswer {
        work: Work::None,
        task_id: None,
        chip_model: String::new(),
        profile: String::new(),
        attempt: 1,
        allowance_bytes: None,
        resume_step: 0,
        data: None,
    };
    assert_eq!(answer, expected);
    let answer: ReportAnswer = serde_json::from_str("{}").unwrap();
    assert_eq!((answer.go_on, answer.allowance_bytes), (false, None));
    assert_eq!(
        serde_json::from_str::<TickAnswer>("{}").unwrap(),
        TickAnswer { more: false }
    );
    assert_eq!(serde_json::from_str::<Refusal>("{}").unwrap(), Refusal::default());
}

#[test]
fn every_kind_of_event_has_its_flat_form() {
    let cases = [
        (
            ReportEvent::Progress { step: 3, steps: 12 },
            r#"{"kind":"progress","step":3,"steps":12}"#,
        ),
        (
            ReportEvent::PoweredUp {
                marker: "0007".into(),
            },
            r#"{"kind":"powered_up","marker":"0007"}"#,
        ),
        (ReportEvent::Written, r#"{"kind":"written"}"#),
        (ReportEvent::Verified, r#"{"kind":"verified"}"#),
        (
            ReportEvent::NotVerified {
                other_imsi: false,
                rewrite: true,
                detail: "d".into(),
            },
            r#"{"kind":"not_verified","detail":"d","rewrite":true,"other_imsi":false}"#,
        ),
        (
            ReportEvent::Failed {
                failure: FailureKind::FileRefused,
                detail: "6982".into(),
                chip_fault: false,
                status_word: Some("6982".into()),
            },
            r#"{"kind":"failed","failure":"file_refused","detail":"6982","chip_fault":false,"status_word":"6982"}"#,
        ),
        (
            ReportEvent::Closed {
                reason: "done".into(),
            },
            r#"{"kind":"closed","reason":"done"}"#,
        ),
    ];
    for (event, json) in cases {
        let document = EventDocument::from(event.clone());
        assert_wire(&document, json);
        assert_eq!(ReportEvent::try_from(document), Ok(event));
    }
}

#[test]
fn what_is_wrong_with_an_event_is_named() {
    let cases = [
        ("{}", EventError::Unknown("kind")),
        (r#"{"kind":"tired"}"#, EventError::Unknown("kind")),
        (r#"{"kind":"progress","steps":1}"#, EventError::Missing("step")),
        (
            r#"{"kind":"progress","step":1,"steps":null}"#,
            EventError::Missing("steps"),
        ),
        (
            r#"{"kind":"not_verified","detail":"d"}"#,
            EventError::Missing("rewrite"),
        ),
        (
            r#"{"kind":"not_verified","rewrite":true}"#,
            EventError::Missing("detail"),
        ),
        (
            r#"{"kind":"failed","failure":"tired","detail":"","chip_fault":false}"#,
            EventError::Unknown("failure"),
        ),
        (
            r#"{"kind":"failed","failure":"card_error","detail":""}"#,
            EventError::Missing("chip_fault"),
        ),
        (r#"{"kind":"closed"}"#, EventError::Missing("reason")),
    ];
    for (json, expected) in cases {
        let document: EventDocument = serde_json::from_str(json).unwrap();
        assert_eq!(ReportEvent::try_from(document), Err(expected), "{json}");
    }
}

#[test]
fn a_report_is_sent_and_acknowledged() {
    let report = ReportRequest {
        session_id: SESSION.into(),
        seq: 7,
        event: ReportEvent::Written.into(),
        bytes_up: 10,
        bytes_down: 20,
        eid: None,
        peer: None,
    };
    assert_wire(
        &report,
        concat!(
            r#"{"session_id":"0190a5b0-0000-7000-8000-000000000001","seq":7,"event":{"kind":"written"},"#,
            r#""bytes_up":10,"bytes_down":20}"#
        ),
    );
    let unopened = ReportRequest {
        event: ReportEvent::Closed {
            reason: "idle".into(),
        }
        .into(),
        eid: Some("89086030202200000000000000000123".into()),
        peer: Some("192.0.2.1:40000".into()),
        ..report
    };
    assert_wire(
        &unopened,
        concat!(
            r#"{"session_id":"0190a5b0-0000-7000-8000-000000000001","seq":7,"event":{"kind":"closed","reason":"idle"},"#,
            r#""bytes_up":10,"bytes_down":20,"eid":"89086030202200000000000000000123","peer":"192.0.2.1:40000"}"#
        ),
    );
    let answer = ReportAnswer {
        go_on: true,
        allowance_bytes: Some(100),
    };
    assert_wire(&answer, r#"{"continue":true,"allowance_bytes":100}"#);
}

#[test]
fn a_refusal_names_its_reason() {
    let refusal = Refusal {
        reason: "unknown_chip".into(),
        message: "there is no such chip".into(),
    };
    assert_wire(
        &refusal,
        r#"{"reason":"unknown_chip","message":"there is no such chip"}"#,
    );
}

#[test]
fn identifiers_and_keys_are_not_shown() {
    let keys = KeysAnswer {
        eid: "89086030202200000022000000000090".into(),
        home: Some(111),
        key_version: 64,
        psk_wrapped: Some("28c9f404".into()),
        dek_wrapped: Some("c4b810f4".into()),
    };
    let asked = KeysRequest {
        psk_identity: "8001ff".into(),
        eid: Some(keys.eid.clone()),
        address: None,
    };
    let opened = SessionRequest {
        session_id: SESSION.into(),
        eid: keys.eid.clone(),
        peer: "192.0.2.1:40000".into(),
        agent: Some("//se-id/eid/x".into()),
        resumed: false,
        gateway: None,
    };
    let data: CardData = serde_json::from_str(
        r#"{"iccid":"89860112345678901234","msisdn":"1440123456789","imsi":"460001357924680","k_wrapped":"abcdef"}"#,
    )
    .unwrap();
    let shown = format!("{keys:?} {asked:?} {opened:?} {data:?}");
    for hidden in [
        "8908603", "28c9f404", "c4b810f4", "8001ff", "898601", "144012", "46000", "abcdef",
    ] {
        assert!(!shown.contains(hidden), "{hidden} is in {shown}");
    }
}
