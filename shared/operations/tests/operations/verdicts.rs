//! What a session that verified a card says of it, and says again.

use domain::Work;
use domain::error::Reason;
use operations::ReportEvent;
use test_support::operations::{World, reason};

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
