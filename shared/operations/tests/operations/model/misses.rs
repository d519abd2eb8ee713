//! An operation of which a guarded statement finds no row changes nothing.

use std::collections::BTreeSet;

use domain::FailureKind;
use domain::error::{Error, Reason};
use operations::{
    ActNote, Caller, ReportEvent, TaskRef, allot_numbers, cancel, destroy_chip, end_task, register_fault,
    reopen, replace_chip,
};
use store::Engine;
use test_support::inventory::eid;
use test_support::operations::{World, failed, run};

use crate::operator_reports::iccid;

const NOTE: ActNote<'_> = ActNote {
    person: "王芳",
    text: "工单 7",
};

/// Beginnings of the statements without whose row an operation must change nothing.
const GUARDED: [&str; 9] = [
    "INSERT INTO task",
    "UPDATE task SET state",
    "UPDATE task SET next_work",
    "UPDATE chip SET status",
    "UPDATE chip SET faulty = $1,",
    "UPDATE number SET exposed",
    "UPDATE number SET status = CASE status WHEN 'reserved' THEN 'written'",
    "UPDATE number SET client_id",
    "UPDATE device_session SET bytes_up",
];

/// Lets each guarded statement of `act` find no row, one after the other; there are as many different ones as `guards`,
/// of which PostgreSQL carries out several in one.
fn changes_nothing_without_its_rows(
    name: &str,
    guards: usize,
    arrange: impl Fn() -> World,
    act: impl Fn(&World) -> Result<(), Error>,
) {
    let mut found = BTreeSet::new();
    let mut engine = Engine::Sqlite;
    for n in 1.. {
        let world = arrange();
        engine = world.db.inner.engine();
        let before = world.dump();
        world.db.miss_at(Some(n));
        let result = act(&world);
        let (missed, statements) = (world.db.missed(), world.db.statements());
        world.db.miss_at(None);
        if statements < n {
            break;
        }
        let Some(sql) = missed.filter(|sql| GUARDED.iter().any(|guarded| sql.contains(guarded))) else {
            continue;
        };
        found.insert(sql);
        // A refusal that is no fault of the platform's: a caller may repeat the call.
        let reason = result.map_err(|error| error.reason());
        assert!(
            reason.is_err_and(|reason| reason != Reason::Internal),
            "{reason:?} without {sql}"
        );
        assert_eq!(world.dump(), before, "something remains without {sql}");
    }
    let is_as_many = match engine {
        Engine::Sqlite => found.len() == guards,
        Engine::Postgres => (1..=guards).contains(&found.len()),
    };
    assert!(is_as_many, "{name}: {found:#?}");
}

pub(super) fn applied() -> World {
    let world = World::new();
    let caller = world.stocked(2, 2);
    world.apply_auto(&caller, 0).unwrap();
    world
}

fn opened() -> World {
    let world = applied();
    world.open(0).unwrap();
    world
}

fn verifying() -> World {
    let world = opened();
    report(&world, ReportEvent::Written).unwrap();
    world.open(0).unwrap();
    world
}

fn written() -> World {
    let world = verifying();
    report(&world, ReportEvent::Verified).unwrap();
    world
}

/// Reports an event of the open session of chip 0, without bytes.
fn report(world: &World, event: ReportEvent) -> Result<(), Error> {
    let id = world
        .column("SELECT id FROM device_session WHERE state = 'open'")
        .remove(0);
    let report = operations::Report {
        session_id: domain::SessionId::parse(&id).unwrap(),
        seq: 1,
        event,
        bytes_up: 0,
        bytes_down: 0,
        unopened: None,
    };
    world.report(&report).map(drop)
}

#[test]
fn a_report_whose_row_another_call_has_changed_changes_nothing() {
    let not_kept = ReportEvent::NotVerified {
        rewrite: true,
        other_imsi: false,
        detail: String::new(),
    };
    let closed = ReportEvent::Closed {
        reason: "idle".to_owned(),
    };
    for (is_verifying, event, guards) in [
        (false, ReportEvent::Written, 2),
        (true, ReportEvent::Verified, 4),
        (true, not_kept, 2),
        (false, failed(FailureKind::CardError), 3),
        (true, failed(FailureKind::CardError), 3),
        (false, closed, 1),
    ] {
        let arrange = if is_verifying { verifying } else { opened };
        let name = format!("{event:?}");
        changes_nothing_without_its_rows(&name, guards, arrange, |world| report(world, event.clone()));
    }
}

#[test]
fn a_call_whose_row_another_call_has_changed_changes_nothing() {
    let caller = |world: &World| Caller {
        id: domain::ClientId::parse(&world.column("SELECT id FROM client").remove(0)).unwrap(),
    };
    let by_eid = || TaskRef::Eid(eid(0));
    let stocked = || {
        let world = World::new();
        world.stocked(1, 1);
        world
    };
    let today = |world: &World| world.time().date_in(&world.zone);
    let apply = |world: &World| world.apply_auto(&caller(world), 0).map(drop);
    changes_nothing_without_its_rows("apply", 2, stocked, apply);
    let cancelled = |world: &World| run(cancel(&world.cx(), &caller(world), &by_eid())).map(drop);
    changes_nothing_without_its_rows("cancel", 2, applied, cancelled);
    let open = |world: &World| world.open(0).map(drop);
    changes_nothing_without_its_rows("open", 3, applied, open);
    changes_nothing_without_its_rows("open again", 1, opened, open);
    let end = |world: &World| run(end_task(&world.cx(), &by_eid(), &NOTE)).map(drop);
    for arrange in [applied, opened, verifying] {
        changes_nothing_without_its_rows("end", 2, arrange, end);
    }
    let fault = |world: &World| run(register_fault(&world.cx(), &eid(0), true));
    changes_nothing_without_its_rows("fault", 3, opened, fault);
    let destroy = |world: &World| run(destroy_chip(&world.cx(), &eid(0), today(world), &NOTE)).map(drop);
    changes_nothing_without_its_rows("destroy", 3, opened, destroy);
    let replace = |world: &World| run(replace_chip(&world.cx(), &eid(0), &eid(1), &NOTE)).map(drop);
    changes_nothing_without_its_rows("replace", 4, applied, replace);
    let reopened = |world: &World| run(reopen(&world.cx(), &eid(0), &NOTE)).map(drop);
    changes_nothing_without_its_rows("reopen", 1, written, reopened);
    let allot = |world: &World| run(allot_numbers(&world.cx(), &caller(world).id, &[iccid(0)])).map(drop);
    changes_nothing_without_its_rows("allot", 1, stocked, allot);
}
