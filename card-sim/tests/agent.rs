//! The admin agent against a scripted server: scripts, results, next URIs, resume, refusals.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use card_sim::network::VirtualNetwork;
use card_sim::personalisation::{BodyCoding, MaxFragment, RefreshPolicy, Suite, TlsChoice};
use card_sim::{ApduIndex, Faults, Identity, Module, ModuleSettings, Outcome, SessionEnd, Side};
use common::server::{Server, chunked_script, error, no_content, script, script_for};
use common::{OPERATOR_IMSI, module, seed_card};
use std::sync::Arc;

/// SELECT EF_IMSI, UPDATE BINARY with 460001357924680; protocol of TS 102 226, indefinite form.
const WRITE_IMSI: &str = "AE80220700A40004026F07220E00D60000090849060031752964080000";
const WRITTEN: &str = "af8023029000230290000000";
/// READ BINARY EF_IMSI.
const READ_IMSI: &str = "AE80220700A40004026F07220500B00000090000";
/// UICC reset as an immediate action: command details, device identities.
const ORDER_REFRESH: &str = "AE8081098103010104820281820000";

#[tokio::test]
async fn a_whole_write_ends_with_a_refresh_and_a_report_over_the_operator_number() {
    let server = Server::start(vec![
        script("/x?n=1", WRITE_IMSI),
        script("/x?n=2", ORDER_REFRESH),
        no_content(None),
        script("/x?n=3", READ_IMSI),
        no_content(None),
    ]);
    let (mut module, log) = module(seed_card(server.address));
    let report = module.power_on().await;
    let posts = server.posts();

    assert_eq!(
        report.sessions,
        [SessionEnd::Finished, SessionEnd::Finished],
        "{:#?}",
        log.lines()
    );
    assert!(report.finished() && report.attached);
    assert_eq!(report.resets, 1);
    assert_eq!(report.script_apdus, 4);
    assert_eq!(
        posts
            .iter()
            .map(|post| (post.connection, post.uri()))
            .collect::<Vec<_>>(),
        [
            (0, "/server/adminagent?cmd=1"),
            (0, "/x?n=1"),
            (0, "/x?n=2"),
            (1, "/server/adminagent?cmd=1"),
            (1, "/x?n=3"),
        ]
    );
    assert_eq!(hex::encode(&posts[1].body), WRITTEN);
    assert_eq!(
        hex::encode(&posts[4].body),
        "af8023029000230b084906003175296408900000 00".replace(' ', "")
    );
    assert!(log.has(&format!("attached as IMSI {}", uicc::ident::mask(OPERATOR_IMSI))));
    assert_eq!(module.chip().identity(), Identity::Verified);
    assert_eq!(
        module.chip().read_file("ADF/6F07").unwrap(),
        hex::decode("084906003175296408").unwrap()
    );
    assert_eq!(module.chip().resume_uri(), None);
}

#[tokio::test]
async fn the_first_post_has_no_optional_header_and_results_have_all_of_them() {
    let server = Server::start(vec![script("/x?n=1", READ_IMSI), no_content(None)]);
    let (mut module, _) = module(
        seed_card(server.address)
            .body_coding(BodyCoding::Chunked)
            .host("ota.example"),
    );
    module.power_on().await;
    let posts = server.posts();
    let first = &posts[0];
    assert!(
        first
            .head
            .starts_with("POST /server/adminagent?cmd=1 HTTP/1.1\r\n")
    );
    assert_eq!(first.header("Host"), Some("ota.example"));
    assert_eq!(
        first.header("X-Admin-Protocol"),
        Some("globalplatform-remote-admin/1.0")
    );
    assert_eq!(
        first.header("X-Admin-From"),
        Some("//se-id/eid/89086030202200000022000000000090;//aa-id/aid/A000000559/1010FFFFFFFF8900000100")
    );
    for absent in [
        "X-Admin-Script-Status",
        "X-Admin-Resume",
        "Content-Type",
        "Transfer-Encoding",
    ] {
        assert_eq!(first.header(absent), None);
    }
    assert!(first.body.is_empty());
    assert_eq!(posts[1].header("X-Admin-Script-Status"), Some("ok"));
    assert_eq!(
        posts[1].header("Content-Type"),
        Some("application/vnd.etsi.scp.response-data;version=1.0")
    );
    assert_eq!(posts[1].header("Transfer-Encoding"), Some("chunked"));
}

