//! §7.3: messages about each change of state, which of them a receiver gets, in which order, and what becomes of them
//! without an address.

use std::collections::BTreeMap;

use domain::error::Reason;
use domain::{CardChange, ClientId, FailureKind, MessageState, Receiver};
use operations::{
    ActNote, AttemptResult, Caller, DueMessage, DueRequest, MessageFilter, RETRY_AFTER_MS, ReceiverChange,
    ReportEvent, TaskRef, WhichMessages, cancel, change_receiver, due_messages, end_task, find_messages,
    receiver_view, record_attempt, reopen, resend,
};
use store::message::{QueueQuery, receiver_queues};
use test_support::eid::eid_text;
use test_support::inventory::{ChipCsv, NumberCsv, eid};
use test_support::operations::{CALLBACK_URL, World, automatic, failed, reason, run};

use super::faults::leaves_nothing_behind;
use super::receiver_queues::{answer, due};

fn client(caller: &Caller) -> Receiver {
    Receiver::Client(caller.id.clone())
}

pub(crate) fn select(world: &World, caller: &Caller, changes: &[CardChange]) {
    let change = ReceiverChange {
        changes: Some(changes),
        ..ReceiverChange::default()
    };
    run(change_receiver(&world.cx(), &client(caller), &change)).unwrap();
}

fn enter(world: &World, caller: &Caller, url: Option<&str>) {
    let change = ReceiverChange {
        url: Some(url),
        ..ReceiverChange::default()
    };
    run(change_receiver(&world.cx(), &client(caller), &change)).unwrap();
}

/// A client that gets every change, with chips and numbers 0 and 1.
fn all_changes() -> (World, Caller) {
    let world = World::new();
    let caller = world.stocked(2, 2);
    select(&world, &caller, &CardChange::ALL);
    (world, caller)
}

/// A client without an address, with chips and numbers 0 and 1.
fn without_address() -> (World, Caller) {
    let world = World::new();
    let caller = Caller {
        id: world.client_with(None).client_id,
    };
    world.chips(&caller.id, &[ChipCsv::new(0), ChipCsv::new(1)]);
    world.numbers(&[NumberCsv::new(0), NumberCsv::new(1)]);
    (world, caller)
}

fn fields(message: &DueMessage) -> BTreeMap<String, String> {
    let mut fields: BTreeMap<String, String> = serde_json::from_slice(&message.body).unwrap();
    assert!(fields.values().all(|value| !value.is_empty()), "{fields:?}");
    for of_every_attempt in ["timestamp", "sign"] {
        fields.remove(of_every_attempt).unwrap();
    }
    fields
}

/// Accepts one message after the other, and returns event, state and the names of the fields of each.
fn accepted_in_turn(world: &World) -> Vec<[String; 3]> {
    let mut seen = Vec::new();
    loop {
        let due = due(world);
        let [message] = due.as_slice() else {
            assert!(due.is_empty(), "one message about a chip at a time");
            return seen;
        };
        let fields = fields(message);
        let names: Vec<_> = fields.keys().map(String::as_str).collect();
        seen.push([
            fields["event"].clone(),
            fields["card_status"].clone(),
            names.join(" "),
        ]);
        answer(world, message, 200, None);
    }
}

fn states(world: &World, id: &ClientId) -> Vec<MessageState> {
    let filter = MessageFilter {
        receiver: Some(Receiver::Client(id.clone())),
        limit: 100,
        ..MessageFilter::default()
    };
    let rows = run(find_messages(&world.cx(), &filter)).unwrap().0;
    rows.iter().map(|row| row.state).collect()
}

const OF_TASK: &str = "card_status description eid event event_time task_id";

