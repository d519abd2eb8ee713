//! What the rows of each kind of batch do, and what is recorded of it.

use domain::error::Reason;
use domain::{BatchKind, BatchResult, BatchState, CardStatus, SECOND_MS};
use operations::{
    Act, AuditFilter, AuditOutcome, Caller, Context, Job, NewBatch, TaskRef, batch_rows, card_history,
    create_batch, list_audit, list_batches, resume_batch, status, stop_batch,
};
use test_support::eid::eid_text;
use test_support::inventory::{NumberCsv, eid};
use test_support::operations::{World, reason, run};

use super::{applications, applied, batch, cards, figures, made, numbers, results, rows, view, work};

fn status_of(world: &World, caller: &Caller, chip: u32) -> CardStatus {
    let view = run(status(&world.cx(), caller, &TaskRef::Eid(eid(chip))));
    view.unwrap().card_status
}

#[test]
fn applications_are_made_in_the_name_of_the_client_with_a_result_for_each_row() {
    let world = World::new();
    let caller = world.stocked(4, 4);
    let first = world.apply_auto(&caller, 0).unwrap().task_id;
    world.write_chip(&caller, 1);
    let file = format!(
        "{}8908603020220000000000000000012,37\n{},,,\n",
        applications(0..5, "37"),
        eid_text(3)
    );
    let id = made(&world, &batch(BatchKind::Apply, &caller.id), &file)
        .unwrap()
        .batch
        .id;
    assert_eq!(figures(&world, id), (BatchState::Running, [7, 0, 0, 2]));
    work(&world);
    let done = Some(BatchResult::Done.code());
    let refused = Some(BatchResult::Refused.code());
    assert_eq!(
        results(&world, id),
        [
            (2, Some(BatchResult::Unchanged.code()), None),
            (3, refused, Some("already_written")),
            (4, done, None),
            (5, done, None),
            (6, refused, Some("unknown_chip")),
            (7, refused, Some("eid_malformed")),
            (8, refused, Some("parameter_missing")),
        ]
    );
    assert_eq!(figures(&world, id), (BatchState::Done, [7, 2, 1, 4]));
    let found = rows(&world, id, None);
    assert_eq!(found[0].task, Some(first));
    assert_eq!(found[0].identifiers, [Some(eid_text(0)), None, None]);
    assert_eq!(found[0].province.as_deref(), Some("37"));
    assert_eq!(found[5].identifiers, [None, None, None]);
    for chip in [2, 3] {
        assert_eq!(status_of(&world, &caller, chip), CardStatus::WaitingPowerOn);
        let task = found[chip as usize].task.unwrap();
        let view = run(status(&world.cx(), &caller, &TaskRef::Task(task))).unwrap();
        assert_eq!(view.card_status, CardStatus::WaitingPowerOn);
    }
    // Nothing is left to do.
    let before = world.dump();
    assert_eq!(world.job(Job::Batches).count, 0);
    assert_eq!(world.dump(), before);
}

#[test]
fn an_application_by_iccid_and_number_takes_the_number_that_was_allotted() {
    let world = World::new();
    let caller = world.stocked(2, 0);
    world.numbers(&[NumberCsv::allotted(0, &caller.id), NumberCsv::new(1)]);
    let row = |chip: u32, number: u32| {
        let NumberCsv { iccid, msisdn, .. } = NumberCsv::new(number);
        format!("{},{iccid},{msisdn}\n", eid_text(chip))
    };
    let file = format!("eid,iccid,msisdn\n{}{}", row(0, 0), row(1, 1)).replace(',', ";");
    let id = made(&world, &batch(BatchKind::Apply, &caller.id), &file)
        .unwrap()
        .batch
        .id;
    work(&world);
    assert_eq!(
        results(&world, id),
        [
            (2, Some("done"), None),
            (3, Some("refused"), Some("unknown_number"))
        ]
    );
    assert_eq!(status_of(&world, &caller, 1), CardStatus::ApplicationFailed);
    let NumberCsv { iccid, msisdn, .. } = NumberCsv::new(0);
    assert_eq!(
        rows(&world, id, Some(BatchResult::Done))[0].identifiers,
        [Some(eid_text(0)), Some(iccid), Some(msisdn)]
    );
}