#[tokio::test]
async fn bodies_go_with_a_length_or_in_chunks_both_ways() {
    for coding in [BodyCoding::Chunked, BodyCoding::ContentLength] {
        let steps = vec![
            chunked_script("/x?n=1", WRITE_IMSI),
            script("/x?n=2", READ_IMSI),
            no_content(None),
        ];
        let server = Server::start(steps);
        let (mut module, log) = module(seed_card(server.address).body_coding(coding));
        let report = module.power_on().await;
        assert!(report.finished(), "{:#?}", log.lines());
        assert_eq!(hex::encode(&server.posts()[1].body), WRITTEN);
    }
}

#[tokio::test]
async fn every_suite_and_fragment_length_carries_a_session() {
    use MaxFragment::{Bytes512, Bytes1024};
    for (suite, max_fragment, version) in [
        (Suite::Tls12CbcSha256, None, "TLSv1.2"),
        (Suite::Tls12CbcSha256, Some(Bytes512), "TLSv1.2"),
        (Suite::Tls12GcmSha256, Some(Bytes1024), "TLSv1.2"),
        (Suite::Tls13GcmSha256, None, "TLSv1.3"),
        (Suite::Tls13GcmSha256, Some(Bytes512), "TLSv1.3"),
    ] {
        let server = Server::start(vec![script("/x?n=1", READ_IMSI), no_content(None)]);
        let (mut module, log) = module(seed_card(server.address).tls(TlsChoice { suite, max_fragment }));
        let report = module.power_on().await;
        assert!(report.finished(), "{suite:?} {max_fragment:?} {:#?}", log.lines());
        assert_eq!(report.tls.unwrap().version, version);
        assert_eq!(server.posts().len(), 2);
    }
}

#[tokio::test]
async fn no_content_with_a_next_uri_keeps_the_session_alive() {
    let server = Server::start(vec![
        no_content(Some("/wait?n=1")),
        no_content(Some("/wait?n=2")),
        no_content(None),
    ]);
    let (mut module, _) = module(seed_card(server.address));
    assert!(module.power_on().await.finished());
    let posts = server.posts();
    assert_eq!(
        posts.iter().map(|post| post.uri()).collect::<Vec<_>>(),
        ["/server/adminagent?cmd=1", "/wait?n=1", "/wait?n=2"]
    );
    assert!(
        posts
            .iter()
            .all(|post| post.header("X-Admin-Script-Status").is_none() && post.body.is_empty())
    );
}

#[tokio::test]
async fn a_script_without_a_next_uri_is_run_and_not_answered() {
    let server = Server::start(vec![script_for(common::server::RFM, None, WRITE_IMSI)]);
    let (mut module, _) = module(seed_card(server.address));
    let report = module.power_on().await;
    assert_eq!(report.sessions, [SessionEnd::NoResultWanted]);
    assert_eq!(server.posts().len(), 1);
    assert_eq!(module.chip().identity(), Identity::Unverified);
}

#[tokio::test]
async fn a_script_for_another_application_is_refused_with_the_reason() {
    let cases = [
        ("//aid/A000000559/99999999", "unknown-application"),
        ("//aid/A000000559/1010FFFFFFFF8900000100", "security-error"),
        ("nonsense", "unknown-application"),
    ];
    for (target, status) in cases {
        let server = Server::start(vec![
            script_for(target, Some("/x?n=1"), WRITE_IMSI),
            no_content(None),
        ]);
        let (mut module, _) = module(seed_card(server.address));
        let report = module.power_on().await;
        let posts = server.posts();
        assert_eq!(report.script_apdus, 0, "{target}");
        assert_eq!(posts[1].header("X-Admin-Script-Status"), Some(status), "{target}");
        assert!(posts[1].body.is_empty() && posts[1].header("Content-Type").is_none());
    }
}

#[tokio::test]
async fn a_chip_without_rfm_application_says_so() {
    let server = Server::start(vec![script("/x?n=1", WRITE_IMSI), no_content(None)]);
    let (mut module, _) = module(seed_card(server.address));
    module.set_faults(Faults {
        rfm_missing: true,
        ..Faults::default()
    });
    module.power_on().await;
    assert_eq!(
        server.posts()[1].header("X-Admin-Script-Status"),
        Some("unknown-application")
    );
}

