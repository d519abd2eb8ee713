//! Callbacks: their content, their signatures, their retries.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::error::Reason;
use domain::{DAY_MS, FailureKind, HOUR_MS, Receiver};
use operations::{
    AttemptResult, DeliveryState, DueMessage, DueRequest, LEASE_MS, MAX_ATTEMPTS, RETRY_AFTER_MS,
    WhichMessages, due_messages, record_attempt, resend, sign,
};
use standardwebhooks::Webhook;
use test_support::eid::eid_text;
use test_support::inventory::{ChipCsv, NumberCsv};
use test_support::operations::{CALLBACK_URL, World, reason, run};

use super::receiver_queues::{answer, caller, failures};

fn due(world: &World) -> Vec<DueMessage> {
    run(due_messages(&world.cx(), DueRequest::ALL)).unwrap()
}

fn at_most(limit: u32) -> DueRequest {
    DueRequest {
        limit,
        ..DueRequest::ALL
    }
}

fn refused() -> AttemptResult {
    AttemptResult::Refused {
        status: Some(500),
        error: "HTTP 500".to_owned(),
        retry_after_secs: None,
    }
}

fn fields(message: &DueMessage) -> BTreeMap<String, String> {
    serde_json::from_slice(&message.body).unwrap()
}

/// A platform with one client, chips and numbers 0 and 1, and the client's callback secret.
fn world_with_secret() -> (World, operations::Caller, String) {
    let world = World::new();
    let client = world.client();
    let caller = operations::Caller {
        id: client.client_id.clone(),
    };
    world.chips(&caller.id, &[ChipCsv::new(0), ChipCsv::new(1)]);
    world.numbers(&[NumberCsv::new(0), NumberCsv::new(1)]);
    (world, caller, client.callback_secret.to_string())
}

// §7.3, §6.2.4.2
#[test]
fn a_success_is_told_with_everything_the_standard_asks_for() {
    let (world, caller, secret) = world_with_secret();
    let task = world.write_chip(&caller, 0);
    let messages = due(&world);
    let [message] = messages.as_slice() else {
        panic!("one callback expected")
    };
    assert_eq!((message.url.as_str(), message.attempt), (CALLBACK_URL, 1));
    let body = fields(message);
    let number = NumberCsv::new(0);
    for (key, value) in [
        ("eid", eid_text(0).as_str()),
        ("task_id", task.text().as_str()),
        ("card_status", "写卡成功"),
        ("write_result", "成功"),
        ("write_time", "2026-07-01T08:00:01+08:00"),
        ("event_time", "2026-07-01T08:00:01+08:00"),
        ("iccid", number.iccid.as_str()),
        ("msisdn", number.msisdn.as_str()),
        ("timestamp", "1782864001"),
    ] {
        assert_eq!(body[key], value, "{key}");
    }
    assert!(!body["description"].is_empty() && !body.contains_key("failure"));

    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let unsigned: BTreeMap<&str, String> = body
        .iter()
        .map(|(key, value)| (key.as_str(), value.clone()))
        .collect();
    assert_eq!(body["sign"], sign(&key, &unsigned));
}

#[test]
fn a_failure_is_told_with_its_kind() {
    let (world, caller, _) = world_with_secret();
    world.fail_chip(&caller, 0, FailureKind::IccidRefused);
    let body = fields(&due(&world)[0]);
    assert_eq!(
        (body["card_status"].as_str(), body["write_result"].as_str()),
        ("写卡失败", "失败")
    );
    assert_eq!(body["failure"], "iccid_refused");
    assert_eq!(body["event_time"], "2026-07-01T08:00:00+08:00");
    assert!(!body.contains_key("write_time"), "nothing was written: {body:?}");
    assert!(body.values().all(|value| !value.is_empty()), "{body:?}");
    assert_eq!(body["description"], FailureKind::IccidRefused.zh());
}

// §9.2.2
#[test]
fn a_ready_made_library_verifies_the_headers() {
    let (world, caller, secret) = world_with_secret();
    world.write_chip(&caller, 0);
    let message = due(&world).remove(0);
    let header = |name: &str| {
        let found = message.headers.iter().find(|(known, _)| *known == name);
        found.unwrap().1.as_str()
    };
    let library = Webhook::new(&secret).unwrap();
    let timestamp: i64 = header("webhook-timestamp").parse().unwrap();
    assert_eq!(timestamp, world.time().seconds());
    // `verify` of the library compares with the machine's clock, which this test does not own; the
    // signature it would compare is this one.
    let expected = library
        .sign(header("webhook-id"), timestamp, &message.body)
        .unwrap();
    assert_eq!(header("webhook-signature"), expected);
    assert_eq!(header("webhook-id"), message.id.text());
}

