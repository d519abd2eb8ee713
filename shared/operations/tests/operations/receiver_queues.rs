//! The queues of many receivers side by side, and addresses that refuse messages.

use std::collections::BTreeSet;

use domain::error::Reason;
use domain::{ClientId, DAY_MS, FailureKind, HOUR_MS, MINUTE_MS, Receiver, SECOND_MS};
use operations::{
    AttemptResult, Caller, ClientChange, DeliveryState, DueMessage, DueRequest, LEASE_MS, MAX_FAILING_MS,
    MAX_IN_FLIGHT, MAX_IN_FLIGHT_FAILING, MAX_PUT_OFF_MS, RETRY_AFTER_MS, WhichMessages, change_client,
    due_messages, list_alerts, list_clients, receiver_view, record_attempt, resend, rotate_receiver_secret,
};
use store::message::{QueueQuery, receiver_queues};
use test_support::inventory::{ChipCsv, NumberCsv};
use test_support::operations::{CALLBACK_URL, World, run};

pub(super) fn due(world: &World) -> Vec<DueMessage> {
    run(due_messages(&world.cx(), DueRequest::ALL)).unwrap()
}

pub(super) fn answer(
    world: &World,
    message: &DueMessage,
    status: u16,
    retry_after_secs: Option<u32>,
) -> DeliveryState {
    let result = if status == 200 {
        AttemptResult::Accepted { status }
    } else {
        AttemptResult::Refused {
            status: Some(status),
            error: format!("HTTP {status}"),
            retry_after_secs,
        }
    };
    run(record_attempt(&world.cx(), message.id, message.attempt, &result)).unwrap()
}

/// Chips `from..to` of a client, each of which has failed once: a callback each.
pub(super) fn failures(world: &World, caller: &Caller, from: u32, to: u32) {
    let chips: Vec<_> = (from..to).map(ChipCsv::new).collect();
    world.chips(&caller.id, &chips);
    let numbers: Vec<_> = (from..to).map(NumberCsv::new).collect();
    world.numbers(&numbers);
    for chip in from..to {
        world.fail_chip(caller, chip, FailureKind::CardError);
    }
}