#[tokio::test]
async fn a_refused_chip_does_not_come_back_and_a_put_off_one_does() {
    let server = Server::start(vec![error(404)]);
    let (mut first, _) = module(seed_card(server.address));
    assert_eq!(first.power_on().await.sessions, [SessionEnd::Refused(404)]);
    assert_eq!(server.posts().len(), 1);

    let server = Server::start(vec![error(503), no_content(None)]);
    let (mut second, _) = module(seed_card(server.address));
    let report = second.power_on().await;
    assert_eq!(report.sessions, [SessionEnd::Refused(503), SessionEnd::Finished]);
    let posts = server.posts();
    assert_eq!(posts[1].uri(), "/server/adminagent?cmd=1");
    assert_eq!(posts[1].header("X-Admin-Resume"), Some("true"));
}

#[tokio::test]
async fn a_link_that_breaks_before_the_answer_resumes_at_the_last_uri() {
    use common::server::Step;
    let server = Server::start(vec![
        script("/x?n=1", WRITE_IMSI),
        Step::Cut,
        script("/x?n=2", READ_IMSI),
        no_content(None),
    ]);
    let (mut module, log) = module(seed_card(server.address));
    let report = module.power_on().await;
    assert_eq!(
        report.sessions,
        [SessionEnd::LinkLost, SessionEnd::Finished],
        "{:#?}",
        log.lines()
    );
    let posts = server.posts();
    // The results went to /x?n=1 and were lost there: the resume goes to the same URI, without results.
    assert_eq!(
        (posts[1].uri(), posts[1].header("X-Admin-Resume")),
        ("/x?n=1", None)
    );
    assert_eq!((posts[2].connection, posts[2].uri()), (1, "/x?n=1"));
    assert_eq!(posts[2].header("X-Admin-Resume"), Some("true"));
    assert!(posts[2].body.is_empty() && posts[2].header("X-Admin-Script-Status").is_none());
    assert_eq!(posts[3].header("X-Admin-Resume"), None);
}

#[tokio::test]
async fn a_link_dropped_after_n_bytes_is_reported_and_resumed() {
    for faults in [
        Faults {
            drop_after_up: Some(700),
            ..Faults::default()
        },
        Faults {
            drop_after_down: Some(400),
            ..Faults::default()
        },
    ] {
        let server = Server::by_uri(vec![
            ("/server/adminagent?cmd=1", script("/x?n=1", WRITE_IMSI)),
            ("/x?n=1", script("/x?n=2", READ_IMSI)),
            ("/x?n=2", no_content(None)),
        ]);
        let (mut module, log) = module(seed_card(server.address));
        module.set_faults(faults.clone());
        let report = module.power_on().await;
        assert_eq!(
            report.sessions,
            [SessionEnd::LinkLost, SessionEnd::Finished],
            "{faults:?} {:#?}",
            log.lines()
        );
        assert!(log.has("fault: link dropped"));
        let posts = server.posts();
        assert!(
            posts
                .iter()
                .any(|post| post.header("X-Admin-Resume") == Some("true"))
        );
        assert_eq!(
            module.chip().read_file("ADF/6F07").unwrap(),
            hex::decode("084906003175296408").unwrap()
        );
    }
}

