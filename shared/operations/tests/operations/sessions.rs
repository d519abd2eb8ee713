//! Keys, device sessions and what is reported from them.

use domain::error::Reason;
use domain::{CardStatus, FailureKind, Work};
use operations::{
    MAX_SESSIONS_PER_PAGE, Report, ReportEvent, SessionFilter, TaskRef, cancel, chip_keys, list_sessions,
    status,
};
use test_support::eid::eid_text;
use test_support::inventory::{ChipCsv, NumberCsv, eid, key_of};
use test_support::operations::{ALLOWANCE, World, automatic, failed, progress, reason, run};
use test_support::settings::LINK_KEY;
use vault::unwrap;

#[test]
fn keys_are_found_by_the_eid_unless_the_chip_has_an_identity_of_its_own() {
    let world = World::new();
    let caller = world.stocked(1, 0);
    let own = ChipCsv {
        psk_identity: hex::encode("opaque"),
        psk: Some([0x11; 16]),
        ..ChipCsv::new(1)
    };
    assert_eq!(world.chips(&caller.id, &[own]).imported, 1);

    let diversified = run(chip_keys(&world.cx(), b"any text", Some(&eid(0)))).unwrap();
    assert_eq!((diversified.eid, diversified.key_version), (eid(0), 64));
    assert_eq!((diversified.psk_wrapped, diversified.dek_wrapped), (None, None));

    let explicit = run(chip_keys(&world.cx(), b"opaque", None)).unwrap();
    assert_eq!(explicit.eid, eid(1));
    assert_eq!(
        unwrap(&LINK_KEY, &explicit.psk_wrapped.unwrap())
            .unwrap()
            .as_slice(),
        [0x11; 16]
    );
    assert_eq!(
        unwrap(&LINK_KEY, &explicit.dek_wrapped.unwrap())
            .unwrap()
            .as_slice(),
        [0xee; 16]
    );

    assert_eq!(
        reason(run(chip_keys(&world.cx(), b"other", Some(&eid(1))))),
        Reason::UnknownChip
    );
    assert_eq!(
        reason(run(chip_keys(&world.cx(), b"other", Some(&eid(9))))),
        Reason::UnknownChip
    );
    assert_eq!(
        reason(run(chip_keys(&world.cx(), b"other", None))),
        Reason::UnknownChip
    );
}

// §6.2.3
#[test]
fn a_session_of_a_waiting_card_brings_the_data_and_starts_the_writing() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    let task = world.apply_auto(&caller, 0).unwrap().task_id;
    let (_, work) = world.open(0).unwrap();
    assert_eq!(
        (work.work, work.task_id, work.attempt, work.resume_step),
        (Work::Write, Some(task), 1, 0)
    );
    assert_eq!(
        (work.chip_model.as_str(), work.profile.as_str()),
        ("XK-1", "qibiao-seed")
    );
    assert_eq!(work.allowance_bytes, Some(ALLOWANCE));
    let data = work.data.unwrap();
    let number = NumberCsv::new(0);
    assert_eq!(
        (data.iccid.as_str(), data.msisdn.as_str()),
        (number.iccid.as_str(), number.msisdn.as_str())
    );
    assert_eq!(
        (data.imsi.as_str(), data.smsc.as_deref()),
        (number.imsi.as_str(), Some("+8613800100500"))
    );
    assert_eq!(
        unwrap(&LINK_KEY, &data.k_wrapped.unwrap()).unwrap().as_slice(),
        key_of(0, 0x4b)
    );
    assert_eq!(
        unwrap(&LINK_KEY, &data.opc_wrapped.unwrap()).unwrap().as_slice(),
        key_of(0, 0x0c)
    );
    let view = run(status(&world.cx(), &caller, &TaskRef::Task(task))).unwrap();
    let progress = view.task.unwrap().progress;
    assert_eq!((view.card_status, progress), (CardStatus::Writing, 0));
}

#[test]
fn a_chip_without_task_gets_a_session_with_nothing_to_do() {
    let world = World::new();
    world.stocked(1, 1);
    let (_, work) = world.open(0).unwrap();
    assert_eq!(
        (work.work, work.task_id, work.allowance_bytes),
        (Work::None, None, Some(ALLOWANCE))
    );
    assert!(work.data.is_none());
    assert_eq!(reason(world.open(7)), Reason::UnknownChip);
}

