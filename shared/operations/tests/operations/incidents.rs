//! §8.2, §8.3.1: the incidents that the platform sees by itself, and the clocks of all of them.

use std::sync::Barrier;

use domain::error::{Error, Reason};
use domain::{
    Concern, DAY_MS, FailureKind, HOUR_MS, IncidentId, IncidentKind, IncidentState, MINUTE_MS, Severity,
};
use operations::{
    About, Caller, FinalReport, IncidentAct, IncidentFilter, IncidentView, Job, MAX_LOOKED_AT, NewIncident,
    ReportEvent, act_on_incident, enter_incident, list_incidents, register_fault,
};
use store::incident::IncidentRow;
use test_support::eid::eid_text;
use test_support::inventory::{ChipCsv, eid};
use test_support::operations::{World, reason, run};
use vault::IndexKind;

/// What is open, by kind.
pub(super) fn open_kinds(world: &World) -> Vec<String> {
    world.column("SELECT kind FROM incident WHERE closed_at IS NULL ORDER BY kind")
}

/// The alerts that were raised, in their order.
pub(super) fn alerts(world: &World) -> Vec<String> {
    world.column("SELECT kind FROM alert ORDER BY rowid")
}

pub(super) fn all(world: &World) -> Vec<IncidentView> {
    let filter = IncidentFilter {
        limit: 200,
        ..IncidentFilter::default()
    };
    run(list_incidents(&world.cx(), &filter)).unwrap().incidents
}

/// Does something about an incident.
pub(super) fn act(world: &World, id: IncidentId, act: IncidentAct<'_>) -> Result<IncidentView, Error> {
    run(act_on_incident(&world.cx(), id, &act))
}

/// Settles an incident without a word.
pub(super) fn settle(world: &World, id: IncidentId) {
    act(world, id, IncidentAct::Settle(None)).unwrap();
}

/// Gives the final report of an incident.
pub(super) fn final_report(world: &World, id: IncidentId) -> Result<IncidentView, Error> {
    let report = FinalReport {
        course: "14:00 收到告警，14:20 完成扩容",
        root_cause: "连接池过小",
        measures: "增大连接池，增加负载告警",
    };
    act(world, id, IncidentAct::Conclude(report))
}

/// Opens an incident about the platform as a whole, or about chip 0 if its kind is one of chips.
pub(super) fn enter(world: &World, kind: IncidentKind, severity: Option<Severity>) -> IncidentView {
    let about = if kind.row().about == [Concern::Chip] {
        if world.count("SELECT COUNT(*) FROM chip") == 0 {
            world.stocked(1, 0);
        }
        About::Chip(eid(0))
    } else {
        About::Platform
    };
    let new = NewIncident {
        kind,
        about,
        severity,
        note: None,
    };
    run(enter_incident(&world.cx(), &new)).unwrap().incident
}

/// A card that is 写卡中.
pub(super) fn writing() -> (World, Caller) {
    let world = World::new();
    let caller = world.stocked(2, 2);
    world.apply_auto(&caller, 0).unwrap();
    world.open(0).unwrap();
    (world, caller)
}

fn verify(world: &World, rewrite: Option<bool>) {
    let (session, _) = world.open(0).unwrap();
    let verdict = match rewrite {
        None => ReportEvent::Verified,
        Some(rewrite) => ReportEvent::NotVerified {
            other_imsi: false,
            rewrite,
            detail: String::new(),
        },
    };
    world.report_event(session, 1, verdict).unwrap();
}

fn write(world: &World) {
    let (session, _) = world.open(0).unwrap();
    world.report_event(session, 1, ReportEvent::Written).unwrap();
}

#[test]
fn a_written_card_is_neither_stuck_nor_silent_any_more() {
    let (world, _) = writing();
    world.pass(30 * MINUTE_MS);
    world.job(Job::StuckTasks);
    write(&world);
    verify(&world, Some(false));
    assert_eq!(open_kinds(&world), ["number_silent", "stuck_writing"]);
    verify(&world, None);
    assert!(open_kinds(&world).is_empty());
    assert!(all(&world).iter().all(|incident| {
        incident.state.closed_at == Some(world.time())
            && incident.settled_by.map(|by| by.code()) == Some("platform")
    }));
}

