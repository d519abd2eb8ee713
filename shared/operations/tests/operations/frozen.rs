//! Clients and accounts that are frozen, and what a client that is disabled has under way (§9.2.1).

use domain::error::{Error, Reason};
use domain::{ClientId, DAY_MS, Receiver};
use operations::{
    Caller, ClientChange, ClientWork, CreatedClient, MAX_FAILING_MS, NewAccount, StaffMember, change_client,
    create_account, due_messages, freeze_account, freeze_client, issue_token, list_clients, receiver_view,
    rotate_secret, unfreeze_client, verify_token,
};
use operations::{DeliveryState, DueRequest};
use test_support::inventory::{ChipCsv, NumberCsv};
use test_support::operations::{World, ip, reason, run};

use super::faults::leaves_nothing_behind;
use super::races::race;
use super::receiver_queues::{answer, due, failures};

const HOME: &str = "198.51.100.7";

fn freeze(world: &World, client: &ClientId) -> (usize, ClientWork) {
    let frozen = run(freeze_client(&world.cx(), client)).unwrap();
    (frozen.ended_secrets, frozen.work)
}

fn set_active(world: &World, client: &ClientId, active: bool) -> Result<Option<ClientWork>, Error> {
    let change = ClientChange {
        active: Some(active),
        ..ClientChange::default()
    };
    run(change_client(&world.cx(), client, &change))
}

fn token(world: &World, client: &ClientId, secret: &str) -> Result<String, Error> {
    run(issue_token(&world.cx(), client.as_str(), secret, ip(HOME))).map(|issued| issued.token)
}

/// A client with a chip that waits, one that is being written, and one that has failed, of which a message waits.
fn busy() -> (World, CreatedClient, Caller) {
    let world = World::new();
    let client = world.client();
    let caller = Caller {
        id: client.client_id.clone(),
    };
    failures(&world, &caller, 0, 1);
    world.chips(&caller.id, &[ChipCsv::new(1), ChipCsv::new(2)]);
    world.numbers(&[NumberCsv::new(1), NumberCsv::new(2)]);
    world.apply_auto(&caller, 1).unwrap();
    world.apply_auto(&caller, 2).unwrap();
    world.open(2).unwrap();
    (world, client, caller)
}

const BUSY: ClientWork = ClientWork {
    cards_waiting: 1,
    cards_writing: 1,
    messages_pending: 1,
};

// §9.2.1
#[test]
fn a_frozen_client_can_do_nothing_and_nothing_is_sent_to_it() {
    let (world, client, caller) = busy();
    let id = &client.client_id;
    let old = token(&world, id, &client.client_secret).unwrap();
    run(rotate_secret(&world.cx(), id, 3_600)).unwrap();
    assert_eq!(freeze(&world, id), (2, BUSY));
    for refused in [
        reason(run(verify_token(&world.cx(), &old, ip(HOME)))),
        reason(token(&world, id, &client.client_secret).map(drop)),
    ] {
        assert!(refused.status() == 401, "{refused:?}");
    }
    assert!(due(&world).is_empty());
    let to = Receiver::Client(id.clone());
    let held = run(receiver_view(&world.cx(), &to)).unwrap().held_at;
    assert_eq!(held, Some(world.time()));
    // What it has applied for goes on, and the card that powers up is written.
    world.open(1).unwrap();
    let view = run(list_clients(&world.cx(), Some(id), None, 1)).unwrap();
    assert_eq!(
        (view.clients[0].active, view.clients[0].frozen_at),
        (false, Some(world.time()))
    );
    // Not by the way of an account that is disabled.
    assert_eq!(reason(set_active(&world, id, true)), Reason::ClientFrozen);
    let before = world.dump();
    assert_eq!(freeze(&world, id).0, 0);
    assert_eq!(world.dump(), before);
    assert_eq!(caller.id, *id);
}

#[test]
fn an_unfrozen_client_gets_what_waited_and_needs_a_new_secret() {
    let (world, client, _) = busy();
    let id = &client.client_id;
    freeze(&world, id);
    world.pass(DAY_MS);
    run(unfreeze_client(&world.cx(), id)).unwrap();
    assert_eq!(due(&world).len(), 1);
    assert_eq!(
        reason(token(&world, id, &client.client_secret).map(drop)),
        Reason::ClientUnknownOrSecretWrong
    );
    let fresh = run(rotate_secret(&world.cx(), id, 0)).unwrap();
    let fresh = token(&world, id, &fresh.client_secret).unwrap();
    run(verify_token(&world.cx(), &fresh, ip(HOME))).unwrap();
    assert_eq!(
        reason(run(unfreeze_client(&world.cx(), id))),
        Reason::ClientNotFrozen
    );
    // One that is only disabled is not unfrozen.
    set_active(&world, id, false).unwrap();
    assert_eq!(
        reason(run(unfreeze_client(&world.cx(), id))),
        Reason::ClientNotFrozen
    );
    let unknown = ClientId::parse("cl_00000000000000000000").unwrap();
    for result in [
        run(freeze_client(&world.cx(), &unknown)).map(drop),
        run(unfreeze_client(&world.cx(), &unknown)),
    ] {
        assert_eq!(reason(result), Reason::UnknownClient);
    }
}