#[test]
fn the_same_session_opened_again_answers_the_same_and_changes_nothing() {
    let world = World::new();
    let caller = world.stocked(2, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session, first) = world.open(0).unwrap();
    world
        .report_event(session, 1, ReportEvent::Progress { step: 2, steps: 12 })
        .unwrap();
    let before = world.dump();
    let again = world.open_as(0, session).unwrap();
    assert_eq!(format!("{again:?}"), format!("{first:?}"));
    assert_eq!(world.dump(), before);
    assert_eq!(reason(world.open_as(1, session)), Reason::SessionConflict);
}

#[test]
fn a_broken_link_resumes_at_the_acknowledged_step_in_the_same_attempt() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (first, _) = world.open(0).unwrap();
    world
        .report_event(first, 1, ReportEvent::Progress { step: 5, steps: 12 })
        .unwrap();
    assert_eq!(progress(&world, &caller), 37);
    let (second, work) = world.open(0).unwrap();
    assert_eq!((work.work, work.attempt, work.resume_step), (Work::Write, 1, 5));
    world
        .report_event(second, 1, ReportEvent::Progress { step: 3, steps: 12 })
        .unwrap();
    assert_eq!(progress(&world, &caller), 37, "progress never goes down");
    assert_eq!(reason(world.open_as(0, first)), Reason::SessionSuperseded);
}

// §6.2.4.1, §6.2.4.2
#[test]
fn success_changes_card_task_number_history_and_callback_together() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session, _) = world.open(0).unwrap();
    assert!(
        world
            .report_event(session, 1, ReportEvent::Written)
            .unwrap()
            .go_on
    );
    assert_eq!(progress(&world, &caller), 90);

    let (session, work) = world.open(0).unwrap();
    assert_eq!((work.work, work.allowance_bytes), (Work::Verify, None));
    let data = work.data.unwrap();
    assert_eq!((data.k_wrapped, data.opc_wrapped), (None, None));
    assert_eq!(data.msisdn.as_str(), NumberCsv::new(0).msisdn);

    let answer = world.report_event(session, 1, ReportEvent::Verified).unwrap();
    assert_eq!((answer.go_on, answer.allowance_bytes), (true, None));
    let view = run(status(&world.cx(), &caller, &TaskRef::Eid(eid(0)))).unwrap();
    let progress = view.task.unwrap().progress;
    assert_eq!((view.card_status, progress), (CardStatus::Written, 100));
    assert_eq!(world.column("SELECT status FROM number"), ["written"]);
    assert_eq!(
        world.count("SELECT COUNT(*) FROM message WHERE state = 'pending'"),
        1
    );
    let steps = world.column("SELECT to_status || ' ' || actor FROM card_history ORDER BY seq");
    assert_eq!(steps[2..], ["3 gateway", "4 gateway"]);
}

#[test]
fn a_card_whose_number_does_not_communicate_stays_being_written() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session, _) = world.open(0).unwrap();
    world.report_event(session, 1, ReportEvent::Written).unwrap();
    let (session, _) = world.open(0).unwrap();
    let silent = ReportEvent::NotVerified {
        other_imsi: false,
        rewrite: false,
        detail: "not registered".to_owned(),
    };
    world.report_event(session, 1, silent).unwrap();
    let view = run(status(&world.cx(), &caller, &TaskRef::Eid(eid(0)))).unwrap();
    let progress = view.task.unwrap().progress;
    assert_eq!((view.card_status, progress), (CardStatus::Writing, 90));
    let open = "SELECT kind FROM incident WHERE closed_at IS NULL";
    assert_eq!(world.column(open), ["number_silent"]);
    let (session, work) = world.open(0).unwrap();
    assert_eq!(work.work, Work::Verify);
    world.report_event(session, 1, ReportEvent::Verified).unwrap();
    assert!(world.column(open).is_empty());
}

#[test]
fn a_card_that_lost_what_was_written_is_written_again_in_a_new_attempt() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (old, _) = world.open(0).unwrap();
    world
        .report_event(old, 1, ReportEvent::Progress { step: 12, steps: 12 })
        .unwrap();
    world.report_event(old, 2, ReportEvent::Written).unwrap();
    let (session, _) = world.open(0).unwrap();
    world
        .report_event(
            session,
            1,
            ReportEvent::NotVerified {
                other_imsi: false,
                rewrite: true,
                detail: "EF_IMSI".to_owned(),
            },
        )
        .unwrap();
    assert_eq!(progress(&world, &caller), 0);
    let (_, work) = world.open(0).unwrap();
    assert_eq!((work.work, work.attempt, work.resume_step), (Work::Write, 2, 0));
    assert!(work.data.unwrap().k_wrapped.is_some());
}

