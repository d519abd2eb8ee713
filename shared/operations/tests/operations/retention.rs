//! How long each kind of data is kept, what keeps it, and the record of its destruction (§9.1.2, §9.2.2).

use domain::error::Reason;
use domain::{DAY_MS, FailureKind};
use jiff::civil::date;
use operations::{
    ActNote, Caller, ClientChange, ImportChoices, Job, MaintenanceSettings, NumberAct, ReportEvent,
    Retention, act_on_number, change_client, destroy_chip, destructions, import_numbers, register_fault,
    reopen, run_job,
};
use test_support::inventory::{NumberCsv, eid, number_csv};
use test_support::operations::{MAINTENANCE, World, reason, run};
use vault::IndexKind;

use super::operator_reports::card;

const NOTE: ActNote<'_> = ActNote {
    person: "王芳",
    text: "销毁单 2026-0701",
};

/// What is destroyed at the end of these retentions; all others have their defaults.
fn destroy(world: &World, settings: &[(&str, u32)]) {
    let retention = settings
        .iter()
        .fold(Retention::DEFAULT, |retention, (name, days)| {
            retention.with(name, *days).unwrap()
        });
    let maintenance = MaintenanceSettings {
        retention,
        ..MAINTENANCE
    };
    while run(run_job(&world.cx(), Job::Retention, &maintenance))
        .unwrap()
        .more
    {}
    assert!(!world.has_dangling_rows());
}

/// How many of a kind were destroyed so far.
fn destroyed(world: &World, kind: &str) -> u32 {
    let rows = run(destructions(&world.cx(), 100)).unwrap();
    rows.iter()
        .filter(|row| row.kind == kind)
        .map(|row| row.count)
        .sum()
}

fn rows(world: &World, table: &str) -> i64 {
    world.count(&format!("SELECT COUNT(*) FROM {table}"))
}

fn pass(world: &World, days: i64) {
    world.pass(days * DAY_MS);
}

/// Chip 0 is written with number 0.
fn written(chips: u32, numbers: u32) -> (World, Caller) {
    let world = World::new();
    let caller = world.stocked(chips, numbers);
    world.write_chip(&caller, 0);
    (world, caller)
}

fn disable(world: &World, caller: &Caller) {
    let change = ClientChange {
        active: Some(false),
        ..ClientChange::default()
    };
    run(change_client(&world.cx(), &caller.id, &change)).unwrap();
}

/// Nothing is under way any more.
fn end_everything(world: &World) {
    world.execute(
        "UPDATE message SET state = 'dead', finished_at = created_at, lease_until = 0; \
         UPDATE device_session SET state = 'closed', closed_at = opened_at WHERE state = 'open'",
    );
}

/// K and OPc of a number, opened.
fn keys(world: &World, n: u32) -> [Vec<u8>; 2] {
    let index = world
        .vault
        .blind_index(IndexKind::Iccid, NumberCsv::new(n).iccid.as_bytes());
    let row = run(store::number::by_iccid(&world.db, &index)).unwrap().unwrap();
    let open = |column, sealed: &[u8]| {
        world
            .vault
            .open(column, index.as_bytes(), sealed)
            .unwrap()
            .to_vec()
    };
    [
        open(store::number::K, &row.k_sealed),
        open(store::number::OPC, &row.opc_sealed),
    ]
}

#[test]
fn k_and_opc_are_destroyed_once_the_number_is_proven_to_be_on_its_card_and_not_before() {
    let world = World::new();
    let caller = world.stocked(2, 2);
    world.apply_auto(&caller, 0).unwrap();
    let (session, _) = world.open(0).unwrap();
    world.report_event(session, 1, ReportEvent::Written).unwrap();
    destroy(&world, &[]);
    assert_eq!(destroyed(&world, "number_keys"), 0, "written, not proven");
    pass(&world, 1);
    let (session, _) = world.open(0).unwrap();
    world.report_event(session, 1, ReportEvent::Verified).unwrap();
    let before = [keys(&world, 0), keys(&world, 1)];
    pass(&world, 1);
    destroy(&world, &[("written_key_days", 30)]);
    assert_eq!(keys(&world, 0), before[0], "a setting keeps them");
    destroy(&world, &[]);
    assert_eq!(keys(&world, 0), [Vec::<u8>::new(), Vec::new()]);
    assert_eq!(
        keys(&world, 1),
        before[1],
        "a number that is not written keeps them"
    );
    assert_eq!(destroyed(&world, "number_keys"), 1);
    destroy(&world, &[]);
    assert_eq!(destroyed(&world, "number_keys"), 1, "once");
    // The row is sealed anew and imported again like any other.
    world.job(Job::KeyRotation);
    let again = world.numbers(&[NumberCsv::new(0), NumberCsv::new(1)]);
    assert_eq!((again.unchanged, again.rejected), (2, 0));
    world.execute("UPDATE number SET imported_digest = x'00000000000000000000000000000000'");
    let again = world.numbers(&[NumberCsv::new(0), NumberCsv::new(1)]);
    assert_eq!((again.unchanged, again.rejected), (2, 0));
}

