//! The admin agent against a scripted server: scripts, results, next URIs, resume, refusals.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use card_sim::personalisation::{BodyCoding, MaxFragment, RefreshPolicy, Suite, TlsChoice};
use card_sim::{Identity, SessionEnd};
use test_support::admin_server::{RFM, Server, Step, chunked_script, error, no_content, script, script_for};
use test_support::chip::{OPERATOR_IMSI, READ_IMSI, WRITE_IMSI, module, seed_card};

const WRITTEN: &str = "af8023029000230290000000";
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
            (0, "/adminagent"),
            (0, "/x?n=1"),
            (0, "/x?n=2"),
            (1, "/adminagent"),
            (1, "/x?n=3"),
        ]
    );
    assert_eq!(hex::encode(&posts[1].body), WRITTEN);
    assert_eq!(
        hex::encode(&posts[4].body),
        "af8023029000230b084906003175296408900000 00".replace(' ', "")
    );
    assert!(log.has(&format!("attached as IMSI {}", uicc::masked(OPERATOR_IMSI))));
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
    assert!(first.head.starts_with("POST /adminagent HTTP/1.1\r\n"));
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
        ["/adminagent", "/wait?n=1", "/wait?n=2"]
    );
    assert!(
        posts
            .iter()
            .all(|post| post.header("X-Admin-Script-Status").is_none() && post.body.is_empty())
    );
}

#[tokio::test]
async fn a_script_without_a_next_uri_is_run_and_not_answered() {
    let server = Server::start(vec![script_for(RFM, None, WRITE_IMSI)]);
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
    assert_eq!(posts[1].uri(), "/adminagent");
    assert_eq!(posts[1].header("X-Admin-Resume"), Some("true"));
}

// §5.2.1.2: 每次卡片上电后仅请求一次写卡流量
#[tokio::test]
async fn a_chip_asks_once_per_power_up_and_what_it_asks_again_resumes() {
    let server = Server::start(vec![error(503), no_content(None), no_content(None)]);
    let (mut module, _) = module(seed_card(server.address));
    module.power_on().await;
    module.power_on().await;
    let posts = server.posts();
    let resumes: Vec<_> = posts.iter().map(|post| post.header("X-Admin-Resume")).collect();
    assert_eq!(resumes, [None, Some("true"), None]);
}

#[tokio::test]
async fn a_link_that_breaks_before_the_answer_resumes_at_the_last_uri() {
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
async fn key_material_arrives_in_the_chip_and_in_no_event() {
    // K 10…1f and OPc 20…2f under the DEK 00…0f, KCV of K; computed with an independent AES.
    const KEYS: &str = "811007feef74e1d5036e900eee118e94929382105be87e2e5b447c944b21c9af7756c0d88303013808";
    let load = format!("AE80222E80D8004029{KEYS}0000");
    let server = Server::start(vec![script("/x?n=1", &load), no_content(None)]);
    let (mut module, log) = module(seed_card(server.address));
    assert!(module.power_on().await.finished());
    assert_eq!(hex::encode(&server.posts()[1].body), "af80230290000000");
    let (k, opc) = module.chip().keys_loaded().unwrap();
    assert_eq!(hex::encode(k), "101112131415161718191a1b1c1d1e1f");
    assert_eq!(hex::encode(opc), "202122232425262728292a2b2c2d2e2f");
    assert!(log.has("load K and OPc, key version 40 → 9000"));
    assert!(!log.lines().concat().contains("07feef"));
}
