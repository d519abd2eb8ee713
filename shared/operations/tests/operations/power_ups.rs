//! §5.2.1.2: one request to be written per power-up, as far as the platform can see it; what sessions over the operator
//! number cost; and how the test allowance is raised.

use domain::error::Reason;
use domain::{CardStatus, FailureKind, HOUR_MS, MINUTE_MS, SECOND_MS, SessionId, Volume, Work};
use operations::{ActNote, PowerUpLimits, Report, ReportEvent, TaskRef, card_history, status, top_up};
use test_support::inventory::eid;
use test_support::operations::{ALLOWANCE, World, failed, reason, run};

use super::faults::leaves_nothing_behind;
use super::incidents::{alerts, open_kinds};

const NOTE: ActNote<'static> = ActNote {
    person: "王芳",
    text: "测试流量不足",
};

fn limited() -> World {
    let world = World::new();
    world.power_ups.set(PowerUpLimits {
        gap_secs: 60,
        per_hour: 20,
    });
    world
}

fn close(world: &World, session: SessionId, seq: u64, reason: &str) {
    let end = ReportEvent::Closed {
        reason: reason.to_owned(),
    };
    world.report_event(session, seq, end).unwrap();
}

/// A session that failed the writing, and another application for the chip.
fn failed_once(world: &World) {
    let caller = world.stocked(1, 2);
    world.apply_auto(&caller, 0).unwrap();
    let (session, _) = world.open(0).unwrap();
    world
        .report_event(session, 1, failed(FailureKind::CardError))
        .unwrap();
    close(world, session, 2, "failed");
    world.apply_auto(&caller, 0).unwrap();
}

// §5.2.1.2: 每次卡片上电后仅请求一次写卡流量
#[test]
fn a_chip_that_asks_again_within_a_minute_of_a_failure_gets_nothing_to_do() {
    let world = limited();
    failed_once(&world);
    world.pass(60 * SECOND_MS - 1);
    let (session, work) = world.open(0).unwrap();
    assert_eq!((work.work, work.task_id), (Work::None, None));
    assert!(work.data.is_none());
    let again = world.open_as(0, session).unwrap();
    assert_eq!((again.work, again.task_id), (Work::None, None));
    assert!(again.data.is_none());
    assert_eq!(
        world.column("SELECT state FROM task ORDER BY seq"),
        ["failed", "waiting"]
    );
    assert_eq!(
        reason(world.report_event(session, 1, ReportEvent::Written)),
        Reason::ReportOutOfOrder
    );
    assert_eq!(
        reason(world.report_event(session, 1, failed(FailureKind::CardError))),
        Reason::ReportOutOfOrder
    );
    close(&world, session, 2, "nothing_to_do");
    world.pass(1);
    let (_, work) = world.open(0).unwrap();
    assert_eq!(work.work, Work::Write, "the next power-up");
}

#[test]
fn a_fresh_session_soon_after_one_that_did_not_fail_goes_on() {
    for reason in ["link_lost", "idle", "card_busy", "shutdown"] {
        let world = limited();
        let caller = world.stocked(1, 1);
        world.apply_auto(&caller, 0).unwrap();
        let (session, _) = world.open(0).unwrap();
        close(&world, session, 1, reason);
        world.pass(SECOND_MS);
        assert_eq!(world.open(0).unwrap().1.work, Work::Write, "{reason}");
        assert_eq!(world.open(0).unwrap().1.work, Work::Write, "{reason}: superseded");
    }
}

#[test]
fn a_session_that_resumes_and_a_verification_are_never_refused() {
    let world = limited();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session, _) = world.open(0).unwrap();
    close(&world, session, 1, "bad_request");
    let (session, work) = world.resume(0).unwrap();
    assert_eq!(work.work, Work::Write);
    world.report_event(session, 1, ReportEvent::Written).unwrap();
    close(&world, session, 2, "bad_request");
    assert_eq!(world.open(0).unwrap().1.work, Work::Verify);
}

/// Reports by which power-up a session came, and gives whether it goes on.
fn came_by(world: &World, session: SessionId, marker: &str) -> bool {
    let marker = marker.to_owned();
    let event = ReportEvent::PoweredUp { marker };
    world.report_event(session, 1, event).unwrap().go_on
}

