//! Numbers that a chip holds without a task: the chip's next session looks whether they are on its card (§8.2 Table 4).

use domain::error::Reason;
use domain::{CardStatus, DAY_MS, FailureKind, Work};
use operations::{
    ActNote, ReportEvent, SessionFilter, TaskRef, Topic, end_task, list_sessions, register_fault, status,
};
use test_support::inventory::{NumberCsv, eid};
use test_support::operations::{World, failed, reason, run};

use super::faults::leaves_nothing_behind;
use super::operator_reports::{ingest_lines, line};

/// A verdict about the card.
fn not_verified(other_imsi: bool) -> ReportEvent {
    ReportEvent::NotVerified {
        rewrite: true,
        other_imsi,
        detail: "EF_IMSI".to_owned(),
    }
}

/// The states of the numbers, and whether each belongs to a chip.
fn numbers(world: &World) -> Vec<String> {
    world.column(
        "SELECT status || ' ' || CASE WHEN eid_index IS NULL THEN 0 ELSE 1 END FROM number ORDER BY imported_at, iccid_index",
    )
}

/// What the sessions of chip 0 read, the latest first.
fn verdicts(world: &World) -> Vec<Option<bool>> {
    let filter = SessionFilter {
        eid: Some(eid(0)),
        limit: 10,
        ..SessionFilter::default()
    };
    let page = run(list_sessions(&world.cx(), &filter)).unwrap();
    page.sessions.iter().map(|session| session.other_imsi).collect()
}

#[test]
fn a_number_goes_home_when_a_later_session_of_its_chip_reads_another_imsi() {
    let world = World::new();
    let caller = world.stocked(2, 1);
    world.fail_chip(&caller, 0, FailureKind::FileRefused);
    assert_eq!(numbers(&world), ["reserved 1"]);
    assert_eq!(
        reason(world.apply_auto(&caller, 1)),
        Reason::ProvinceWithoutNumber
    );

    let (session, work) = world.open(0).unwrap();
    assert_eq!((work.work, work.task_id), (Work::Verify, None));
    let data = work.data.unwrap();
    assert_eq!(data.iccid.as_str(), NumberCsv::new(0).iccid);
    assert!(
        data.k_wrapped.is_none() && data.opc_wrapped.is_none(),
        "no key leaves"
    );
    assert!(work.allowance_bytes.is_some(), "the temporary number carries it");
    let before = world.count("SELECT used_bytes FROM chip ORDER BY used_bytes DESC LIMIT 1");
    let answer = world.report_event(session, 1, not_verified(true)).unwrap();
    assert!(!answer.go_on, "there is nothing to write");
    let after = world.count("SELECT used_bytes FROM chip ORDER BY used_bytes DESC LIMIT 1");
    assert!(after >= before);
    assert_eq!(numbers(&world), ["available 0"]);
    assert_eq!(verdicts(&world)[0], Some(true), "the evidence is kept");
    // The report again changes nothing.
    world.report_event(session, 1, not_verified(true)).unwrap();

    assert!(world.apply_auto(&caller, 1).is_ok(), "another chip gets it");
    assert_eq!(world.open(0).unwrap().1.work, Work::None);
}

#[test]
fn a_number_that_is_on_the_card_or_may_be_stays_with_its_chip_and_is_looked_for_once() {
    for verdict in [
        ReportEvent::Verified,
        not_verified(false),
        failed(FailureKind::RfmApplicationMissing),
    ] {
        let world = World::new();
        let caller = world.stocked(1, 1);
        world.fail_chip(&caller, 0, FailureKind::FileRefused);
        let (session, _) = world.open(0).unwrap();
        assert!(!world.report_event(session, 1, verdict.clone()).unwrap().go_on);
        assert_eq!(numbers(&world), ["reserved 1"], "{verdict:?}");
        assert_eq!(verdicts(&world)[0], Some(false));
        assert_eq!(world.open(0).unwrap().1.work, Work::None, "{verdict:?}");
        let view = run(status(&world.cx(), &caller, &TaskRef::Eid(eid(0)))).unwrap();
        assert_eq!(view.card_status, CardStatus::Failed, "the card is as it was");
        // Its next application gets it back.
        world.apply_auto(&caller, 0).unwrap();
        assert_eq!(numbers(&world), ["reserved 1"]);
    }
}

