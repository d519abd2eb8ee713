//! Batches that wait: for numbers, for their client.

use domain::error::Reason;
use domain::{BatchKind, BatchState, CardStatus, DAY_MS, SECOND_MS};
use operations::{ClientChange, Job, NewBatch, TaskRef, change_client, run_job, status};
use test_support::inventory::{NumberCsv, eid};
use test_support::operations::{MAINTENANCE, World, run};

use super::{applications, applied, batch, figures, made, results, view, work};

/// The time after which a paused batch tries again.
const PAUSED_MS: i64 = 10 * SECOND_MS;

fn of_province(n: u32, province: &str) -> NumberCsv {
    NumberCsv {
        province: province.to_owned(),
        ..NumberCsv::new(n)
    }
}

fn card(world: &World, caller: &operations::Caller, chip: u32) -> CardStatus {
    run(status(&world.cx(), caller, &TaskRef::Eid(eid(chip))))
        .unwrap()
        .card_status
}

#[test]
fn an_exhausted_pool_pauses_the_batch_and_numbers_let_it_go_on() {
    let world = World::new();
    let caller = world.stocked(6, 2);
    world.numbers(&[of_province(10, "65")]);
    // Four of province 37, for which there are two numbers, around one of province 65.
    let file = applications(0..2, "37") + &applications(2..3, "65")[18..] + &applications(3..5, "37")[18..];
    let id = made(&world, &batch(BatchKind::Apply, &caller.id), &file)
        .unwrap()
        .batch
        .id;
    work(&world);
    assert_eq!(figures(&world, id), (BatchState::Paused, [5, 3, 0, 0]));
    let paused = view(&world, id);
    assert_eq!(paused.reason, Some(Reason::ProvinceWithoutNumber));
    assert_eq!(paused.provinces, ["37"]);
    assert_eq!(paused.ended_at, None);
    // The rest is as it was, and the province has its incident.
    for chip in [3, 4] {
        assert_eq!(card(&world, &caller, chip), CardStatus::ToWrite);
    }
    assert_eq!(
        world.count(
            "SELECT COUNT(*) FROM incident WHERE kind = 'province_without_number' AND closed_at IS NULL"
        ),
        1
    );
    // It does not try again at once; later it finds nothing, and stays so.
    let before = world.dump();
    work(&world);
    assert_eq!(world.dump(), before);
    world.pass(PAUSED_MS);
    work(&world);
    assert_eq!(figures(&world, id), (BatchState::Paused, [5, 3, 0, 0]));
    world.numbers(&[of_province(11, "37")]);
    world.pass(PAUSED_MS);
    work(&world);
    assert_eq!(figures(&world, id), (BatchState::Paused, [5, 4, 0, 0]));
    world.numbers(&[of_province(12, "37")]);
    world.pass(PAUSED_MS);
    work(&world);
    assert_eq!(figures(&world, id), (BatchState::Done, [5, 5, 0, 0]));
    assert_eq!(view(&world, id).provinces, [""; 0]);
    assert_eq!(view(&world, id).reason, None);
    assert_eq!(
        world.count("SELECT COUNT(*) FROM card_history WHERE reason = 'province_without_number'"),
        0
    );
}

#[test]
fn a_batch_that_may_fail_refuses_the_rows_without_a_number() {
    let world = World::new();
    let caller = world.stocked(3, 1);
    let new = NewBatch {
        fail_when_exhausted: true,
        ..batch(BatchKind::Apply, &caller.id)
    };
    let id = made(&world, &new, &applications(0..3, "37")).unwrap().batch.id;
    work(&world);
    assert_eq!(
        results(&world, id),
        [
            (2, Some("done"), None),
            (3, Some("refused"), Some("province_without_number")),
            (4, Some("refused"), Some("province_without_number")),
        ]
    );
    assert_eq!(figures(&world, id), (BatchState::Done, [3, 1, 0, 2]));
    assert_eq!(card(&world, &caller, 2), CardStatus::ApplicationFailed);
}