#[test]
fn applications_are_withdrawn_and_another_client_s_are_unknown() {
    let world = World::new();
    let caller = world.stocked(3, 3);
    let other = world.client_at("203.0.113.0/24").client_id;
    for chip in [0, 1] {
        world.apply_auto(&caller, chip).unwrap();
    }
    world.open(1).unwrap();
    let theirs = made(
        &world,
        &NewBatch {
            key: "other",
            ..batch(BatchKind::Cancel, &other)
        },
        &cards(0..1),
    );
    let theirs = theirs.unwrap().batch.id;
    work(&world);
    assert_eq!(
        results(&world, theirs),
        [(2, Some("refused"), Some("unknown_chip"))]
    );
    let id = made(&world, &batch(BatchKind::Cancel, &caller.id), &cards(0..3))
        .unwrap()
        .batch
        .id;
    work(&world);
    assert_eq!(
        results(&world, id),
        [
            (2, Some("done"), None),
            (3, Some("refused"), Some("wrong_state")),
            (4, Some("refused"), Some("wrong_state")),
        ]
    );
    assert_eq!(status_of(&world, &caller, 0), CardStatus::ToWrite);
    world.pass(SECOND_MS);
    let again = NewBatch {
        key: "again",
        ..batch(BatchKind::Cancel, &caller.id)
    };
    let again = made(&world, &again, &cards(0..1)).unwrap().batch.id;
    work(&world);
    assert_eq!(results(&world, again), [(2, Some("unchanged"), None)]);
}

#[test]
fn tasks_are_ended_with_who_and_why_in_the_history_of_each_card() {
    let world = World::new();
    let caller = world.stocked(3, 2);
    for chip in [0, 1] {
        world.apply_auto(&caller, chip).unwrap();
    }
    world.open(1).unwrap();
    let id = made(&world, &batch(BatchKind::End, &caller.id), &cards(0..3))
        .unwrap()
        .batch
        .id;
    work(&world);
    assert_eq!(
        results(&world, id),
        [
            (2, Some("done"), None),
            (3, Some("done"), None),
            (4, Some("refused"), Some("unknown_task")),
        ]
    );
    assert_eq!(status_of(&world, &caller, 0), CardStatus::ToWrite);
    assert_eq!(status_of(&world, &caller, 1), CardStatus::Failed);
    let (steps, _) = run(card_history(&world.cx(), &eid(0))).unwrap();
    assert!(
        steps
            .iter()
            .any(|step| step.person.as_deref() == Some("王芳") && step.note.as_deref() == Some("项目取消")),
        "{steps:?}"
    );
    assert_eq!(view(&world, id).person.as_deref(), Some("王芳"));
    assert_eq!(view(&world, id).note.as_deref(), Some("项目取消"));
}

#[test]
fn numbers_are_allotted_suspended_and_retired() {
    let world = World::new();
    let caller = world.stocked(1, 4);
    world.apply_auto(&caller, 0).unwrap();
    let states = || world.column("SELECT status FROM number ORDER BY status");
    for (kind, expected, after) in [
        (
            BatchKind::Allot,
            [None, None, None, Some("number_in_use"), Some("unknown_number")],
            ["allotted", "allotted", "allotted", "reserved"],
        ),
        (
            BatchKind::Suspend,
            [None, None, None, None, Some("unknown_number")],
            ["suspended", "suspended", "suspended", "suspended"],
        ),
        (
            BatchKind::Retire,
            [None, None, None, Some("number_in_use"), Some("unknown_number")],
            ["retired", "retired", "retired", "suspended"],
        ),
    ] {
        let new = NewBatch {
            key: kind.code(),
            ..batch(kind, &caller.id)
        };
        let id = made(&world, &new, &numbers(0..5)).unwrap().batch.id;
        work(&world);
        let mut found: Vec<_> = results(&world, id)
            .into_iter()
            .map(|(_, _, reason)| reason)
            .collect();
        // Any of the numbers is the one that a card waits for.
        found.sort_unstable();
        assert_eq!(found, expected, "{kind:?}");
        assert_eq!(states(), after, "{kind:?}");
    }
    let again = NewBatch {
        key: "again",
        ..batch(BatchKind::Suspend, &caller.id)
    };
    let id = made(&world, &again, &numbers(0..4)).unwrap().batch.id;
    work(&world);
    assert_eq!(figures(&world, id), (BatchState::Done, [4, 1, 0, 3]));
}

