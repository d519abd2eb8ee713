//! §8.2.2 Table 4: cards that stay 写卡中.

use domain::{DAY_MS, FailureKind, HOUR_MS, IncidentKind, MINUTE_MS, Severity};
use operations::{Job, ReportEvent};
use test_support::eid::eid_text;
use test_support::operations::failed;

use super::incidents::{alerts, all, open_kinds, settle, writing};

// §8.2.2 Table 4
#[test]
fn a_card_that_acknowledges_no_step_for_ten_minutes_is_stuck_since_then() {
    let (world, _) = writing();
    world.pass(10 * MINUTE_MS - 1);
    assert_eq!(world.job(Job::StuckTasks).count, 0);
    world.pass(1);
    let since = world.time();
    world.pass(MINUTE_MS);
    assert_eq!(world.job(Job::StuckTasks).count, 1);
    let stuck = all(&world).remove(0);
    assert_eq!(stuck.state.kind, IncidentKind::StuckWriting);
    assert_eq!((stuck.state.since, stuck.opened_at), (since, world.time()));
    assert_eq!(stuck.state.handle_by(), Some(since.plus(30 * MINUTE_MS)));
    assert_eq!(stuck.state.severity, Severity::General);
    assert_eq!(stuck.eid, Some(eid_text(0)));
    world.job(Job::IncidentClocks);
    assert!(alerts(&world).is_empty(), "a general incident alarms nobody");
}

#[test]
fn the_incident_of_a_stuck_card_names_why_its_last_session_ended() {
    let (world, _) = writing();
    let (session, _) = world.open(0).unwrap();
    let end = ReportEvent::Closed {
        reason: "work_not_understood".to_owned(),
    };
    world.report_event(session, 1, end).unwrap();
    world.pass(30 * MINUTE_MS);
    world.job(Job::StuckTasks);
    let note = all(&world).remove(0).note.unwrap();
    assert!(note.ends_with("work_not_understood"), "{note}");
}

#[test]
fn a_card_is_found_stuck_once() {
    let (world, _) = writing();
    world.pass(HOUR_MS);
    assert_eq!(world.job(Job::StuckTasks).count, 1);
    assert_eq!(world.job(Job::StuckTasks).count, 0);
    let incident = all(&world).remove(0);
    settle(&world, incident.id);
    assert_eq!(
        world.job(Job::StuckTasks).count,
        0,
        "not again for the same application"
    );
}

// §8.1: lateness makes an incident overdue, never severe
#[test]
fn a_stuck_card_is_overdue_after_half_an_hour_and_never_severe_by_itself() {
    let (world, _) = writing();
    world.pass(10 * MINUTE_MS);
    world.job(Job::StuckTasks);
    world.pass(30 * MINUTE_MS - 1);
    world.job(Job::IncidentClocks);
    assert!(alerts(&world).is_empty());
    world.pass(1);
    world.job(Job::IncidentClocks);
    assert_eq!(alerts(&world), ["incident_overdue"]);
    world.pass(30 * DAY_MS);
    world.job(Job::IncidentClocks);
    assert_eq!(alerts(&world), ["incident_overdue"]);
    assert_eq!(all(&world)[0].state.severity, Severity::General);
}

#[test]
fn a_stuck_card_that_acknowledges_a_step_is_stuck_no_more_and_can_be_stuck_again() {
    let (world, _) = writing();
    let (session, _) = world.open(0).unwrap();
    world.pass(10 * MINUTE_MS);
    world.job(Job::StuckTasks);
    let step = ReportEvent::Progress { step: 1, steps: 12 };
    world.report_event(session, 1, step).unwrap();
    world.pass(MINUTE_MS);
    world.job(Job::StuckTasks);
    let over = all(&world).remove(0);
    assert_eq!(over.state.closed_at, Some(world.time()));
    assert_eq!(over.settled_by.map(|by| by.code()), Some("platform"));
    world.pass(9 * MINUTE_MS);
    assert_eq!(world.job(Job::StuckTasks).count, 1);
    assert_eq!(open_kinds(&world), ["stuck_writing"]);
}

#[test]
fn a_failed_card_is_not_stuck_any_more() {
    let (world, _) = writing();
    world.pass(30 * MINUTE_MS);
    world.job(Job::StuckTasks);
    let (session, _) = world.open(0).unwrap();
    let failure = failed(FailureKind::CardError);
    world.report_event(session, 1, failure).unwrap();
    assert!(open_kinds(&world).is_empty());
    world.pass(HOUR_MS);
    assert_eq!(world.job(Job::StuckTasks).count, 0);
}