#[test]
fn a_chip_that_leaves_the_register_of_faulty_chips_settles_its_incident() {
    let (world, _) = writing();
    let (session, _) = world.open(0).unwrap();
    let fault = ReportEvent::Failed {
        failure: FailureKind::MemoryProblem,
        detail: "SW 6581".to_owned(),
        chip_fault: true,
        status_word: Some("6581".to_owned()),
    };
    world.report_event(session, 1, fault).unwrap();
    assert_eq!(open_kinds(&world), ["chip_fault"]);
    run(register_fault(&world.cx(), &eid(0), true)).unwrap();
    assert_eq!(open_kinds(&world), ["chip_fault"]);
    run(register_fault(&world.cx(), &eid(0), false)).unwrap();
    assert!(open_kinds(&world).is_empty());
}

#[test]
fn an_incident_that_is_late_needs_no_report_until_somebody_makes_it_severe() {
    let world = World::new();
    let incident = enter(&world, IncidentKind::CallTimeout, None);
    world.pass(40 * MINUTE_MS);
    let report = IncidentAct::Report("网络中断");
    assert_eq!(
        reason(act(&world, incident.id, report)),
        Reason::IncidentNotSevere
    );
    act(&world, incident.id, IncidentAct::Escalate).unwrap();
    act(&world, incident.id, report).unwrap();
    settle(&world, incident.id);
    world.job(Job::IncidentClocks);
    assert_eq!(alerts(&world), ["incident_overdue", "incident_severe"]);
    world.pass(DAY_MS);
    world.job(Job::IncidentClocks);
    assert_eq!(alerts(&world)[2..], ["final_report_overdue"]);
}

// §8.3.1
#[test]
fn a_settled_incident_with_its_final_report_alarms_no_more_although_nobody_reported_it() {
    let world = World::new();
    let incident = enter(&world, IncidentKind::CallTimeout, Some(Severity::Severe));
    world.job(Job::IncidentClocks);
    world.pass(20 * MINUTE_MS);
    settle(&world, incident.id);
    final_report(&world, incident.id).unwrap();
    world.pass(100 * DAY_MS);
    assert_eq!(world.job(Job::IncidentClocks).count, 0);
    assert_eq!(alerts(&world), ["incident_severe"]);
}

#[test]
fn an_alert_says_which_incident_it_is_about_and_what_has_passed() {
    let world = World::new();
    let incident = enter(&world, IncidentKind::ChipFault, None);
    world.pass(2 * DAY_MS);
    world.job(Job::IncidentClocks);
    let raised = run(operations::list_alerts(&world.cx(), false, None, 10)).unwrap();
    assert_eq!(raised.len(), 1);
    assert_eq!(raised[0].body["incident_id"], incident.id.text());
    assert_eq!(raised[0].body["incident"], "chip_fault");
    assert_eq!(raised[0].body["severity"], "general");
    assert_eq!(raised[0].body["due"], "2026-07-02T08:00:00+08:00");
    assert_eq!(raised[0].body["eid"], eid_text(0));
}

#[test]
fn a_chip_that_cannot_be_read_keeps_nobody_from_being_told_of_it_or_of_others() {
    let world = World::new();
    world.stocked(2, 0);
    for chip in 0..2 {
        let new = NewIncident {
            kind: IncidentKind::NoNetwork,
            about: About::Chip(eid(chip)),
            severity: None,
            note: None,
        };
        run(enter_incident(&world.cx(), &new)).unwrap();
    }
    enter(&world, IncidentKind::CallTimeout, None);
    let index = world.vault.blind_index(IndexKind::Eid, eid_text(0).as_bytes());
    let damage = format!(
        "UPDATE chip SET eid_sealed = x'00' WHERE eid_index = x'{}'",
        index.hex()
    );
    world.execute(&damage);
    world.pass(HOUR_MS);
    world.job(Job::IncidentClocks);
    let raised = run(operations::list_alerts(&world.cx(), false, None, 10)).unwrap();
    let named: Vec<_> = raised.iter().filter_map(|alert| alert.body.get("eid")).collect();
    assert_eq!(named, [&eid_text(1)]);
    let without = raised.iter().filter(|alert| !alert.body.contains_key("eid"));
    assert_eq!(without.count(), 2, "of chip 0, and of the platform");
}