#[test]
fn a_session_that_broke_before_its_verdict_is_followed_by_another_look() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.fail_chip(&caller, 0, FailureKind::FileRefused);
    let (session, _) = world.open(0).unwrap();
    let closed = ReportEvent::Closed {
        reason: "idle".to_owned(),
    };
    world.report_event(session, 1, closed).unwrap();
    assert_eq!(verdicts(&world)[0], None);
    let (session, work) = world.open(0).unwrap();
    assert_eq!(work.work, Work::Verify);
    assert_eq!(
        reason(world.report_event(session, 1, ReportEvent::Written)),
        Reason::ReportOutOfOrder
    );
    assert_eq!(
        world.open_as(0, session).unwrap().data.unwrap().iccid.as_str(),
        NumberCsv::new(0).iccid,
        "asked again, it gets the same answer"
    );
}

#[test]
fn a_faulty_chip_gives_its_number_back_by_the_same_evidence_and_does_nothing_else() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    world.open(0).unwrap();
    run(register_fault(&world.cx(), &eid(0), true)).unwrap();
    let (session, work) = world.open(0).unwrap();
    assert_eq!((work.work, work.task_id), (Work::Verify, None));
    world.report_event(session, 1, not_verified(true)).unwrap();
    assert_eq!(numbers(&world), ["available 0"]);
    assert_eq!(reason(world.open(0)), Reason::ChipFaulty);
}

#[test]
fn a_number_that_no_session_sent_is_not_looked_for() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    let task = world.apply_auto(&caller, 0).unwrap().task_id;
    let note = ActNote {
        person: "王芳",
        text: "客户撤单",
    };
    run(end_task(&world.cx(), &TaskRef::Task(task), &note)).unwrap();
    assert_eq!(numbers(&world), ["available 0"]);
    assert_eq!(world.open(0).unwrap().1.work, Work::None);
}

#[test]
fn what_an_operator_reports_again_and_again_causes_no_second_look() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.fail_chip(&caller, 0, FailureKind::FileRefused);
    let (session, _) = world.open(0).unwrap();
    world.report_event(session, 1, not_verified(false)).unwrap();
    for _ in 0..2 {
        world.pass(DAY_MS);
        let rest = format!(
            r#""status":"active","as_of":"{}""#,
            world.time().to_rfc3339(&world.zone)
        );
        assert_eq!(ingest_lines(&world, Topic::Status, &[line(0, &rest)]).accepted, 1);
        assert_eq!(world.open(0).unwrap().1.work, Work::None);
    }
    // Another task is another reason to look.
    world.fail_chip(&caller, 0, FailureKind::FileRefused);
    assert_eq!(world.open(0).unwrap().1.work, Work::Verify);
}

/// The report of a gateway that cannot carry the work of a session out, for a reason that is not the number's.
fn unable() -> ReportEvent {
    failed(FailureKind::ProfileUnknown)
}

// Table 4: a number that no gateway ever sent goes home at once when its task ends.
#[test]
fn a_number_that_its_gateway_could_not_send_goes_home_when_its_task_fails() {
    for kind in [FailureKind::ProfileUnknown, FailureKind::KeysUnusable] {
        let world = World::new();
        let caller = world.stocked(2, 1);
        world.fail_chip(&caller, 0, kind);
        assert_eq!(numbers(&world), ["available 0"], "{kind:?}");
        let card = run(status(&world.cx(), &caller, &TaskRef::Eid(eid(0)))).unwrap();
        assert_eq!(card.card_status, CardStatus::Failed);
        // Its chip holds nothing, and another one can be written with it.
        assert_eq!(world.open(0).unwrap().1.work, Work::None);
        world.write_chip(&caller, 1);
        assert_eq!(numbers(&world), ["written 1"]);
    }
}

