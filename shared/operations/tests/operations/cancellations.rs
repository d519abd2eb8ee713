//! Withdrawing applications, and how far a card is.

use domain::error::Reason;
use domain::{CardStatus, FailureKind};
use operations::{ApplyRequest, Caller, TaskRef, cancel, register_fault, status};
use test_support::eid::eid_text;
use test_support::inventory::{NumberCsv, eid};
use test_support::operations::{World, automatic, designated, failed, reason, run};

fn card(world: &World, caller: &Caller, chip: u32) -> CardStatus {
    run(status(&world.cx(), caller, &TaskRef::Eid(eid(chip))))
        .unwrap()
        .card_status
}

// §7.2.2.4
#[test]
fn a_cancelled_application_returns_its_number_to_the_pool() {
    let world = World::new();
    let caller = world.stocked(2, 1);
    let task = world.apply_auto(&caller, 0).unwrap().task_id;
    world.pass(5);
    let cancelled = run(cancel(&world.cx(), &caller, &TaskRef::Task(task))).unwrap();
    assert_eq!(
        (cancelled.task_id, cancelled.at, cancelled.eid),
        (task, world.time(), eid(0))
    );
    assert_eq!(card(&world, &caller, 0), CardStatus::ToWrite);
    assert!(world.apply_auto(&caller, 1).is_ok());
}

#[test]
fn a_cancelled_designated_card_stays_allotted_to_its_client() {
    let world = World::new();
    let caller = world.stocked(1, 0);
    world.numbers(&[NumberCsv::allotted(7, &caller.id)]);
    let number = NumberCsv::new(7);
    let request = designated(&number.iccid, &number.iccid, &number.msisdn);
    let eid_0 = eid_text(0);
    let request = ApplyRequest {
        eid: &eid_0,
        ..request
    };
    world.apply(&caller, &request).unwrap();
    run(cancel(&world.cx(), &caller, &TaskRef::Eid(eid(0)))).unwrap();
    assert_eq!(world.column("SELECT status FROM number"), ["allotted"]);
    assert!(!world.apply(&caller, &request).unwrap().repeated);
}

// §7.2.2.4: 403 unless 待开机上电, 404 when unknown
#[test]
fn only_a_waiting_card_can_be_cancelled() {
    let world = World::new();
    let caller = world.stocked(1, 2);
    let by_eid = TaskRef::Eid(eid(0));
    assert_eq!(
        reason(run(cancel(&world.cx(), &caller, &by_eid))),
        Reason::WrongState
    );
    let task = world.apply_auto(&caller, 0).unwrap().task_id;
    let (session, _) = world.open(0).unwrap();
    for what in [&by_eid, &TaskRef::Task(task)] {
        let before = world.dump();
        let refused = run(cancel(&world.cx(), &caller, what)).unwrap_err();
        assert_eq!(
            (refused.reason(), refused.reason().status()),
            (Reason::WrongState, 403)
        );
        assert_eq!(world.dump(), before);
    }
    world
        .report_event(session, 1, failed(FailureKind::FileRefused))
        .unwrap();
    assert_eq!(
        reason(run(cancel(&world.cx(), &caller, &by_eid))),
        Reason::WrongState
    );
    let unknown = domain::TaskId::new(world.time(), [9; 10]);
    assert_eq!(
        reason(run(cancel(&world.cx(), &caller, &TaskRef::Task(unknown)))),
        Reason::UnknownTask
    );
}

#[test]
fn an_old_task_cannot_cancel_a_newer_one() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    let old = world.apply_auto(&caller, 0).unwrap().task_id;
    run(cancel(&world.cx(), &caller, &TaskRef::Task(old))).unwrap();
    let new = world.apply_auto(&caller, 0).unwrap().task_id;
    assert_ne!(old, new);
    assert_eq!(
        reason(run(cancel(&world.cx(), &caller, &TaskRef::Task(old)))),
        Reason::WrongState
    );
    assert_eq!(card(&world, &caller, 0), CardStatus::WaitingPowerOn);
}

