//! Whole sessions over real TLS, against a platform that keeps the calls.

use ota_gateway::Event;
use test_support::eid::EID;
use test_support::gateway::agent::{Agent, FIRST_URI, Tls, session};
use test_support::gateway::card::Card;
use test_support::gateway::platform::PlatformBehaviour;
use test_support::gateway::{GatewayFixture, get, settings};

const IMSI: &str = "084906003175296408";

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_written_then_verified_and_the_platform_ticked() {
    let fixture = GatewayFixture::start().await;
    let mut card = Card::seed();
    let last = session(fixture.gateway.addr(), &mut card).await;
    assert_eq!(
        (last.status, last.next_uri()),
        (200, None),
        "the last script orders the REFRESH"
    );
    assert_eq!(card.refreshes, 1);
    assert_eq!(hex::encode(card.content(0x6F07)), IMSI);
    assert_eq!(
        fixture.platform.calls("/cron").len(),
        0,
        "nothing is due before the verification"
    );

    card.register();
    let last = session(fixture.gateway.addr(), &mut card).await;
    assert_eq!(last.status, 204);
    fixture.platform.called("/internal/cron").await;

    let (platform, events) = fixture.finish().await;
    let reported = platform.reported();
    let (writing, verifying) = reported.split_at(reported.len() - 2);
    assert_eq!(verifying, ["verified", "closed"]);
    assert_eq!(writing.last().map(String::as_str), Some("closed"));
    assert_eq!(writing[writing.len() - 2], "written");
    assert!(writing[..writing.len() - 2].iter().all(|kind| kind == "progress"));
    assert_eq!(events.endings(), ["written", "verified"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_response_is_one_tls_record_with_what_the_specification_asks_for() {
    let fixture = GatewayFixture::start().await;
    let mut card = Card::seed();
    let mut agent = fixture.agent().await;
    let mut answer = agent.begin(FIRST_URI, false).await;
    let mut seen = 0;
    while let (200, Some(next)) = (answer.status, answer.next_uri().map(str::to_owned)) {
        assert_eq!(agent.take_records().len(), 1);
        assert_eq!(
            answer.header("X-Admin-Protocol"),
            Some("globalplatform-remote-admin/1.0")
        );
        assert_eq!(
            answer.header("X-Admin-Targeted-Application"),
            Some("//aid/A000000559/10100001")
        );
        assert_eq!(
            answer.header("Content-Type"),
            Some("application/vnd.etsi.scp.command-data;version=1.0")
        );
        assert!(next.starts_with("/adminagent?s=") && next.len() < 40, "{next}");
        assert!(answer.body.starts_with(&[0xAE, 0x80]) && answer.body.ends_with(&[0, 0]));
        let result = card.run(&answer.body);
        agent.result(&next, &result).await;
        answer = agent.answer().await.unwrap();
        seen += 1;
    }
    assert!(seen >= 3, "{seen} scripts");
    assert!(agent.is_closed().await && agent.got_close_notify());
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_are_numbered_and_count_the_bytes_of_the_connection() {
    let fixture = GatewayFixture::start().await;
    session(fixture.gateway.addr(), &mut Card::seed()).await;
    let (platform, events) = fixture.finish().await;
    let reports = platform.calls("/report");
    for (at, report) in reports.iter().enumerate() {
        assert_eq!(report["seq"], at as u64 + 1);
        assert_eq!(report["session_id"], platform.calls("/sessions")[0]["session_id"]);
    }
    for pair in reports.windows(2) {
        for direction in ["bytes_up", "bytes_down"] {
            assert!(pair[0][direction].as_u64() <= pair[1][direction].as_u64());
        }
    }
    let closed = reports.last().unwrap();
    let Some(Event::End {
        bytes_up, bytes_down, ..
    }) = events.all().pop()
    else {
        panic!("no end was observed")
    };
    assert_eq!(
        (closed["bytes_up"].as_u64(), closed["bytes_down"].as_u64()),
        (Some(bytes_up), Some(bytes_down))
    );
    assert!(bytes_up > 1_000 && bytes_down > 1_000);
    let opened = &platform.calls("/sessions")[0];
    assert_eq!(
        (opened["eid"].as_str(), opened["resumed"].as_bool()),
        (Some(EID), Some(false))
    );
    assert_eq!(opened["agent"], "//se-id/eid/x");
}

#[tokio::test(flavor = "multi_thread")]
async fn observed_events_hold_no_key_material() {
    let fixture = GatewayFixture::start().await;
    let mut card = Card::seed();
    session(fixture.gateway.addr(), &mut card).await;
    let (_, events) = fixture.finish().await;
    let events = events.all();
    assert!(
        matches!(&events[0], Event::Handshake { version, suite, .. } if version == "TLSv1.2" && suite == "PSK-AES128-CBC-SHA256")
    );
    assert!(matches!(
        &events[1],
        Event::Work {
            work: "write",
            resumed: false,
            ..
        }
    ));
    assert!(matches!(
        events.last(),
        Some(Event::End {
            reason: "written",
            ..
        })
    ));
    let keys: Vec<&Event> = events
        .iter()
        .filter(
            |event| matches!(event, Event::Apdu { description, .. } if description == "load key material and EF_IMSI"),
        )
        .collect();
    assert!(
        matches!(
            keys[..],
            [Event::Apdu {
                command: None,
                sw: 0x9000,
                ..
            }]
        ),
        "{keys:?}"
    );
    let shown = format!("{events:?}");
    assert!(!shown.contains(&hex::encode(&card.key_loads[0][2..18])) && !shown.contains(EID));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_repeated_until_the_platform_answers_and_only_then_the_chip_is() {
    let faults = vec![
        ("progress", 503),
        ("progress", 500),
        ("written", 503),
        ("written", 429),
    ];
    let fixture = GatewayFixture::start_with(
        PlatformBehaviour {
            report_faults: faults,
            ..PlatformBehaviour::default()
        },
        |_| {},
    )
    .await;
    let mut card = Card::seed();
    let last = session(fixture.gateway.addr(), &mut card).await;
    assert_eq!((last.status, card.refreshes), (200, 1));
    let (platform, _) = fixture.finish().await;
    let reports = platform.calls("/report");
    assert_eq!(reports[0], reports[1], "a repeated report is the same report");
    assert_eq!(reports[1], reports[2]);
    assert_eq!(
        platform
            .reported()
            .iter()
            .filter(|kind| *kind == "written")
            .count(),
        3
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_stays_away_leaves_the_chip_with_an_error_and_its_state_unreported() {
    let faults = vec![("written", 503); 32];
    let fixture = GatewayFixture::start_with(
        PlatformBehaviour {
            report_faults: faults,
            ..PlatformBehaviour::default()
        },
        |settings| {
            settings.limits.report_retry_secs = 1;
        },
    )
    .await;
    let mut card = Card::seed();
    let last = session(fixture.gateway.addr(), &mut card).await;
    assert_eq!((last.status, card.refreshes), (503, 0));
    let (platform, events) = fixture.finish().await;
    assert_eq!(events.endings(), ["platform_unavailable"]);
    assert!(platform.calls("/report").len() > 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_cannot_open_a_session_sends_the_chip_away_for_now_or_for_good() {
    for (status, reason, expected, ending) in [
        (503, "unavailable", 503, "platform_unavailable"),
        (403, "allowance_exhausted", 204, "refused"),
        (403, "chip_faulty", 204, "refused"),
        (404, "unknown_chip", 204, "refused"),
    ] {
        let behaviour = PlatformBehaviour {
            session_fault: Some((status, reason)),
            ..PlatformBehaviour::default()
        };
        let fixture = GatewayFixture::start_with(behaviour, |_| {}).await;
        let last = session(fixture.gateway.addr(), &mut Card::seed()).await;
        assert_eq!((last.status, last.next_uri()), (expected, None), "{reason}");
        let (platform, events) = fixture.finish().await;
        assert_eq!(events.endings(), [ending]);
        let ends: Vec<_> = platform
            .calls("/report")
            .iter()
            .map(|report| (report["eid"].clone(), report["event"]["reason"].clone()))
            .collect();
        let expected = if ending == "refused" {
            vec![(EID.into(), "refused".into())]
        } else {
            Vec::new()
        };
        assert_eq!(
            ends, expected,
            "only the end of a session that was not opened is reported"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_file_is_reported_and_ticked_and_ends_the_session() {
    let fixture = GatewayFixture::start().await;
    let mut card = Card::seed();
    card.refuse_update.insert(0x6F07, 0x6982);
    let last = session(fixture.gateway.addr(), &mut card).await;
    assert_eq!(last.status, 204);
    fixture.platform.called("/internal/cron").await;
    let metrics = fixture.ops("/metrics").await.text;
    assert!(
        metrics.contains("failures_total{kind=\"keys_refused\"} 1"),
        "{metrics}"
    );
    let (platform, _) = fixture.finish().await;
    let reports = platform.calls("/report");
    let failed = &reports[reports.len() - 2]["event"];
    assert_eq!(
        (failed["kind"].as_str(), failed["failure"].as_str()),
        (Some("failed"), Some("keys_refused"))
    );
    assert_eq!(failed["chip_fault"], false);
    assert!(failed["detail"].as_str().unwrap().contains("EF_IMSI"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_stops_before_it_costs_more_than_the_allowance() {
    let fixture = GatewayFixture::start_with(
        PlatformBehaviour {
            allowance: Some(3_500),
            ..PlatformBehaviour::default()
        },
        |_| {},
    )
    .await;
    let last = session(fixture.gateway.addr(), &mut Card::seed()).await;
    assert_eq!(last.status, 204);
    let (platform, events) = fixture.finish().await;
    assert_eq!(events.endings(), ["allowance_exhausted"]);
    let reports = platform.calls("/report");
    let closed = reports.last().unwrap();
    assert_eq!(closed["event"]["reason"], "allowance_exhausted");
    let spent = closed["bytes_up"].as_u64().unwrap() + closed["bytes_down"].as_u64().unwrap();
    assert!(spent <= 3_500, "{spent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_lost_its_identity_is_found_out_in_the_verification() {
    let fixture = GatewayFixture::start_with(
        PlatformBehaviour {
            work: "verify",
            allowance: None,
            ..PlatformBehaviour::default()
        },
        |_| {},
    )
    .await;
    let last = session(fixture.gateway.addr(), &mut Card::seed()).await;
    assert_eq!(last.status, 204);
    let (platform, _) = fixture.finish().await;
    let event = &platform.calls("/report")[0]["event"];
    assert_eq!(
        (event["kind"].as_str(), event["rewrite"].as_bool()),
        (Some("not_verified"), Some(true))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_1_3_writes_a_card_too() {
    let fixture = GatewayFixture::start().await;
    let tls = Tls {
        version: openssl::ssl::SslVersion::TLS1_3,
        ..Tls::default()
    };
    let mut agent = Agent::connect_with(fixture.gateway.addr(), tls).await.unwrap();
    let mut card = Card::seed();
    let first = agent.begin(FIRST_URI, false).await;
    agent.run(&mut card, first).await;
    assert_eq!(hex::encode(card.content(0x6F07)), IMSI);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_chip_is_disconnected() {
    let fixture = GatewayFixture::start_with(PlatformBehaviour::default(), |settings| {
        settings.limits.idle_timeout_secs = 1
    })
    .await;
    let mut agent = fixture.agent().await;
    let first = agent.begin(FIRST_URI, false).await;
    assert_eq!(first.status, 200);
    assert!(agent.is_closed().await && agent.got_close_notify());
    let (_, events) = fixture.finish().await;
    assert_eq!(events.endings(), ["idle"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_shuts_down_closes_tls_and_reports() {
    let fixture = GatewayFixture::start().await;
    let mut agent = fixture.agent().await;
    agent.begin(FIRST_URI, false).await;
    let (platform, events) = tokio::join!(fixture.finish(), agent.is_closed()).0;
    assert_eq!(events.endings(), ["shutdown"]);
    assert_eq!(platform.reported(), ["closed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_the_gateways_own_and_readiness_needs_the_platform() {
    let fixture = GatewayFixture::start().await;
    assert_eq!(fixture.ops("/healthz").await.status, 200);
    assert_eq!(fixture.ops("/readyz").await.status, 200);
    assert_eq!(fixture.ops("/anything").await.status, 404);
    let unreachable = settings(([127, 0, 0, 1], 9).into());
    let gateway = ota_gateway::start(unreachable, None).await.unwrap();
    assert_eq!(get(gateway.metrics_addr(), "/readyz").await.status, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_end_before_the_first_request_is_reported_with_its_reason() {
    let fixture = GatewayFixture::start_with(PlatformBehaviour::default(), |settings| {
        settings.limits.idle_timeout_secs = 1;
        settings.limits.max_sessions_per_chip = 8;
    })
    .await;
    let mut bad = fixture.agent().await;
    bad.send(b"GET / HTTP/1.1\r\n\r\n").await;
    assert!(bad.answer().await.is_some());
    fixture.events.sessions_ended(1).await;
    drop(fixture.agent().await);
    fixture.events.sessions_ended(2).await;
    let mut idle = fixture.agent().await;
    assert!(idle.is_closed().await);
    fixture.events.sessions_ended(3).await;
    let (platform, events) = fixture.finish().await;
    assert_eq!(events.endings(), ["bad_request", "link_lost", "idle"]);
    let reports = platform.calls("/report");
    let reasons: Vec<_> = reports.iter().map(|report| &report["event"]["reason"]).collect();
    assert_eq!(reasons, ["bad_request", "link_lost", "idle"]);
    assert!(
        reports
            .iter()
            .all(|report| report["eid"] == EID && report["peer"].as_str().unwrap().starts_with("127.0.0.1:"))
    );
    assert!(platform.calls("/sessions").is_empty(), "no work was asked for");
}
