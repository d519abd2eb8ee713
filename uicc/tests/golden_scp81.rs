//! SCP81 headers, identities and triggers against published values.

use hex::FromHex;
use uicc::cat::{OpenChannel, TimerValue};
use uicc::ident::{Aid, Eid, EidError};
use uicc::scp81::{
    AdminRequest, AdminResponse, AdminStatus, AgentId, ContentType, HttpParameters, PROTOCOL, PskIdentity,
    PskParameters, RetryPolicy, ScriptStatus, SecurityParameters, TargetedApplication, Trigger, Uri,
};

const EXAMPLE: &str =
    "8001028110890860302022000000220000000000484F10A0000005591010FFFFFFFF8900000100820101830140";

fn bytes(text: &str) -> Vec<u8> {
    Vec::from_hex(text.replace(' ', "")).expect("hexadecimal digits")
}

fn isd_r() -> Aid {
    "A0000005591010FFFFFFFF8900000100".parse().expect("an AID")
}

fn eid() -> Eid {
    "89086030202200000022000000000090".parse().expect("an EID")
}

#[test]
fn check_digits_of_an_eid_can_be_verified() {
    // GSMA SGP.29 §10, ISO 7064 mod 97-10; the valid numbers also pass pySim's check.
    for digits in [
        "89049032123451234512345678901235",
        "89086030202200000022000000000090",
    ] {
        let eid: Eid = digits.parse().unwrap();
        assert_eq!(eid.as_str(), digits);
        assert!(eid.has_valid_check_digits());
        assert_eq!(Eid::from_bcd(&bytes(digits)).unwrap(), eid);
        assert_eq!(
            format!("{eid:?}"),
            format!("Eid({}****{})", &digits[..6], &digits[28..])
        );
    }
    let wrong = "89049032123451234512345678901236";
    assert!(!Eid::from_digits(wrong).unwrap().has_valid_check_digits());
    assert_eq!(Eid::parse(wrong).unwrap().check(), Err(EidError::CheckDigits));
    assert!(Eid::from_digits("8904903212345123451234567890123").is_err());
    assert_eq!(
        Eid::from_digits("8904903212345123451234567890123G")
            .unwrap_err()
            .offset,
        31
    );
    assert_eq!(
        Eid::from_bcd(&bytes("8904903212345123451234567890123A"))
            .unwrap_err()
            .offset,
        15
    );
}

#[test]
fn the_example_identity_of_sgp_02_reads_and_writes_back() {
    // SGP.02 v4.2 table 4; the same example is in njiwa's RAM-over-HTTP server. Its EID's check digits are
    // wrong, and it must be understood all the same.
    let identity = PskIdentity::parse(EXAMPLE.as_bytes()).unwrap();
    assert_eq!(identity.eid.as_str(), "89086030202200000022000000000048");
    assert!(!identity.eid.has_valid_check_digits());
    assert_eq!(
        (&identity.aid, identity.key_id, identity.key_version),
        (&isd_r(), 1, 0x40)
    );
    assert_eq!(identity.encode(), EXAMPLE.as_bytes());
    assert_eq!(EXAMPLE.len(), 90);
    assert_eq!(
        PskIdentity::parse(EXAMPLE.to_lowercase().as_bytes()).unwrap(),
        identity
    );
}

#[test]
fn an_identity_of_another_layout_is_told_from_a_broken_one() {
    let cases = [
        ("my-card", 0),
        ("800101", 2),
        ("8001", 1),
        ("800102 8200", 3),
        ("80010281108908603020220000002200000000009", 40),
    ];
    for (identity, offset) in cases {
        let error = PskIdentity::parse(identity.replace(' ', "").as_bytes()).unwrap_err();
        assert_eq!(error.offset, offset, "{identity}: {error}");
    }
    assert!(PskIdentity::parse(&[0xFF; 16]).is_err());
    assert!(PskIdentity::parse(&[b'0'; 257]).is_err());
}

#[test]
fn applications_and_agents_are_named_as_in_amendment_b() {
    // Amendment B §3.4; SGP.02 §2.4.3.
    let target = TargetedApplication(isd_r());
    assert_eq!(target.to_string(), "//aid/A000000559/1010FFFFFFFF8900000100");
    assert_eq!(
        TargetedApplication::parse(b"//aid/a000000559/1010ffffffff8900000100").unwrap(),
        target
    );
    let agent = AgentId {
        eid: eid(),
        aid: isd_r(),
    };
    let text = "//se-id/eid/89086030202200000022000000000090;//aa-id/aid/A000000559/1010FFFFFFFF8900000100";
    assert_eq!(agent.to_string(), text);
    assert_eq!(AgentId::parse(text.as_bytes()).unwrap(), agent);
    assert!(
        !format!("{agent:?}").contains("000000220000"),
        "the EID is masked"
    );
}

