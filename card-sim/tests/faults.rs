//! What goes wrong: links, power, files, numbers, servers; and how the chip gets over it.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use card_sim::network::VirtualNetwork;
use card_sim::personalisation::{RefreshPolicy, RetryPolicy};
use card_sim::{ApduIndex, ChipFault, Faults, Identity, Module, ModuleSettings, Outcome, SessionEnd, Side};
use std::sync::Arc;
use std::time::Duration;
use test_support::admin_server::{Server, no_content, script};
use test_support::chip::{OPERATOR_IMSI, READ_IMSI, WRITE_IMSI, module, seed_card};

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
            ("/adminagent", script("/x?n=1", WRITE_IMSI)),
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
            ("/adminagent", script("/x?n=1", WRITE_IMSI)),
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

#[tokio::test(start_paused = true)]
async fn a_chip_waits_between_attempts_as_long_as_its_policy_says() {
    let address = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let retry = RetryPolicy {
        attempts: 2,
        wait: Duration::from_secs(200),
    };
    let (mut module, log) = module(seed_card(address).retry(retry));
    let begin = tokio::time::Instant::now();
    let report = module.power_on().await;
    assert_eq!(report.sessions, vec![SessionEnd::NoChannel(0x3A); 3]);
    assert_eq!(begin.elapsed().as_secs(), 400);
    assert_eq!(log.count("timer 2 expired"), 2);
}

#[tokio::test]
async fn a_chip_that_does_not_answer_ends_the_power_cycle() {
    let server = Server::by_uri(vec![("/adminagent", no_content(None))]);
    let (mut module, _) = module(seed_card(server.address));
    module.set_faults(Faults {
        chip: Some(ChipFault::Silent { from: 12 }),
        ..Faults::default()
    });
    let report = module.power_on().await;
    assert_eq!((report.outcome, report.apdus), (Outcome::Silent, 13));
    module.set_faults(Faults::default());
    assert!(module.power_on().await.finished());
    server.posts();
}