// §7.2.2.4
#[test]
fn cancelling_again_by_either_key_answers_the_first_time_and_changes_nothing() {
    let world = World::new();
    let caller = world.stocked(2, 2);
    let other = world.apply_auto(&caller, 1).unwrap().task_id;
    let task = world.apply_auto(&caller, 0).unwrap().task_id;
    let keys = [TaskRef::Eid(eid(0)), TaskRef::Task(task)];
    world.pass(5);
    let first = run(cancel(&world.cx(), &caller, &keys[0])).unwrap();
    world.pass(5);
    // What happens to another card, or cannot be read, is nothing.
    run(cancel(&world.cx(), &caller, &TaskRef::Task(other))).unwrap();
    world.apply(&caller, &automatic(&eid_text(0), "99")).unwrap_err();
    let before = world.dump();
    for _ in 0..2 {
        for key in &keys {
            assert_eq!(run(cancel(&world.cx(), &caller, key)).unwrap(), first, "{key:?}");
        }
    }
    assert_eq!(world.dump(), before);
}

// §7.2.2.4
#[test]
fn anything_else_that_happens_to_the_card_ends_the_repetition_of_its_cancellation() {
    type Event = fn(&World, &Caller);
    let happens: [(&str, Event); 6] = [
        ("a refused application", |world, caller| {
            world.apply(caller, &automatic(&eid_text(0), "65")).unwrap_err();
        }),
        ("another application", |world, caller| {
            world.apply_auto(caller, 0).unwrap();
        }),
        ("another application that was cancelled too", |world, caller| {
            world.apply_auto(caller, 0).unwrap();
            run(cancel(&world.cx(), caller, &TaskRef::Eid(eid(0)))).unwrap();
        }),
        ("a writing", |world, caller| {
            world.write_chip(caller, 0);
        }),
        ("a fault", |world, _| {
            run(register_fault(&world.cx(), &eid(0), true)).unwrap();
        }),
        ("a fault that is settled", |world, _| {
            run(register_fault(&world.cx(), &eid(0), true)).unwrap();
            run(register_fault(&world.cx(), &eid(0), false)).unwrap();
        }),
    ];
    for (what, event) in happens {
        let world = World::new();
        let caller = world.stocked(1, 2);
        let task = world.apply_auto(&caller, 0).unwrap().task_id;
        let by_task = TaskRef::Task(task);
        run(cancel(&world.cx(), &caller, &by_task)).unwrap();
        world.pass(1);
        assert!(run(cancel(&world.cx(), &caller, &by_task)).is_ok(), "{what}");
        event(&world, &caller);
        let before = world.dump();
        assert_eq!(
            reason(run(cancel(&world.cx(), &caller, &by_task))),
            Reason::WrongState,
            "{what}"
        );
        assert_eq!(world.dump(), before, "{what}");
    }
}

// §7.2.2.3
#[test]
fn status_follows_the_card_and_the_task_keeps_its_own() {
    let world = World::new();
    let caller = world.stocked(1, 2);
    let look = |what: &TaskRef| run(status(&world.cx(), &caller, what)).unwrap();
    let by_eid = TaskRef::Eid(eid(0));

    let fresh = look(&by_eid);
    assert_eq!(
        (fresh.card_status, fresh.task_id, fresh.progress),
        (CardStatus::ToWrite, None, 0)
    );

    let first = world.fail_chip(&caller, 0, FailureKind::MemoryProblem);
    let failed = look(&by_eid);
    assert_eq!(
        (failed.card_status, failed.failure),
        (CardStatus::Failed, Some(FailureKind::MemoryProblem.into()))
    );
    assert_eq!(failed.write_time, None);

    assert_eq!(
        reason(world.apply(&caller, &automatic(&eid_text(0), "65"))),
        Reason::ProvinceWithoutNumber
    );
    let refused = look(&by_eid);
    assert_eq!(
        (refused.card_status, refused.progress, refused.failure),
        (CardStatus::ApplicationFailed, 0, None)
    );

    let second = world.write_chip(&caller, 0);
    let done = look(&by_eid);
    assert_eq!(
        (done.card_status, done.task_id, done.progress),
        (CardStatus::Written, Some(second), 100)
    );
    assert_eq!(done.write_time, Some(world.time()));
    let old = look(&TaskRef::Task(first));
    assert_eq!(
        (old.card_status, old.task_id, old.eid),
        (CardStatus::Failed, Some(first), eid(0))
    );
}