#[test]
fn broken_names_are_refused_where_they_break() {
    for (text, offset) in [
        ("/aid/A000000559/00", 0),
        ("//aid/A00000055/00", 14),
        ("//aid/A000000559", 16),
        ("//aid/A000000559/0", 17),
        ("//aid/A000000559/00112233445566778899AABBCC", 17),
        ("//aid/A000000559/0\u{7f}", 18),
    ] {
        assert_eq!(
            TargetedApplication::parse(text.as_bytes()).unwrap_err().offset,
            offset,
            "{text}"
        );
    }
    assert_eq!(
        AgentId::parse(b"//se-id/eid/89086030202200000022000000000090")
            .unwrap_err()
            .offset,
        44
    );
}

fn head<'a>(lines: &'a [(&'a str, &'a str)]) -> impl Iterator<Item = (&'a str, &'a [u8])> {
    lines.iter().map(|(name, text)| (*name, text.as_bytes()))
}

#[test]
fn a_request_with_an_answer_is_understood() {
    let lines = [
        ("host", "192.0.2.1"),
        ("x-admin-protocol", PROTOCOL),
        (
            "x-admin-from",
            "//se-id/eid/89086030202200000022000000000090;//aa-id/aid/A000000559/10",
        ),
        ("x-admin-script-status", "ok"),
        (
            "content-type",
            "application/vnd.etsi.scp.response-data; version=1.0",
        ),
        ("transfer-encoding", "chunked"),
    ];
    let request = AdminRequest::from_head("/server/adminagent?cmd=2", head(&lines)).unwrap();
    assert_eq!(request.status, Some(ScriptStatus::Ok));
    assert_eq!(request.content_type, Some(ContentType::RfmResponse));
    assert!(!request.resume);
    assert!(AgentId::parse(request.from.as_deref().unwrap().as_bytes()).is_ok());
}

#[test]
fn the_first_request_needs_only_the_protocol() {
    let lines = [("Host", "a"), ("X-Admin-Protocol", PROTOCOL)];
    let request = AdminRequest::from_head("/", head(&lines)).unwrap();
    assert_eq!(
        request,
        AdminRequest::first("/".parse().unwrap(), "a".to_owned(), None)
    );
    assert!(
        AdminRequest::from_head("/", head(&lines[..1])).is_err(),
        "no protocol"
    );
    assert!(
        AdminRequest::from_head("/ HTTP/1.1", head(&lines)).is_err(),
        "a space in the URI"
    );
    let twice = [lines[1], lines[1]];
    assert!(
        AdminRequest::from_head("/", head(&twice)).is_err(),
        "a header twice"
    );
}

#[test]
fn a_request_is_written_out_whole() {
    let mut request = AdminRequest::first("/x?req=1".parse().unwrap(), "192.0.2.1".to_owned(), None);
    request.status = Some(ScriptStatus::Ok);
    request.resume = true;
    request.content_type = Some(ContentType::RfmResponse);
    let text = String::from_utf8(request.encode(b"ab")).unwrap();
    assert_eq!(
        text,
        "POST /x?req=1 HTTP/1.1\r\nHost: 192.0.2.1\r\nX-Admin-Protocol: globalplatform-remote-admin/1.0\r\n\
         X-Admin-Script-Status: ok\r\nX-Admin-Resume: true\r\n\
         Content-Type: application/vnd.etsi.scp.response-data;version=1.0\r\nContent-Length: 2\r\n\r\nab"
    );
    request.from = Some("a\r\nX-Admin-Resume: false".to_owned());
    assert_eq!(
        String::from_utf8(request.encode(b"ab")).unwrap(),
        text,
        "no header can be smuggled in"
    );
}

