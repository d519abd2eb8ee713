//! Orders of lists, and searches of sessions, messages and calls by identifiers (§5.3.1.1).

use std::time::Duration;

use domain::{MINUTE_MS, Receiver, SessionId, TaskId};
use operations::{
    CallFilter, Caller, ChipFilter, ChipSort, Identifiers, MessageFilter, Order, SessionFilter,
    find_messages, list_chips, list_sessions, record_calls, search_calls,
};
use store::MAX_SIFTED;
use store::call_log::NewCallRow;
use test_support::eid::eid_text;
use test_support::inventory::eid;
use test_support::operations::{World, ip, reason, run};

const ORDERS: [Order; 2] = [Order::Descending, Order::Ascending];

/// Two written chips, the first of them earlier, and one that never had a session; their tasks.
fn two_written() -> (World, Caller, [TaskId; 2]) {
    let world = World::new();
    let caller = world.stocked(3, 3);
    let first = world.write_chip(&caller, 0);
    world.pass(MINUTE_MS);
    let second = world.write_chip(&caller, 1);
    (world, caller, [first, second])
}

/// EIDs of the chips that a search finds, one on a page.
fn chips(world: &World, filter: &ChipFilter) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let filter = ChipFilter {
            cursor,
            limit: 1,
            ..filter.clone()
        };
        let page = run(list_chips(&world.cx(), filter)).unwrap();
        found.extend(page.rows.into_iter().filter_map(|chip| chip.eid));
        match page.next {
            Some(key) => cursor = Some(key),
            None => return found,
        }
    }
}

#[test]
fn chips_are_listed_by_their_last_session_in_either_order() {
    let (world, caller, _) = two_written();
    let by_session = ChipFilter {
        sort: ChipSort::Seen,
        ..ChipFilter::default()
    };
    let ascending = ChipFilter {
        order: Order::Ascending,
        ..by_session.clone()
    };
    assert_eq!(chips(&world, &by_session), [eid_text(1), eid_text(0)]);
    assert_eq!(chips(&world, &ascending), [eid_text(0), eid_text(1)]);
    for (filter, expected) in [
        (
            ChipFilter {
                seen_before: Some(world.time().plus(-MINUTE_MS / 2)),
                ..by_session.clone()
            },
            vec![eid_text(0)],
        ),
        (
            ChipFilter {
                seen_from: Some(world.time().plus(-MINUTE_MS / 2)),
                ..by_session.clone()
            },
            vec![eid_text(1)],
        ),
        (
            ChipFilter {
                client_id: Some(caller.id),
                model: Some("XK-9".to_owned()),
                ..by_session.clone()
            },
            vec![],
        ),
    ] {
        assert_eq!(chips(&world, &filter), expected, "{filter:?}");
    }
}

#[test]
fn sessions_are_found_by_identifier_and_task_in_either_order() {
    let (world, _, [first, second]) = two_written();
    let find = |filter: SessionFilter| {
        let page = run(list_sessions(&world.cx(), &SessionFilter { limit: 10, ..filter })).unwrap();
        page.sessions
    };
    let all = find(SessionFilter::default());
    let mut reversed = find(SessionFilter {
        order: Order::Ascending,
        ..SessionFilter::default()
    });
    reversed.reverse();
    assert_eq!(all, reversed);
    for task in [first, second] {
        let of_task = find(SessionFilter {
            task_id: Some(task),
            ..SessionFilter::default()
        });
        assert!(!of_task.is_empty());
        assert!(of_task.iter().all(|session| session.task_id == Some(task)));
        for session in of_task {
            let found = find(SessionFilter {
                id: Some(session.id),
                ..SessionFilter::default()
            });
            assert_eq!(found, [session]);
        }
    }
    let unknown = SessionFilter {
        id: Some(SessionId::first(world.time())),
        ..SessionFilter::default()
    };
    assert_eq!(find(unknown), []);
    // One on a page.
    for order in ORDERS {
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let filter = SessionFilter {
                order,
                cursor,
                limit: 1,
                ..SessionFilter::default()
            };
            let page = run(list_sessions(&world.cx(), &filter)).unwrap();
            seen.extend(page.sessions);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        if order == Order::Ascending {
            seen.reverse();
        }
        assert_eq!(seen, all);
    }
}