#[test]
fn a_number_that_the_gateway_cannot_encode_stays_with_its_chip() {
    let world = World::new();
    let caller = world.stocked(2, 1);
    world.fail_chip(&caller, 0, FailureKind::DataUnusable);
    assert_eq!(numbers(&world), ["reserved 1"]);
    assert_eq!(
        reason(world.apply_auto(&caller, 1)),
        Reason::ProvinceWithoutNumber
    );
}

#[test]
fn what_another_session_was_given_or_this_one_reported_before_stays_with_the_chip() {
    // A session before it, of which nothing was heard: another gateway may have sent something.
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (silent, _) = world.open(0).unwrap();
    let (session, _) = world.open(0).unwrap();
    world.report_event(session, 1, unable()).unwrap();
    assert_eq!(numbers(&world), ["reserved 1"]);
    assert_eq!(
        reason(world.report_event(silent, 1, unable())),
        Reason::SessionSuperseded
    );
    assert_eq!(numbers(&world), ["reserved 1"]);

    // An earlier task: the number that the chip holds is written again.
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.fail_chip(&caller, 0, FailureKind::CardError);
    world.fail_chip(&caller, 0, FailureKind::ProfileUnknown);
    assert_eq!(numbers(&world), ["reserved 1"]);

    // The card was written, and the gateway that is to verify it cannot.
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session, _) = world.open(0).unwrap();
    world.report_event(session, 1, ReportEvent::Written).unwrap();
    let (session, _) = world.open(0).unwrap();
    world.report_event(session, 1, unable()).unwrap();
    assert_eq!(numbers(&world), ["reserved 1"]);

    // Steps of the session, after which the gateway must not say so any more.
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session, _) = world.open(0).unwrap();
    let progress = ReportEvent::Progress { step: 0, steps: 12 };
    world.report_event(session, 1, progress).unwrap();
    world.report_event(session, 2, unable()).unwrap();
    assert_eq!(numbers(&world), ["reserved 1"]);
}

#[test]
fn a_suspended_number_that_was_not_sent_leaves_its_chip_and_stays_suspended() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session, _) = world.open(0).unwrap();
    let suspended = r#""status":"suspended","as_of":"2026-07-01T07:01:00+08:00""#;
    assert_eq!(
        ingest_lines(&world, Topic::Status, &[line(0, suspended)]).accepted,
        1
    );
    world.report_event(session, 1, unable()).unwrap();
    assert_eq!(numbers(&world), ["suspended 0"]);
}

#[test]
fn a_number_that_was_not_sent_goes_home_whole_or_not_at_all() {
    let arrange = || {
        let world = World::new();
        let caller = world.stocked(1, 1);
        world.apply_auto(&caller, 0).unwrap();
        let (session, _) = world.open(0).unwrap();
        (world, session)
    };
    leaves_nothing_behind("unable", arrange, |world, session| {
        world.report_event(*session, 1, unable()).map(drop)
    });
}

#[test]
fn a_session_that_looks_for_a_held_number_and_asks_again_gets_it_only_while_it_is_held() {
    let looking = || {
        let world = World::new();
        let caller = world.stocked(1, 1);
        world.fail_chip(&caller, 0, FailureKind::FileRefused);
        let (session, work) = world.open(0).unwrap();
        assert_eq!((work.work, work.task_id), (Work::Verify, None));
        let again = world.open_as(0, session).unwrap();
        assert_eq!(again.data.unwrap().iccid, work.data.unwrap().iccid);
        (world, caller, session)
    };
    // A task has taken it.
    let (world, caller, session) = looking();
    world.apply_auto(&caller, 0).unwrap();
    assert_eq!(reason(world.open_as(0, session)), Reason::NumberSuspended);
    // It has gone home.
    let (world, _, session) = looking();
    world.execute("UPDATE number SET status = 'available', eid_index = NULL");
    assert_eq!(reason(world.open_as(0, session)), Reason::NumberSuspended);
}
