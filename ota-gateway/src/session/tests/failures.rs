//! Everything that can go wrong between card, gateway and platform.

use uicc::scp81::ScriptStatus;

use super::*;
use crate::http::HttpError;

/// The failure that was reported: name, whether the chip is suspected, detail.
pub(super) fn failure(world: &World) -> (&'static str, bool, &str) {
    match world.reports.last() {
        Some(ReportEvent::Failed {
            failure,
            detail,
            chip_fault,
            ..
        }) => (failure.code(), *chip_fault, detail),
        other => panic!("{other:?} is no failure"),
    }
}

type Spoil = fn(&mut Card);

/// What is wrong with the card, and what is reported: failure, whether the chip is suspected, detail.
const REFUSALS: &[(Spoil, &str, bool, &str)] = &[
    (
        |card| refuse(card, 0x6F07, 0x6982),
        "keys_refused",
        false,
        "load key material and EF_IMSI: 6982",
    ),
    (
        |card| refuse(card, 0x6F07, 0x6985),
        "keys_refused",
        false,
        "load key material and EF_IMSI: 6985",
    ),
    (
        |card| refuse(card, 0x6F07, 0x6A80),
        "keys_refused",
        false,
        "EF_IMSI: 6A80",
    ),
    (
        |card| refuse(card, 0x6F07, 0x6200),
        "keys_refused",
        false,
        "EF_IMSI: 6200",
    ),
    (
        |card| refuse(card, 0x6F40, 0x6581),
        "memory_problem",
        true,
        "UPDATE RECORD EF_MSISDN: 6581",
    ),
    (
        |card| refuse(card, 0x6F40, 0x6700),
        "wrong_length",
        false,
        "EF_MSISDN: 6700",
    ),
    (
        |card| refuse(card, 0x6F78, 0x6F00),
        "card_error",
        false,
        "EF_ACC: 6F00",
    ),
    (
        |card| refuse(card, 0x2FE2, 0x6982),
        "iccid_refused",
        false,
        "EF_ICCID: 6982",
    ),
    (
        |card| refuse(card, 0x2FE2, 0x6581),
        "memory_problem",
        true,
        "EF_ICCID: 6581",
    ),
    (
        |card| drop(card.files.remove(&(0x7FFF, 0x6F07))),
        "file_not_found",
        false,
        "SELECT EF_IMSI: 6A82",
    ),
    (
        |card| refuse_read(card, 0x6F07, 0x6982),
        "security_status",
        false,
        "READ BINARY EF_IMSI: 6982",
    ),
    (
        |card| refuse_read(card, 0x6F07, 0x62F1),
        "file_refused",
        false,
        "EF_IMSI: 62F1",
    ),
    (
        |card| card.refuse_keys = Some(0x6A80),
        "keys_refused",
        false,
        "load key material and EF_IMSI: 6A80",
    ),
    (
        |card| card.forgets.push(0x6F78),
        "read_back_mismatch",
        true,
        "EF_ACC: read back differs",
    ),
];

#[test]
fn every_refusal_of_a_card_is_reported_as_what_it_is() {
    for (spoil, kind, chip_fault, detail) in REFUSALS {
        let (mut world, mut card) = (World::new(), Card::seed());
        spoil(&mut card);
        assert_eq!(
            world.session(&mut card, None, None),
            Ending::Finished("failed"),
            "{detail}"
        );
        let reported = failure(&world);
        assert_eq!((reported.0, reported.1), (*kind, *chip_fault), "{detail}");
        assert!(reported.2.contains(detail), "{:?} lacks {detail:?}", reported.2);
        assert_eq!(card.refreshes, 0, "a card that failed is not restarted");
    }
}

fn refuse(card: &mut Card, fid: u16, status: u16) {
    card.refuse_update.insert(fid, status);
}

fn refuse_read(card: &mut Card, fid: u16, status: u16) {
    card.refuse_read.insert(fid, status);
}

