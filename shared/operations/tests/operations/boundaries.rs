//! The last value that is taken and the first that is not: what an application and a session need, and what a gateway
//! may report.

use domain::error::{Error, Reason};
use domain::{FailureKind, SessionId, Work};
use operations::{Caller, Report, ReportAnswer, ReportEvent, SessionFilter, list_sessions};
use test_support::operations::{World, reason, run};

/// Largest byte count of a session, and most steps of a script.
const MOST_BYTES: u64 = 1 << 40;
const MOST_STEPS: u32 = 10_000;

/// A chip that has so much of its test allowance left, in bytes.
fn with_allowance(bytes: u32) -> (World, Caller) {
    let world = World::new();
    let caller = world.stocked(1, 1);
    leave(&world, bytes);
    (world, caller)
}

fn leave(world: &World, bytes: u32) {
    world.execute(&format!("UPDATE chip SET used_bytes = allowance_bytes - {bytes}"));
}

/// A card whose writing has begun.
fn writing() -> (World, SessionId) {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session, work) = world.open(0).unwrap();
    assert_eq!(work.work, Work::Write);
    (world, session)
}

fn report(
    world: &World,
    session_id: SessionId,
    event: ReportEvent,
    bytes: (u64, u64),
) -> Result<ReportAnswer, Error> {
    world.report(&Report {
        session_id,
        seq: 1,
        event,
        bytes_up: bytes.0,
        bytes_down: bytes.1,
        unopened: None,
    })
}

// §6.2.1.3
#[test]
fn an_application_needs_32_kib_of_test_allowance_and_a_session_1_kib() {
    let (world, caller) = with_allowance(32 * 1024 - 1);
    assert_eq!(reason(world.apply_auto(&caller, 0)), Reason::AllowanceExhausted);
    let (world, caller) = with_allowance(32 * 1024);
    world.apply_auto(&caller, 0).unwrap();

    leave(&world, 1023);
    assert_eq!(reason(world.open(0)), Reason::AllowanceExhausted);
    leave(&world, 1024);
    assert_eq!(world.open(0).unwrap().1.allowance_bytes, Some(1024));
}

#[test]
fn a_session_reports_a_tebibyte_in_each_direction_and_not_a_byte_more() {
    let (world, session) = writing();
    let written = || ReportEvent::Written;
    for bytes in [(MOST_BYTES + 1, 0), (0, MOST_BYTES + 1)] {
        let refused = report(&world, session, written(), bytes);
        assert_eq!(reason(refused), Reason::ReportMalformed);
    }
    assert!(report(&world, session, written(), (MOST_BYTES, MOST_BYTES)).is_ok());
    let stored = "SELECT bytes_up || ' ' || bytes_down FROM device_session";
    assert_eq!(world.column(stored), [format!("{MOST_BYTES} {MOST_BYTES}")]);
}

#[test]
fn a_script_has_from_one_step_to_ten_thousand_and_none_is_beyond_the_last() {
    for (step, steps, is_taken) in [
        (0, 0, false),
        (0, 1, true),
        (1, 1, true),
        (2, 1, false),
        (MOST_STEPS, MOST_STEPS, true),
        (1, MOST_STEPS + 1, false),
    ] {
        let (world, session) = writing();
        let taken = report(&world, session, ReportEvent::Progress { step, steps }, (0, 0));
        assert_eq!(taken.is_ok(), is_taken, "{step} of {steps}");
        if is_taken {
            assert_eq!(world.count("SELECT step FROM task"), i64::from(step));
        }
    }
}

#[test]
fn a_marker_of_a_power_up_is_up_to_32_digits_in_lower_case() {
    for (marker, is_taken) in [
        ("0", true),
        ("09af", true),
        (&"f".repeat(32) as &str, true),
        (&"f".repeat(33), false),
        ("", false),
        ("0/", false),
        ("0:", false),
        ("a`", false),
        ("ag", false),
        ("AF", false),
    ] {
        let (world, session) = writing();
        let event = ReportEvent::PoweredUp {
            marker: marker.to_owned(),
        };
        let taken = report(&world, session, event, (0, 0));
        assert_eq!(taken.is_ok(), is_taken, "{marker}");
    }
}

#[test]
fn a_number_of_a_report_that_the_database_cannot_hold_is_refused() {
    let (world, session_id) = writing();
    let at = |seq| Report {
        session_id,
        seq,
        event: ReportEvent::Progress { step: 1, steps: 2 },
        bytes_up: 0,
        bytes_down: 0,
        unopened: None,
    };
    let last = u64::try_from(i64::MAX).unwrap();
    assert_eq!(reason(world.report(&at(last + 1))), Reason::ReportMalformed);
    assert!(world.report(&at(last)).unwrap().go_on);
}

#[test]
fn a_status_word_is_four_digits_in_capitals_and_another_text_is_not_kept() {
    for (status_word, is_kept) in [
        ("6F00", true),
        ("9AF9", true),
        ("6F0", false),
        ("6F000", false),
        ("6f00", false),
        ("6G00", false),
        ("6/00", false),
        ("6:00", false),
        ("6@00", false),
    ] {
        let (world, session) = writing();
        let event = ReportEvent::Failed {
            failure: FailureKind::MemoryProblem,
            detail: String::new(),
            chip_fault: true,
            status_word: Some(status_word.to_owned()),
        };
        report(&world, session, event, (0, 0)).unwrap();
        let kept = world.count("SELECT COUNT(status_word) FROM chip_fault") == 1;
        assert_eq!(kept, is_kept, "{status_word}");
    }
}

#[test]
fn of_a_long_address_256_characters_are_kept_and_of_a_long_note_512() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let session = world.session_id();
    world.open_from(0, session, &"端".repeat(300)).unwrap();
    let event = ReportEvent::Failed {
        failure: FailureKind::CardError,
        detail: "卡".repeat(600),
        chip_fault: false,
        status_word: None,
    };
    report(&world, session, event, (0, 0)).unwrap();
    let filter = SessionFilter {
        limit: 1,
        ..SessionFilter::default()
    };
    let page = run(list_sessions(&world.cx(), &filter)).unwrap();
    assert_eq!(page.sessions[0].peer, "端".repeat(256));
    assert_eq!(page.sessions[0].note, Some("卡".repeat(512)));
}
