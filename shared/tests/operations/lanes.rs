//! Callbacks of many clients side by side, and addresses that refuse them.

use shared::domain::{ClientId, DAY_MS, FailureKind, HOUR_MS, MINUTE_MS, SECOND_MS};
use shared::operations::{
    Caller, ClientChange, Delivery, DeliveryState, DueCallback, MAX_FAILING_MS, MAX_ON_THEIR_WAY,
    MAX_ON_THEIR_WAY_FAILING, MAX_PUT_OFF_MS, RETRY_AFTER_MS, Wanted, change_client, due_callbacks,
    list_clients, record_delivery,
};

use super::harness::{CALLBACK_URL, ChipCsv, World, run};

fn due(world: &World) -> Vec<DueCallback> {
    run(due_callbacks(&world.cx(), Wanted::ALL)).unwrap()
}

fn answer(
    world: &World,
    callback: &DueCallback,
    status: u16,
    retry_after_secs: Option<u32>,
) -> DeliveryState {
    let delivery = if status == 200 {
        Delivery::Accepted { status }
    } else {
        Delivery::Refused {
            status: Some(status),
            error: format!("HTTP {status}"),
            retry_after_secs,
        }
    };
    run(record_delivery(
        &world.cx(),
        callback.id,
        callback.attempt,
        &delivery,
    ))
    .unwrap()
}

/// Chips `from..to` of a client, each of which has failed once: a callback each.
fn failures(world: &World, caller: &Caller, from: u32, to: u32) {
    let chips: Vec<_> = (from..to).map(ChipCsv::new).collect();
    world.chips(&caller.id, &chips);
    let numbers: Vec<_> = (from..to).map(super::harness::NumberCsv::new).collect();
    world.numbers(&numbers);
    for chip in from..to {
        world.fail_chip(caller, chip, FailureKind::CardError);
    }
}

fn caller(world: &World) -> Caller {
    Caller {
        id: world.client().client_id,
    }
}

fn enter(world: &World, client: &ClientId, url: &str) {
    let change = ClientChange {
        callback_url: Some(Some(url)),
        ..ClientChange::default()
    };
    run(change_client(&world.cx(), client, &change)).unwrap();
}

fn open_incidents(world: &World) -> Vec<String> {
    world.texts("SELECT kind FROM incident WHERE closed_at IS NULL")
}

#[test]
fn a_receiver_may_put_an_attempt_off_but_not_bring_it_forward() {
    for (asked, least) in [
        (None, RETRY_AFTER_MS[0]),
        (Some(0), RETRY_AFTER_MS[0]),
        (Some(1), RETRY_AFTER_MS[0]),
        (Some(600), 600 * SECOND_MS),
        (Some(86_400), MAX_PUT_OFF_MS),
        (Some(u32::MAX), MAX_PUT_OFF_MS),
    ] {
        let world = World::new();
        let caller = caller(&world);
        failures(&world, &caller, 0, 1);
        let callback = due(&world).remove(0);
        let DeliveryState::RetryAt(at) = answer(&world, &callback, 429, asked) else {
            panic!("not tried again")
        };
        let waits = at.millis() - world.now.get();
        assert!(
            (least..=least + least / 10).contains(&waits),
            "{asked:?}: {waits}"
        );
    }
}

#[test]
fn an_address_that_is_gone_is_not_called_until_one_is_entered() {
    let world = World::new();
    let caller = caller(&world);
    failures(&world, &caller, 0, 2);
    let callbacks = due(&world);
    assert_eq!(callbacks.len(), 2);
    answer(&world, &callbacks[0], 410, None);
    answer(&world, &callbacks[1], 410, None);
    assert_eq!(open_incidents(&world), ["callback_undeliverable"]);
    let shown = run(list_clients(&world.cx(), Some(&caller.id), None, 1)).unwrap();
    let stopped = shown.clients[0].callback_stopped.as_ref().unwrap();
    assert_eq!((stopped.0, stopped.1.code()), (world.time(), "gone"));

    world.pass(100 * DAY_MS);
    assert!(due(&world).is_empty());
    assert_eq!(
        world.count("SELECT count(*) FROM outbox WHERE state = 'pending'"),
        2
    );
    enter(&world, &caller.id, CALLBACK_URL);
    assert!(open_incidents(&world).is_empty());
    let callbacks = due(&world);
    assert_eq!(callbacks.len(), 2, "what waited is sent");
    for callback in &callbacks {
        assert_eq!(answer(&world, callback, 200, None), DeliveryState::Delivered);
    }
}

#[test]
fn what_an_earlier_address_answers_is_not_held_against_the_next() {
    let world = World::new();
    let caller = caller(&world);
    failures(&world, &caller, 0, 1);
    let callback = due(&world).remove(0);
    world.pass(1);
    enter(&world, &caller.id, "https://other.example.com/callback");
    answer(&world, &callback, 410, None);
    assert!(open_incidents(&world).is_empty());
    world.pass(MINUTE_MS);
    assert_eq!(due(&world)[0].url, "https://other.example.com/callback");
}