#[test]
fn a_ready_made_library_accepts_a_callback_sent_now() {
    let (world, caller, secret) = world_with_secret();
    let clock = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    world.write_chip(&caller, 0);
    world.now.set(i64::try_from(clock.as_millis()).unwrap());
    let message = due(&world).remove(0);
    let library = Webhook::new(&secret).unwrap();
    let headers = message.headers.iter().map(|(name, value)| {
        (
            name.parse::<http::HeaderName>().unwrap(),
            value.parse::<http::HeaderValue>().unwrap(),
        )
    });
    library.verify(&message.body, &headers.collect()).unwrap();
}

#[test]
fn a_claimed_callback_is_left_alone_until_its_lease_ends() {
    let (world, caller, _) = world_with_secret();
    world.write_chip(&caller, 0);
    assert_eq!(due(&world).len(), 1);
    world.pass(LEASE_MS - 1);
    assert!(due(&world).is_empty());
    world.pass(1);
    let again = due(&world);
    assert_eq!((again.len(), again[0].attempt), (1, 2));
}

#[test]
fn a_call_claims_no_more_than_asked_for() {
    let (world, caller, _) = world_with_secret();
    world.write_chip(&caller, 0);
    world.fail_chip(&caller, 1, FailureKind::CardError);
    assert!(run(due_messages(&world.cx(), at_most(0))).unwrap().is_empty());
    assert_eq!(run(due_messages(&world.cx(), at_most(1))).unwrap().len(), 1);
    assert_eq!(run(due_messages(&world.cx(), at_most(1))).unwrap().len(), 1);
    assert!(
        run(due_messages(&world.cx(), at_most(u32::MAX)))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn an_accepted_callback_is_done_for_good() {
    let (world, caller, _) = world_with_secret();
    world.write_chip(&caller, 0);
    let message = due(&world).remove(0);
    let accepted = AttemptResult::Accepted { status: 200 };
    let body = run(record_attempt(&world.cx(), message.id, 1, &accepted)).unwrap();
    assert_eq!(body, DeliveryState::Delivered);
    let before = world.dump();
    assert_eq!(
        run(record_attempt(&world.cx(), message.id, 1, &refused())).unwrap(),
        DeliveryState::Delivered
    );
    assert_eq!(world.dump(), before);
    world.pass(100 * HOUR_MS);
    assert!(due(&world).is_empty());
}

// §7.3: retried on the documented schedule, then kept
#[test]
fn a_refused_callback_is_tried_eight_times_over_more_than_a_day_and_then_kept() {
    let (world, caller, _) = world_with_secret();
    world.write_chip(&caller, 0);
    let start = world.now.get();
    let mut id = None;
    for attempt in 1..=MAX_ATTEMPTS {
        let message = due(&world).remove(0);
        assert_eq!(message.attempt, attempt);
        id = Some(message.id);
        let state = run(record_attempt(&world.cx(), message.id, attempt, &refused())).unwrap();
        match usize::try_from(attempt)
            .ok()
            .and_then(|at| RETRY_AFTER_MS.get(at - 1))
        {
            Some(wait) => {
                let DeliveryState::RetryAt(at) = state else {
                    panic!("{state:?}")
                };
                let waited = at.millis() - world.now.get();
                assert!(
                    (*wait..=wait + wait / 10).contains(&waited),
                    "{attempt}: {waited}"
                );
                world.now.set(at.millis() - 1);
                assert!(due(&world).is_empty(), "not a moment earlier");
                world.pass(1);
            }
            None => assert_eq!(state, DeliveryState::Dead),
        }
    }
    assert!(world.now.get() - start >= 24 * HOUR_MS);
    assert_eq!(
        world.column("SELECT kind FROM incident WHERE closed_at IS NULL"),
        ["callback_undeliverable"]
    );
    world.pass(100 * HOUR_MS);
    assert!(due(&world).is_empty());
    assert_eq!(world.column("SELECT state FROM message"), ["dead"]);
    // The receiver had it after all: its late word counts, and the incident closes.
    world.execute("UPDATE message_attempt SET finished_at = NULL WHERE attempt = 8");
    let late = run(record_attempt(
        &world.cx(),
        id.unwrap(),
        8,
        &AttemptResult::Accepted { status: 200 },
    ))
    .unwrap();
    assert_eq!(late, DeliveryState::Delivered);
    assert_eq!(
        world.count("SELECT COUNT(*) FROM incident WHERE closed_at IS NULL"),
        0
    );
}

#[test]
fn a_callback_whose_sender_died_eight_times_is_given_up() {
    let (world, caller, _) = world_with_secret();
    world.write_chip(&caller, 0);
    for attempt in 0..MAX_ATTEMPTS as usize {
        assert_eq!(due(&world).len(), 1);
        world.pass(
            RETRY_AFTER_MS
                .get(attempt)
                .map_or(LEASE_MS, |wait| LEASE_MS.max(*wait)),
        );
    }
    assert!(due(&world).is_empty());
    assert_eq!(world.column("SELECT state FROM message"), ["dead"]);
    assert_eq!(
        world.column("SELECT kind FROM incident"),
        ["callback_undeliverable"]
    );
}

#[test]
fn a_refusal_of_an_attempt_that_another_followed_changes_no_plan() {
    let (world, caller, _) = world_with_secret();
    world.write_chip(&caller, 0);
    let id = due(&world).remove(0).id;
    world.pass(LEASE_MS);
    assert_eq!(due(&world).remove(0).attempt, 2);
    run(record_attempt(&world.cx(), id, 1, &refused())).unwrap();
    world.pass(RETRY_AFTER_MS[0] * 2);
    assert!(due(&world).is_empty(), "attempt 2 still has its lease");
}

#[test]
fn unknown_callbacks_and_attempts_are_refused() {
    let (world, caller, _) = world_with_secret();
    world.write_chip(&caller, 0);
    let id = due(&world).remove(0).id;
    for attempt in [0, 2, u32::MAX] {
        assert_eq!(
            reason(run(record_attempt(&world.cx(), id, attempt, &refused()))),
            Reason::UnknownCallback
        );
    }
    let unknown = domain::MessageId::new(world.time(), [1; 10]);
    assert_eq!(
        reason(run(record_attempt(&world.cx(), unknown, 1, &refused()))),
        Reason::UnknownCallback
    );
}

#[test]
fn a_callback_that_cannot_be_opened_holds_nobody_up() {
    let (world, caller, _) = world_with_secret();
    world.write_chip(&caller, 0);
    world.execute("UPDATE message SET body_sealed = x'00'");
    world.fail_chip(&caller, 1, FailureKind::CardError);
    let messages = due(&world);
    assert_eq!(messages.len(), 1);
    assert_eq!(fields(&messages[0])["eid"], eid_text(1));
}

#[test]
fn messages_that_cannot_be_signed_leave_room_for_others() {
    let world = World::new();
    let (broken, healthy) = (caller(&world), caller(&world));
    failures(&world, &broken, 0, 2);
    world.execute("UPDATE message SET body_sealed = x'00'");
    world.pass(1_000);
    failures(&world, &healthy, 2, 4);
    let request = DueRequest {
        limit: 2,
        ..DueRequest::ALL
    };
    let due = run(due_messages(&world.cx(), request)).unwrap();
    assert_eq!(due.len(), 2, "the first round claimed what cannot be opened");
    let receivers = "SELECT DISTINCT receiver_id FROM message WHERE lease_until > 0";
    assert_eq!(world.column(receivers), [healthy.id.as_str()]);
}

// §8.2.3: 重新推送
#[test]
fn sending_again_hurries_what_waits_for_its_next_attempt_and_leaves_alone_what_is_in_flight() {
    let world = World::new();
    let caller = caller(&world);
    failures(&world, &caller, 0, 2);
    let mut both = due(&world);
    let in_flight = both.remove(1);
    let first = both.remove(0);
    answer(&world, &first, 500, None);
    world.pass(RETRY_AFTER_MS[0] * 2);
    let second = due(&world).remove(0);
    assert_eq!((second.id, second.attempt), (first.id, 2));
    answer(&world, &second, 500, None);
    assert!(due(&world).is_empty(), "the next attempt is minutes away");

    let span = WhichMessages::Span {
        receiver: Receiver::Client(caller.id.clone()),
        from: world.time().plus(-DAY_MS),
        to: None,
        delivered_too: false,
        cursor: None,
    };
    assert_eq!(run(resend(&world.cx(), &span)).unwrap().count, 1);
    let hurried = due(&world);
    assert_eq!(hurried.len(), 1);
    assert_eq!((hurried[0].id, hurried[0].attempt), (first.id, 3));
    let DeliveryState::RetryAt(at) = answer(&world, &hurried[0], 500, None) else {
        panic!("not tried again")
    };
    assert!(
        at.millis() - world.now.get() < 2 * RETRY_AFTER_MS[0],
        "the schedule begins anew"
    );

    let one = |id| run(resend(&world.cx(), &WhichMessages::One(id))).unwrap().count;
    assert_eq!((one(in_flight.id), one(first.id)), (0, 1));
    assert_eq!(due(&world)[0].id, first.id);
}
