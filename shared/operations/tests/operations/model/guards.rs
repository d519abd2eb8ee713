//! Guards: each statement that changes a task, a number or the state of a card names the state that it expects.
//!
//! One connection never sees another call between its reads and its writes, so no sequence of steps shows these. Here
//! the statements are run in every state; `misses.rs` makes them find no row.

use std::cell::Cell;

use domain::error::{Error, Reason};
use domain::{CardStatus, FailureKind, SessionId, TaskFailure, TaskId, Timestamp};
use operations::{Caller, NumberAct, ReportEvent, TaskRef, act_on_number, cancel};
use store::device_session::{self, Progress, SessionState};
use store::{Database, DbError, Tx, card_facts, chip, number, task};
use test_support::eid::eid_text;
use test_support::fault_injecting_db::FaultInjectingDb;
use test_support::inventory::{ChipCsv, NumberCsv, eid};
use test_support::operations::{World, designated, failed, run};
use vault::{BlindIndex, IndexKind};

use super::misses::applied;
use crate::operator_reports::card;

/// Runs `act` in a transaction that is rolled back: whether it said that it changed something, and whether it did.
fn tried(
    world: &World,
    act: impl AsyncFn(&Tx<'_, FaultInjectingDb>) -> Result<Option<bool>, DbError>,
) -> bool {
    let before = world.dump();
    let changed = Cell::new(None);
    let result = run(store::transaction(&world.db, async |tx| {
        let said = act(tx).await?;
        let did = world.dump() != before;
        assert_eq!(
            said.unwrap_or(did),
            did,
            "a statement tells whether it changed a row"
        );
        changed.set(Some(did));
        Err::<(), Error>(Reason::Conflict.into())
    }));
    assert_eq!(result.unwrap_err().reason(), Reason::Conflict);
    assert_eq!(world.dump(), before);
    changed.get().unwrap()
}

/// A task in each state: waiting, being written, being verified, succeeded, failed, cancelled.
fn tasks() -> (World, [TaskId; 6]) {
    let world = World::new();
    let caller = world.stocked(6, 6);
    let ids = [0, 1, 2, 3, 4, 5].map(|chip| world.apply_auto(&caller, chip).unwrap().task_id);
    for chip in 1..=4 {
        let (session, _) = world.open(chip).unwrap();
        let event = match chip {
            1 => continue,
            4 => failed(FailureKind::CardError),
            _ => ReportEvent::Written,
        };
        world.report_event(session, 1, event).unwrap();
    }
    let (session, _) = world.open(3).unwrap();
    world.report_event(session, 1, ReportEvent::Verified).unwrap();
    run(cancel(&world.cx(), &caller, &TaskRef::Eid(eid(5)))).unwrap();
    (world, ids)
}

/// Whether a write that was put off finds its row.
async fn hits<D: Database>(tx: &Tx<'_, D>, put_off: Result<(), DbError>) -> Result<bool, DbError> {
    put_off?;
    // What was put off comes before any read.
    match store::clock::find(tx).await {
        Err(DbError::Missed(_)) => Ok(false),
        read => read.map(|_| true),
    }
}

async fn run_on_task<D: Database>(
    tx: &Tx<'_, D>,
    name: &str,
    id: TaskId,
    now: Timestamp,
) -> Result<Option<bool>, DbError> {
    Ok(Some(match name {
        "cancel" => task::cancel(tx, id, None, now).await?,
        "start" => hits(tx, task::start(tx, id, None, now).await).await?,
        "progress" => {
            hits(tx, task::progress(tx, id, 3, 20, now).await).await?;
            return Ok(None);
        }
        "set_verify" => hits(tx, task::set_verify(tx, id, 90, now).await).await?,
        "rewrite" => task::rewrite(tx, id, now).await?,
        "restart" => task::restart(tx, id, now).await?,
        "succeed" => hits(tx, task::succeed(tx, id, now).await).await?,
        "fail" => task::fail(tx, id, TaskFailure::EndedByOperator, now).await?,
        "mark_stuck" => task::mark_stuck(tx, id).await?,
        other => panic!("{other}"),
    }))
}

// §6.3 Table 2
#[test]
fn a_statement_changes_a_task_only_in_the_state_that_it_is_for() {
    let (world, ids) = tasks();
    world.pass(1_000);
    for (name, expected) in [
        ("cancel", [true, false, false, false, false, false]),
        ("start", [true, false, false, false, false, false]),
        ("progress", [false, true, false, false, false, false]),
        ("set_verify", [false, true, false, false, false, false]),
        ("rewrite", [false, false, true, false, false, false]),
        ("restart", [false, true, true, false, false, false]),
        ("succeed", [false, false, true, false, false, false]),
        ("fail", [false, true, true, false, false, false]),
        ("mark_stuck", [false, true, true, false, false, false]),
    ] {
        let now = world.time();
        let did = ids.map(|id| tried(&world, async |tx| run_on_task(tx, name, id, now).await));
        assert_eq!(did, expected, "{name}");
    }
}

fn eid_index(world: &World, chip: u32) -> BlindIndex {
    world.vault.blind_index(IndexKind::Eid, eid_text(chip).as_bytes())
}

fn iccid_index(world: &World, n: u32) -> BlindIndex {
    let iccid = NumberCsv::new(n).iccid;
    world.vault.blind_index(IndexKind::Iccid, iccid.as_bytes())
}

#[test]
fn a_card_moves_only_from_the_state_that_it_is_in() {
    use CardStatus::{Failed, ToWrite, WaitingPowerOn, Writing, Written};
    let (world, _) = tasks();
    let states = [WaitingPowerOn, Writing, Writing, Written, Failed, ToWrite];
    for (n, state) in (0..).zip(states) {
        for from in CardStatus::ALL {
            let to = CardStatus::ApplicationFailed;
            let index = eid_index(&world, n);
            let now = world.time();
            let did = tried(&world, async |tx| {
                hits(tx, chip::set_status(tx, &index, from, to, now).await)
                    .await
                    .map(Some)
            });
            assert_eq!(did, from == state, "chip {n} from {from:?}");
        }
    }
}

/// The numbers of [`numbers`], in its order.
const NUMBERS: [&str; 10] = [
    "free",
    "reserved",
    "sent",
    "held",
    "written",
    "suspended",
    "suspended_held",
    "suspended_sent",
    "retired",
    "others",
];

/// Allotted numbers in every state, by the chip of the same number; the last one is allotted to another client. With
/// the tasks and the writing sessions of those that had one.
fn numbers() -> (World, Caller, Vec<Option<TaskId>>, Vec<Option<SessionId>>) {
    let world = World::new();
    let caller = world.stocked(0, 0);
    let other = world.client().client_id;
    let chips: Vec<ChipCsv> = (0..10).map(ChipCsv::new).collect();
    world.chips(&caller.id, &chips);
    let mut all: Vec<NumberCsv> = (0..9).map(|n| NumberCsv::allotted(n, &caller.id)).collect();
    all.push(NumberCsv::allotted(9, &other));
    world.numbers(&all);
    let mut tasks = vec![None; 10];
    let mut sessions = vec![None; 10];
    for n in [1, 2, 3, 4, 6, 7] {
        let (eid, number) = (eid_text(n), NumberCsv::new(n));
        let request = designated(&eid, &number.iccid, &number.msisdn);
        tasks[n as usize] = Some(world.apply(&caller, &request).unwrap().task_id);
        if n == 1 {
            continue;
        }
        let (session, _) = world.open(n).unwrap();
        sessions[n as usize] = Some(session);
        let event = match n {
            3 | 6 => failed(FailureKind::CardError),
            4 => ReportEvent::Written,
            _ => ReportEvent::Progress { step: 1, steps: 12 },
        };
        world.report_event(session, 1, event).unwrap();
    }
    let (session, _) = world.open(4).unwrap();
    world.report_event(session, 1, ReportEvent::Verified).unwrap();
    for (n, act) in [
        (5, NumberAct::Suspend),
        (6, NumberAct::Suspend),
        (7, NumberAct::Suspend),
        (8, NumberAct::Retire),
    ] {
        run(act_on_number(&world.cx(), &card(n), act)).unwrap();
    }
    (world, caller, tasks, sessions)
}

/// What a statement is given: the number, the task and chip that have or had it, the client of the caller.
struct Given<'a> {
    iccid: BlindIndex,
    eid: BlindIndex,
    task: Option<TaskId>,
    session: Option<SessionId>,
    caller: &'a Caller,
    now: Timestamp,
}

