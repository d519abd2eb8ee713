//! An EID that is in use twice: a severe incident, the chip is blocked, and its number stays with it.

use domain::error::Reason;
use domain::{IncidentKind, MINUTE_MS, SECOND_MS, SessionId, Severity};
use jiff::civil::date;
use operations::{
    About, ActNote, IncidentAct, IncidentFilter, Job, NewIncident, ReportEvent, SessionWork, act_on_incident,
    destroy_chip, enter_incident, list_incidents,
};
use test_support::inventory::{ChipCsv, eid};
use test_support::operations::{World, days, reason, run};

use crate::imports::row_errors;

const A: &str = "192.0.2.1:40000";
const B: &str = "198.51.100.9:1024";

fn incidents(world: &World) -> Vec<String> {
    world.column("SELECT kind || ' ' || severity FROM incident WHERE closed_at IS NULL")
}

fn settle(world: &World) {
    let filter = IncidentFilter {
        open: Some(true),
        kind: Some(IncidentKind::EidDuplicated),
        limit: 10,
        ..IncidentFilter::default()
    };
    let page = run(list_incidents(&world.cx(), &filter)).unwrap();
    let open = page.incidents.first();
    let act = IncidentAct::Settle(Some("查明：导入文件有误"));
    run(act_on_incident(&world.cx(), open.unwrap().id, &act)).unwrap();
}

/// Opens a session from `peer`, a second after the one before.
fn open(world: &World, peer: &str) -> Result<SessionWork, Reason> {
    world.pass(SECOND_MS);
    let opened = world.open_from(0, world.session_id(), peer);
    opened.map_err(|error| error.reason())
}

#[test]
fn a_known_eid_with_other_keys_is_a_severe_incident_and_blocks_the_chip_which_keeps_its_number() {
    let world = World::new();
    let caller = world.stocked(2, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session, _) = world.open(0).unwrap();
    let copies = [
        ChipCsv {
            psk: Some([7; 16]),
            ..ChipCsv::new(0)
        },
        ChipCsv {
            psk_identity: "0a0b".to_owned(),
            ..ChipCsv::new(1)
        },
    ];
    let report = world.chips(&caller.id, &copies);
    let conflict = Reason::ImportConflict;
    assert_eq!(
        row_errors(&report),
        [
            (2, Some("psk_wrapped"), conflict),
            (3, Some("psk_identity"), conflict)
        ]
    );
    assert!(!report.errors[0].en.contains("0707"), "{}", report.errors[0].en);
    assert_eq!(
        incidents(&world),
        ["eid_duplicated severe", "eid_duplicated severe"]
    );
    // Both copies are kept out: the one whose session was under way, and the one that comes.
    assert_eq!(
        reason(world.report_event(session, 1, ReportEvent::Written)),
        Reason::SessionSuperseded
    );
    assert_eq!(reason(world.open(0)), Reason::ChipBlocked);
    assert_eq!(reason(world.apply_auto(&caller, 1)), Reason::ChipBlocked);
    let number =
        "SELECT status || ' ' || exposed || ' ' || CASE WHEN task_id IS NULL THEN 0 ELSE 1 END FROM number";
    assert_eq!(world.column(number), ["reserved 1 1"]);
    // The other copy may have the number.
    let note = ActNote {
        person: "王芳",
        text: "证书 7",
    };
    let destroyed = run(destroy_chip(&world.cx(), &eid(0), date(2026, 6, 2), &note));
    assert_eq!(reason(destroyed), Reason::ChipBlocked);
    assert_eq!(world.column(number), ["reserved 1 1"]);
}

#[test]
fn settling_the_incident_unblocks_the_chip_and_its_task_goes_on() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let copy = ChipCsv {
        psk: Some([7; 16]),
        ..ChipCsv::new(0)
    };
    world.chips(&caller.id, &[copy]);
    assert_eq!(reason(world.open(0)), Reason::ChipBlocked);
    settle(&world);
    assert_eq!(incidents(&world), [""; 0]);
    assert!(world.open(0).unwrap().1.data.is_some());
}