#[test]
fn failures_from_before_the_freezing_do_not_stop_an_address_after_it() {
    let (world, client, _) = busy();
    let message = due(&world).remove(0);
    let state = answer(&world, &message, 500, None);
    assert!(matches!(state, DeliveryState::RetryAt(_)), "{state:?}");
    freeze(&world, &client.client_id);
    world.pass(MAX_FAILING_MS);
    run(unfreeze_client(&world.cx(), &client.client_id)).unwrap();
    let message = due(&world).remove(0);
    let state = answer(&world, &message, 500, None);
    assert!(matches!(state, DeliveryState::RetryAt(_)), "{state:?}");
    let to = Receiver::Client(client.client_id);
    assert_eq!(run(receiver_view(&world.cx(), &to)).unwrap().stopped, None);
}

#[test]
fn an_attempt_that_had_begun_is_recorded_and_not_repeated() {
    let (world, client, _) = busy();
    let message = due(&world).remove(0);
    freeze(&world, &client.client_id);
    let state = answer(&world, &message, 500, None);
    assert!(matches!(state, DeliveryState::RetryAt(_)), "{state:?}");
    world.pass(DAY_MS);
    assert!(due(&world).is_empty());
}

#[test]
fn disabling_a_client_says_what_goes_on() {
    let (world, client, _) = busy();
    let other = world.client().client_id;
    let none = ClientWork {
        cards_waiting: 0,
        cards_writing: 0,
        messages_pending: 0,
    };
    assert_eq!(set_active(&world, &other, false).unwrap(), Some(none));
    assert_eq!(set_active(&world, &client.client_id, false).unwrap(), Some(BUSY));
    // Its messages are sent all the same.
    assert_eq!(due(&world).len(), 1);
    assert_eq!(set_active(&world, &client.client_id, true).unwrap(), None);
}

#[test]
fn counting_what_is_under_way_reads_open_tasks_only() {
    test_support::of_sqlite!();
    let (world, client, _) = busy();
    set_active(&world, &client.client_id, false).unwrap();
    let seen = world.db.seen.borrow();
    let counts = seen.iter().rfind(|sql| sql.contains("waiting")).unwrap();
    let plan = world.plan(counts);
    for index in [
        "task_list_waiting",
        "task_list_writing",
        "message_due (receiver_id=?)",
    ] {
        assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}

#[test]
fn whichever_statement_of_a_freezing_fails_nothing_of_it_remains() {
    leaves_nothing_behind(
        "freeze a client",
        || {
            let world = World::new();
            let client = world.client().client_id;
            (world, client)
        },
        |world, client| run(freeze_client(&world.cx(), client)).map(drop),
    );
    leaves_nothing_behind(
        "unfreeze a client",
        || {
            let world = World::new();
            let client = world.client().client_id;
            freeze(&world, &client);
            world.pass(1);
            (world, client)
        },
        |world, client| run(unfreeze_client(&world.cx(), client)),
    );
    leaves_nothing_behind(
        "freeze an account",
        || {
            let world = World::new();
            let new = NewAccount {
                name: "王芳",
                sign_in_name: "wang",
                roles: &["auditor".to_owned()],
            };
            let created = run(create_account(&world.cx(), &StaffMember::Secret, &new)).unwrap();
            (world, created.id)
        },
        |world, id| run(freeze_account(&world.cx(), &StaffMember::Secret, *id)).map(drop),
    );
}

#[test]
fn a_client_that_is_enabled_and_frozen_at_once_is_not_left_enabled() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xieka.db");
    let world = World::in_file(&path, 1);
    let client = world.client().client_id;
    let results = race(&path, |world, n| match n % 4 {
        0 => run(freeze_client(&world.cx(), &client)).map(|frozen| frozen.ended_secrets),
        1 => set_active(world, &client, true).map(|_| 0),
        2 => run(rotate_secret(&world.cx(), &client, 0)).map(|_| 0),
        _ => run(due_messages(&world.cx(), DueRequest::ALL)).map(|due| due.len()),
    });
    for result in results {
        let refused = result.err().map(|error| error.reason());
        assert!(
            matches!(refused, None | Some(Reason::ClientFrozen)),
            "{refused:?}"
        );
    }
    assert_eq!(
        world.count(
            "SELECT COUNT(*) FROM client c JOIN receiver r ON r.id = c.id \
             WHERE c.status = 'disabled' AND r.held_at IS NOT NULL"
        ),
        1
    );
}