#[test]
fn a_card_that_names_its_power_up_gets_no_second_try_after_a_failure_before_the_next_one() {
    let world = limited();
    let caller = world.stocked(1, 3);
    world.apply_auto(&caller, 0).unwrap();
    let (session, _) = world.open(0).unwrap();
    assert!(came_by(&world, session, "0007"));
    world
        .report_event(session, 2, failed(FailureKind::CardError))
        .unwrap();
    close(&world, session, 3, "failed");
    world.apply_auto(&caller, 0).unwrap();
    // The counter decides, not the time.
    let (session, work) = world.open(0).unwrap();
    assert_eq!(work.work, Work::Write);
    assert!(!came_by(&world, session, "0007"));
    assert!(!came_by(&world, session, "0007"), "the answer was lost");
    close(&world, session, 2, "stopped_by_platform");
    world.pass(HOUR_MS);
    let (session, _) = world.open(0).unwrap();
    assert!(came_by(&world, session, "0008"));
    close(&world, session, 2, "link_lost");
    let (session, _) = world.open(0).unwrap();
    assert!(came_by(&world, session, "0008"), "the last one did not fail");
    close(&world, session, 2, "bad_request");
    let (session, _) = world.resume(0).unwrap();
    assert!(came_by(&world, session, "0008"), "it resumes");
}

#[test]
fn what_is_no_marker_of_a_power_up_is_refused() {
    let world = limited();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session, _) = world.open(0).unwrap();
    for marker in ["", "0G", "AB", &"0".repeat(33)] {
        let marker = marker.to_owned();
        let refused = world.report_event(session, 1, ReportEvent::PoweredUp { marker });
        assert_eq!(reason(refused), Reason::ReportMalformed);
    }
}

#[test]
fn the_time_of_one_power_up_is_a_setting_and_none_turns_it_off() {
    let world = limited();
    failed_once(&world);
    world.power_ups.set(PowerUpLimits {
        gap_secs: 0,
        per_hour: 0,
    });
    assert_eq!(world.open(0).unwrap().1.work, Work::Write);
}

// §8.2.4 Table 6
#[test]
fn a_chip_that_asks_more_often_than_its_limit_within_an_hour_has_a_module_that_does_not_fit() {
    let world = limited();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    for _ in 0..20 {
        world.open(0).unwrap();
        world.resume(0).unwrap();
        world.pass(2 * MINUTE_MS);
    }
    assert!(open_kinds(&world).is_empty());
    assert_eq!(
        world.open(0).unwrap().1.work,
        Work::Write,
        "an incident, not a refusal"
    );
    assert_eq!(open_kinds(&world), ["module_incompatible"]);
}

#[test]
fn power_ups_that_are_more_than_an_hour_apart_are_no_incident() {
    let world = limited();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    for _ in 0..60 {
        world.open(0).unwrap();
        world.pass(HOUR_MS / 20);
    }
    assert!(open_kinds(&world).is_empty());
}

fn used(world: &World) -> i64 {
    world.count("SELECT used_bytes FROM chip")
}

/// Reports an event of a session that has cost so many bytes so far.
fn spend(world: &World, session_id: SessionId, seq: u64, event: ReportEvent, bytes_up: u64) {
    let report = Report {
        session_id,
        seq,
        event,
        bytes_up,
        bytes_down: 0,
        unopened: None,
    };
    world.report(&report).unwrap();
}

/// A card that is to be verified, one session of which has ended without a verdict after 700 bytes.
fn undecided() -> World {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session, _) = world.open(0).unwrap();
    spend(&world, session, 1, ReportEvent::Written, 0);
    let (session, _) = world.open(0).unwrap();
    let lost = ReportEvent::Closed {
        reason: "link_lost".to_owned(),
    };
    spend(&world, session, 1, lost, 700);
    assert_eq!(used(&world), 0, "set aside");
    world
}

#[test]
fn what_a_verification_without_a_verdict_cost_is_forgotten_when_the_card_has_its_number() {
    let world = undecided();
    let (session, _) = world.open(0).unwrap();
    spend(&world, session, 1, ReportEvent::Verified, 300);
    assert_eq!(used(&world), 0);
}

#[test]
fn what_a_verification_without_a_verdict_cost_is_deducted_when_the_card_does_not_have_its_number() {
    let world = undecided();
    let (session, _) = world.open(0).unwrap();
    let differs = ReportEvent::NotVerified {
        rewrite: true,
        other_imsi: false,
        detail: String::new(),
    };
    spend(&world, session, 1, differs, 300);
    assert_eq!(used(&world), 1_000);
    let (session, _) = world.open(0).unwrap();
    spend(
        &world,
        session,
        1,
        ReportEvent::Progress { step: 1, steps: 2 },
        50,
    );
    assert_eq!(used(&world), 1_050, "and not again");
}