#[test]
fn a_province_that_is_not_served_is_refused_and_not_waited_for() {
    let world = World::new().serving("37");
    let caller = world.stocked(1, 1);
    let id = applied(&world, &caller.id, 0..1, "65");
    work(&world);
    assert_eq!(
        results(&world, id),
        [(2, Some("refused"), Some("province_not_served"))]
    );
}

#[test]
fn applications_of_a_disabled_client_wait() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    let id = applied(&world, &caller.id, 0..1, "37");
    let set_active = |active| {
        let change = ClientChange {
            active: Some(active),
            ..ClientChange::default()
        };
        run(change_client(&world.cx(), &caller.id, &change)).unwrap();
    };
    set_active(false);
    work(&world);
    assert_eq!(figures(&world, id), (BatchState::Paused, [1, 0, 0, 0]));
    assert_eq!(view(&world, id).reason, Some(Reason::ClientDisabled));
    set_active(true);
    world.pass(PAUSED_MS);
    work(&world);
    assert_eq!(figures(&world, id), (BatchState::Done, [1, 1, 0, 0]));
}

#[test]
fn a_large_batch_leaves_room_for_a_small_one() {
    let world = World::new();
    let caller = world.stocked(1_205, 1_205);
    let large = made(
        &world,
        &batch(BatchKind::Apply, &caller.id),
        &applications(0..1_200, "37"),
    );
    let large = large.unwrap().batch.id;
    world.pass(SECOND_MS);
    let small = NewBatch {
        key: "small",
        ..batch(BatchKind::Apply, &caller.id)
    };
    let small = made(&world, &small, &applications(1_200..1_205, "37"))
        .unwrap()
        .batch
        .id;
    let done = world.job(Job::Batches);
    assert!(done.more && done.count < 1_000, "{done:?}");
    assert_eq!(figures(&world, small), (BatchState::Done, [5, 5, 0, 0]));
    assert_eq!(figures(&world, large), (BatchState::Running, [1_200, 500, 0, 0]));
    assert_eq!(world.job(Job::Batches).count, 700);
    assert_eq!(figures(&world, large), (BatchState::Done, [1_200, 1_200, 0, 0]));
    assert_eq!(
        world.count("SELECT COUNT(*) FROM task WHERE state = 'waiting'"),
        1_205
    );
}

#[test]
fn a_batch_is_destroyed_some_time_after_it_ended_and_one_that_waits_is_kept() {
    let world = World::new();
    let caller = world.stocked(2, 1);
    let done = made(
        &world,
        &batch(BatchKind::Apply, &caller.id),
        &applications(0..1, "37"),
    )
    .unwrap();
    world.pass(SECOND_MS);
    let waiting = NewBatch {
        key: "waiting",
        ..batch(BatchKind::Apply, &caller.id)
    };
    let waiting = made(&world, &waiting, &applications(1..2, "37"))
        .unwrap()
        .batch
        .id;
    work(&world);
    assert_eq!(figures(&world, done.batch.id).0, BatchState::Done);
    world.pass(186 * DAY_MS);
    run(run_job(&world.cx(), Job::Retention, &MAINTENANCE)).unwrap();
    assert_eq!(world.column("SELECT id FROM batch"), [waiting.text()]);
    assert_eq!(world.column("SELECT batch_id FROM batch_row"), [waiting.text()]);
    assert_eq!(
        world.column("SELECT kind FROM destruction WHERE kind LIKE 'batch%' ORDER BY kind"),
        ["batch_rows", "batches"]
    );
}

#[test]
fn batches_are_stopped_by_a_restore() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    let id = applied(&world, &caller.id, 0..1, "37");
    let restored = operations::Restored {
        backup_id: "b1",
        backup_at: world.time(),
        no_writes_since: Some(world.time()),
    };
    run(operations::record_restore(&world.db, &restored, world.time())).unwrap();
    work(&world);
    assert_eq!(figures(&world, id), (BatchState::Stopped, [1, 0, 0, 0]));
}