#[test]
fn the_same_key_and_content_is_the_same_batch_and_other_content_is_refused() {
    let world = World::new();
    let caller = world.stocked(3, 3);
    let new = batch(BatchKind::Apply, &caller.id);
    let file = applications(0..2, "37");
    let first = made(&world, &new, &file).unwrap();
    assert!(first.is_new);
    let before = world.dump();
    let again = made(&world, &new, &file).unwrap();
    assert_eq!((again.is_new, &again.batch), (false, &first.batch));
    for (new, file) in [
        (new, applications(0..3, "37")),
        (
            NewBatch {
                kind: BatchKind::Cancel,
                ..new
            },
            file.clone(),
        ),
        (
            NewBatch {
                fail_when_exhausted: true,
                ..new
            },
            file.clone(),
        ),
    ] {
        assert_eq!(reason(made(&world, &new, &file)), Reason::BatchKeyTaken);
    }
    assert_eq!(world.dump(), before);
    work(&world);
    let again = made(&world, &new, &file).unwrap().batch;
    assert_eq!(
        (again.id, again.state, again.done),
        (first.batch.id, BatchState::Done, 2)
    );
    world.pass(SECOND_MS);
    let other = NewBatch {
        key: "batch-2",
        ..new
    };
    assert!(made(&world, &other, &file).unwrap().is_new);
    let (_, next) = run(list_batches(&world.cx(), None, None, 1)).unwrap();
    let (rest, next) = run(list_batches(&world.cx(), None, next, 2)).unwrap();
    assert_eq!((rest[0].id, next), (first.batch.id, None));
}

#[test]
fn a_batch_is_stopped_in_the_middle_and_goes_on_where_it_was() {
    let world = World::new();
    let caller = world.stocked(3, 3);
    let id = applied(&world, &caller.id, 0..3, "37");
    assert_eq!(
        run(stop_batch(&world.cx(), id)).unwrap().state,
        BatchState::Stopped
    );
    world.pass(SECOND_MS);
    work(&world);
    assert_eq!(figures(&world, id), (BatchState::Stopped, [3, 0, 0, 0]));
    assert!(view(&world, id).ended_at.is_some());
    let again = run(stop_batch(&world.cx(), id)).unwrap();
    assert_eq!(again.state, BatchState::Stopped);
    let member = operations::StaffMember::Secret;
    let resumed = run(resume_batch(&world.cx(), &member, id)).unwrap();
    assert_eq!((resumed.state, resumed.ended_at), (BatchState::Running, None));
    work(&world);
    assert_eq!(figures(&world, id), (BatchState::Done, [3, 3, 0, 0]));
    for refused in [
        run(stop_batch(&world.cx(), id)),
        run(resume_batch(&world.cx(), &member, id)),
    ] {
        assert_eq!(reason(refused), Reason::BatchState);
    }
    let unknown = domain::BatchId::new(world.time(), [7; 10]);
    assert_eq!(
        reason(run(stop_batch(&world.cx(), unknown))),
        Reason::UnknownBatch
    );
    assert_eq!(
        reason(run(batch_rows(&world.cx(), unknown, None, None, 1))),
        Reason::UnknownBatch
    );
}

#[test]
fn what_the_rows_change_is_in_the_audit_trail_under_who_made_the_batch() {
    let world = World::new();
    let caller = world.stocked(2, 2);
    let act = Act::new(
        "account:1".to_owned(),
        domain::Right::BatchesCreate,
        "192.0.2.1".to_owned(),
        "request-1".to_owned(),
    );
    let cx: Context<'_, _> = world.cx().acting(Some(&act));
    let new = batch(BatchKind::Apply, &caller.id);
    let file = applications(0..2, "37");
    let member = operations::StaffMember::Secret;
    let id = run(create_batch(&cx, &member, &new, file.as_bytes()))
        .unwrap()
        .batch
        .id;
    work(&world);
    let filter = AuditFilter {
        object: Some(operations::AuditObjectRef::Eid(eid(1))),
        limit: 10,
        ..AuditFilter::default()
    };
    let (found, _) = run(list_audit(&world.cx(), filter)).unwrap();
    let row = &found[0];
    assert_eq!(
        (
            row.who.as_str(),
            row.what.as_str(),
            row.outcome,
            row.request_id.as_str()
        ),
        ("account:1", "batches.create", AuditOutcome::Done, "request-1")
    );
    assert!(row.object.contains(&id.text()), "{}", row.object);
    assert_eq!(world.count("SELECT COUNT(*) FROM audit"), 2);
}