#[test]
fn a_number_without_k_and_opc_is_written_to_no_other_card_until_a_file_brings_them() {
    let (world, caller) = written(2, 2);
    let before = keys(&world, 0);
    pass(&world, 1);
    destroy(&world, &[]);
    run(reopen(&world.cx(), &eid(0), &NOTE)).unwrap();
    world.write_chip(&caller, 0);
    let resume = || run(act_on_number(&world.cx(), &card(0), NumberAct::Resume));
    assert_eq!(reason(resume()), Reason::NumberInUse);
    assert_eq!(
        reason(world.apply_auto(&caller, 1)),
        Reason::ProvinceWithoutNumber
    );
    let choices = ImportChoices {
        correct: Some(NOTE),
        ..ImportChoices::default()
    };
    let file = number_csv(&[NumberCsv::new(0)]);
    let report = run(import_numbers(&world.cx(), file.as_bytes(), &choices)).unwrap();
    assert_eq!((report.corrected, report.rejected), (1, 0));
    assert_eq!(keys(&world, 0), before);
    resume().unwrap();
    world.write_chip(&caller, 1);
    pass(&world, 1);
    destroy(&world, &[]);
    assert_eq!(keys(&world, 0), [Vec::<u8>::new(), Vec::new()]);
}

#[test]
fn tasks_that_ended_without_a_written_card_are_destroyed_when_nothing_names_them_any_more() {
    let (world, caller) = written(3, 3);
    world.fail_chip(&caller, 1, FailureKind::CardError);
    world.apply_auto(&caller, 2).unwrap();
    pass(&world, 2);
    destroy(&world, &[("task_days", 1)]);
    assert_eq!(
        destroyed(&world, "tasks"),
        0,
        "its session and its message are kept for longer"
    );
    end_everything(&world);
    run(register_fault(&world.cx(), &eid(1), true)).unwrap();
    destroy(&world, &[("task_days", 1), ("record_days", 1)]);
    assert_eq!(destroyed(&world, "tasks"), 0, "an incident of its chip is open");
    run(register_fault(&world.cx(), &eid(1), false)).unwrap();
    world.execute("UPDATE incident SET closed_at = opened_at, next_check_at = NULL");
    destroy(&world, &[("task_days", 1), ("record_days", 1)]);
    assert_eq!(destroyed(&world, "tasks"), 1);
    let left = world.column("SELECT state FROM task ORDER BY state");
    assert_eq!(
        left,
        ["succeeded", "waiting"],
        "what wrote a number in service, and what is open, stay"
    );
    assert!(world.apply_auto(&caller, 1).is_ok());
}

#[test]
fn steps_of_a_card_are_destroyed_unless_a_task_or_an_incident_is_open() {
    let (world, caller) = written(3, 2);
    world.apply_auto(&caller, 1).unwrap();
    run(register_fault(&world.cx(), &eid(2), true)).unwrap();
    let of = |chip: u32| {
        let index = world
            .vault
            .blind_index(IndexKind::Eid, eid(chip).as_str().as_bytes());
        let hex = index.hex();
        world.count(&format!(
            "SELECT COUNT(*) FROM card_history WHERE lower(hex(eid_index)) = '{hex}'"
        ))
    };
    let before = [of(0), of(1), of(2)];
    assert!(before.iter().all(|steps| *steps > 0), "{before:?}");
    pass(&world, 186);
    destroy(&world, &[]);
    assert_eq!([of(0), of(1), of(2)], before);
    destroy(&world, &[("history_days", 185)]);
    assert_eq!([of(0), of(1), of(2)], [0, before[1], before[2]]);
    assert_eq!(i64::from(destroyed(&world, "card_history")), before[0]);
    run(reopen(&world.cx(), &eid(0), &NOTE)).unwrap();
    assert_eq!(of(0), 1, "the card goes on");
}

