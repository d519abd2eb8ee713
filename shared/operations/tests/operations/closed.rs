//! Clients that are closed.

use domain::error::{Error, Reason};
use domain::{BatchKind, CardStatus, ClientId, Iccid, SECOND_MS};
use operations::{
    ActNote, Caller, ChipCorrection, ClientChange, ClosedClient, CreatedClient, ReportEvent, StaffMember,
    allot_numbers, change_client, close_client, correct_chip, freeze_client, issue_token, list_clients,
    preview_batch, rotate_secret, unfreeze_client, verify_token,
};
use test_support::eid::eid_text;
use test_support::inventory::{ChipCsv, NumberCsv, eid};
use test_support::operations::{World, designated, ip, reason, run};

use super::batches::{batch, made};
use super::faults::leaves_nothing_behind;
use super::races::race;
use super::receiver_queues::{answer, due};

const HOME: &str = "198.51.100.7";
const NOTE: ActNote<'static> = ActNote {
    person: "王芳",
    text: "合同终止",
};

fn close(world: &World, client: &ClientId, limit: u32) -> Result<ClosedClient, Error> {
    run(close_client(&world.cx(), client, &NOTE, limit))
}

/// A client with four chips: one waits for a number of the pool, one for one that was allotted, one is being written, one is new;
/// and a number that is allotted to it.
fn leaving() -> (World, CreatedClient, Caller) {
    let world = World::new();
    let client = world.client();
    let caller = Caller {
        id: client.client_id.clone(),
    };
    let chips: Vec<_> = (0..4).map(ChipCsv::new).collect();
    world.chips(&caller.id, &chips);
    world.numbers(&[NumberCsv::new(0), NumberCsv::new(1)]);
    let allotted: Vec<_> = (2..4)
        .map(|n| NumberCsv {
            client_id: caller.id.as_str().to_owned(),
            ..NumberCsv::new(n)
        })
        .collect();
    world.numbers(&allotted);
    world.apply_auto(&caller, 0).unwrap();
    let number = NumberCsv::new(2);
    world
        .apply(&caller, &designated(&eid_text(1), &number.iccid, &number.msisdn))
        .unwrap();
    world.apply_auto(&caller, 2).unwrap();
    world.open(2).unwrap();
    (world, client, caller)
}

fn cards(world: &World, status: CardStatus) -> i64 {
    let code = CardStatus::code(status);
    world.count(&format!("SELECT COUNT(*) FROM chip WHERE status = {code}"))
}

#[test]
fn what_waits_ends_what_is_allotted_returns_and_what_is_written_is_finished() {
    let (world, client, _) = leaving();
    let id = &client.client_id;
    let token = run(issue_token(
        &world.cx(),
        id.as_str(),
        &client.client_secret,
        ip(HOME),
    ))
    .unwrap()
    .token;
    let closed = close(&world, id, 200).unwrap();
    assert_eq!(
        (closed.ended_secrets, closed.ended_tasks, closed.returned_numbers),
        (1, 2, 2)
    );
    assert_eq!(
        (closed.work.cards_waiting, closed.work.cards_writing, closed.more),
        (0, 1, false)
    );
    assert_eq!(
        reason(run(verify_token(&world.cx(), &token, ip(HOME)))),
        Reason::TokenInvalid
    );
    assert_eq!(cards(&world, CardStatus::ToWrite), 3);
    assert_eq!(
        world.count("SELECT COUNT(*) FROM number WHERE status = 'available' AND client_id IS NULL"),
        3
    );
    // The card that is being written is finished, and every message is sent.
    world.pass(SECOND_MS);
    let (session, _) = world.resume(2).unwrap();
    world.report_event(session, 1, ReportEvent::Written).unwrap();
    world.pass(SECOND_MS);
    let (session, _) = world.open(2).unwrap();
    world.report_event(session, 1, ReportEvent::Verified).unwrap();
    assert_eq!(cards(&world, CardStatus::Written), 1);
    let messages = due(&world);
    assert_eq!(messages.len(), 3);
    for message in &messages {
        answer(&world, message, 200, None);
    }
    let view = run(list_clients(&world.cx(), Some(id), None, 1)).unwrap();
    assert!(view.clients[0].closed_at.is_some() && !view.clients[0].active);
    // Nothing is left to do.
    let before = world.dump();
    let again = close(&world, id, 200).unwrap();
    assert_eq!(
        (again.ended_tasks, again.returned_numbers, again.more),
        (0, 0, false)
    );
    assert_eq!(world.dump(), before);
}

