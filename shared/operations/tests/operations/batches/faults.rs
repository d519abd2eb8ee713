//! Whatever statement fails, and wherever the process ends: each row is carried out once, and its result says so.

use domain::BatchKind;
use domain::BatchState;
use operations::{Job, run_job, stop_batch};
use store::invariant;
use test_support::operations::{MAINTENANCE, World, run};

use super::{applications, batch, cards, figures, made, rows, work};
use crate::faults::leaves_nothing_behind;

/// Most statements that a run of these batches takes.
const MAX_STATEMENTS: usize = 400;

#[test]
fn a_batch_is_made_as_a_whole_or_not() {
    let arrange = || {
        let world = World::new();
        let caller = world.stocked(2, 2);
        (world, caller)
    };
    leaves_nothing_behind("create_batch", arrange, |world, caller| {
        let new = batch(BatchKind::Apply, &caller.id);
        made(world, &new, &applications(0..2, "37")).map(drop)
    });
}

#[test]
fn a_batch_is_stopped_or_not() {
    let arrange = || {
        let world = World::new();
        let caller = world.stocked(1, 1);
        let new = batch(BatchKind::Apply, &caller.id);
        let id = made(&world, &new, &applications(0..1, "37")).unwrap().batch.id;
        (world, id)
    };
    leaves_nothing_behind("stop_batch", arrange, |world, id| {
        run(stop_batch(&world.cx(), *id)).map(drop)
    });
}

/// A batch of two applications, or one that ends them.
fn arranged(kind: BatchKind) -> (World, domain::BatchId) {
    let world = World::new();
    let caller = world.stocked(2, 2);
    let file = match kind {
        BatchKind::Apply => applications(0..2, "37"),
        _ => {
            for chip in 0..2 {
                world.apply_auto(&caller, chip).unwrap();
            }
            cards(0..2)
        }
    };
    let id = made(&world, &batch(kind, &caller.id), &file).unwrap().batch.id;
    (world, id)
}

#[test]
fn rows_are_carried_out_once_whichever_statement_fails() {
    for kind in [BatchKind::Apply, BatchKind::End] {
        let (world, _) = arranged(kind);
        let before = world.db.seen.borrow().len();
        work(&world);
        let statements = world.db.seen.borrow().len() - before;
        assert!(
            (10..MAX_STATEMENTS).contains(&statements),
            "{kind:?}: {statements}"
        );
        for n in 1..=statements {
            let (world, id) = arranged(kind);
            world.db.fail_at(Some(n));
            let result = run(run_job(&world.cx(), Job::Batches, &MAINTENANCE));
            world.db.fail_at(None);
            assert!(!world.db.inner.is_in_transaction(), "{kind:?}: {n}");
            check(&world, id, kind, n);
            // What failed is taken up by the next run.
            work(&world);
            check(&world, id, kind, n);
            assert_eq!(
                figures(&world, id),
                (BatchState::Done, [2, 2, 0, 0]),
                "{kind:?}: {n} {result:?}"
            );
        }
    }
}

/// As many rows have a result as cards have changed, and as the batch counts.
fn check(world: &World, id: domain::BatchId, kind: BatchKind, n: usize) {
    let done = rows(world, id, Some(domain::BatchResult::Done)).len() as i64;
    let state = match kind {
        BatchKind::Apply => "waiting",
        _ => "cancelled",
    };
    let changed = world.count(&format!("SELECT COUNT(*) FROM task WHERE state = '{state}'"));
    assert_eq!(
        (changed, figures(world, id).1[1] as i64),
        (done, done),
        "{kind:?}: {n}"
    );
    assert!(
        run(invariant::broken(&world.db)).unwrap().is_empty(),
        "{kind:?}: {n}"
    );
}

#[test]
fn a_row_that_cannot_be_carried_out_is_refused_alone() {
    let world = World::new();
    let caller = world.stocked(3, 3);
    let new = batch(BatchKind::Apply, &caller.id);
    let id = made(&world, &new, &applications(0..3, "37")).unwrap().batch.id;
    world.execute("UPDATE batch_row SET content_sealed = (SELECT content_sealed FROM batch_row WHERE line = 2) WHERE line = 3");
    let failed = run(run_job(&world.cx(), Job::Batches, &MAINTENANCE)).unwrap_err();
    assert_eq!(failed.reason(), domain::error::Reason::Internal);
    assert!(failed.cause().unwrap().contains("batch_row.content"), "{failed}");
    assert_eq!(
        super::results(&world, id),
        [
            (2, Some("done"), None),
            (3, Some("refused"), Some("internal")),
            (4, Some("done"), None),
        ]
    );
    assert_eq!(figures(&world, id), (BatchState::Done, [3, 2, 0, 1]));
    let read = rows(&world, id, None);
    assert_eq!(read[1].unreadable, ["identifiers"]);
}