#[test]
fn incidents_are_destroyed_after_they_were_settled_and_their_reports_are_complete() {
    let (world, _) = written(2, 1);
    run(register_fault(&world.cx(), &eid(0), true)).unwrap();
    run(register_fault(&world.cx(), &eid(1), true)).unwrap();
    run(register_fault(&world.cx(), &eid(1), false)).unwrap();
    let all = rows(&world, "incident");
    pass(&world, 63);
    destroy(&world, &[]);
    assert_eq!(rows(&world, "incident"), all);
    world.execute("UPDATE incident SET next_check_at = 1 WHERE closed_at IS NOT NULL");
    destroy(&world, &[("incident_days", 62)]);
    assert_eq!(rows(&world, "incident"), all, "a final report is missing");
    world.execute("UPDATE incident SET next_check_at = NULL WHERE closed_at IS NOT NULL");
    destroy(&world, &[("incident_days", 62)]);
    assert_eq!(
        world.count("SELECT COUNT(*) FROM incident WHERE closed_at IS NOT NULL"),
        0
    );
    assert!(rows(&world, "incident") > 0, "an open one stays");
    assert_eq!(
        i64::from(destroyed(&world, "incidents")),
        all - rows(&world, "incident")
    );
}

#[test]
fn a_disabled_client_is_destroyed_when_it_has_nothing_on_the_platform() {
    let world = World::new();
    let owner = world.stocked(1, 0);
    let other = world.client().client_id;
    let active = world.client().client_id;
    disable(&world, &owner);
    let gone = other.as_str().to_owned();
    disable(&world, &Caller { id: other });
    pass(&world, 2);
    destroy(&world, &[("client_days", 3)]);
    assert_eq!(rows(&world, "client"), 3);
    destroy(&world, &[("client_days", 1)]);
    let mut left = [owner.id.as_str(), active.as_str()];
    left.sort_unstable();
    assert_eq!(world.column("SELECT id FROM client ORDER BY id"), left);
    for (table, column) in [
        ("client_secret", "client_id"),
        ("receiver", "client_id"),
        ("receiver_secret", "receiver_id"),
    ] {
        let of = format!("SELECT COUNT(*) FROM {table} WHERE {column} = '{gone}'");
        assert_eq!(world.count(&of), 0, "{table}");
    }
    assert_eq!(destroyed(&world, "clients"), 1);
}

#[test]
fn a_retired_number_is_destroyed_unless_a_living_chip_has_it() {
    let (world, caller) = written(2, 3);
    let retire = |n: u32| run(act_on_number(&world.cx(), &card(n), NumberAct::Retire)).unwrap();
    world.fail_chip(&caller, 1, FailureKind::CardError);
    for n in 0..3 {
        retire(n);
    }
    end_everything(&world);
    world.execute("UPDATE incident SET closed_at = opened_at, next_check_at = NULL");
    pass(&world, 2);
    let short = [
        ("number_days", 1),
        ("task_days", 1),
        ("record_days", 1),
        ("chip_days", 1),
    ];
    destroy(&world, &[("task_days", 1), ("record_days", 1)]);
    assert_eq!(rows(&world, "number"), 3);
    destroy(&world, &short);
    assert_eq!(
        rows(&world, "number"),
        2,
        "the chips that have them, or may, live"
    );
    assert_eq!(destroyed(&world, "numbers"), 1);
    run(destroy_chip(&world.cx(), &eid(0), date(2026, 6, 30), &NOTE)).unwrap();
    destroy(&world, &short);
    assert_eq!((rows(&world, "number"), rows(&world, "task")), (1, 0));
    assert_eq!(destroyed(&world, "numbers"), 2);
    // A data card that is destroyed may come in again.
    let again = world.numbers(&[0, 1, 2].map(NumberCsv::new));
    assert_eq!((again.imported, again.unchanged), (2, 1));
}