// §6.3 Table 2, §8.2.2
#[test]
fn a_failure_is_told_and_the_chip_keeps_the_number_for_its_next_application() {
    let world = World::new();
    let caller = world.stocked(2, 1);
    let first = world.fail_chip(&caller, 0, FailureKind::SecurityStatus);
    assert_eq!(
        world.column("SELECT status || ' ' || COALESCE(task_id, 'held') FROM number"),
        ["reserved held"]
    );
    assert_eq!(world.count("SELECT COUNT(*) FROM message"), 1);
    // Part of it may be on chip 0, so that chip 1 must not get it.
    assert_eq!(
        reason(world.apply_auto(&caller, 1)),
        Reason::ProvinceWithoutNumber
    );
    let second = world.apply_auto(&caller, 0).unwrap().task_id;
    assert_ne!(first, second);
    run(cancel(&world.cx(), &caller, &TaskRef::Eid(eid(0)))).unwrap();
    assert_eq!(
        world.column("SELECT status FROM number"),
        ["reserved"],
        "still held after a cancellation"
    );
}

#[test]
fn a_held_number_is_free_once_its_chip_holds_another() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.numbers(&[NumberCsv::of_province(5, "11")]);
    world.fail_chip(&caller, 0, FailureKind::CardError);
    world.apply(&caller, &automatic(&eid_text(0), "11")).unwrap();
    let (session, _) = world.open(0).unwrap();
    world.report_event(session, 1, ReportEvent::Written).unwrap();
    assert_eq!(
        world.count("SELECT COUNT(*) FROM number WHERE status = 'reserved'"),
        2
    );
    let (session, _) = world.open(0).unwrap();
    world.report_event(session, 1, ReportEvent::Verified).unwrap();
    assert_eq!(
        world.column("SELECT province || ' ' || status FROM number ORDER BY province"),
        ["11 written", "37 available"]
    );
}

// §8.2.2 Table 4
#[test]
fn a_faulty_chip_is_registered_and_never_written_again() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session, _) = world.open(0).unwrap();
    let event = ReportEvent::Failed {
        failure: FailureKind::MemoryProblem,
        detail: "SW 6581".to_owned(),
        chip_fault: true,
        status_word: Some("6581".to_owned()),
    };
    assert!(!world.report_event(session, 1, event).unwrap().go_on);
    assert_eq!(world.column("SELECT kind FROM incident"), ["chip_fault"]);
    let (session, work) = world.open(0).unwrap();
    assert_eq!(
        (work.work, work.task_id),
        (Work::Verify, None),
        "is the number on it?"
    );
    world.report_event(session, 1, ReportEvent::Verified).unwrap();
    assert_eq!(reason(world.open(0)), Reason::ChipFaulty);
    assert_eq!(reason(world.apply_auto(&caller, 0)), Reason::ChipFaulty);
}

#[test]
fn reports_that_do_not_fit_are_refused_and_change_nothing() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    let (idle, _) = world.open(0).unwrap();
    let before = world.dump();
    for event in [
        ReportEvent::Written,
        ReportEvent::Verified,
        failed(FailureKind::CardError),
    ] {
        assert_eq!(
            reason(world.report_event(idle, 1, event)),
            Reason::ReportOutOfOrder
        );
    }
    assert_eq!(world.dump(), before);

    world.apply_auto(&caller, 0).unwrap();
    let (write, _) = world.open(0).unwrap();
    let before = world.dump();
    let silent = ReportEvent::NotVerified {
        other_imsi: false,
        rewrite: true,
        detail: String::new(),
    };
    for event in [ReportEvent::Verified, silent] {
        assert_eq!(
            reason(world.report_event(write, 1, event)),
            Reason::ReportOutOfOrder
        );
    }
    for (step, steps) in [(2, 1), (0, 0), (1, u32::MAX)] {
        assert_eq!(
            reason(world.report_event(write, 1, ReportEvent::Progress { step, steps })),
            Reason::ReportMalformed
        );
    }
    assert_eq!(
        reason(world.report_event(world.session_id(), 1, ReportEvent::Written)),
        Reason::UnknownSession
    );
    let huge = Report {
        session_id: write,
        seq: 1,
        event: ReportEvent::Written,
        bytes_up: u64::MAX,
        bytes_down: 0,
        unopened: None,
    };
    assert_eq!(reason(world.report(&huge)), Reason::ReportMalformed);
    assert_eq!(world.dump(), before);
}

