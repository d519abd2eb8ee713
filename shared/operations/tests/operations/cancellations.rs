//! Withdrawing applications, and how far a card is.

use domain::error::Reason;
use domain::{CardStatus, FailureKind, TaskFailure, TaskStatus};
use operations::{ApplyRequest, Caller, TaskRef, TaskView, cancel, register_fault, status};
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
fn the_card_shows_its_present_state_and_each_task_what_became_of_it() {
    let world = World::new();
    let caller = world.stocked(1, 2);
    let look = |what: &TaskRef| {
        let view = run(status(&world.cx(), &caller, what)).unwrap();
        assert_eq!(view.eid, eid(0));
        (view.card_status, view.task)
    };
    let by_eid = TaskRef::Eid(eid(0));
    assert_eq!(look(&by_eid), (CardStatus::ToWrite, None));

    let first = world.fail_chip(&caller, 0, FailureKind::MemoryProblem);
    let failed = TaskView {
        id: first,
        status: TaskStatus::Failed,
        progress: 0,
        write_time: None,
        finished_at: Some(world.time()),
        failure: Some(FailureKind::MemoryProblem.into()),
        latest_id: None,
    };
    for what in [&by_eid, &TaskRef::Task(first)] {
        assert_eq!(look(what), (CardStatus::Failed, Some(failed.clone())));
    }

    // A refused application has no task: the latest one is still the one that failed.
    world.pass(1_000);
    assert_eq!(
        reason(world.apply(&caller, &automatic(&eid_text(0), "65"))),
        Reason::ProvinceNotServed
    );
    for what in [&by_eid, &TaskRef::Task(first)] {
        assert_eq!(look(what), (CardStatus::ApplicationFailed, Some(failed.clone())));
    }

    let second = world.write_chip(&caller, 0);
    let written = TaskView {
        id: second,
        status: TaskStatus::Succeeded,
        progress: 100,
        write_time: Some(world.time()),
        finished_at: Some(world.time()),
        failure: None,
        latest_id: None,
    };
    assert_eq!(look(&by_eid), (CardStatus::Written, Some(written)));
    let old = TaskView {
        latest_id: Some(second),
        ..failed
    };
    assert_eq!(look(&TaskRef::Task(first)), (CardStatus::Written, Some(old)));
}

#[test]
fn a_task_that_its_client_withdrew_is_cancelled_and_one_that_others_ended_before_power_up_is_ended() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    let seen = |task| {
        let view = run(status(&world.cx(), &caller, &TaskRef::Task(task))).unwrap();
        let task = view.task.unwrap();
        assert_eq!((task.finished_at, task.write_time), (Some(world.time()), None));
        (view.card_status, task.status, task.failure)
    };
    let task = world.apply_auto(&caller, 0).unwrap().task_id;
    run(cancel(&world.cx(), &caller, &TaskRef::Eid(eid(0)))).unwrap();
    assert_eq!(seen(task), (CardStatus::ToWrite, TaskStatus::Cancelled, None));

    let task = world.apply_auto(&caller, 0).unwrap().task_id;
    run(register_fault(&world.cx(), &eid(0), true)).unwrap();
    let faulty = Some(TaskFailure::ChipFaulty);
    assert_eq!(seen(task), (CardStatus::ToWrite, TaskStatus::Ended, faulty));
}

#[test]
fn a_status_is_read_in_one_statement_that_uses_indexes() {
    test_support::of_sqlite!();
    let world = World::new();
    let caller = world.stocked(1, 1);
    let task = world.apply_auto(&caller, 0).unwrap().task_id;
    for what in [TaskRef::Eid(eid(0)), TaskRef::Task(task)] {
        let before = world.db.seen.borrow().len();
        run(status(&world.cx(), &caller, &what)).unwrap();
        let seen = world.db.seen.borrow()[before..].to_vec();
        assert_eq!(seen.len(), 1, "{seen:?}");
        let plan = world.plan(seen[0]);
        assert!(!plan.contains("SCAN"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    }
}
