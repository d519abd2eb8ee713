//! A platform in every state that matters for its blind indexes, and what is seen of it.

use std::time::Duration;

use domain::{DAY_MS, Receiver, SECOND_MS};
use operations::{
    CallFilter, Caller, IncidentFilter, MessageFilter, NumberAct, NumberRef, ReportEvent, SessionFilter,
    TaskRef, Topic, act_on_number, card_history, chip_view, faulty_chips, find_messages, list_alerts,
    list_clients, list_imports, list_incidents, list_sessions, number_view, pool_views, receiver_view,
    record_calls, register_fault, search_calls, status, withdraw_import,
};
use store::call_log::NewCallRow;
use test_support::eid::eid_text;
use test_support::inventory::{ChipCsv, NUMBER_HEADER, NumberCsv, eid, number_csv};
use test_support::operations::{MAINTENANCE, World, designated, ip, run};

use crate::imports::{number_file, row_errors};
use crate::key_rotation::full;
use crate::operator_reports::{card, ingest_lines, line, usage};

/// Calls about a chip that is there and one that is not, on this day.
fn called(world: &World, request_id: &str) {
    let call = |serial, at| NewCallRow {
        at,
        client_id: None,
        secret_generation: None,
        interface: "write.status".to_owned(),
        code: 200,
        reason: None,
        address: Some(ip("192.0.2.1")),
        duration: Duration::from_millis(1),
        request_id: request_id.into(),
        eid_index: Some(world.cx().eid_index(&eid(serial))),
        task_id: None,
        subject: None,
    };
    let calls = [call(0, world.time()), call(77, world.time())];
    run(record_calls(&world.cx(), &calls)).unwrap();
}

/// A platform with rows in every table that has an index, and in every state that changes one.
pub(super) fn rich() -> (World, Caller) {
    let (world, caller) = full();
    called(&world, "day 1");
    world.pass(DAY_MS);
    called(&world, "day 2");
    let written = written_number(&world, &caller);
    for (topic, reported) in [
        (Topic::Usage, usage(written, "1.5", "08:00:00")),
        (
            Topic::Location,
            line(
                written,
                r#""city":"qibiao-city","as_of":"2026-07-01T08:00:00+08:00""#,
            ),
        ),
    ] {
        assert_eq!(ingest_lines(&world, topic, &[reported]).accepted, 1);
    }
    world.execute(
        "INSERT INTO deviation (kind, subject, found_at, seen_at) \
         SELECT 'card_without_task', 'chip:' || lower(hex(eid_index)), 1, 1 FROM chip LIMIT 1",
    );
    world.execute(
        "INSERT INTO operator_inquiry (iccid_index, topic, asked_at, answered) \
         SELECT iccid_index, 'status', 1, 0 FROM number WHERE status = 'written'",
    );
    given_up(&world, &caller);
    // A data card that is to take over the MSISDN of chip 0.
    let successor = NumberCsv {
        msisdn: NumberCsv::new(written).msisdn,
        client_id: caller.id.as_str().to_owned(),
        ..NumberCsv::new(13)
    };
    let file = number_csv(&[successor])
        .replace(NUMBER_HEADER, &format!("{NUMBER_HEADER},replaces_iccid"))
        .replace(",tk1\n", &format!(",tk1,{}\n", NumberCsv::new(written).iccid));
    assert_eq!(row_errors(&number_file(&world, file.as_bytes()).unwrap()), []);
    // A number that a chip holds without a task is looked for: the session keeps its ICCID.
    world.open(1).unwrap();
    world.pass(SECOND_MS);
    // A chip that waits, and a faulty one.
    world.chips(&caller.id, &[ChipCsv::new(7), ChipCsv::new(8)]);
    let allotted = NumberCsv::allotted(14, &caller.id);
    world.numbers(&[allotted]);
    let (chip, number) = (eid_text(7), NumberCsv::new(14));
    world
        .apply(&caller, &designated(&chip, &number.iccid, &number.msisdn))
        .unwrap();
    run(register_fault(&world.cx(), &eid(8), true)).unwrap();
    suspended_while_written(&world, &caller);
    // An import that was withdrawn.
    let withdrawn = world.numbers(&[NumberCsv::new(15)]).id.unwrap();
    assert_eq!(
        run(withdraw_import(&world.cx(), withdrawn, false))
            .unwrap()
            .removed,
        1
    );
    (world, caller)
}