#[test]
fn a_file_that_is_too_short_for_its_content_is_a_wrong_length() {
    let (mut world, mut card) = (World::new(), Card::seed());
    card.files.insert((0x7FFF, 0x6F40), vec![0xFF; 10]);
    assert_eq!(world.session(&mut card, None, None), Ending::Finished("failed"));
    assert_eq!(failure(&world).0, "wrong_length");
}

#[test]
fn answers_that_cannot_be_understood_are_reported_as_what_they_are() {
    let cases = [
        ("af80 900101 0000", "bad_format", "unknown tag"),
        ("af80 900102 0000", "bad_format", "wrong length"),
        ("af80 23029000 900103 0000", "bad_format", "length not found"),
        ("af80 830101 0000", "bad_format", "chaining"),
        ("af80 810101 0000", "card_error", "suspended"),
        ("ab00", "bad_format", "no response script"),
        ("00", "bad_format", "no response script"),
        ("af80 0000", "card_error", "only 0 of"),
        ("af80 23029000 0000", "card_error", "only 1 of"),
        ("ab07 800101 23029000", "card_error", "only 1 of"),
    ];
    for (answer, kind, detail) in cases {
        let (mut world, mut card) = (World::new(), Card::seed());
        card.instead = Some(hex::decode(answer.replace(' ', "")).unwrap());
        assert_eq!(
            world.session(&mut card, None, None),
            Ending::Finished("failed"),
            "{answer}"
        );
        let reported = failure(&world);
        assert_eq!(reported.0, kind, "{answer}");
        assert!(reported.2.contains(detail), "{:?} lacks {detail:?}", reported.2);
    }
}

#[test]
fn more_answers_than_commands_are_a_bad_format() {
    let (mut world, mut card) = (World::new(), Card::seed());
    card.instead = Some(hex::decode(format!("af80{}0000", "23029000".repeat(60))).unwrap());
    assert_eq!(world.session(&mut card, None, None), Ending::Finished("failed"));
    assert_eq!(failure(&world).0, "bad_format");
}

#[test]
fn every_script_status_is_reported_as_what_it_is() {
    for (status, kind) in [
        (ScriptStatus::UnknownApplication, "rfm_application_missing"),
        (ScriptStatus::NotASecurityDomain, "rfm_application_missing"),
        (ScriptStatus::SecurityError, "script_security_error"),
    ] {
        let mut world = World::new();
        let mut machine = world.machine();
        let output = machine.on_request(AgentRequest::default(), 0).unwrap();
        let Reply::Script { next, .. } = world.settle(&mut machine, output) else {
            panic!("no script")
        };
        let answer = AgentRequest {
            cursor: Some(next),
            status: Some(status),
            ..AgentRequest::default()
        };
        let output = machine.on_request(answer, 0).unwrap();
        assert_eq!(
            world.settle(&mut machine, output),
            Reply::End { reason: "failed" }
        );
        let reported = failure(&world);
        assert_eq!((reported.0, reported.1), (kind, false));
        assert!(reported.2.contains(status.as_str()));
    }
}

#[test]
fn a_card_that_lacks_optional_files_is_written_all_the_same() {
    let (mut world, mut card) = (World::new(), Card::seed());
    for fid in [0x6F08, 0x6F09, 0x6F62, 0x6F73, 0x6F7B] {
        card.files.remove(&(0x7FFF, fid));
    }
    assert_eq!(
        world.session(&mut card, None, None),
        Ending::LastScript("written")
    );
    assert_eq!(hex::encode(card.content(0x6F07)), "084906003175296408");
}