async fn run_on_number<D: Database>(
    tx: &Tx<'_, D>,
    name: &str,
    given: &Given<'_>,
) -> Result<Option<bool>, DbError> {
    let Given {
        iccid,
        eid,
        task,
        session,
        caller,
        now,
    } = given;
    let next = TaskId::new(*now, [7; 10]);
    let own = task.unwrap_or(next);
    let another = SessionId::new(*now, [7; 10]);
    Ok(match name {
        "take_allotted" => {
            let taken = number::take_allotted(tx, eid, next, iccid, &caller.id, *now).await;
            Some(hits(tx, taken).await?)
        }
        "take_held" => Some(hits(tx, number::take_held(tx, eid, next, iccid, *now).await).await?),
        "expose" => Some(hits(tx, number::expose(tx, own, another, *now).await).await?),
        "set_unsent" | "set_unsent_by_another" => {
            let by = session.filter(|_| name == "set_unsent").unwrap_or(another);
            number::set_unsent(tx, own, by, *now).await?;
            None
        }
        "set_written" => Some(hits(tx, number::set_written(tx, own, *now).await).await?),
        "leave_rewritten" => Some(number::leave_rewritten(tx, eid, next, *now).await?.is_some()),
        "leave_rewritten_by_itself" => Some(number::leave_rewritten(tx, eid, own, *now).await?.is_some()),
        "leave_task" => {
            number::leave_task(tx, own, *now).await?;
            None
        }
        "give_back_held" => {
            let freed = number::give_back_held(tx, eid, None, *now).await?;
            Some(freed == 1)
        }
        "give_back_one_held" => {
            let freed = number::give_back_held(tx, eid, Some(*iccid), *now).await?;
            Some(freed == 1)
        }
        "give_back_another" => {
            let freed = number::give_back_held(tx, eid, Some(*eid), *now).await?;
            Some(freed == 1)
        }
        "allot" => {
            let list = format!("[\"{}\"]", hex::encode(iccid.as_bytes()));
            Some(number::allot(tx, None, list, *now).await? == 1)
        }
        other => panic!("{other}"),
    })
}

