//! §8.1, §8.2: incidents of many: cards of one client, province or gateway that are stuck together, and clients whose
//! calls are refused again and again.

use std::time::Duration;

use domain::{ClientId, HOUR_MS, IncidentKind, MINUTE_MS, Severity};
use operations::{Caller, IncidentView, Job, MaintenanceSettings, StuckSettings, record_calls, run_job};
use store::call_log::NewCallRow;
use test_support::operations::{MAINTENANCE, World, run};

use super::incidents::{alerts, all, open_kinds};

/// A platform with so many chips, each applied for; those of the first `started` are 写卡中.
fn begun(chips: u32, started: u32) -> (World, Caller) {
    let world = World::new();
    let caller = world.stocked(chips, chips);
    for chip in 0..chips {
        world.apply_auto(&caller, chip).unwrap();
    }
    for chip in 0..started {
        world.open(chip).unwrap();
    }
    (world, caller)
}

fn groups(world: &World) -> Vec<IncidentView> {
    let is_group = |incident: &IncidentView| incident.state.kind == IncidentKind::CardsStuck;
    all(world).into_iter().filter(is_group).collect()
}

/// Subjects of the groups that are stuck.
fn stuck_groups(world: &World) -> Vec<String> {
    let sql =
        "SELECT subject FROM incident WHERE kind = 'cards_stuck' AND closed_at IS NULL ORDER BY subject";
    world.column(sql)
}

fn find_stuck(world: &World, stuck: StuckSettings) {
    let maintenance = MaintenanceSettings { stuck, ..MAINTENANCE };
    run(run_job(&world.cx(), Job::StuckTasks, &maintenance)).unwrap();
}

#[test]
fn ten_stuck_cards_of_an_hour_are_one_severe_incident_of_client_province_and_gateway() {
    let (world, caller) = begun(30, 30);
    // Twenty go on, so that the share of those that are stuck stays below a half.
    world.pass(10 * MINUTE_MS);
    world.execute("UPDATE task SET changed_at = changed_at + 1 WHERE id NOT IN (SELECT id FROM task ORDER BY id LIMIT 10)");
    world.job(Job::StuckTasks);
    let expected = [
        format!("client:{}", caller.id.as_str()),
        "gateway:gateway".to_owned(),
        "province:37".to_owned(),
    ];
    assert_eq!(stuck_groups(&world), expected);
    for group in groups(&world) {
        assert_eq!(group.state.severity, Severity::Severe);
        assert_eq!(group.state.since, world.time());
        assert_eq!(group.state.handle_by(), Some(world.time().plus(HOUR_MS)));
        assert!(group.note.unwrap().contains("10 of 30"));
    }
    let single = |incident: &IncidentView| incident.state.kind == IncidentKind::StuckWriting;
    let singles: Vec<_> = all(&world).into_iter().filter(single).collect();
    assert_eq!(singles.len(), 10);
    assert!(singles.iter().all(|one| one.state.severity == Severity::General));
    world.job(Job::StuckTasks);
    assert_eq!(groups(&world).len(), 3, "once");
    world.job(Job::IncidentClocks);
    assert_eq!(alerts(&world), ["incident_severe"; 3]);
}

#[test]
fn nine_stuck_cards_that_are_few_of_those_that_began_are_no_group() {
    let (world, _) = begun(30, 30);
    world.pass(10 * MINUTE_MS);
    world.execute("UPDATE task SET changed_at = changed_at + 1 WHERE id NOT IN (SELECT id FROM task ORDER BY id LIMIT 9)");
    world.job(Job::StuckTasks);
    assert!(stuck_groups(&world).is_empty());
}

#[test]
fn half_of_the_cards_of_an_hour_are_a_group_from_three_up() {
    for (started, stuck, is_group) in [(2, 2, false), (6, 3, true), (7, 3, false), (3, 3, true)] {
        let (world, _) = begun(started, started);
        world.pass(10 * MINUTE_MS);
        world.execute(&format!(
            "UPDATE task SET changed_at = changed_at + 1 WHERE id NOT IN (SELECT id FROM task ORDER BY id LIMIT {stuck})"
        ));
        world.job(Job::StuckTasks);
        assert_eq!(!stuck_groups(&world).is_empty(), is_group, "{stuck} of {started}");
    }
}

#[test]
fn cards_that_began_more_than_an_hour_ago_belong_to_no_group() {
    let (world, caller) = begun(3, 0);
    for chip in 0..3 {
        world.open(chip).unwrap();
        world.pass(31 * MINUTE_MS);
        world.job(Job::StuckTasks);
    }
    assert!(stuck_groups(&world).is_empty());
    assert_eq!(open_kinds(&world), ["stuck_writing"; 3]);
    drop(caller);
}