pub(super) fn caller(world: &World) -> Caller {
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
    world.column("SELECT kind FROM incident WHERE closed_at IS NULL")
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
        let message = due(&world).remove(0);
        let DeliveryState::RetryAt(at) = answer(&world, &message, 429, asked) else {
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
    let messages = due(&world);
    assert_eq!(messages.len(), 2);
    answer(&world, &messages[0], 410, None);
    answer(&world, &messages[1], 410, None);
    assert_eq!(open_incidents(&world), ["callback_undeliverable"]);
    let shown = run(list_clients(&world.cx(), Some(&caller.id), None, 1)).unwrap();
    let stopped = shown.clients[0].callback_stopped.as_ref().unwrap();
    assert_eq!((stopped.0, stopped.1.code()), (world.time(), "gone"));

    world.pass(100 * DAY_MS);
    assert!(due(&world).is_empty());
    assert_eq!(
        world.count("SELECT count(*) FROM message WHERE state = 'pending'"),
        2
    );
    enter(&world, &caller.id, CALLBACK_URL);
    assert!(open_incidents(&world).is_empty());
    let messages = due(&world);
    assert_eq!(messages.len(), 2, "what waited is sent");
    for message in &messages {
        assert_eq!(answer(&world, message, 200, None), DeliveryState::Delivered);
    }
}

#[test]
fn what_an_earlier_address_answers_is_not_held_against_the_next() {
    let world = World::new();
    let caller = caller(&world);
    failures(&world, &caller, 0, 1);
    let message = due(&world).remove(0);
    world.pass(1);
    enter(&world, &caller.id, "https://other.example.com/callback");
    answer(&world, &message, 410, None);
    assert!(open_incidents(&world).is_empty());
    world.pass(MINUTE_MS);
    assert_eq!(due(&world)[0].url, "https://other.example.com/callback");
}

/// Fails a new callback on each of `days` days; an answer of 200 on the day `but`.
fn fail_daily(world: &World, caller: &Caller, days: u32, but: Option<u32>) {
    for day in 0..days {
        failures(world, caller, day, day + 1);
        for message in due(world) {
            let status = if but == Some(day) { 200 } else { 500 };
            answer(world, &message, status, None);
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
    for message in due(world) {
        answer(world, &message, 500, None);
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
    assert_eq!(first.len(), MAX_IN_FLIGHT as usize + 2);
    assert!(due(&world).is_empty(), "ten of a client are in flight, not more");
    // Each that comes back makes room for one.
    answer(&world, &first[0], 200, None);
    answer(&world, &first[1], 200, None);
    assert_eq!(due(&world).len(), 2);
    let per_client = "SELECT max(n) FROM (SELECT count(*) AS n FROM message WHERE lease_until > 0 \
        AND state = 'pending' GROUP BY receiver_id) AS of_receiver";
    assert_eq!(world.count(per_client), i64::from(MAX_IN_FLIGHT));
}

#[test]
fn to_a_receiver_that_fails_fewer_are_in_flight() {
    let world = World::new();
    let busy = caller(&world);
    failures(&world, &busy, 0, 15);
    for message in due(&world) {
        answer(&world, &message, 500, None);
    }
    assert_eq!(due(&world).len(), MAX_IN_FLIGHT_FAILING as usize);
    let quick = DueRequest {
        failing_too: false,
        ..DueRequest::ALL
    };
    world.pass(RETRY_AFTER_MS[0] * 2);
    assert!(run(due_messages(&world.cx(), quick)).unwrap().is_empty());
}

#[test]
fn finding_and_claiming_use_the_indexes() {
    test_support::of_sqlite!();
    let world = World::new();
    let caller = caller(&world);
    failures(&world, &caller, 0, 1);
    world.db.seen.borrow_mut().clear();
    due(&world);
    let seen: BTreeSet<_> = world.db.seen.borrow().iter().copied().collect();
    let mut looked_at = 0;
    for statement in seen.into_iter().filter(|sql| sql.contains("FROM message")) {
        let plan = world.plan(statement);
        // The table, and the names it has in joins.
        for scan in ["SCAN message", "SCAN o", "SCAN e"] {
            assert!(
                !plan.lines().any(|line| line.starts_with(scan)),
                "{statement}\n{plan}"
            );
        }
        looked_at += 1;
    }
    assert_eq!(looked_at, 4, "queues, given up, in flight, claimed");
}

/// Uses an address up: a message that was given up, with all its attempts.
fn exhaust_attempts(world: &World) -> DueMessage {
    for _ in 0..8 {
        for message in due(world) {
            if answer(world, &message, 500, None) == DeliveryState::Dead {
                return message;
            }
        }
        // Longer than the longest wait, and eight times shorter than the five days that stop an address.
        world.pass(RETRY_AFTER_MS[6] + HOUR_MS + 1);
    }
    panic!("never given up")
}

#[test]
fn a_late_refusal_says_nothing_about_a_message_that_was_sent_again() {
    let world = World::new();
    let caller = caller(&world);
    failures(&world, &caller, 0, 1);
    let first = due(&world).remove(0);
    world.pass(LEASE_MS);
    let second = due(&world).remove(0);
    assert_eq!(answer(&world, &first, 200, None), DeliveryState::Delivered);
    let resent = run(resend(&world.cx(), &WhichMessages::One(first.id))).unwrap();
    assert_eq!(resent.count, 1);
    assert!(matches!(
        answer(&world, &second, 500, None),
        DeliveryState::RetryAt(_)
    ));
    assert_eq!(due(&world).remove(0).attempt, 3);
}

#[test]
fn attempts_whose_outcome_is_never_reported_follow_the_schedule_too() {
    let world = World::new();
    let caller = caller(&world);
    failures(&world, &caller, 0, 1);
    let began = world.now.get();
    for wait in RETRY_AFTER_MS {
        assert_eq!(due(&world).len(), 1);
        world.pass(wait.max(LEASE_MS) - 1);
        assert!(due(&world).is_empty(), "not a moment earlier");
        world.pass(1);
    }
    assert_eq!(due(&world).remove(0).attempt, 8);
    assert!(world.now.get() - began >= 24 * HOUR_MS);
}

#[test]
fn a_success_beside_a_410_leaves_the_incident_open() {
    let world = World::new();
    let caller = caller(&world);
    failures(&world, &caller, 0, 2);
    let messages = due(&world);
    answer(&world, &messages[0], 410, None);
    answer(&world, &messages[1], 200, None);
    assert_eq!(open_incidents(&world), ["callback_undeliverable"]);
}

#[test]
fn an_address_that_is_entered_anew_begins_the_schedule_anew() {
    let world = World::new();
    let caller = caller(&world);
    failures(&world, &caller, 0, 1);
    for wait in &RETRY_AFTER_MS[..6] {
        answer(&world, &due(&world)[0], 500, None);
        world.pass(wait * 2);
    }
    answer(&world, &due(&world)[0], 500, None);
    enter(&world, &caller.id, CALLBACK_URL);
    let message = due(&world).remove(0);
    assert_eq!(message.attempt, 8);
    let DeliveryState::RetryAt(at) = answer(&world, &message, 500, None) else {
        panic!("given up")
    };
    assert!(at.millis() - world.now.get() < 2 * RETRY_AFTER_MS[0]);
}

#[test]
fn the_first_failure_of_a_message_stops_no_address() {
    let world = World::new();
    let caller = caller(&world);
    failures(&world, &caller, 0, 1);
    exhaust_attempts(&world);
    world.pass(30 * DAY_MS);
    failures(&world, &caller, 1, 2);
    answer(&world, &due(&world)[0], 502, None);
    let shown = run(list_clients(&world.cx(), Some(&caller.id), None, 1)).unwrap();
    assert_eq!(shown.clients[0].callback_stopped, None);
}

#[test]
fn one_receivers_bad_secret_or_one_bad_message_holds_up_nobody_else() {
    let world = World::new();
    let (broken, healthy) = (caller(&world), caller(&world));
    failures(&world, &broken, 0, 2);
    failures(&world, &healthy, 2, 4);
    world.execute(&format!(
        "UPDATE receiver_secret SET secret_sealed = x'00' WHERE receiver_id = '{}'",
        broken.id.as_str()
    ));
    assert_eq!(due(&world).len(), 2);
    let raised = "SELECT DISTINCT error FROM message_attempt WHERE accepted = 0";
    assert_eq!(world.column(raised), ["the receiver's secret cannot be opened"]);
    assert_eq!(
        world.count("SELECT count(*) FROM message WHERE lease_until > 0"),
        2,
        "theirs wait for their next attempt"
    );
}

#[test]
fn receivers_that_may_have_nothing_begun_crowd_nobody_out() {
    let world = World::new();
    let failing = caller(&world);
    failures(&world, &failing, 0, 4);
    for message in due(&world) {
        answer(&world, &message, 500, None);
    }
    world.pass(RETRY_AFTER_MS[0] * 2);
    let query = QueueQuery {
        failing_too: true,
        most_failing: 2,
        most: 10,
        limit: 1,
    };
    assert_eq!(
        run(receiver_queues(&world.db, query, world.time()))
            .unwrap()
            .len(),
        1
    );
    assert_eq!(due(&world).len(), 2);
    assert!(
        run(receiver_queues(&world.db, query, world.time()))
            .unwrap()
            .is_empty()
    );
    world.pass(1);
    let healthy = caller(&world);
    failures(&world, &healthy, 4, 5);
    let found = run(receiver_queues(&world.db, query, world.time())).unwrap();
    assert_eq!(found[0].receiver.code(), healthy.id.as_str());
}

#[test]
fn everything_that_failed_since_is_sent_again_whoevers_it_is() {
    let world = World::new();
    let (one, other) = (caller(&world), caller(&world));
    failures(&world, &one, 0, 1);
    failures(&world, &other, 1, 2);
    exhaust_attempts(&world);
    // What came of the other's last attempt is never reported.
    world.pass(LEASE_MS);
    assert!(due(&world).is_empty());
    let since = |at| WhichMessages::Failed {
        receiver: None,
        since: at,
    };
    let later = world.time().plus(1);
    assert_eq!(run(resend(&world.cx(), &since(later))).unwrap().count, 0);
    assert_eq!(
        run(resend(&world.cx(), &since(world.time().plus(-DAY_MS))))
            .unwrap()
            .count,
        2
    );
    assert_eq!(
        world.count("SELECT count(*) FROM message WHERE state = 'pending'"),
        2
    );
}

#[test]
fn what_is_sent_again_is_found_by_an_index() {
    test_support::of_sqlite!();
    let world = World::new();
    let caller = caller(&world);
    failures(&world, &caller, 0, 1);
    world.db.seen.borrow_mut().clear();
    let receiver = Receiver::Client(caller.id.clone());
    for delivered_too in [false, true] {
        let span = WhichMessages::Span {
            receiver: receiver.clone(),
            from: world.time(),
            to: None,
            delivered_too,
            cursor: None,
        };
        run(resend(&world.cx(), &span)).unwrap();
    }
    let failed = WhichMessages::Failed {
        receiver: Some(receiver),
        since: world.time(),
    };
    run(resend(&world.cx(), &failed)).unwrap();
    run(list_alerts(&world.cx(), false, None, 10)).unwrap();
    let seen: Vec<_> = world.db.seen.borrow().clone();
    let asked: [&[&str]; 4] = [
        &["message_dead", "message_due"],
        &["message_receiver"],
        &["message_failed"],
        &["alert_open"],
    ];
    let mut looked_at: Vec<_> = seen
        .into_iter()
        .filter(|sql| sql.contains("UPDATE message") || sql.contains("FROM alert"))
        .collect();
    // A transaction may have run twice.
    looked_at.dedup();
    let plans: Vec<_> = looked_at.into_iter().map(|sql| world.plan(sql)).collect();
    assert_eq!(plans.len(), asked.len());
    for (plan, indexes) in plans.iter().zip(asked) {
        for index in indexes {
            assert!(plan.contains(index), "{index}: {plan}");
        }
        assert!(!plan.contains("SCAN message"), "{plan}");
    }
}

#[test]
fn a_secret_whose_answer_was_lost_is_replaced() {
    let world = World::new();
    let to = Receiver::Client(caller(&world).id);
    let rotate = |replace| run(rotate_receiver_secret(&world.cx(), &to, 3_600, replace));
    let lost = rotate(false).unwrap();
    assert_eq!(rotate(false).err().unwrap().reason(), Reason::SecretsInRotation);
    let again = rotate(true).unwrap();
    assert_eq!(
        (again.generation, again.previous_expires_at),
        (3, lost.previous_expires_at)
    );
    let live: Vec<_> = run(receiver_view(&world.cx(), &to))
        .unwrap()
        .secrets
        .iter()
        .map(|secret| secret.live)
        .collect();
    assert_eq!(live, [true, false, true]);
}
