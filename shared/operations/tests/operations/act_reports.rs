//! What was done with a secret of a client, and how it can be undone (§9.2).

use std::time::Duration;

use domain::error::Reason;
use domain::{ClientId, FailureKind, Right, TaskId};
use operations::{ActFilter, AuditOutcome, Caller, ReportedAct, record_calls, rotate_secret, secret_report};
use store::call_log::NewCallRow;
use test_support::operations::{World, ip, reason, run};

/// A row of the call log.
fn call(world: &World, client: &ClientId, generation: i64, interface: &str, task: Option<TaskId>, code: u16) {
    world.pass(1_000);
    let row = NewCallRow {
        at: world.time(),
        client_id: Some(client.clone()),
        secret_generation: Some(generation),
        interface: interface.to_owned(),
        code,
        reason: (code >= 400).then_some("wrong_state"),
        address: Some(ip("192.0.2.1")),
        duration: Duration::from_micros(1),
        request_id: "r1".into(),
        eid_index: None,
        task_id: task.map(|task| task.text()),
        subject: Some("eid=890860****0090".to_owned()),
    };
    run(record_calls(&world.cx(), &[row])).unwrap();
}

fn report(world: &World, client: &ClientId, filter: ActFilter<'_>) -> (Vec<ReportedAct>, Option<u64>) {
    run(secret_report(&world.cx(), (client, 1), filter)).unwrap()
}

fn since_begin(world: &World) -> ActFilter<'static> {
    ActFilter {
        from: world.time().plus(-3_600_000),
        to: None,
        what: None,
        cursor: None,
        limit: 100,
    }
}

/// A client with a written card, a failed one and one that waits; the calls with its first secret, and one with its second.
fn applied() -> (World, Caller) {
    let world = World::new();
    let caller = world.stocked(3, 3);
    let written = world.write_chip(&caller, 0);
    let failed = world.fail_chip(&caller, 1, FailureKind::CardError);
    let waiting = world.apply_auto(&caller, 2).unwrap().task_id;
    run(rotate_secret(&world.cx(), &caller.id, 60)).unwrap();
    for task in [written, failed, waiting] {
        call(&world, &caller.id, 1, "write.apply", Some(task), 200);
    }
    call(&world, &caller.id, 2, "write.apply", Some(waiting), 200);
    call(&world, &caller.id, 1, "write.cancel", Some(waiting), 403);
    call(&world, &caller.id, 1, "chip.fault", None, 200);
    call(&world, &caller.id, 1, "write.status", Some(waiting), 500);
    (world, caller)
}

#[test]
fn each_call_with_a_secret_is_reported_with_what_undoes_it() {
    let (world, caller) = applied();
    let (acts, next) = report(&world, &caller.id, since_begin(&world));
    assert_eq!(next, None);
    let seen: Vec<_> = acts
        .iter()
        .map(|act| (act.what.as_str(), act.outcome, act.undo.map(|undo| undo.right)))
        .collect();
    assert_eq!(
        seen,
        [
            ("write.status", AuditOutcome::Failed, None),
            ("chip.fault", AuditOutcome::Done, Some(Right::IncidentsClose)),
            ("write.cancel", AuditOutcome::Refused, None),
            ("write.apply", AuditOutcome::Done, Some(Right::TasksEnd)),
            ("write.apply", AuditOutcome::Done, None),
            ("write.apply", AuditOutcome::Done, Some(Right::ChipsReopen)),
        ]
    );
    assert_eq!(acts[2].reason.as_deref(), Some("wrong_state"));
    assert_eq!(acts[0].object.as_deref(), Some("eid=890860****0090"));
    // The state of the task decides, as it is now.
    world.open(2).unwrap();
    world.execute("UPDATE chip SET status = 1 WHERE status = 4");
    let (acts, _) = report(&world, &caller.id, since_begin(&world));
    let undone: Vec<_> = acts[3..]
        .iter()
        .map(|act| act.undo.map(|undo| undo.right))
        .collect();
    assert_eq!(undone, [Some(Right::TasksEnd), None, None]);
}

#[test]
fn a_report_is_read_page_by_page_and_by_its_conditions() {
    let (world, caller) = applied();
    let all = since_begin(&world);
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let page = ActFilter {
            cursor,
            limit: 2,
            ..all
        };
        let (acts, next) = report(&world, &caller.id, page);
        seen.extend(acts.into_iter().map(|act| act.at));
        cursor = next;
        if cursor.is_none() {
            break;
        }
    }
    let whole: Vec<_> = report(&world, &caller.id, all)
        .0
        .into_iter()
        .map(|act| act.at)
        .collect();
    assert_eq!((whole.len(), &seen), (6, &whole));
    let some = |filter| report(&world, &caller.id, filter).0.len();
    let what = Some("write.apply");
    assert_eq!(some(ActFilter { what, ..all }), 3);
    assert_eq!(
        some(ActFilter {
            from: whole[1],
            ..all
        }),
        2
    );
    assert_eq!(
        some(ActFilter {
            to: Some(whole[1]),
            ..all
        }),
        4
    );
}

#[test]
fn a_secret_that_a_client_never_had_has_no_report() {
    let (world, caller) = applied();
    let other = ClientId::parse("cl_00000000000000000000").unwrap();
    for (client, generation) in [(&caller.id, 0), (&caller.id, 3), (&other, 1)] {
        let asked = run(secret_report(
            &world.cx(),
            (client, generation),
            since_begin(&world),
        ));
        assert_eq!(reason(asked), Reason::UnknownSecret, "{generation}");
    }
}
