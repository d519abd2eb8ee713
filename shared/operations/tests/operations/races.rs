//! Several requests at once on one database file.

use std::path::Path;
use std::sync::Barrier;

use domain::error::Reason;
use operations::{Caller, DueRequest, due_messages};
use test_support::inventory::{ChipCsv, NumberCsv};
use test_support::operations::{World, run};

const RACERS: u32 = 8;

/// Runs `act` for racers 0..[`RACERS`] at once, each on a connection of its own.
pub(crate) fn race<T: Send>(path: &Path, act: impl Fn(&World, u32) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(RACERS as usize);
    std::thread::scope(|scope| {
        let racers: Vec<_> = (0..RACERS)
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