#[test]
fn a_page_goes_on_after_a_session_that_was_destroyed_meanwhile() {
    for order in ORDERS {
        let (world, ..) = two_written();
        let page = |cursor| {
            let filter = SessionFilter {
                order,
                cursor,
                limit: 1,
                ..SessionFilter::default()
            };
            run(list_sessions(&world.cx(), &filter)).unwrap()
        };
        let first = page(None);
        let expected = page(first.next.clone());
        let id = first.sessions[0].id;
        world.execute(&format!("DELETE FROM device_session WHERE id = '{}'", id.text()));
        assert_eq!(page(first.next), expected, "{order:?}");
        assert_eq!(expected.sessions.len(), 1);
    }
}

#[test]
fn messages_are_found_by_identifier_task_and_chip() {
    let (world, caller, [first, second]) = two_written();
    let find = |filter: MessageFilter| {
        let found = run(find_messages(
            &world.cx(),
            &MessageFilter { limit: 100, ..filter },
        ));
        found.unwrap().0
    };
    let receiver = Receiver::Client(caller.id);
    let all = find(MessageFilter {
        receiver: Some(receiver.clone()),
        ..MessageFilter::default()
    });
    assert!(!all.is_empty());
    for (chip, task) in [(0, first), (1, second)] {
        let of_task = find(MessageFilter {
            task_id: Some(task),
            ..MessageFilter::default()
        });
        let expected: Vec<_> = all
            .iter()
            .filter(|message| message.task_id == Some(task))
            .collect();
        assert_eq!(of_task.iter().collect::<Vec<_>>(), expected);
        let of_chip = find(MessageFilter {
            eid: Some(eid(chip)),
            order: Order::Ascending,
            ..MessageFilter::default()
        });
        assert!(of_chip.iter().rev().eq(of_task.iter()), "{of_chip:?}");
        for message in of_task {
            let found = find(MessageFilter {
                id: Some(message.id),
                ..MessageFilter::default()
            });
            assert_eq!(found, [message]);
        }
    }
}

#[test]
fn a_page_of_calls_looks_at_a_bounded_number_of_rows_and_says_where_to_go_on() {
    let world = World::new();
    let call = |n: u32, interface: &str| NewCallRow {
        at: world.time(),
        client_id: None,
        secret_generation: None,
        interface: interface.to_owned(),
        code: 200,
        reason: None,
        address: Some(ip("192.0.2.1")),
        duration: Duration::from_micros(1),
        request_id: format!("r{n}").into(),
        eid_index: None,
        task_id: None,
        subject: None,
    };
    run(record_calls(&world.cx(), &[call(0, "chip.read")])).unwrap();
    world.pass(MINUTE_MS);
    let others: Vec<_> = (1..=2 * MAX_SIFTED).map(|n| call(n, "write.status")).collect();
    run(record_calls(&world.cx(), &others)).unwrap();
    let filters = [
        CallFilter {
            interface: Some("chip.read"),
            ..CallFilter::default()
        },
        CallFilter {
            request_id: Some("r0"),
            ..CallFilter::default()
        },
    ];
    for filter in filters {
        let (mut pages, mut found, mut cursor) = (0, 0, None);
        loop {
            let filter = CallFilter {
                cursor,
                limit: 2,
                ..filter.clone()
            };
            let page = run(search_calls(&world.cx(), &filter)).unwrap();
            pages += 1;
            found += page.calls.len();
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!((pages, found), (3, 1), "{filter:?}");
    }
}

#[test]
fn identifiers_are_masked_where_a_call_asks_for_it() {
    let (world, ..) = two_written();
    let cx = world.cx().showing(Identifiers::Masked);
    let filter = ChipFilter {
        limit: 10,
        ..ChipFilter::default()
    };
    let shown = run(list_chips(&cx, filter.clone())).unwrap();
    for chip in shown.rows {
        for identifier in [chip.eid, chip.temp_msisdn]
            .into_iter()
            .chain([chip.iccid, chip.msisdn])
        {
            assert!(identifier.is_none_or(|text| text.contains("****")));
        }
    }
    let by_session = ChipFilter {
        sort: ChipSort::Seen,
        id: Some(operations::SearchedId::Eid(eid(0))),
        ..filter
    };
    let refused = run(list_chips(&cx, by_session));
    assert_eq!(reason(refused), domain::error::Reason::ParameterNotApplicable);
}
