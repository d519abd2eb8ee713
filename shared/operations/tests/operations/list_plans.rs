//! How the engine carries out the searches of lists, with every combination of their conditions.

use domain::error::Reason;
use domain::{CardStatus, ImportId, MessageId, MessageState, NumberStatus, Receiver, SessionId, TaskId};
use operations::{
    Caller, ChipFilter, ChipSort, MessageFilter, NumberFilter, Order, RefusalFilter, SearchedId,
    SessionFilter, TaskFilter, find_messages, list_chips, list_numbers, list_sessions, refused_applications,
};
use test_support::inventory::eid;
use test_support::operations::{World, run};

use super::stock_lists::searched_ids;
use super::task_lists::{find, one_and_two, province, searches, tasks_in_every_state};

/// Both orders of a list.
const ORDERS: [Order; 2] = [Order::Descending, Order::Ascending];

// At two million chips, a search that reads a whole table stops every other call.
#[test]
fn no_search_reads_a_whole_table() {
    test_support::of_sqlite!();
    let (world, caller, other, tasks) = tasks_in_every_state();
    let searches = one_and_two(&searches(&caller, &other, &tasks, 0));
    world.db.seen.borrow_mut().clear();
    for (filter, _) in searches {
        for order in ORDERS {
            let filter = TaskFilter {
                order,
                ..filter.clone()
            };
            find(&world, &filter, 2);
        }
    }
    search_sessions(&world, tasks[0]);
    search_messages(&world, &caller, tasks[0]);
    for id in searched_ids().into_iter().map(Some).chain([None]) {
        search_chips(&world, &caller, id.clone());
        search_numbers(&world, &caller, id);
    }
    search_refusals(&world, &caller);
    let mut seen = world.db.seen.borrow().clone();
    seen.sort_unstable();
    seen.dedup();
    let mut used = String::new();
    for statement in seen {
        let plan = world.plan(statement);
        for line in plan.lines() {
            let is_list = line.starts_with("SCAN json_each") || line.starts_with("SCAN CONSTANT");
            assert!(!line.starts_with("SCAN") || is_list, "{statement}\n{plan}");
        }
        used.push_str(&plan);
    }
    for index in [
        "task_client (client_id=? AND id>? AND id<?)",
        "task_failure (failure=? AND id>? AND id<?)",
        "task_list_waiting (id>? AND id<?)",
        "task_list_writing (id>? AND id<?)",
        "task_list_failed (id>? AND id<?)",
        "task_list_cancelled (id>? AND id<?)",
        "task_number (iccid_index=?)",
        "chip_imported ((imported_at,eid_index)>(?,?) AND (imported_at,eid_index)<(?,?))",
        "chip_client (client_id=? AND (imported_at,eid_index)>(?,?) AND (imported_at,eid_index)<(?,?))",
        "chip_model (chip_model=? AND (imported_at,eid_index)>(?,?) AND (imported_at,eid_index)<(?,?))",
        "chip_list_3 ((imported_at,eid_index)>(?,?) AND (imported_at,eid_index)<(?,?))",
        "chip_list_5 ((imported_at,eid_index)>(?,?) AND (imported_at,eid_index)<(?,?))",
        "chip_list_6 ((imported_at,eid_index)>(?,?) AND (imported_at,eid_index)<(?,?))",
        "chip_import (import_id=?)",
        "number_import (import_id=?)",
        "number_imported ((imported_at,iccid_index)>(?,?) AND (imported_at,iccid_index)<(?,?))",
        "number_client (client_id=? AND (imported_at,iccid_index)>(?,?) AND (imported_at,iccid_index)<(?,?))",
        "number_province (province=? AND (imported_at,iccid_index)>(?,?) AND (imported_at,iccid_index)<(?,?))",
        "number_list_suspended ((imported_at,iccid_index)>(?,?) AND (imported_at,iccid_index)<(?,?))",
        "number_list_retired ((imported_at,iccid_index)>(?,?) AND (imported_at,iccid_index)<(?,?))",
        "device_session_opened ((opened_at,id)>(?,?) AND (opened_at,id)<(?,?))",
        "device_session_task (task_id=?)",
        "device_session_chip (eid_index=? AND opened_at>? AND opened_at<?)",
        "device_session_end_reason (end_reason=? AND (opened_at,id)>(?,?) AND (opened_at,id)<(?,?))",
        "message_receiver (receiver_id=? AND id>? AND id<?)",
        "message_dead (receiver_id=? AND id>? AND id<?)",
        "message_task (task_id=?)",
        "message_chip (eid_index=?)",
        "card_history_refused ((at,eid_index,seq)>(?,?,?) AND (at,eid_index,seq)<(?,?,?))",
        "card_history_refused_by (actor=? AND (at,eid_index,seq)>(?,?,?) AND (at,eid_index,seq)<(?,?,?))",
    ] {
        assert!(used.contains(index), "{index} is not used:\n{used}");
    }
}

