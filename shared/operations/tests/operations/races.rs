//! Several requests at once on one database.

use std::path::Path;
use std::sync::Barrier;

use domain::HOUR_MS;
use domain::error::Reason;
use operations::{Caller, DueRequest, Job, ReportEvent, due_messages, rotate_secret};
use test_support::eid::eid_text;
use test_support::inventory::{ChipCsv, NumberCsv};
use test_support::operations::{World, designated, run};

const RACERS: u32 = 8;

/// Runs `act` for racers 0..[`RACERS`] at once, each on a connection of its own.
pub(crate) fn race<T: Send>(path: &Path, act: impl Fn(&World, u32) -> T + Sync) -> Vec<T> {
    race_of(RACERS, path, act)
}

fn race_of<T: Send>(racers: u32, path: &Path, act: impl Fn(&World, u32) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(racers as usize);
    std::thread::scope(|scope| {
        let racers: Vec<_> = (0..racers)
            .map(|n| {
                let (act, barrier) = (&act, &barrier);
                scope.spawn(move || {
                    let world = World::in_file(path, 100 + u64::from(n));
                    barrier.wait();
                    act(&world, n)
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    })
}

// §5.4.1 Table 1
#[test]
fn of_clients_racing_for_the_last_number_one_gets_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xieka.db");
    let world = World::in_file(&path, 1);
    let clients: Vec<Caller> = (0..RACERS)
        .map(|_| Caller {
            id: world.client().client_id,
        })
        .collect();
    for (n, caller) in (0..).zip(&clients) {
        world.chips(&caller.id, &[ChipCsv::new(n)]);
    }
    world.numbers(&[NumberCsv::new(0)]);
    let results = race(&path, |world, n| {
        world
            .apply_auto(&clients[n as usize], n)
            .map_err(|error| error.reason())
    });
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(
        results
            .iter()
            .all(|result| !matches!(result, Err(reason) if *reason != Reason::ProvinceWithoutNumber))
    );
    assert_eq!(world.count("SELECT COUNT(*) FROM task"), 1);
}

#[test]
fn one_application_sent_many_times_at_once_makes_one_task() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xieka.db");
    let world = World::in_file(&path, 1);
    let caller = world.stocked(1, RACERS);
    let results = race(&path, |world, _| world.apply_auto(&caller, 0).unwrap());
    assert!(
        results
            .iter()
            .all(|applied| applied.task_id == results[0].task_id)
    );
    assert_eq!(results.iter().filter(|applied| !applied.repeated).count(), 1);
    assert_eq!(
        world.count("SELECT COUNT(*) FROM number WHERE status = 'reserved'"),
        1
    );
}

#[test]
fn every_chip_gets_a_number_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xieka.db");
    let world = World::in_file(&path, 1);
    let caller = world.stocked(RACERS, RACERS);
    race(&path, |world, n| world.write_chip(&caller, n));
    assert_eq!(
        world.count("SELECT COUNT(DISTINCT eid_index) FROM number WHERE status = 'written'"),
        i64::from(RACERS)
    );
}

#[test]
fn callers_share_the_due_callbacks_without_overlap() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xieka.db");
    let world = World::in_file(&path, 1);
    let caller = world.stocked(RACERS, RACERS);
    for chip in 0..RACERS {
        world.write_chip(&caller, chip);
    }
    let now = world.now.get();
    let mut ids: Vec<String> = race(&path, |world, _| {
        world.now.set(now);
        let due = run(due_messages(&world.cx(), DueRequest::ALL)).unwrap();
        due.iter().map(|message| message.id.text()).collect::<Vec<_>>()
    })
    .concat();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), RACERS as usize);
    assert_eq!(
        world.count("SELECT SUM(attempts) FROM message"),
        i64::from(RACERS)
    );
}