#[test]
fn a_report_and_a_final_report_in_time_leave_nothing_to_tell() {
    let world = World::new();
    let incident = enter(&world, IncidentKind::CallTimeout, Some(Severity::Severe));
    world.job(Job::IncidentClocks);
    assert_eq!(alerts(&world), ["incident_severe"]);
    world.pass(HOUR_MS - 1);
    act(&world, incident.id, IncidentAct::Report("平台负载过高，正在扩容")).unwrap();
    settle(&world, incident.id);
    world.pass(DAY_MS - 1);
    final_report(&world, incident.id).unwrap();
    world.pass(100 * DAY_MS);
    assert_eq!(world.job(Job::IncidentClocks).count, 0);
    assert_eq!(alerts(&world), ["incident_severe"]);
}

#[test]
fn a_final_report_that_does_not_come_within_a_day_is_told_once() {
    let world = World::new();
    let incident = enter(&world, IncidentKind::CallTimeout, Some(Severity::Severe));
    act(&world, incident.id, IncidentAct::Report("处理中")).unwrap();
    settle(&world, incident.id);
    for (ms, raised) in [(DAY_MS - 1, 1), (1, 2), (DAY_MS, 2)] {
        world.pass(ms);
        world.job(Job::IncidentClocks);
        assert_eq!(alerts(&world).len(), raised);
    }
    assert_eq!(alerts(&world)[1], "final_report_overdue");
}

#[test]
fn many_incidents_are_looked_at_in_several_runs() {
    let world = World::new();
    let chips: Vec<ChipCsv> = (0..MAX_LOOKED_AT + 1).map(ChipCsv::new).collect();
    let client = world.client().client_id;
    world.chips(&client, &chips);
    for chip in 0..=MAX_LOOKED_AT {
        let new = NewIncident {
            kind: IncidentKind::NoNetwork,
            about: About::Chip(eid(chip)),
            severity: None,
            note: None,
        };
        run(enter_incident(&world.cx(), &new)).unwrap();
    }
    world.pass(HOUR_MS);
    let first = world.job(Job::IncidentClocks);
    assert_eq!((first.count, first.more), (MAX_LOOKED_AT as usize, true));
    let second = world.job(Job::IncidentClocks);
    assert_eq!((second.count, second.more), (1, false));
}

#[test]
fn two_nodes_at_once_tell_once() {
    const NODES: u64 = 4;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xieka.db");
    let world = World::in_file(&path, 1);
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    world.open(0).unwrap();
    enter(&world, IncidentKind::CallTimeout, Some(Severity::Severe));
    world.pass(5 * HOUR_MS);
    let barrier = Barrier::new(usize::try_from(NODES).unwrap());
    let now = world.now.get();
    std::thread::scope(|scope| {
        for node in 0..NODES {
            let (path, barrier) = (&path, &barrier);
            scope.spawn(move || {
                let node = World::in_file(path, 2 + node);
                node.now.set(now);
                barrier.wait();
                for job in [Job::StuckTasks, Job::IncidentClocks, Job::MonthlyReview] {
                    node.job(job);
                }
            });
        }
    });
    world.job(Job::IncidentClocks);
    let mut raised = alerts(&world);
    raised.sort();
    assert_eq!(
        raised,
        [
            "incident_overdue",
            "incident_overdue",
            "incident_severe",
            "report_overdue"
        ]
    );
}