/// Every combination of the conditions of sessions.
fn search_sessions(world: &World, task: TaskId) {
    for order in ORDERS {
        for conditions in 0..16 {
            let given = |bit: u32| conditions & bit != 0;
            let filter = SessionFilter {
                id: given(1).then(|| SessionId::first(world.time())),
                task_id: given(2).then_some(task),
                eid: given(4).then(|| eid(0)),
                reason: given(8).then(|| "finished".to_owned()),
                order,
                limit: 2,
                ..SessionFilter::default()
            };
            run(list_sessions(&world.cx(), &filter)).unwrap();
        }
    }
}

/// Every combination of the conditions of messages.
fn search_messages(world: &World, caller: &Caller, task: TaskId) {
    for order in ORDERS {
        for conditions in 0..16 {
            for state in MessageState::ALL.into_iter().map(Some).chain([None]) {
                let given = |bit: u32| conditions & bit != 0;
                let filter = MessageFilter {
                    id: given(1).then(|| MessageId::first(world.time())),
                    task_id: given(2).then_some(task),
                    eid: given(4).then(|| eid(0)),
                    receiver: given(8).then(|| Receiver::Client(caller.id.clone())),
                    state,
                    order,
                    limit: 2,
                    ..MessageFilter::default()
                };
                run(find_messages(&world.cx(), &filter)).unwrap();
            }
        }
    }
}

/// Every combination of the conditions of chips.
fn search_chips(world: &World, caller: &Caller, id: Option<SearchedId>) {
    for status in CardStatus::ALL.into_iter().map(Some).chain([None]) {
        for conditions in 0..64 {
            let given = |bit: u32| conditions & bit != 0;
            let filter = ChipFilter {
                id: id.clone(),
                import_id: given(16).then(|| ImportId::first(world.time())),
                sort: ChipSort::ALL[usize::from(given(32))],
                order: ORDERS[usize::from(given(8))],
                client_id: given(1).then(|| caller.id.clone()),
                model: given(2).then(|| "XK-1".to_owned()),
                status,
                seen_from: given(4).then(|| world.time()),
                limit: 2,
                ..ChipFilter::default()
            };
            let is_applicable = id.is_none() || !given(32);
            let found = run(list_chips(&world.cx(), filter));
            assert_eq!(found.is_ok(), is_applicable, "{conditions}");
        }
    }
}

/// Every combination of the conditions of numbers.
fn search_numbers(world: &World, caller: &Caller, id: Option<SearchedId>) {
    for status in NumberStatus::ALL.into_iter().map(Some).chain([None]) {
        for conditions in 0..16 {
            let given = |bit: u32| conditions & bit != 0;
            let filter = NumberFilter {
                id: id.clone(),
                import_id: given(8).then(|| ImportId::first(world.time())),
                order: ORDERS[usize::from(given(4))],
                client_id: given(1).then(|| caller.id.clone()),
                province: province("37").filter(|_| given(2)),
                status,
                limit: 2,
                ..NumberFilter::default()
            };
            run(list_numbers(&world.cx(), filter)).unwrap();
        }
    }
}

/// Every combination of the conditions of refused applications.
fn search_refusals(world: &World, caller: &Caller) {
    for conditions in 0..16 {
        let given = |bit: u32| conditions & bit != 0;
        let filter = RefusalFilter {
            order: ORDERS[usize::from(given(8))],
            eid: given(1).then(|| eid(0)),
            client_id: given(2).then(|| caller.id.clone()),
            reason: given(4).then_some(Reason::ProvinceWithoutNumber),
            limit: 2,
            ..RefusalFilter::default()
        };
        run(refused_applications(&world.cx(), filter)).unwrap();
    }
}