#[test]
fn a_chip_that_was_destroyed_or_replaced_is_destroyed_with_everything_that_is_its_own() {
    let world = World::new();
    let caller = world.stocked(3, 1);
    world.apply_auto(&caller, 0).unwrap();
    world.open(0).unwrap();
    run(destroy_chip(&world.cx(), &eid(0), date(2026, 6, 30), &NOTE)).unwrap();
    world.execute(
        "INSERT INTO incident (id, kind, subject, opened_at) SELECT 'i', 'chip_fault', \
         'chip:' || lower(hex(eid_index)), 0 FROM chip_destruction WHERE true ON CONFLICT DO NOTHING",
    );
    world.execute(
        "UPDATE chip SET replaced = 1 WHERE eid_index = (SELECT eid_index FROM chip WHERE faulty = 0 ORDER BY eid_index DESC LIMIT 1)",
    );
    end_everything(&world);
    pass(&world, 186);
    let short = [
        ("chip_days", 1),
        ("task_days", 1),
        ("history_days", 185),
        ("record_days", 1),
    ];
    destroy(&world, &[("chip_days", 1), ("record_days", 1)]);
    assert_eq!(rows(&world, "chip"), 3, "its steps and tasks are kept for longer");
    destroy(&world, &short);
    assert_eq!(
        rows(&world, "chip"),
        2,
        "an incident of the destroyed one is open"
    );
    world.execute("UPDATE incident SET closed_at = opened_at, next_check_at = NULL");
    destroy(&world, &short);
    assert_eq!(rows(&world, "chip"), 1, "the chip that lives stays");
    assert_eq!(destroyed(&world, "chips"), 2);
    for table in [
        "task",
        "device_session",
        "card_history",
        "chip_fault",
        "chip_destruction",
        "message",
    ] {
        assert_eq!(rows(&world, table), 0, "{table}");
    }
    assert_eq!(reason(world.apply_auto(&caller, 0)), Reason::UnknownChip);
}

#[test]
fn a_session_that_was_left_open_is_closed_and_later_destroyed() {
    let world = World::new();
    let caller = world.stocked(2, 2);
    world.apply_auto(&caller, 0).unwrap();
    let (left, _) = world.open(0).unwrap();
    pass(&world, 6);
    world.apply_auto(&caller, 1).unwrap();
    let (running, _) = world.open(1).unwrap();
    pass(&world, 2);
    destroy(&world, &[]);
    let ends = world.column("SELECT COALESCE(end_reason, state) FROM device_session ORDER BY opened_at");
    assert_eq!(ends, ["left_open", "open"]);
    assert_eq!(
        reason(world.report_event(left, 1, ReportEvent::Written)),
        Reason::SessionClosed
    );
    world.report_event(running, 1, ReportEvent::Written).unwrap();
    assert!(world.open(0).is_ok(), "its card goes on");
    pass(&world, 186);
    destroy(&world, &[]);
    let of = format!("SELECT COUNT(*) FROM device_session WHERE id = '{left}'");
    assert_eq!(world.count(&of), 0);
    assert!(destroyed(&world, "device_sessions") > 0);
}

#[test]
fn with_the_defaults_nothing_of_a_platform_in_service_is_destroyed_but_spent_keys() {
    let (world, caller) = written(3, 3);
    world.fail_chip(&caller, 1, FailureKind::CardError);
    pass(&world, 1);
    let tables = [
        "chip",
        "number",
        "task",
        "card_history",
        "incident",
        "client",
        "message",
        "device_session",
    ];
    let before = tables.map(|table| rows(&world, table));
    destroy(&world, &[]);
    assert_eq!(tables.map(|table| rows(&world, table)), before);
    let kinds: Vec<_> = run(destructions(&world.cx(), 10)).unwrap();
    assert_eq!(
        kinds.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>(),
        ["number_keys"]
    );
}

#[test]
fn whichever_statement_fails_what_is_destroyed_is_recorded_and_nothing_is_left_of_it() {
    for (table, kind, arrange) in [
        (
            "client",
            "clients",
            "DELETE FROM number; DELETE FROM chip; UPDATE client SET status = 'disabled'",
        ),
        (
            "chip",
            "chips",
            "DELETE FROM number; UPDATE chip SET replaced = 1",
        ),
        ("number", "numbers", "UPDATE number SET status = 'retired'"),
    ] {
        for n in 1.. {
            let world = World::new();
            world.stocked(1, 1);
            world.execute("DELETE FROM card_history");
            world.execute(arrange);
            pass(&world, 1_096);
            world.db.fail_at(Some(n));
            let result = run(run_job(&world.cx(), Job::Retention, &MAINTENANCE));
            world.db.fail_at(None);
            let (left, gone) = (rows(&world, table), i64::from(destroyed(&world, kind)));
            assert_eq!(left + gone, 1, "{table}: statement {n}");
            assert!(!world.has_dangling_rows());
            if result.is_ok() {
                assert_eq!(gone, 1, "{table}");
                break;
            }
            destroy(&world, &[]);
            assert_eq!(
                (rows(&world, table), destroyed(&world, kind)),
                (0, 1),
                "{table}: after {n}"
            );
        }
    }
}