#[test]
fn sessions_of_a_written_card_go_over_its_number_and_cost_nothing() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.write_chip(&caller, 0);
    world.execute("UPDATE chip SET used_bytes = allowance_bytes");
    let before = used(&world);
    let (session, work) = world.open(0).unwrap();
    assert_eq!((work.work, work.allowance_bytes), (Work::None, None));
    close(&world, session, 1, "nothing_to_do");
    assert_eq!(used(&world), before);
    assert!(open_kinds(&world).is_empty());
}

#[test]
fn a_chip_without_a_task_that_has_used_half_its_allowance_is_told_once() {
    let world = World::new();
    world.stocked(1, 0);
    let half = ALLOWANCE / 2;
    let (session, _) = world.open(0).unwrap();
    let step = || ReportEvent::Closed {
        reason: "nothing_to_do".to_owned(),
    };
    spend(&world, session, 1, step(), half - 1);
    assert!(alerts(&world).is_empty());
    for _ in 0..2 {
        let (session, _) = world.open(0).unwrap();
        spend(&world, session, 1, step(), 100);
    }
    assert_eq!(alerts(&world), ["allowance_half_used"]);
    run(top_up(&world.cx(), &eid(0), megabytes("5"), &NOTE)).unwrap();
    let (session, _) = world.open(0).unwrap();
    spend(&world, session, 1, step(), ALLOWANCE - 10_000);
    assert_eq!(
        alerts(&world),
        ["allowance_half_used"; 2],
        "of what it was given since"
    );
}

#[test]
fn a_chip_that_uses_half_its_allowance_for_its_task_is_no_alert() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session, _) = world.open(0).unwrap();
    spend(
        &world,
        session,
        1,
        ReportEvent::Progress { step: 1, steps: 2 },
        ALLOWANCE - 100_000,
    );
    assert!(alerts(&world).is_empty());
}

fn megabytes(text: &str) -> Volume {
    Volume::parse_test_allowance(text).unwrap()
}

// §8.2.4 Table 6: 运营方核实测试流量，必要时补充流量
#[test]
fn an_operator_tops_the_allowance_up_in_any_state_and_the_history_says_who_and_why() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session, _) = world.open(0).unwrap();
    spend(
        &world,
        session,
        1,
        ReportEvent::Progress { step: 1, steps: 2 },
        ALLOWANCE,
    );
    assert_eq!(open_kinds(&world), ["allowance_exhausted"]);
    assert!(run(top_up(&world.cx(), &eid(0), megabytes("2"), &NOTE)).unwrap());
    assert!(open_kinds(&world).is_empty());
    assert!(
        !run(top_up(&world.cx(), &eid(0), megabytes("2"), &NOTE)).unwrap(),
        "again"
    );
    assert_eq!(world.open(0).unwrap().1.allowance_bytes, Some(2_000_000));
    let view = run(status(&world.cx(), &caller, &TaskRef::Eid(eid(0)))).unwrap();
    assert_eq!(view.card_status, CardStatus::Writing);
    let step = run(card_history(&world.cx(), &eid(0))).unwrap().0.remove(0);
    assert_eq!(
        (step.from, step.to),
        (Some(CardStatus::Writing), CardStatus::Writing)
    );
    assert_eq!(
        (step.actor.as_str(), step.reason.as_str()),
        ("admin", "allowance_topped_up")
    );
    assert_eq!(
        (step.person.as_deref(), step.note.as_deref()),
        (Some("王芳"), Some("测试流量不足"))
    );
}

#[test]
fn a_top_up_never_lowers_the_allowance() {
    let world = World::new();
    world.stocked(1, 0);
    let before = world.dump();
    let refused = run(top_up(&world.cx(), &eid(0), megabytes("4"), &NOTE));
    assert_eq!(reason(refused), Reason::ParameterMalformed);
    let unknown = run(top_up(&world.cx(), &eid(9), megabytes("4"), &NOTE));
    assert_eq!(reason(unknown), Reason::UnknownChip);
    assert_eq!(world.dump(), before);
}

#[test]
fn whatever_fails_a_top_up_is_there_with_its_history_or_not_at_all() {
    let arrange = || {
        let world = World::new();
        world.stocked(1, 0);
        (world, ())
    };
    leaves_nothing_behind("top_up", arrange, |world, ()| {
        run(top_up(&world.cx(), &eid(0), megabytes("7"), &NOTE)).map(drop)
    });
}