// §7.3: 写卡状态变更信息; §6.3 Table 2. The clock stands still: the order is that of the card's steps.
#[test]
fn every_change_of_state_is_sent_in_its_order_with_the_fields_that_it_has() {
    let (world, caller) = all_changes();
    world.apply_auto(&caller, 0).unwrap();
    run(cancel(&world.cx(), &caller, &TaskRef::Eid(eid(0)))).unwrap();
    world.apply(&caller, &automatic(&eid_text(0), "65")).unwrap_err();
    let task = world.apply_auto(&caller, 0).unwrap().task_id;
    let (session, _) = world.open(0).unwrap();
    world
        .report_event(session, 1, failed(FailureKind::FileRefused))
        .unwrap();
    let note = ActNote {
        person: "王芳",
        text: "设备已报废",
    };
    world.apply_auto(&caller, 0).unwrap();
    run(end_task(&world.cx(), &TaskRef::Eid(eid(0)), &note)).unwrap();
    world.apply_auto(&caller, 0).unwrap();
    for event in [ReportEvent::Written, ReportEvent::Verified] {
        let (session, _) = world.open(0).unwrap();
        world.report_event(session, 1, event).unwrap();
    }
    run(reopen(&world.cx(), &eid(0), &note)).unwrap();

    let failure = "card_status description eid event event_time failure iccid msisdn task_id write_result";
    let expected = [
        ("accepted", "待开机上电", OF_TASK),
        ("cancelled", "待写卡", OF_TASK),
        (
            "refused",
            "申请失败",
            "card_status description eid event event_time failure",
        ),
        ("accepted", "待开机上电", OF_TASK),
        ("writing", "写卡中", OF_TASK),
        ("failed", "写卡失败", failure),
        ("accepted", "待开机上电", OF_TASK),
        ("ended", "待写卡", failure),
        ("accepted", "待开机上电", OF_TASK),
        ("writing", "写卡中", OF_TASK),
        (
            "succeeded",
            "写卡成功",
            "card_status description eid event event_time iccid msisdn task_id write_result write_time",
        ),
        (
            "reopened",
            "待写卡",
            "card_status description eid event event_time",
        ),
    ];
    assert_eq!(
        accepted_in_turn(&world),
        expected.map(|(event, status, names)| [event, status, names].map(str::to_owned))
    );
    assert_eq!(
        world.count(&format!(
            "SELECT COUNT(*) FROM message WHERE task_id = '{}'",
            task.text()
        )),
        3
    );
}

#[test]
fn a_refusal_says_why_and_a_card_that_was_refused_before_is_no_change() {
    let (world, caller) = all_changes();
    let refuse = |province: &str| reason(world.apply(&caller, &automatic(&eid_text(0), province)));
    assert_eq!(refuse("65"), Reason::ProvinceNotServed);
    assert_eq!(refuse("99"), Reason::ProvinceMalformed);
    let due = due(&world);
    assert_eq!(due.len(), 1);
    let fields = fields(&due[0]);
    assert_eq!(
        (fields["event"].as_str(), fields["failure"].as_str()),
        ("refused", "province_not_served")
    );
    assert!(!fields.contains_key("write_result"), "{fields:?}");
}

// §6.2.4.2
#[test]
fn a_receiver_gets_the_outcomes_until_it_chooses_otherwise() {
    let world = World::new();
    let caller = world.stocked(2, 2);
    let chosen = || run(receiver_view(&world.cx(), &client(&caller))).unwrap().changes;
    assert_eq!(
        chosen(),
        [CardChange::Ended, CardChange::Succeeded, CardChange::Failed]
    );
    world.fail_chip(&caller, 0, FailureKind::CardError);
    assert_eq!(world.count("SELECT COUNT(*) FROM message"), 1);

    let few = [CardChange::Succeeded, CardChange::Writing, CardChange::Writing];
    select(&world, &caller, &few);
    assert_eq!(chosen(), [CardChange::Writing, CardChange::Succeeded]);
    world.fail_chip(&caller, 1, FailureKind::CardError);
    assert_eq!(
        world.column("SELECT topic FROM message ORDER BY topic"),
        ["card_status", "write_result"],
        "of the second card only that writing began"
    );
}