#[tokio::test]
async fn power_may_be_lost_at_every_apdu_and_the_next_power_up_finishes() {
    let steps = || {
        vec![
            ("/server/adminagent?cmd=1", script("/x?n=1", WRITE_IMSI)),
            ("/x?n=1", script("/x?n=2", READ_IMSI)),
            ("/x?n=2", no_content(None)),
        ]
    };
    let plain = Server::by_uri(steps());
    let (mut reference, _) = module(seed_card(plain.address));
    let total = reference.power_on().await.apdus;
    plain.posts();
    let interface = (0..total).map(ApduIndex::Interface);
    let script_apdus = (0..4).map(ApduIndex::Script);
    for at in interface.chain(script_apdus) {
        for side in [Side::Before, Side::After] {
            let server = Server::by_uri(steps());
            let (mut module, log) = module(seed_card(server.address));
            let before = module.chip().read_file("ADF/6F07").unwrap();
            module.set_faults(Faults::power_loss(at, side));
            let first = module.power_on().await;
            assert_eq!(first.outcome, Outcome::PowerLost, "{at:?} {side:?}");
            let between = module.chip().read_file("ADF/6F07").unwrap();
            let after = hex::decode("084906003175296408").unwrap();
            assert!(
                between == before || between == after,
                "{at:?} {side:?}: {}",
                hex::encode(between)
            );
            let second = module.power_on().await;
            assert!(second.finished(), "{at:?} {side:?} {:#?}", log.lines());
            server.posts();
            assert_eq!(
                module.chip().read_file("ADF/6F07").unwrap(),
                after,
                "{at:?} {side:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_small_receive_buffer_holds_the_server_back_and_loses_nothing() {
    // A script of 1.9 kB that reads EF_Keys over and over, and its answer of 4.9 kB.
    let one = "220700A40004026F08220500B0000021";
    let body = format!("AE80{}0000", one.repeat(120));
    let server = Server::start(vec![script("/x?n=1", &body), no_content(None)]);
    let (mut module, log) = module(seed_card(server.address).buffer_bytes(512));
    let report = module.power_on().await;
    assert!(report.finished(), "{:#?}", log.lines());
    assert_eq!(report.script_apdus, 240);
    let posts = server.posts();
    assert!(posts[1].body.len() == 120 * (4 + 37) + 4);
}

#[tokio::test]
async fn a_buffer_granted_smaller_than_asked_is_taken() {
    let server = Server::start(vec![script("/x?n=1", READ_IMSI), no_content(None)]);
    let (mut module, log) = module(seed_card(server.address));
    module.set_faults(Faults {
        buffer_limit: Some(256),
        ..Faults::default()
    });
    assert!(module.power_on().await.finished(), "{:#?}", log.lines());
    assert!(log.has("terminal response: Modified, channel 1"));
}

#[tokio::test]
async fn a_file_that_refuses_stops_the_script_at_its_status_word() {
    let server = Server::start(vec![script("/x?n=1", WRITE_IMSI), no_content(None)]);
    let (mut module, _) = module(seed_card(server.address));
    module.set_faults(Faults::refusing(0x6F07, uicc::apdu::StatusWord(0x6982)));
    assert!(module.power_on().await.finished());
    assert_eq!(hex::encode(&server.posts()[1].body), "af8023029000230269820000");
}

#[tokio::test]
async fn an_exhausted_allowance_opens_no_channel() {
    let server = Server::start(vec![no_content(None)]);
    let (mut module, log) = module(seed_card(server.address).allowance(300));
    assert!(module.power_on().await.finished());
    assert_eq!(module.chip().allowance_left(), 0);
    server.posts();
    let report = module.power_on().await;
    assert_eq!(report.sessions, []);
    assert_eq!(log.count("test allowance exhausted"), 1);
    assert_eq!(log.count("OPEN CHANNEL"), 1);
}

#[tokio::test]
async fn the_allowance_pays_for_the_temporary_number_alone() {
    let server = Server::start(vec![
        script("/x?n=1", WRITE_IMSI),
        no_content(None),
        script("/x?n=2", READ_IMSI),
        no_content(None),
    ]);
    let card = seed_card(server.address)
        .refresh(RefreshPolicy::Automatic(4))
        .allowance(100_000);
    let (mut module, log) = module(card);
    let report = module.power_on().await;
    server.posts();
    assert!(report.finished() && report.resets == 1, "{:#?}", log.lines());
    let spent = 100_000 - module.chip().allowance_left();
    assert!(spent > 0 && spent < report.bytes_up + report.bytes_down);
}

#[tokio::test]
async fn a_number_that_cannot_attach_gets_no_channel_and_may_fall_back() {
    for (fallback, expected) in [(None, Identity::Unverified), (Some(1), Identity::Temporary)] {
        let server = Server::start(vec![script("/x?n=1", WRITE_IMSI), no_content(None)]);
        let card = seed_card(server.address)
            .refresh(RefreshPolicy::Automatic(4))
            .fallback_after(fallback);
        let network = Arc::new(VirtualNetwork::open());
        network.reject(OPERATOR_IMSI);
        let mut module = Module::new(card.build().unwrap(), ModuleSettings::default(), network);
        let report = module.power_on().await;
        server.posts();
        assert_eq!(module.chip().identity(), expected);
        assert!(
            report.sessions.contains(&SessionEnd::NoChannel(0x20)),
            "{:?}",
            report.sessions
        );
        assert_eq!(report.attached, fallback.is_some());
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_as_often_as_the_policy_says() {
    let address = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let (mut module, log) = module(seed_card(address));
    let report = module.power_on().await;
    assert_eq!(report.sessions, vec![SessionEnd::NoChannel(0x3A); 3]);
    assert!(log.has("RemoteUnreachable"));
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_left_when_the_inactivity_timer_runs_out_twice() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (mut module, log) = module(seed_card(listener.local_addr().unwrap()));
    let report = module.power_on().await;
    assert_eq!(
        report.sessions,
        vec![SessionEnd::Inactive; 3],
        "{:#?}",
        log.lines()
    );
    assert!(log.has("timer 1 expired"));
}