#[test]
fn a_script_goes_out_with_its_target_and_next_uri() {
    // Amendment B §3.4.2, TS 102 226 §7.4.
    let next: Uri = "/admin?seq=1".parse().unwrap();
    let response = AdminResponse::rfm_script(TargetedApplication(isd_r()), Some(next));
    let text = String::from_utf8(response.encode(b"xyz")).unwrap();
    assert_eq!(
        text,
        "HTTP/1.1 200 OK\r\nX-Admin-Protocol: globalplatform-remote-admin/1.0\r\nX-Admin-Next-URI: /admin?seq=1\r\n\
         X-Admin-Targeted-Application: //aid/A000000559/1010FFFFFFFF8900000100\r\n\
         Content-Type: application/vnd.etsi.scp.command-data;version=1.0\r\nContent-Length: 3\r\n\r\nxyz"
    );
    let lines: Vec<_> = text
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .collect();
    assert_eq!(AdminResponse::from_head(200, head(&lines)).unwrap(), response);
}

#[test]
fn the_end_of_a_session_has_neither_body_nor_content_type() {
    let text = String::from_utf8(AdminResponse::finished().encode(b"ignored")).unwrap();
    assert_eq!(
        text,
        "HTTP/1.1 204 No Content\r\nX-Admin-Protocol: globalplatform-remote-admin/1.0\r\n\r\n"
    );
    let later = AdminResponse::error(AdminStatus::Unavailable);
    assert!(
        String::from_utf8(later.encode(b""))
            .unwrap()
            .starts_with("HTTP/1.1 503 Service Unavailable\r\n")
    );
    assert_eq!(AdminResponse::from_head(503, []).unwrap(), later);
    assert!(AdminResponse::from_head(204, []).is_err(), "no protocol");
}

#[test]
fn every_media_type_and_status_reads_back() {
    for content_type in [
        ContentType::RamCommand,
        ContentType::RamResponse,
        ContentType::RfmCommand,
        ContentType::RfmResponse,
    ] {
        assert_eq!(ContentType::parse(&content_type.encode()).unwrap(), content_type);
    }
    assert!(ContentType::parse(b"application/vnd.etsi.scp.command-data;version=2.0").is_err());
    assert!(ContentType::parse(b"application/vnd.etsi.scp.command-data").is_err());
    for status in [
        "ok",
        "unknown-application",
        "not-a-security-domain",
        "security-error",
    ] {
        assert_eq!(ScriptStatus::parse(status.as_bytes()).unwrap().as_str(), status);
    }
}

#[test]
fn a_trigger_nests_as_in_table_3_3() {
    // Objects 85, 8A and 8C are pySim's test vectors (pySim/global_platform/http.py).
    let coded = bytes(
        "81 51 83 4F \
         84 15 350103 390205DC 3C03021F90 3E0521C0000201 \
         85 0A 04DEADBEEF 02 40 01 00 00",
    );
    assert!(Trigger::parse(&coded).is_err(), "lengths that lie");

    let open = OpenChannel::tcp([192, 0, 2, 1].into(), 8080, 1500);
    let trigger = Trigger {
        connection: Some(open.connection_objects()),
        security: Some(SecurityParameters::Psk(
            PskParameters::new(bytes("deadbeef"), 0x00, 0x40).unwrap(),
        )),
        retry: Some(RetryPolicy {
            attempts: 3,
            delay: TimerValue::from_seconds(90).unwrap(),
            failure_report: None,
        }),
        http: Some(HttpParameters {
            host: Some("admin.host".to_owned()),
            agent_id: Some("agent-7".to_owned()),
            uri: Some("https://admin.host/uri".to_owned()),
        }),
        fqdn: Some(bytes("05 61646D696E 04 686F7374 00")),
        dns_connection: None,
    };
    let session = "84 13 350103 390205DC 3C03021F90 3E0521C0000201 \
                   85 08 04deadbeef 02 00 40 \
                   86 07 0003 2503 001003 \
                   89 2d 8a0a61646d696e2e686f7374 8b076167656e742d37 8c1668747470733a2f2f61646d696e2e686f73742f757269";
    let dns = "D6 0C 0561646D696E04686F737400";
    let session = bytes(session);
    let dns = bytes(dns);
    let content = [
        &[0x83, session.len() as u8][..],
        &session,
        &[0xB3, dns.len() as u8],
        &dns,
    ]
    .concat();
    let coded = [&[0x81, content.len() as u8][..], &content].concat();
    assert_eq!(hex::encode(trigger.encode()), hex::encode(&coded));
    assert_eq!(Trigger::parse(&coded).unwrap(), trigger);
    assert_eq!(
        Trigger::default().encode(),
        bytes("8100"),
        "everything from the stored parameters"
    );
}