#[test]
fn an_empty_choice_and_one_of_the_operator_are_refused_and_change_nothing() {
    let (world, caller) = all_changes();
    let refused = |to: &Receiver, changes: &[CardChange]| {
        let change = ReceiverChange {
            url: Some(Some("https://other.example.com/")),
            changes: Some(changes),
            ..ReceiverChange::default()
        };
        let before = world.dump();
        let refusal = run(change_receiver(&world.cx(), to, &change)).map(drop);
        assert_eq!(world.dump(), before);
        let refusal = refusal.unwrap_err();
        (refusal.reason(), refusal.field())
    };
    assert_eq!(
        refused(&client(&caller), &[]),
        (Reason::ParameterEmpty, Some("changes"))
    );
    assert_eq!(
        refused(&Receiver::Operator, &[CardChange::Failed]),
        (Reason::ParameterNotApplicable, Some("changes"))
    );
    let unknown = Receiver::Client(ClientId::new([9; 10]));
    assert_eq!(
        refused(&unknown, &[CardChange::Failed]).0,
        Reason::UnknownReceiver
    );
}

#[test]
fn a_change_waits_for_the_one_before_of_its_chip_and_for_no_other() {
    let (world, caller) = all_changes();
    world.apply_auto(&caller, 0).unwrap();
    run(cancel(&world.cx(), &caller, &TaskRef::Eid(eid(0)))).unwrap();
    world.apply_auto(&caller, 1).unwrap();
    let first = due(&world);
    let events: Vec<_> = first
        .iter()
        .map(|message| fields(message)["event"].clone())
        .collect();
    assert_eq!(events, ["accepted", "accepted"], "one of each chip");
    let of_chip_0 = first
        .iter()
        .find(|message| fields(message)["eid"] == eid_text(0))
        .unwrap();
    answer(&world, of_chip_0, 500, None);
    assert!(due(&world).is_empty(), "the cancellation waits with it");
    world.pass(60_000);
    let again = due(&world).remove(0);
    assert_eq!((again.id, again.attempt), (of_chip_0.id, 2));
    answer(&world, &again, 200, None);
    assert_eq!(fields(&due(&world)[0])["event"], "cancelled");
}

#[test]
fn what_waits_for_a_failing_message_crowds_no_receiver_out_and_follows_at_once_when_that_is_hurried() {
    let (world, caller) = all_changes();
    world.apply_auto(&caller, 0).unwrap();
    run(cancel(&world.cx(), &caller, &TaskRef::Eid(eid(0)))).unwrap();
    answer(&world, &due(&world)[0], 500, None);
    world.pass(RETRY_AFTER_MS[0] * 2);
    let first = due(&world).remove(0);
    answer(&world, &first, 500, None);
    assert!(due(&world).is_empty());
    let query = QueueQuery {
        failing_too: true,
        most_failing: 2,
        most: 10,
        limit: 10,
    };
    let queues = || {
        run(receiver_queues(&world.db, query, world.time()))
            .unwrap()
            .len()
    };
    assert_eq!(queues(), 0, "nothing is due before the next attempt");
    let again = WhichMessages::One(first.id);
    assert_eq!(run(resend(&world.cx(), &again)).unwrap().count, 1);
    answer(&world, &due(&world)[0], 200, None);
    assert_eq!(fields(&due(&world)[0])["event"], "cancelled");
}

