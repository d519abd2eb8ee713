//! What a session that verified a card says of it, and says again.

use domain::error::Reason;
use domain::{FailureKind, Work};
use operations::ReportEvent;
use test_support::operations::{World, failed, reason};

// §6.2.4.1
#[test]
fn a_verification_that_asked_for_another_attempt_has_given_its_verdict() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let verdict = |rewrite: bool| ReportEvent::NotVerified {
        rewrite,
        other_imsi: false,
        detail: String::new(),
    };
    // The last attempt that one application has is the fifth.
    for attempt in 1..=4 {
        let (session, work) = world.open(0).unwrap();
        assert_eq!((work.work, work.attempt), (Work::Write, attempt));
        world.report_event(session, 1, ReportEvent::Written).unwrap();
        let (session, _) = world.open(0).unwrap();
        world.report_event(session, 1, verdict(true)).unwrap();
        for rewrite in [true, false] {
            let before = world.dump();
            assert_eq!(
                reason(world.report_event(session, 2, verdict(rewrite))),
                Reason::ReportOutOfOrder
            );
            assert_eq!(world.dump(), before);
        }
    }
    let (_, work) = world.open(0).unwrap();
    assert_eq!((work.work, work.attempt), (Work::Write, 5));
}

#[test]
fn the_steps_of_a_verification_are_no_progress_of_the_writing() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session, _) = world.open(0).unwrap();
    let last = ReportEvent::Progress { step: 12, steps: 12 };
    world.report_event(session, 1, last).unwrap();
    world.report_event(session, 2, ReportEvent::Written).unwrap();
    let (session, work) = world.open(0).unwrap();
    assert_eq!(work.work, Work::Verify);
    let progress = || world.column("SELECT step || ' ' || progress FROM task");
    let before = progress();
    for step in [1, 20] {
        let event = ReportEvent::Progress { step, steps: 20 };
        world.report_event(session, step.into(), event).unwrap();
        assert_eq!(progress(), before);
    }
}

// What was reported before may have sent the number.
#[test]
fn a_failure_returns_the_number_only_when_it_is_the_first_report_of_its_session() {
    for (first, status) in [(false, "reserved"), (true, "available")] {
        let world = World::new();
        let caller = world.stocked(1, 1);
        world.apply_auto(&caller, 0).unwrap();
        let (session, _) = world.open(0).unwrap();
        if !first {
            let progress = ReportEvent::Progress { step: 1, steps: 12 };
            world.report_event(session, 0, progress).unwrap();
        }
        world
            .report_event(session, 1, failed(FailureKind::ProfileUnknown))
            .unwrap();
        assert_eq!(world.column("SELECT status FROM number"), [status]);
    }
}