/// A number that is suspended while its chip is being written: an alert about the chip.
fn suspended_while_written(world: &World, caller: &Caller) {
    world.chips(&caller.id, &[ChipCsv::new(19)]);
    world.numbers(&[NumberCsv::allotted(16, &caller.id)]);
    let (chip, number) = (eid_text(19), NumberCsv::new(16));
    world
        .apply(caller, &designated(&chip, &number.iccid, &number.msisdn))
        .unwrap();
    for event in [ReportEvent::Written, ReportEvent::Verified] {
        let (session, _) = world.open(19).unwrap();
        world.report_event(session, 1, event).unwrap();
        let _ = run(act_on_number(&world.cx(), &card(16), NumberAct::Suspend));
    }
}

/// Values that come back in new data, because what had them is dead.
fn given_up(world: &World, caller: &Caller) {
    // Chip 0 is written, so that its temporary number may come back, with chip 6.
    let again = ChipCsv {
        eid: eid_text(6),
        psk_identity: hex::encode("identity-6"),
        psk: Some([6; 16]),
        ..ChipCsv::new(0)
    };
    assert_eq!(world.chips(&caller.id, &[again]).imported, 1);
    // A retired number gives its MSISDN and IMSI to another.
    world.numbers(&[NumberCsv::new(10), NumberCsv::new(11)]);
    run(act_on_number(&world.cx(), &card(10), NumberAct::Retire)).unwrap();
    let next = NumberCsv {
        iccid: NumberCsv::new(12).iccid,
        ..NumberCsv::new(10)
    };
    assert_eq!(world.numbers(&[next]).imported, 1);
}

/// The number of chip 0.
fn written_number(world: &World, caller: &Caller) -> u32 {
    let is_written = |number: &u32| {
        let view = run(number_view(&world.cx(), caller, &card(*number)));
        view.is_ok_and(|view| view.eid.as_deref() == Some(eid(0).as_str()))
    };
    (0..5).find(is_written).unwrap()
}

/// What people and clients see of everything, without the indexes themselves.
pub(super) fn seen(world: &World, caller: &Caller) -> Vec<String> {
    let cx = world.cx();
    let mut out = Vec::new();
    for chip in (0..9).chain([19]) {
        out.push(format!(
            "{:?}",
            run(status(&cx, caller, &TaskRef::Eid(eid(chip))))
        ));
        out.push(format!("{:?}", run(chip_view(&cx, caller, &eid(chip)))));
        out.push(format!("{:?}", run(card_history(&cx, &eid(chip)))));
        let of_chip = SessionFilter {
            eid: Some(eid(chip)),
            limit: 100,
            ..SessionFilter::default()
        };
        out.push(format!("{:?}", run(list_sessions(&cx, &of_chip))));
        let calls = CallFilter {
            eid: Some(eid(chip)),
            limit: 100,
            ..CallFilter::default()
        };
        out.push(format!("{:?}", run(search_calls(&cx, &calls))));
    }
    for number in 0..17 {
        out.push(format!("{:?}", run(number_view(&cx, caller, &card(number)))));
        let by_msisdn = domain::Msisdn::parse(&NumberCsv::new(number).msisdn).unwrap();
        out.push(format!(
            "{:?}",
            run(number_view(&cx, caller, &NumberRef::Msisdn(by_msisdn)))
        ));
    }
    let incidents = IncidentFilter {
        limit: 100,
        ..IncidentFilter::default()
    };
    out.push(format!("{:?}", run(list_incidents(&cx, &incidents))));
    out.push(format!("{:?}", run(list_alerts(&cx, true, None, 100))));
    out.push(format!(
        "{:?}",
        run(faulty_chips(&cx, true, None, 100)).unwrap().rows
    ));
    out.push(format!("{:?}", run(list_clients(&cx, None, None, 100))));
    out.push(format!("{:?}", run(list_imports(&cx, None, 100))));
    out.push(format!("{:?}", run(pool_views(&cx, &MAINTENANCE))));
    out.push(format!(
        "{:?}",
        run(receiver_view(&cx, &Receiver::Client(caller.id.clone())))
    ));
    let messages = MessageFilter {
        receiver: Some(Receiver::Client(caller.id.clone())),
        limit: 100,
        ..MessageFilter::default()
    };
    for message in run(find_messages(&cx, &messages)).unwrap().0 {
        out.push(format!("{} {:?}", message.id.text(), message.state));
    }
    out.into_iter().map(|text| without_indexes(&text)).collect()
}

/// The text without blind indexes, which a view of a number and the subject of a chip show.
fn without_indexes(text: &str) -> String {
    let is_hex = |c: char| c.is_ascii_hexdigit();
    let mut out = text.to_owned();
    for mark in ["chip:", "BlindIndex("] {
        let mut parts = out.split(mark);
        let mut rest = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            rest.push_str(mark);
            rest.push_str(part.trim_start_matches(is_hex));
        }
        out = rest;
    }
    out
}