#[test]
fn a_statement_changes_a_session_only_while_it_is_open() {
    let world = applied();
    let sessions = [0, 1, 2].map(|_| world.open(0).unwrap().0);
    world
        .report_event(
            sessions[2],
            4,
            ReportEvent::Closed {
                reason: "idle".to_owned(),
            },
        )
        .unwrap();
    let [superseded, _, closed] = sessions;
    let open = world.open(0).unwrap().0;
    world
        .report_event(open, 4, ReportEvent::Progress { step: 1, steps: 12 })
        .unwrap();
    let now = world.time();
    for (id, expected) in [(superseded, false), (closed, false), (open, true)] {
        for later in [-1, 0, 1] {
            let did = tried(&world, async |tx| {
                let found = card_facts::reported(tx, id, None).await?;
                let mut read = found.expect("a session").session;
                read.state = SessionState::Open;
                read.last_seq += later;
                let new = Progress {
                    bytes_up: read.bytes_up,
                    bytes_down: read.bytes_down,
                    reported_at: None,
                    last_seq: read.last_seq,
                    note_sealed: None,
                    end_reason: Some("idle"),
                };
                hits(tx, device_session::record(tx, &read, new, now).await)
                    .await
                    .map(Some)
            });
            assert_eq!(did, expected && later == 0, "{later}");
        }
    }
    let supersede = |chip: u32| {
        tried(&world, async |tx| {
            hits(
                tx,
                device_session::supersede(tx, &eid_index(&world, chip), now).await,
            )
            .await?;
            Ok(None)
        })
    };
    assert!(!supersede(1), "another chip's session goes on");
    assert!(supersede(0));
    let end = ReportEvent::Closed {
        reason: "idle".to_owned(),
    };
    world.report_event(open, 6, end).unwrap();
    assert!(!supersede(0), "a session that is over stays as it ended");
}

// §5.4.1 Table 1, Table 4
#[test]
fn a_statement_changes_a_number_only_in_the_state_that_it_is_for() {
    let (world, caller, tasks, sessions) = numbers();
    world.pass(1_000);
    for (name, expected) in [
        ("take_allotted", vec!["free"]),
        ("take_held", vec!["held"]),
        ("expose", vec!["reserved", "sent"]),
        ("set_unsent", vec!["sent", "suspended_sent"]),
        ("set_unsent_by_another", vec![]),
        ("set_written", vec!["reserved", "sent", "suspended_sent"]),
        ("leave_rewritten", vec!["written"]),
        ("leave_rewritten_by_itself", vec![]),
        ("leave_task", vec!["reserved", "sent", "suspended_sent"]),
        ("give_back_held", vec!["held", "suspended_held"]),
        ("give_back_one_held", vec!["held", "suspended_held"]),
        ("give_back_another", vec![]),
        ("allot", vec!["free", "others"]),
    ] {
        let did = (0..10u32).filter(|n| {
            let given = Given {
                iccid: iccid_index(&world, *n),
                eid: eid_index(&world, *n),
                task: tasks[*n as usize],
                session: sessions[*n as usize],
                caller: &caller,
                now: world.time(),
            };
            tried(&world, async |tx| run_on_number(tx, name, &given).await)
        });
        let did: Vec<&str> = did.map(|n| NUMBERS[n as usize]).collect();
        assert_eq!(did, expected, "{name}");
    }
    // What one chip holds is no other's.
    let given = Given {
        iccid: iccid_index(&world, 3),
        eid: eid_index(&world, 0),
        task: None,
        session: None,
        caller: &caller,
        now: world.time(),
    };
    assert!(!tried(&world, async |tx| run_on_number(tx, "take_held", &given).await));
}