#[test]
fn an_optional_file_that_is_there_must_be_written() {
    for fid in [0x6F42, 0x6F62, 0x6F7B] {
        for status in [0x62F1, 0x6581, 0x6982, 0x6A80, 0x6A82, 0x6F00] {
            for spoil in [refuse, refuse_read] {
                let (mut world, mut card) = (World::new(), Card::seed());
                spoil(&mut card, fid, status);
                assert_eq!(
                    world.session(&mut card, None, None),
                    Ending::Finished("failed"),
                    "{fid:04X} {status:04X}"
                );
                assert!(failure(&world).2.contains(&format!("{status:04X}")));
            }
        }
    }
}

#[test]
fn what_is_to_be_read_back_may_be_missing_only_if_nothing_was_reserved_for_it() {
    let (mut world, mut card) = (World::new(), Card::seed());
    card.files.remove(&(0x7FFF, 0x6F42));
    assert_eq!(world.session(&mut card, None, None), Ending::Finished("failed"));
    assert_eq!(failure(&world).0, "file_not_found");
    let (mut world, mut card) = (World::new(), Card::seed());
    card.files.remove(&(0x7FFF, 0x6F42));
    world.data.smsc = None;
    assert_eq!(
        world.session(&mut card, None, None),
        Ending::LastScript("written")
    );
}

/// A world whose cards may keep their ICCID.
fn iccid_optional() -> World {
    World::with_profile(|profile| {
        profile
            .replace("iccid = \"write\"", "iccid = \"optional\"")
            .replace("efs = [\"iccid\", ", "efs = [")
    })
}

#[test]
fn a_refused_iccid_is_accepted_where_the_profile_calls_it_optional() {
    for status in [0x6982, 0x6985] {
        let (mut world, mut card) = (iccid_optional(), Card::seed());
        let before = card.content(0x2FE2).to_vec();
        refuse(&mut card, 0x2FE2, status);
        assert_eq!(
            world.session(&mut card, None, None),
            Ending::LastScript("written")
        );
        assert_eq!(card.content(0x2FE2), before);
        card.register();
        assert_eq!(world.session(&mut card, None, None), Ending::Finished("verified"));
    }
}

#[test]
fn an_optional_iccid_that_fails_for_another_reason_fails_the_writing() {
    for status in [0x62F1, 0x6581, 0x6A80, 0x6F00] {
        let (mut world, mut card) = (iccid_optional(), Card::seed());
        refuse(&mut card, 0x2FE2, status);
        assert_eq!(
            world.session(&mut card, None, None),
            Ending::Finished("failed"),
            "{status:04X}"
        );
    }
}

#[test]
fn a_card_that_cannot_be_read_in_a_verification_is_to_be_written_again() {
    let (mut world, mut card) = (World::new(), Card::seed());
    world.session(&mut card, None, None);
    card.refuse_read.insert(0x6F07, 0x6982);
    assert_eq!(
        world.session(&mut card, None, None),
        Ending::Finished("not_verified")
    );
    assert!(matches!(
        world.reports.last(),
        Some(ReportEvent::NotVerified { rewrite: true, .. })
    ));
}

#[test]
fn what_the_platform_refuses_ends_the_session_and_what_it_does_not_answer_postpones_it() {
    let mut world = World::new();
    for (error, expected) in [
        (refused(404), Reply::End { reason: "refused" }),
        (unavailable(), Reply::Unavailable),
    ] {
        let mut machine = world.machine();
        machine.on_request(AgentRequest::default(), 0).unwrap();
        assert_eq!(machine.on_opened(Err(error), None), Output::Reply(expected));
    }
}