#[test]
fn a_client_with_much_is_closed_in_several_calls() {
    let (world, client, _) = leaving();
    let mut calls = Vec::new();
    loop {
        let closed = close(&world, &client.client_id, 1).unwrap();
        calls.push((closed.ended_tasks, closed.returned_numbers, closed.more));
        if !closed.more {
            break;
        }
    }
    assert_eq!(calls.iter().map(|call| call.0).sum::<usize>(), 2);
    assert_eq!(calls.iter().map(|call| call.1).sum::<usize>(), 2);
    assert_eq!(calls.len(), 2);
}

#[test]
fn a_closed_client_stays_closed() {
    let (world, client, _) = leaving();
    let id = &client.client_id;
    run(freeze_client(&world.cx(), id)).unwrap();
    assert_eq!(reason(close(&world, id, 200)), Reason::ClientFrozen);
    run(unfreeze_client(&world.cx(), id)).unwrap();
    close(&world, id, 200).unwrap();
    let enable = ClientChange {
        active: Some(true),
        ..ClientChange::default()
    };
    assert_eq!(
        reason(run(change_client(&world.cx(), id, &enable))),
        Reason::ClientClosed
    );
    assert_eq!(
        reason(run(rotate_secret(&world.cx(), id, 0)).map(drop)),
        Reason::ClientClosed
    );
    // Frozen again, it is released without being enabled.
    run(freeze_client(&world.cx(), id)).unwrap();
    run(unfreeze_client(&world.cx(), id)).unwrap();
    let view = run(list_clients(&world.cx(), Some(id), None, 1)).unwrap();
    assert!(!view.clients[0].active);
    let unknown = ClientId::parse("cl_00000000000000000000").unwrap();
    assert_eq!(reason(close(&world, &unknown, 200)), Reason::UnknownClient);
}

#[test]
fn whichever_statement_of_a_closing_fails_nothing_of_it_remains() {
    leaves_nothing_behind(
        "close",
        || {
            let world = World::new();
            let caller = world.stocked(1, 1);
            world.apply_auto(&caller, 0).unwrap();
            (world, caller.id)
        },
        |world, client| close(world, client, 200).map(drop),
    );
}

#[test]
fn cards_that_power_up_meanwhile_are_written_or_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xieka.db");
    let world = World::in_file(&path, 1);
    let caller = world.stocked(4, 4);
    for chip in 0..4 {
        world.apply_auto(&caller, chip).unwrap();
    }
    race(&path, |world, n| match n % 2 {
        0 => close(world, &caller.id, 200).map(drop),
        _ => world.open(n / 2).map(drop),
    });
    assert_eq!(
        world.count("SELECT COUNT(*) FROM task WHERE state = 'waiting'"),
        0
    );
    let (written, free) = (
        cards(&world, CardStatus::Writing),
        cards(&world, CardStatus::ToWrite),
    );
    assert_eq!(written + free, 4);
    assert_eq!(
        world.count("SELECT COUNT(*) FROM number WHERE status = 'available'"),
        free
    );
}

#[test]
fn nothing_new_comes_to_a_closed_client() {
    let (world, client, _) = leaving();
    let id = &client.client_id;
    close(&world, id, 200).unwrap();
    let iccid = Iccid::parse(&NumberCsv::new(1).iccid).unwrap();
    assert_eq!(
        reason(run(allot_numbers(&world.cx(), id, &[iccid]))),
        Reason::ClientClosed
    );
    let file = format!("eid,province_code\n{},37\n", eid_text(3));
    assert_eq!(
        reason(made(&world, &batch(BatchKind::Apply, id), &file)),
        Reason::ClientClosed
    );
    let member = StaffMember::Secret;
    let preview = run(preview_batch(
        &world.cx(),
        &member,
        &batch(BatchKind::Apply, id),
        file.as_bytes(),
    ));
    assert_eq!(reason(preview), Reason::ClientClosed);
    let chips = world.chips(id, &[ChipCsv::new(8)]);
    let number = NumberCsv {
        client_id: id.as_str().to_owned(),
        ..NumberCsv::new(8)
    };
    let numbers = world.numbers(&[number]);
    for report in [chips, numbers] {
        let refused = report.errors.first().map(|row| (row.column, row.reason));
        assert_eq!(refused, Some((Some("client_id"), Reason::ClientClosed)));
        assert_eq!((report.imported, report.rejected), (0, 1));
    }
    // A chip of another client does not come to it either.
    let other = world.client().client_id;
    world.chips(&other, &[ChipCsv::new(9)]);
    let owner = ChipCorrection {
        client_id: Some(id.clone()),
        ..ChipCorrection::default()
    };
    let corrected = run(correct_chip(&world.cx(), &eid(9), &owner, &NOTE));
    assert_eq!(reason(corrected), Reason::ClientClosed);
}