#[test]
fn without_an_address_a_message_is_kept_and_sent_only_when_somebody_asks() {
    let (world, caller) = without_address();
    world.write_chip(&caller, 0);
    world.fail_chip(&caller, 1, FailureKind::CardError);
    assert_eq!(states(&world, &caller.id), [MessageState::Unaddressed; 2]);
    enter(&world, &caller, Some(CALLBACK_URL));
    world.pass(60_000);
    assert!(due(&world).is_empty(), "nobody has asked");
    let failed_since = WhichMessages::Failed {
        receiver: None,
        since: world.time().plus(-600_000),
    };
    let resent = |which: &WhichMessages| run(resend(&world.cx(), which)).unwrap().count;
    assert_eq!(resent(&failed_since), 0, "it has not failed");

    let of_state = |state| MessageFilter {
        receiver: Some(client(&caller)),
        state: Some(state),
        limit: 100,
        ..MessageFilter::default()
    };
    let find = |state| run(find_messages(&world.cx(), &of_state(state))).unwrap().0;
    assert!(find(MessageState::Dead).is_empty());
    let waiting = find(MessageState::Unaddressed);
    assert_eq!((waiting.len(), waiting[0].attempts), (2, 0));
    assert_eq!(waiting[0].finished_at, None);
    assert_eq!(resent(&WhichMessages::One(waiting[0].id)), 1);
    let sent = due(&world).remove(0);
    assert_eq!((sent.id, sent.url.as_str()), (waiting[0].id, CALLBACK_URL));
    answer(&world, &sent, 200, None);
    let span = WhichMessages::Span {
        receiver: client(&caller),
        from: world.time().plus(-600_000),
        to: None,
        delivered_too: false,
        cursor: None,
    };
    assert_eq!(resent(&span), 1);
    answer(&world, &due(&world)[0], 200, None);
    assert_eq!(states(&world, &caller.id), [MessageState::Delivered; 2]);
    assert_eq!(world.count("SELECT COUNT(*) FROM incident"), 0);
}

#[test]
fn asked_for_without_an_address_a_message_waits_until_one_is_entered() {
    let (world, caller) = without_address();
    world.write_chip(&caller, 0);
    let span = WhichMessages::Span {
        receiver: client(&caller),
        from: world.time().plus(-600_000),
        to: None,
        delivered_too: false,
        cursor: None,
    };
    assert_eq!(run(resend(&world.cx(), &span)).unwrap().count, 1);
    assert!(due(&world).is_empty());
    enter(&world, &caller, Some(CALLBACK_URL));
    assert_eq!(due(&world).len(), 1);
}

#[test]
fn what_still_waits_when_an_address_is_removed_waits_for_somebody_to_ask() {
    let world = World::new();
    let caller = world.stocked(2, 2);
    world.write_chip(&caller, 0);
    world.fail_chip(&caller, 1, FailureKind::CardError);
    let in_flight = run(due_messages(
        &world.cx(),
        DueRequest {
            limit: 1,
            ..DueRequest::ALL
        },
    ))
    .unwrap()
    .remove(0);
    enter(&world, &caller, None);
    enter(&world, &caller, Some(CALLBACK_URL));
    world.pass(600_000);
    assert!(due(&world).is_empty());
    // What was in flight arrived after all.
    let accepted = AttemptResult::Accepted { status: 200 };
    run(record_attempt(&world.cx(), in_flight.id, 1, &accepted)).unwrap();
    let mut states = states(&world, &caller.id);
    states.sort_by_key(|state| state.code());
    assert_eq!(states, [MessageState::Delivered, MessageState::Unaddressed]);
}

// A change of state, its step of the history and its message: together or not at all.
#[test]
fn whichever_statement_fails_no_change_goes_without_its_message() {
    leaves_nothing_behind("apply", all_changes, |world, caller| {
        world.apply_auto(caller, 0).map(drop)
    });
    leaves_nothing_behind("refused", all_changes, |world, caller| {
        match world.apply(caller, &automatic(&eid_text(0), "65")) {
            Err(error) if error.reason() == Reason::ProvinceNotServed => Ok(()),
            other => other.map(drop),
        }
    });
    let applied = || {
        let (world, caller) = all_changes();
        world.apply_auto(&caller, 0).unwrap();
        (world, caller)
    };
    leaves_nothing_behind("cancel", applied, |world, caller| {
        run(cancel(&world.cx(), caller, &TaskRef::Eid(eid(0)))).map(drop)
    });
    leaves_nothing_behind("open", applied, |world, _| world.open(0).map(drop));
    let waiting = || {
        let (world, caller) = applied();
        run(due_messages(&world.cx(), DueRequest::ALL)).unwrap();
        (world, caller)
    };
    leaves_nothing_behind("remove", waiting, |world, caller| {
        let change = ReceiverChange {
            url: Some(None),
            changes: Some(&[CardChange::Failed]),
            ..ReceiverChange::default()
        };
        run(change_receiver(&world.cx(), &client(caller), &change)).map(drop)
    });
}
