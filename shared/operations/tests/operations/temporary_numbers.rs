//! §5.3.1.3: the alerts about test periods, and when they are raised.

use std::collections::BTreeMap;

use domain::{MINUTE_MS, Receiver, Timestamp};
use operations::{
    Done, DueRequest, Job, MAX_CHIPS_PER_NOTICE, ReceiverChange, change_receiver, due_messages, list_alerts,
    run_job,
};
use serde_json::Value;
use test_support::eid::eid_text;
use test_support::inventory::ChipCsv;
use test_support::operations::{MAINTENANCE, World, days, run};

use super::faults::leaves_nothing_behind;
use super::races::race;
use super::secrecy::{forms, found};

/// The operator's address in these tests.
const OPERATOR: &str = "https://operator.example.com/alerts";

pub(crate) fn at(text: &str) -> i64 {
    Timestamp::parse_rfc3339(text).unwrap().millis()
}

fn tick(world: &World) -> Done {
    world.job(Job::TemporaryNumbers)
}

/// The message of an alert.
pub(crate) type AlertBody = BTreeMap<String, String>;

/// Kind and body of every alert, the oldest first.
pub(crate) fn raised(world: &World) -> Vec<(String, AlertBody)> {
    let mut alerts = run(list_alerts(&world.cx(), true, None, 100)).unwrap();
    alerts.reverse();
    alerts.into_iter().map(|alert| (alert.kind, alert.body)).collect()
}

pub(crate) fn kinds(world: &World) -> Vec<String> {
    raised(world).into_iter().map(|(kind, _)| kind).collect()
}

pub(crate) fn with_operator(world: &World) {
    let address = ReceiverChange {
        url: Some(Some(OPERATOR)),
        ..ReceiverChange::default()
    };
    run(change_receiver(&world.cx(), &Receiver::Operator, &address)).unwrap();
}

/// The messages that are due for the operator.
fn messages(world: &World) -> Vec<Value> {
    let due = run(due_messages(&world.cx(), DueRequest::ALL)).unwrap();
    let to_operator = due.into_iter().filter(|message| message.url == OPERATOR);
    to_operator
        .map(|message| serde_json::from_slice(message.body.as_ref()).unwrap())
        .collect()
}

fn eids(chips: std::ops::Range<u32>) -> String {
    let mut eids: Vec<String> = chips.map(eid_text).collect();
    eids.sort();
    eids.join(",")
}

/// Statements that write, or take the lock for it.
pub(crate) fn writes(world: &World) -> Vec<&'static str> {
    let seen = world.db.seen.borrow();
    let reads = |sql: &&&str| !sql.starts_with("SELECT") && !sql.starts_with("WITH");
    seen.iter().filter(reads).copied().collect()
}

// §5.3.1.3
#[test]
fn a_4g_number_is_warned_of_once_at_midnight_30_days_before_its_end_and_told_once_at_its_end() {
    let world = World::new();
    world.stocked(1, 0);
    let warned = at("2027-01-28T00:00:00+08:00");
    world.now.set(warned - 1);
    assert_eq!(tick(&world), Done::default());
    world.now.set(warned);
    assert_eq!(
        tick(&world),
        Done {
            count: 1,
            more: false
        }
    );
    for _ in 0..40 {
        tick(&world);
        world.pass(days(1) / 2);
    }
    let end = at("2027-02-27T00:00:00+08:00");
    world.now.set(end - 1);
    tick(&world);
    assert_eq!(kinds(&world), ["temporary_numbers_expiring"]);
    world.now.set(end);
    for _ in 0..3 {
        tick(&world);
        world.pass(days(100));
    }
    let raised = raised(&world);
    assert_eq!(
        kinds(&world),
        ["temporary_numbers_expiring", "temporary_numbers_expired"]
    );
    for (_, body) in raised {
        assert_eq!(body["count"], "1");
        assert_eq!(body["eids"], eid_text(0));
        assert_eq!(body["expires_from"], "2027-02-27T00:00:00+08:00");
        assert_eq!(body["expires_to"], "2027-02-27T00:00:00+08:00");
        assert_eq!(body["subject"], "platform");
    }
    assert_eq!(world.column("SELECT subject FROM alert"), ["platform"; 2]);
}

// §5.3.1.3
#[test]
fn an_nb_iot_number_is_warned_of_150_days_after_its_opening() {
    let world = World::new();
    let client = world.client().client_id;
    let chip = ChipCsv {
        network_type: "nb-iot".to_owned(),
        ..ChipCsv::new(0)
    };
    world.chips(&client, &[chip]);
    world.now.set(at("2026-10-30T00:00:00+08:00") - 1);
    tick(&world);
    assert!(raised(&world).is_empty());
    world.pass(1);
    tick(&world);
    let raised = raised(&world);
    assert_eq!(raised[0].1["expires_from"], "2026-11-29T00:00:00+08:00");
    assert_eq!(raised.len(), 1);
}

#[test]
fn chips_are_told_of_500_at_a_time() {
    let world = World::new();
    with_operator(&world);
    world.stocked(MAX_CHIPS_PER_NOTICE + 1, 0);
    world.now.set(at("2027-01-28T00:00:00+08:00"));
    assert_eq!(
        tick(&world),
        Done {
            count: 500,
            more: true
        }
    );
    world.pass(1);
    assert_eq!(
        tick(&world),
        Done {
            count: 1,
            more: false
        }
    );
    assert_eq!(tick(&world), Done::default());
    let raised = raised(&world);
    let counts: Vec<_> = raised.iter().map(|(_, body)| body["count"].clone()).collect();
    assert_eq!(counts, ["500", "1"]);
    let mut all: Vec<&str> = raised
        .iter()
        .flat_map(|(_, body)| body["eids"].split(','))
        .collect();
    all.sort_unstable();
    assert_eq!(all.join(","), eids(0..501));
    assert!(serde_json::to_string(&raised[0].1).unwrap().len() < 20_000);
}