#[test]
fn a_group_is_settled_when_none_of_its_cards_is_stuck_any_more() {
    let (world, _) = begun(3, 3);
    world.pass(10 * MINUTE_MS);
    world.job(Job::StuckTasks);
    assert_eq!(stuck_groups(&world).len(), 3);
    world.pass(MINUTE_MS);
    let moved = format!("UPDATE task SET changed_at = {}", world.now.get());
    world.execute(&format!("{moved} WHERE id IN (SELECT id FROM task LIMIT 2)"));
    world.job(Job::StuckTasks);
    assert_eq!(stuck_groups(&world).len(), 3);
    world.execute(&moved);
    world.job(Job::StuckTasks);
    world.job(Job::StuckTasks);
    assert!(open_kinds(&world).is_empty());
}

#[test]
fn how_many_stuck_cards_are_a_group_is_a_setting() {
    let settings = |group_cards, group_percent| StuckSettings {
        after_minutes: 5,
        group_cards,
        group_percent,
    };
    for (setting, is_group) in [
        (settings(2, 0), true),
        (settings(4, 0), false),
        (settings(0, 0), false),
        (settings(0, 100), true),
    ] {
        let (world, _) = begun(3, 3);
        world.pass(5 * MINUTE_MS);
        find_stuck(&world, setting);
        assert_eq!(!stuck_groups(&world).is_empty(), is_group, "{setting:?}");
    }
}

/// Notes so many calls of a client in the call log.
fn refuse(world: &World, client: &ClientId, interface: &str, reason: &'static str, times: u32) {
    let row = NewCallRow {
        at: world.time(),
        client_id: Some(client.clone()),
        interface: interface.to_owned(),
        code: 400,
        reason: Some(reason),
        address: None,
        duration: Duration::ZERO,
        request_id: "r".into(),
        eid_index: None,
        task_id: None,
        subject: None,
        secret_generation: None,
    };
    let rows = vec![row; times as usize];
    run(record_calls(&world.cx(), &rows)).unwrap();
}

// §8.2.1 Table 3, §8.2.3 Table 5
#[test]
fn a_client_whose_calls_are_refused_sixty_times_an_hour_is_an_incident_of_their_kind() {
    for (interface, reason, kind) in [
        ("write.status", "ip_not_allowed", "call_timeout"),
        ("token", "ip_not_allowed", "call_timeout"),
        ("write.apply", "already_written", "already_written"),
        ("write.apply", "eid_malformed", "application_invalid"),
        ("write.apply", "unknown_chip", "application_invalid"),
    ] {
        let world = World::new();
        let client = world.client().client_id;
        refuse(&world, &client, interface, reason, 59);
        world.job(Job::Refusals);
        assert!(open_kinds(&world).is_empty(), "{reason}");
        world.pass(MINUTE_MS);
        refuse(&world, &client, interface, reason, 1);
        world.job(Job::Refusals);
        assert_eq!(open_kinds(&world), [kind], "{reason}");
        world.job(Job::Refusals);
        let opened = all(&world).remove(0);
        assert_eq!(opened.subject, format!("client:{}", client.as_str()));
        assert!(opened.note.unwrap().ends_with("refused 60 times within an hour"));
        world.pass(HOUR_MS - MINUTE_MS);
        world.job(Job::Refusals);
        assert_eq!(open_kinds(&world), [kind], "one is left within the hour");
        world.pass(MINUTE_MS + 1);
        world.job(Job::Refusals);
        assert!(open_kinds(&world).is_empty(), "{reason}: nothing for an hour");
    }
}

#[test]
fn other_refusals_and_those_of_several_clients_are_no_incident() {
    let world = World::new();
    let (one, other) = (world.client().client_id, world.client().client_id);
    for client in [&one, &other] {
        refuse(&world, client, "write.apply", "eid_malformed", 30);
        refuse(&world, client, "write.apply", "already_written", 30);
        refuse(&world, client, "write.apply", "province_without_number", 100);
        refuse(&world, client, "write.status", "eid_malformed", 100);
        refuse(&world, client, "write.apply", "rate_limited", 100);
    }
    world.job(Job::Refusals);
    assert!(open_kinds(&world).is_empty());
}

#[test]
fn how_many_refusals_are_an_incident_is_a_setting_and_none_turns_it_off() {
    let world = World::new();
    let client = world.client().client_id;
    refuse(&world, &client, "write.apply", "already_written", 100);
    for (refusals_per_hour, is_open) in [(0, false), (101, false), (100, true)] {
        let maintenance = MaintenanceSettings {
            refusals_per_hour,
            ..MAINTENANCE
        };
        run(run_job(&world.cx(), Job::Refusals, &maintenance)).unwrap();
        assert_eq!(!open_kinds(&world).is_empty(), is_open, "{refusals_per_hour}");
    }
}