#[test]
fn no_state_is_answered_to_the_chip_before_the_platform_acknowledged_it() {
    for (error, expected) in [
        (
            refused(409),
            Reply::End {
                reason: "report_refused",
            },
        ),
        (unavailable(), Reply::Unavailable),
    ] {
        let mut world = World::new();
        let mut machine = world.machine();
        let output = machine.on_request(AgentRequest::default(), 0).unwrap();
        let Reply::Script { next, body, .. } = world.settle(&mut machine, output) else {
            panic!("no script")
        };
        let body = Some(Card::seed().run(&body));
        let output = machine.on_request(
            AgentRequest {
                cursor: Some(next),
                body,
                ..AgentRequest::default()
            },
            0,
        );
        assert!(
            matches!(output, Ok(Output::Report(ReportEvent::Progress { .. }))),
            "{output:?}"
        );
        machine.take_events();
        assert_eq!(machine.on_reported(Err(error), 0), Output::Reply(expected));
        assert!(machine.take_events().is_empty(), "nothing was acknowledged");
    }
}

#[test]
fn the_platform_can_stop_a_session_at_any_report() {
    let mut world = World::new();
    let mut machine = world.machine();
    let output = machine.on_request(AgentRequest::default(), 0).unwrap();
    let Reply::Script { next, body, .. } = world.settle(&mut machine, output) else {
        panic!("no script")
    };
    let body = Some(Card::seed().run(&body));
    machine
        .on_request(
            AgentRequest {
                cursor: Some(next),
                body,
                ..AgentRequest::default()
            },
            0,
        )
        .unwrap();
    let stop = ReportAnswer {
        go_on: false,
        allowance_bytes: None,
    };
    assert_eq!(
        machine.on_reported(Ok(stop), 0),
        Output::Reply(Reply::End {
            reason: "stopped_by_platform"
        })
    );
}

#[test]
fn no_script_is_sent_that_the_allowance_does_not_cover() {
    let (mut world, mut card) = (
        World {
            allowance: Some(1_000),
            ..World::new()
        },
        Card::seed(),
    );
    let before = card.files.clone();
    assert_eq!(
        world.session(&mut card, None, None),
        Ending::Finished("allowance_exhausted")
    );
    assert_eq!(card.files, before);
    let mut machine = world.machine();
    world.allowance = Some(10_000);
    let output = machine.on_request(AgentRequest::default(), 9_000).unwrap();
    let reply = world.settle(&mut machine, output);
    assert_eq!(
        reply,
        Reply::End {
            reason: "allowance_exhausted"
        },
        "bytes already spent count"
    );
}

#[test]
fn limits_on_requests_and_scripts_end_a_session() {
    let small = |text: String| text.replace("max_script_bytes = 1024", "max_script_bytes = 128");
    let mut world = World {
        scripts: 3,
        ..World::with_profile(small)
    };
    assert_eq!(
        world.session(&mut Card::seed(), None, None),
        Ending::Finished("too_many_scripts")
    );
    let mut world = World {
        requests: 3,
        ..World::with_profile(small)
    };
    assert_eq!(
        world.session(&mut Card::seed(), None, None),
        Ending::Finished("too_many_requests")
    );
}

#[test]
fn requests_that_do_not_fit_the_session_are_refused() {
    let mut world = World::new();
    let body = Some(vec![0]);
    let first = AgentRequest {
        body: body.clone(),
        ..AgentRequest::default()
    };
    assert_eq!(
        world.machine().on_request(first, 0),
        Err(HttpError::UnexpectedBody)
    );

    let mut machine = world.machine();
    let output = machine.on_request(AgentRequest::default(), 0).unwrap();
    let Reply::Script { next, .. } = world.settle(&mut machine, output) else {
        panic!("no script")
    };
    for cursor in [
        None,
        Some(Cursor {
            seq: next.seq + 1,
            ..next.clone()
        }),
        Some(Cursor {
            session: "x".into(),
            ..next.clone()
        }),
    ] {
        let request = AgentRequest {
            cursor,
            body: body.clone(),
            ..AgentRequest::default()
        };
        assert_eq!(machine.on_request(request, 0), Err(HttpError::UnknownUri));
    }
    let empty = AgentRequest {
        cursor: Some(next),
        ..AgentRequest::default()
    };
    assert_eq!(machine.on_request(empty, 0), Err(HttpError::UnexpectedBody));
}