#[test]
fn the_message_to_the_operator_says_what_the_alert_says() {
    let world = World::new();
    with_operator(&world);
    world.stocked(3, 0);
    world.now.set(at("2027-01-28T00:00:00+08:00"));
    tick(&world);
    let messages = messages(&world);
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["type"], "temporary_numbers_expiring");
    assert_eq!(messages[0]["eids"], eids(0..3));
    for (name, said) in &raised(&world)[0].1 {
        assert_eq!(messages[0][name], *said, "{name}");
    }
}

#[test]
fn after_a_gap_each_chip_is_told_of_once_for_what_it_is_now() {
    let world = World::new();
    let client = world.client().client_id;
    // Its period ends 100 days after that of the other.
    let later = ChipCsv {
        temp_opened_on: "2026-09-09".to_owned(),
        ..ChipCsv::new(1)
    };
    world.chips(&client, &[ChipCsv::new(0), later]);
    world.now.set(at("2027-05-20T12:00:00+08:00"));
    assert_eq!(
        tick(&world),
        Done {
            count: 2,
            more: false
        }
    );
    assert_eq!(tick(&world), Done::default());
    let raised = raised(&world);
    let said = |kind: &str| {
        let found = raised.iter().find(|(known, _)| known == kind).unwrap();
        found.1["eids"].clone()
    };
    assert_eq!(raised.len(), 2);
    assert_eq!(said("temporary_numbers_expired"), eid_text(0));
    assert_eq!(said("temporary_numbers_expiring"), eid_text(1));
}

#[test]
fn a_written_chip_is_not_told_of_and_one_whose_writing_failed_is() {
    let world = World::new();
    let caller = world.stocked(2, 2);
    world.write_chip(&caller, 0);
    world.fail_chip(&caller, 1, domain::FailureKind::CardError);
    for day in ["2027-01-28", "2027-02-27"] {
        world.now.set(at(&format!("{day}T00:00:00+08:00")));
        tick(&world);
    }
    let raised = raised(&world);
    assert_eq!(raised.len(), 2);
    assert!(raised.iter().all(|(_, body)| body["eids"] == eid_text(1)));
}

#[test]
fn a_chip_written_after_its_warning_is_not_told_of_again() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.now.set(at("2027-01-28T00:00:00+08:00"));
    tick(&world);
    world.write_chip(&caller, 0);
    world.pass(days(60));
    assert_eq!(tick(&world), Done::default());
    assert_eq!(kinds(&world), ["temporary_numbers_expiring"]);
}

#[test]
fn ticks_at_the_same_time_tell_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xieka.db");
    let world = World::in_file(&path, 1);
    world.stocked(3, 0);
    for (day, alerts) in [("2027-01-28", 1), ("2027-02-27", 2)] {
        let now = at(&format!("{day}T00:00:00+08:00"));
        let counts = race(&path, |world, _| {
            world.now.set(now);
            tick(world).count
        });
        assert_eq!(counts.iter().sum::<usize>(), 3);
        assert_eq!(world.count("SELECT COUNT(*) FROM alert"), alerts);
    }
}

#[test]
fn a_tick_that_breaks_off_tells_nothing_and_the_next_tells_all() {
    for day in ["2027-01-28", "2027-02-27"] {
        let arrange = || {
            let world = World::new();
            with_operator(&world);
            world.stocked(2, 0);
            world.now.set(at(&format!("{day}T00:00:00+08:00")));
            (world, ())
        };
        leaves_nothing_behind("temporary_numbers", arrange, |world, ()| {
            run(run_job(&world.cx(), Job::TemporaryNumbers, &MAINTENANCE)).map(drop)
        });
    }
}

#[test]
fn a_tick_with_nothing_to_tell_writes_nothing_and_every_statement_uses_the_index() {
    test_support::of_sqlite!();
    let world = World::new();
    world.stocked(2, 0);
    world.db.seen.borrow_mut().clear();
    tick(&world);
    assert_eq!(writes(&world), [""; 0]);
    world.now.set(at("2027-01-28T00:00:00+08:00"));
    tick(&world);
    world.pass(days(30) + MINUTE_MS);
    tick(&world);
    let seen: Vec<&str> = world.db.seen.borrow().clone();
    let about_chips = seen.iter().filter(|sql| sql.contains("temp_next_at"));
    let mut plans = 0;
    for sql in about_chips {
        let plan = world.plan(sql);
        assert!(
            plan.contains("chip_temp_next") && !plan.contains("SCAN chip"),
            "{plan}"
        );
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        plans += 1;
    }
    assert!(plans >= 5);
}

#[test]
fn what_is_told_lies_in_the_database_sealed() {
    test_support::of_sqlite!();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xieka.db");
    let world = World::in_file(&path, 1);
    with_operator(&world);
    world.stocked(2, 0);
    world.now.set(at("2027-01-28T00:00:00+08:00"));
    tick(&world);
    assert_eq!(messages(&world)[0]["eids"], eids(0..2));
    for name in ["xieka.db", "xieka.db-wal"] {
        let file = std::fs::read(folder.path().join(name)).unwrap();
        for form in (0..2).flat_map(|chip| forms(&eid_text(chip))) {
            assert!(!found(&file, &form), "{name}");
        }
    }
}