// §5.4.1 Table 1
#[test]
fn the_last_numbers_of_a_pool_are_all_given_out_before_anybody_is_refused() {
    const CONNECTIONS: u32 = 16;
    const CHIPS_EACH: u32 = 5;
    const NUMBERS: u32 = CONNECTIONS * 4;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xieka.db");
    let world = World::in_file(&path, 1);
    let caller = world.stocked(CONNECTIONS * CHIPS_EACH, NUMBERS);
    let results = race_of(CONNECTIONS, &path, |world, n| {
        let chips = n * CHIPS_EACH..(n + 1) * CHIPS_EACH;
        let applied = chips.map(|chip| world.apply_auto(&caller, chip).map_err(|error| error.reason()));
        applied.collect::<Vec<_>>()
    })
    .concat();
    let accepted = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(accepted, NUMBERS as usize);
    assert!(
        results
            .iter()
            .all(|result| !matches!(result, Err(reason) if *reason != Reason::ProvinceWithoutNumber))
    );
    let given = "SELECT COUNT(DISTINCT iccid_index) FROM task WHERE state = 'waiting'";
    assert_eq!(world.count(given), i64::from(NUMBERS));
}

// §5.4.1
#[test]
fn of_chips_racing_for_one_designated_number_one_gets_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xieka.db");
    let world = World::in_file(&path, 1);
    let caller = world.stocked(RACERS, 0);
    world.numbers(&[NumberCsv::allotted(0, &caller.id)]);
    let number = NumberCsv::new(0);
    let results = race(&path, |world, n| {
        let eid = eid_text(n);
        let request = designated(&eid, &number.iccid, &number.msisdn);
        world.apply(&caller, &request).map_err(|error| error.reason())
    });
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(
        results
            .iter()
            .all(|result| !matches!(result, Err(reason) if *reason != Reason::NumberTaken)),
        "{results:?}"
    );
    assert_eq!(world.count("SELECT COUNT(*) FROM task"), 1);
}

// §8.2.2
#[test]
fn a_card_that_is_verified_while_it_is_found_stuck_leaves_no_incident() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xieka.db");
    let world = World::in_file(&path, 1);
    let caller = world.stocked(RACERS, RACERS);
    let sessions: Vec<_> = (0..RACERS)
        .map(|chip| {
            world.apply_auto(&caller, chip).unwrap();
            let (session, _) = world.open(chip).unwrap();
            world.report_event(session, 1, ReportEvent::Written).unwrap();
            world.open(chip).unwrap().0
        })
        .collect();
    world.pass(HOUR_MS);
    let now = world.now.get();
    race(&path, |world, n| {
        world.now.set(now);
        if n % 2 == 0 {
            world.job(Job::StuckTasks);
        }
        let session = sessions[n as usize];
        world.report_event(session, 1, ReportEvent::Verified).unwrap();
    });
    assert_eq!(
        world.count("SELECT COUNT(*) FROM chip WHERE status = 4"),
        i64::from(RACERS)
    );
    let open = "SELECT COUNT(*) FROM incident WHERE kind = 'stuck_writing' AND closed_at IS NULL";
    assert_eq!(world.count(open), 0);
}

// §6.2.3
#[test]
fn a_report_that_arrives_many_times_at_once_is_charged_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xieka.db");
    let world = World::in_file(&path, 1);
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session, _) = world.open(0).unwrap();
    let answers = race(&path, |world, _| {
        let event = ReportEvent::Progress { step: 1, steps: 4 };
        world
            .report_event(session, 1, event)
            .map_err(|error| error.reason())
    });
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(world.count("SELECT used_bytes FROM chip"), 3_000);
}

#[test]
fn a_chip_that_opens_many_sessions_at_once_has_one_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xieka.db");
    let world = World::in_file(&path, 1);
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let opened = race(&path, |world, _| {
        world.open(0).map(drop).map_err(|error| error.reason())
    });
    assert!(opened.iter().all(Result::is_ok), "{opened:?}");
    assert_eq!(
        world.count("SELECT COUNT(*) FROM device_session WHERE state = 'open'"),
        1
    );
    assert_eq!(
        world.count("SELECT COUNT(*) FROM device_session"),
        i64::from(RACERS)
    );
}

#[test]
fn of_rotations_of_a_secret_at_once_one_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xieka.db");
    let world = World::in_file(&path, 1);
    let client = world.client().client_id;
    let rotated = race(&path, |world, _| {
        let rotated = run(rotate_secret(&world.cx(), &client, 60));
        rotated.map(drop).map_err(|error| error.reason())
    });
    assert_eq!(rotated.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(
        rotated
            .iter()
            .all(|result| !matches!(result, Err(reason) if *reason != Reason::SecretsInRotation))
    );
}
