//! The test allowance (§5.2.1.2): what it pays for, when it ends sessions, and that it never goes up.

use domain::error::Reason;
use domain::{CardStatus, FailureKind, Work};
use operations::{Report, ReportEvent, TaskRef, status};
use test_support::inventory::eid;
use test_support::operations::{ALLOWANCE, World, failed, progress, reason, run};

// §5.2.1.2
#[test]
fn the_allowance_is_deducted_by_difference_and_a_repeated_report_changes_nothing() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session_id, _) = world.open(0).unwrap();
    let at = |seq, bytes_up, bytes_down| Report {
        session_id,
        seq,
        event: ReportEvent::Progress { step: 1, steps: 2 },
        bytes_up,
        bytes_down,
        unopened: None,
    };
    assert_eq!(
        world.report(&at(1, 100, 200)).unwrap().allowance_bytes,
        Some(ALLOWANCE - 300)
    );
    let before = world.dump();
    assert_eq!(
        world.report(&at(1, 100, 200)).unwrap().allowance_bytes,
        Some(ALLOWANCE - 300)
    );
    assert_eq!(world.dump(), before);
    assert_eq!(
        world.report(&at(2, 150, 200)).unwrap().allowance_bytes,
        Some(ALLOWANCE - 350)
    );
    // Counts never go back, whatever a report says.
    assert_eq!(
        world.report(&at(3, 0, 0)).unwrap().allowance_bytes,
        Some(ALLOWANCE - 350)
    );
    assert_eq!(
        world.report(&at(4, 151, 200)).unwrap().allowance_bytes,
        Some(ALLOWANCE - 351)
    );
    let (_, work) = world.open(0).unwrap();
    assert_eq!(work.allowance_bytes, Some(ALLOWANCE - 351));
}

// §5.2.1.2, §8.2.4 Table 6
#[test]
fn an_exhausted_chip_is_stopped_and_gets_no_further_session() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session_id, _) = world.open(0).unwrap();
    let event = ReportEvent::Progress { step: 1, steps: 12 };
    let report = Report {
        session_id,
        seq: 1,
        event,
        bytes_up: ALLOWANCE,
        bytes_down: 1,
        unopened: None,
    };
    let answer = world.report(&report).unwrap();
    assert_eq!((answer.go_on, answer.allowance_bytes), (false, Some(0)));
    assert!(!world.report(&report).unwrap().go_on);
    assert_eq!(reason(world.open(0)), Reason::AllowanceExhausted);
    assert_eq!(reason(world.open(0)), Reason::AllowanceExhausted);
    assert_eq!(world.column("SELECT kind FROM incident"), ["allowance_exhausted"]);
    let view = run(status(&world.cx(), &caller, &TaskRef::Eid(eid(0)))).unwrap();
    assert_eq!(view.card_status, CardStatus::Failed);
    assert_eq!(
        world.column("SELECT state FROM message"),
        ["pending"],
        "the client gets one message"
    );
}

#[test]
fn verifying_costs_no_allowance_and_works_without_any() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session_id, _) = world.open(0).unwrap();
    let report = Report {
        session_id,
        seq: 1,
        event: ReportEvent::Written,
        bytes_up: ALLOWANCE,
        bytes_down: 0,
        unopened: None,
    };
    assert!(!world.report(&report).unwrap().go_on);
    let (session, work) = world.open(0).unwrap();
    assert_eq!((work.work, work.allowance_bytes), (Work::Verify, None));
    assert!(
        world
            .report_event(session, 1, ReportEvent::Verified)
            .unwrap()
            .go_on
    );
    assert_eq!(
        world.count("SELECT used_bytes FROM chip"),
        i64::try_from(ALLOWANCE).unwrap()
    );
}

// §5.2.1.2: a session that cannot have gone over the operator number is paid for like any other
#[test]
fn a_verification_that_fails_costs_allowance_after_all() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session_id, _) = world.open(0).unwrap();
    world.report_event(session_id, 1, ReportEvent::Written).unwrap();
    let (session_id, _) = world.open(0).unwrap();
    let report = |seq, event, bytes_up| Report {
        session_id,
        seq,
        event,
        bytes_up,
        bytes_down: 100,
        unopened: None,
    };
    let used = || world.count("SELECT used_bytes FROM chip");
    let before = used();
    world
        .report(&report(1, ReportEvent::Progress { step: 1, steps: 2 }, 400))
        .unwrap();
    assert_eq!(used(), before);
    let silent = ReportEvent::NotVerified {
        other_imsi: false,
        detail: "not registered".into(),
        rewrite: false,
    };
    world.report(&report(2, silent, 900)).unwrap();
    assert_eq!(used(), before + 1_000);
    world
        .report(&report(
            3,
            ReportEvent::Closed {
                reason: "idle".into(),
            },
            950,
        ))
        .unwrap();
    assert_eq!(used(), before + 1_050);
}

#[test]
fn a_session_that_the_allowance_no_longer_covers_opens_an_incident() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session_id, _) = world.open(0).unwrap();
    world
        .report_event(
            session_id,
            1,
            ReportEvent::Closed {
                reason: "allowance_exhausted".into(),
            },
        )
        .unwrap();
    assert_eq!(
        world.count("SELECT COUNT(*) FROM incident WHERE kind = 'allowance_exhausted'"),
        1
    );
}

#[test]
fn a_superseded_session_is_refused_but_what_it_cost_is_deducted() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (old, _) = world.open(0).unwrap();
    let (new, _) = world.open(0).unwrap();
    assert_eq!(
        reason(world.report_event(old, 1, ReportEvent::Written)),
        Reason::SessionSuperseded
    );
    assert_eq!(
        reason(world.report_event(old, 2, failed(FailureKind::CardError))),
        Reason::SessionSuperseded
    );
    assert_eq!(world.count("SELECT used_bytes FROM chip"), 6_000);
    assert_eq!(progress(&world, &caller), 0);
    assert!(world.report_event(new, 1, ReportEvent::Written).unwrap().go_on);
}