#[test]
fn the_end_of_the_test_period_does_not_take_the_number_from_a_blocked_chip() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let copy = ChipCsv {
        psk: Some([7; 16]),
        ..ChipCsv::new(0)
    };
    world.chips(&caller.id, &[copy]);
    world.pass(days(400));
    world.job(Job::HopelessTasks);
    assert_eq!(world.column("SELECT status FROM number"), ["reserved"]);
    settle(&world);
    world.job(Job::HopelessTasks);
    assert_eq!(world.column("SELECT status FROM number"), ["available"]);
}

#[test]
fn an_administrator_can_block_a_chip_by_opening_the_incident() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    let incident = NewIncident {
        kind: IncidentKind::EidDuplicated,
        about: About::Chip(eid(0)),
        severity: None,
        note: None,
    };
    let opened = run(enter_incident(&world.cx(), &incident)).unwrap().incident;
    assert_eq!(opened.state.severity, Severity::Severe);
    assert_eq!(reason(world.apply_auto(&caller, 0)), Reason::ChipBlocked);
    settle(&world);
    world.apply_auto(&caller, 0).unwrap();
}

#[test]
fn sessions_that_alternate_between_two_addresses_block_both_and_keep_the_number() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    for peer in [A, B, A] {
        open(&world, peer).unwrap();
    }
    assert_eq!(open(&world, B).unwrap_err(), Reason::ChipBlocked);
    assert_eq!(incidents(&world), ["eid_duplicated severe"]);
    for peer in [A, B] {
        assert_eq!(open(&world, peer).unwrap_err(), Reason::ChipBlocked);
    }
    assert_eq!(
        world.count("SELECT COUNT(*) FROM device_session WHERE state = 'open'"),
        0
    );
    assert_eq!(world.column("SELECT status FROM number"), ["reserved"]);
    settle(&world);
    open(&world, A).unwrap();
}

#[test]
fn a_module_behind_a_carriers_address_translation_is_no_second_chip() {
    let port = |address: &str, port: u32| format!("{address}:{port}");
    let other = "203.0.113.4:7";
    for peers in [
        // Another address at each attachment, another port at each connection.
        [A, B, B, A],
        [A, B, other, A],
        [A, B, other, B],
        [A, A, B, A],
    ] {
        let world = World::new();
        let caller = world.stocked(1, 1);
        world.apply_auto(&caller, 0).unwrap();
        for peer in peers {
            open(&world, peer).unwrap();
        }
        assert_eq!(incidents(&world), [""; 0], "{peers:?}");
    }
    let world = World::new();
    world.stocked(1, 0);
    for n in 0..6 {
        open(&world, &port("192.0.2.1", 4_000 + n)).unwrap();
    }
    assert_eq!(incidents(&world), [""; 0]);
}

/// Whether sessions from A, B, A and B show that the EID is in use twice, the last `ms` after the first.
fn is_found(minutes: u32, ms: i64) -> bool {
    let world = World::new();
    world.stocked(1, 0);
    world.alternation_minutes.set(minutes);
    for peer in [A, B, A] {
        world.open_from(0, world.session_id(), peer).unwrap();
        world.pass(ms / 3);
    }
    world.pass(ms % 3);
    let opened = world.open_from(0, world.session_id(), B);
    let blocked = opened.is_err_and(|error| error.reason() == Reason::ChipBlocked);
    assert_eq!(!incidents(&world).is_empty(), blocked);
    blocked
}

#[test]
fn alternating_sessions_count_within_a_time_that_is_a_setting_and_none_turns_it_off() {
    for minutes in [10, 3, 1_440] {
        let border = i64::from(minutes) * MINUTE_MS;
        assert!(is_found(minutes, border), "{minutes}");
        assert!(!is_found(minutes, border + 1), "{minutes}");
    }
    assert!(!is_found(0, 0));
    assert!(!is_found(0, 1));
}

#[test]
fn sessions_that_had_ended_and_sessions_of_long_ago_do_not_count() {
    let world = World::new();
    world.stocked(1, 0);
    let close = |id: SessionId| {
        let reason = "closed".to_owned();
        world.report_event(id, 1, ReportEvent::Closed { reason }).unwrap();
    };
    for peer in [A, B, A, B, A] {
        world.pass(SECOND_MS);
        let id = world.session_id();
        world.open_from(0, id, peer).unwrap();
        close(id);
    }
    for peer in [A, B, A, B, A] {
        world.pass(6 * MINUTE_MS);
        world.open_from(0, world.session_id(), peer).unwrap();
    }
    assert_eq!(incidents(&world), [""; 0]);
}