#[test]
fn a_late_report_changes_nothing() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session, _) = world.open(0).unwrap();
    world
        .report_event(session, 5, ReportEvent::Progress { step: 6, steps: 12 })
        .unwrap();
    let before = world.dump();
    world
        .report_event(session, 4, failed(FailureKind::CardError))
        .unwrap();
    assert_eq!(world.dump(), before);
}

#[test]
fn a_closed_session_takes_no_more_reports() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session, _) = world.open(0).unwrap();
    let closed = || ReportEvent::Closed {
        reason: "end of stream".to_owned(),
    };
    assert!(!world.report_event(session, 1, closed()).unwrap().go_on);
    let before = world.dump();
    assert!(!world.report_event(session, 1, closed()).unwrap().go_on);
    assert_eq!(world.dump(), before);
    assert_eq!(reason(world.open_as(0, session)), Reason::SessionClosed);
    assert_eq!(
        reason(world.report_event(session, 2, ReportEvent::Written)),
        Reason::SessionClosed
    );
    let view = run(status(&world.cx(), &caller, &TaskRef::Eid(eid(0)))).unwrap();
    assert_eq!(view.card_status, CardStatus::Writing);
    assert!(world.open(0).is_ok());
}

#[test]
fn a_number_suspended_meanwhile_is_not_written() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    world.execute("UPDATE number SET status = 'suspended'");
    let before = world.dump();
    assert_eq!(reason(world.open(0)), Reason::NumberSuspended);
    assert_eq!(world.dump(), before);
    run(cancel(&world.cx(), &caller, &TaskRef::Eid(eid(0)))).unwrap();
    assert_eq!(world.column("SELECT status FROM number"), ["suspended"]);
}

// §6.2.3
#[test]
fn every_session_keeps_why_it_ended() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let closed = |session, reason: &str| {
        let event = ReportEvent::Closed {
            reason: reason.to_owned(),
        };
        world.report_event(session, 1, event)
    };
    let (first, _) = world.open(0).unwrap();
    world.pass(1);
    let (second, _) = world.open(0).unwrap();
    // The newer session is known before the gateway notices that the link of the older one is gone.
    assert_eq!(reason(closed(first, "link_lost")), Reason::SessionSuperseded);
    closed(second, "Bad request!").unwrap();
    let filter = SessionFilter {
        limit: MAX_SESSIONS_PER_PAGE,
        ..SessionFilter::default()
    };
    let sessions = run(list_sessions(&world.cx(), &filter)).unwrap().sessions;
    let shown: Vec<_> = sessions
        .iter()
        .map(|session| (session.id, session.state, session.end_reason.as_deref()))
        .collect();
    assert_eq!(
        shown,
        [
            (second, "closed", Some("other")),
            (first, "superseded", Some("link_lost"))
        ]
    );
    assert_eq!(
        sessions[0].note.as_deref(),
        Some("Bad request!"),
        "the gateway's own words"
    );
    assert_eq!(sessions[0].eid.as_deref(), Some(eid_text(0).as_str()));
}

#[test]
fn what_a_gateway_cannot_carry_out_fails_the_task_in_its_first_session() {
    for kind in [
        "profile_unknown",
        "data_unusable",
        "keys_unusable",
        "keys_refused",
    ] {
        let failure = FailureKind::from_code(kind).unwrap();
        for verifying in [false, true] {
            let world = World::new();
            let caller = world.stocked(1, 1);
            let task = world.apply_auto(&caller, 0).unwrap().task_id;
            let (mut session, _) = world.open(0).unwrap();
            if verifying {
                world.report_event(session, 1, ReportEvent::Written).unwrap();
                session = world.open(0).unwrap().0;
            }
            let answer = world.report_event(session, 2, failed(failure)).unwrap();
            assert!(!answer.go_on, "{kind}");
            let shown = run(status(&world.cx(), &caller, &TaskRef::Task(task))).unwrap();
            let ended = shown.task.unwrap();
            assert_eq!(shown.card_status, CardStatus::Failed, "{kind}");
            assert_eq!(ended.failure, Some(failure.into()), "{kind}");
            // The next power-up finds no task, and may apply again.
            let (_, work) = world.open(0).unwrap();
            assert_eq!(work.task_id, None, "{kind}");
            assert!(world.apply_auto(&caller, 0).is_ok(), "{kind}");
        }
    }
}