/// Fails a new callback on each of `days` days; an answer of 200 on the day `but`.
fn fail_daily(world: &World, caller: &Caller, days: u32, but: Option<u32>) {
    for day in 0..days {
        failures(world, caller, day, day + 1);
        for callback in due(world) {
            let status = if but == Some(day) { 200 } else { 500 };
            answer(world, &callback, status, None);
        }
        world.pass(DAY_MS);
    }
}

#[test]
fn an_address_that_only_fails_for_five_days_is_not_called_any_more() {
    let world = World::new();
    let caller = caller(&world);
    let began = world.now.get();
    fail_daily(&world, &caller, 5, None);
    assert_eq!(world.now.get() - began, MAX_FAILING_MS);
    assert!(!open_incidents(&world).contains(&"callback_undeliverable".to_owned()));
    fail_daily_once_more(&world, &caller);
    assert!(open_incidents(&world).contains(&"callback_undeliverable".to_owned()));
    world.pass(HOUR_MS);
    assert!(due(&world).is_empty());
}

#[test]
fn a_success_between_starts_the_five_days_afresh() {
    let world = World::new();
    let caller = caller(&world);
    fail_daily(&world, &caller, 5, Some(2));
    fail_daily_once_more(&world, &caller);
    assert!(!open_incidents(&world).contains(&"callback_undeliverable".to_owned()));
}

fn fail_daily_once_more(world: &World, caller: &Caller) {
    failures(world, caller, 9, 10);
    for callback in due(world) {
        answer(world, &callback, 500, None);
    }
}

#[test]
fn a_client_with_many_callbacks_delays_nobody_else() {
    let world = World::new();
    let (busy, quiet) = (caller(&world), caller(&world));
    failures(&world, &busy, 0, 15);
    world.pass(1);
    failures(&world, &quiet, 15, 17);
    let first = due(&world);
    assert_eq!(first.len(), MAX_ON_THEIR_WAY as usize + 2);
    assert!(
        due(&world).is_empty(),
        "ten of a client are on their way, not more"
    );
    // Each that comes back makes room for one.
    answer(&world, &first[0], 200, None);
    answer(&world, &first[1], 200, None);
    assert_eq!(due(&world).len(), 2);
    let per_client = "SELECT max(n) FROM (SELECT count(*) AS n FROM outbox WHERE lease_until > 0 \
        AND state = 'pending' GROUP BY receiver_id)";
    assert_eq!(world.count(per_client), i64::from(MAX_ON_THEIR_WAY));
}

#[test]
fn to_a_receiver_that_fails_fewer_are_on_their_way() {
    let world = World::new();
    let busy = caller(&world);
    failures(&world, &busy, 0, 15);
    for callback in due(&world) {
        answer(&world, &callback, 500, None);
    }
    assert_eq!(due(&world).len(), MAX_ON_THEIR_WAY_FAILING as usize);
    let quick = Wanted {
        failing_too: false,
        ..Wanted::ALL
    };
    world.pass(RETRY_AFTER_MS[0] * 2);
    assert!(run(due_callbacks(&world.cx(), quick)).unwrap().is_empty());
}

#[test]
fn the_callbacks_of_a_task_are_sent_one_after_the_other() {
    let world = World::new();
    let caller = caller(&world);
    failures(&world, &caller, 0, 1);
    // A later callback of the same task, due at once like the first.
    world.execute(
        "INSERT INTO outbox SELECT 'ffffffff-0000-7000-8000-000000000001', receiver_id, topic, task_id, body_sealed, \
         state, attempts, attempts_from, next_at, lease_until, created_at, finished_at FROM outbox",
    );
    let attempts = "SELECT count(*) FROM outbox WHERE attempts > 0";
    let first = due(&world).remove(0);
    assert_eq!(world.count(attempts), 1);
    answer(&world, &first, 500, None);
    assert!(due(&world).is_empty(), "the later one waits for the earlier one");
    assert_eq!(world.count(attempts), 1);
    world.pass(RETRY_AFTER_MS[0] * 2);
    let again = due(&world).remove(0);
    assert_eq!((again.id, world.count(attempts)), (first.id, 1));
    answer(&world, &again, 200, None);
    due(&world);
    assert_eq!(world.count(attempts), 2);
}

#[test]
fn finding_and_claiming_use_the_lanes() {
    let world = World::new();
    let caller = caller(&world);
    failures(&world, &caller, 0, 1);
    world.db.seen.borrow_mut().clear();
    due(&world);
    let seen: Vec<_> = world.db.seen.borrow().clone();
    let mut looked_at = 0;
    for statement in seen.into_iter().filter(|sql| sql.contains("FROM outbox")) {
        let plan = world.plan(statement);
        let scans = plan.lines().any(|line| line.starts_with("SCAN o"));
        assert!(!scans, "{statement}\n{plan}");
        looked_at += 1;
    }
    assert_eq!(looked_at, 4, "lanes, given up, on their way, claimed");
}