#[test]
fn an_incident_that_changed_since_it_was_read_is_left_alone() {
    let world = World::new();
    let incident = enter(&world, IncidentKind::CallTimeout, None);
    let read = || {
        run(store::incident::by_id(&world.db, incident.id))
            .unwrap()
            .unwrap()
    };
    let before = read();
    world.pass(HOUR_MS);
    world.job(Job::IncidentClocks);
    let raised = alerts(&world).len();
    assert!(raised > 0);
    let mut stale = before.state;
    stale.advance(world.time());
    assert!(!change(&world, &before, &stale));
    let now = read();
    settle(&world, incident.id);
    assert!(!change(&world, &now, &now.state));
}

/// Whether an incident is still as it was read, so that it changes.
fn change(world: &World, read: &IncidentRow, state: &IncidentState) -> bool {
    run(store::transaction(&world.db, async |tx| {
        store::incident::change(tx, read, state).await
    }))
    .unwrap()
}

/// The statements that `act` runs.
fn statements(world: &World, act: impl FnOnce()) -> Vec<&'static str> {
    world.db.seen.borrow_mut().clear();
    act();
    world.db.seen.borrow().clone()
}

#[test]
fn a_run_that_finds_nothing_only_reads() {
    let (world, _) = writing();
    enter(&world, IncidentKind::NoNetwork, None);
    let jobs = [
        Job::StuckTasks,
        Job::Refusals,
        Job::IncidentClocks,
        Job::MonthlyReview,
    ];
    world.job(Job::MonthlyReview);
    for job in jobs {
        let seen = statements(&world, || {
            world.job(job);
        });
        assert!((1..=4).contains(&seen.len()), "{job:?}: {seen:?}");
        assert!(
            seen.iter().all(|sql| sql.starts_with("SELECT")),
            "{job:?}: {seen:?}"
        );
    }
}

#[test]
fn every_statement_about_incidents_follows_an_index() {
    test_support::of_sqlite!();
    let (world, _) = writing();
    let incident = enter(&world, IncidentKind::CallTimeout, None);
    world.pass(2 * HOUR_MS);
    let seen = statements(&world, || {
        for job in [
            Job::StuckTasks,
            Job::Refusals,
            Job::IncidentClocks,
            Job::MonthlyReview,
        ] {
            world.job(job);
        }
        all(&world);
        for open in [true, false] {
            let filter = IncidentFilter {
                open: Some(open),
                ..IncidentFilter::default()
            };
            run(list_incidents(&world.cx(), &filter)).unwrap();
        }
        settle(&world, incident.id);
        run(operations::faulty_chips(&world.cx(), false, None, 10)).unwrap();
        run(operations::review_incidents(&world.cx(), None)).unwrap();
        write(&world);
        verify(&world, None);
    });
    let mut looked_at = 0;
    for statement in seen {
        let tables = ["incident", "task", "chip", "monthly_review", "call_log"];
        if tables.iter().any(|table| statement.contains(table)) {
            let plan = world.plan(statement);
            let scans = |table: &&str| {
                plan.lines()
                    .any(|line| line.starts_with(&format!("SCAN {table}")))
            };
            assert!(!tables.iter().any(scans), "{statement}\n{plan}");
            assert!(
                !statement.contains("next_check_at <=") || plan.contains("incident_check"),
                "{plan}"
            );
            assert!(
                !statement.contains("stuck = 0 AND") || plan.contains("task_writing"),
                "{plan}"
            );
            assert!(
                !statement.contains("AS refused") || plan.contains("call_log_refused (reason=?"),
                "{plan}"
            );
            assert!(!statement.contains("closed_at IS NULL AND id") || plan.contains("incident_open_id"));
            assert!(
                !statement.contains("entered_at <=") || plan.contains("chip_fault_entered"),
                "{plan}"
            );
            assert!(
                !statement.contains("opened_at >=") || plan.contains("incident_opened"),
                "{plan}"
            );
            looked_at += 1;
        }
    }
    assert!(looked_at > 12, "{looked_at}");
}
