//! Brings incidents, cards in writing and faulty chips of schema 11 to the schema of the program.

use domain::{IncidentId, IncidentKind, Severity, Timestamp};
use store::incident::By;
use store::{Sqlite, chip_fault, incident, migrate, task};
use test_support::operations::run;

/// The files of schemas 1 to 11.
const SCHEMA_11: [&str; 11] = [
    include_str!("../../../store/migrations/0001_card_writing.sql"),
    include_str!("../../../store/migrations/0002_access_queries_log.sql"),
    include_str!("../../../store/migrations/0003_receivers_alerts_jobs.sql"),
    include_str!("../../../store/migrations/0004_incident_clocks.sql"),
    include_str!("../../../store/migrations/0005_temporary_numbers_pools.sql"),
    include_str!("../../../store/migrations/0006_field_words.sql"),
    include_str!("../../../store/migrations/0007_ended_tasks.sql"),
    include_str!("../../../store/migrations/0008_key_checks.sql"),
    include_str!("../../../store/migrations/0009_ways_out.sql"),
    include_str!("../../../store/migrations/0010_session_ends.sql"),
    include_str!("../../../store/migrations/0011_state_change_messages.sql"),
];

/// The table that names the schema.
const VERSIONS: &str =
    "CREATE TABLE schema_version (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT";
/// A card that has been written since 1000 and is stuck, with its incident; an incident that became severe by being
/// late, is settled and has its final report; and a chip in the register of faulty chips.
const ROWS: &str = "INSERT INTO schema_version SELECT value, 0 FROM json_each('[1,2,3,4,5,6,7,8,9,10,11]');
    PRAGMA foreign_keys = OFF;
    INSERT INTO chip (eid_index, eid_sealed, client_id, chip_model, profile, network, temp_msisdn_index,
        temp_msisdn_sealed, temp_iccid_index, temp_iccid_sealed, temp_imsi_index, temp_imsi_sealed, temp_opened_on,
        temp_expires_at, allowance_bytes, used_bytes, key_version, status, faulty, imported_digest, imported_at,
        changed_at, faulty_at)
        SELECT unhex(value), x'', 'cl_0123456789abcdef0123', 'XK-9', 'p', '4g', unhex(value), x'', unhex(value), x'',
        unhex(value), x'', '2026-06-01', 1, 10, 4, 64, 3, key, unhex(value), 0, 7, CASE key WHEN 1 THEN 6 END
        FROM json_each('[\"00112233445566778899aabbccddee00\",\"00112233445566778899aabbccddee01\"]');
    INSERT INTO number (iccid_index, iccid_sealed, msisdn_index, msisdn_sealed, imsi_index, imsi_sealed, province,
        services, k_sealed, opc_sealed, status, exposed, imported_digest, imported_at, changed_at)
        SELECT i, x'', i, x'', i, x'', '37', '', x'', x'', 'reserved', 1, i, 0, 0
        FROM (SELECT unhex('00112233445566778899aabbccddee02') AS i);
    INSERT INTO task (id, eid_index, seq, client_id, write_type, iccid_index, state, next_work, attempt, step, progress,
        created_at, started_at, changed_at, stuck)
        VALUES ('019ff000-0000-7000-8000-0000000000c1', unhex('00112233445566778899aabbccddee00'), 1,
        'cl_0123456789abcdef0123', 1, unhex('00112233445566778899aabbccddee02'), 'writing', 'write', 1, 0, 0, 900, 1000,
        1500, 1);
    INSERT INTO incident (id, kind, subject, opened_at, severity, since, handle_by, next_check_at)
        VALUES ('019ff000-0000-7000-8000-0000000000b1', 'stuck_writing', 'chip:00112233445566778899aabbccddee00',
        1800000, 'general', 1000, 3601000, 3601000);
    INSERT INTO incident (id, kind, subject, opened_at, severity, since, severe_at, closed_at, final_report_at, settled_by,
        handle_by, next_check_at) VALUES ('019ff000-0000-7000-8000-0000000000b2', 'call_timeout', 'platform', 0, 'severe',
        0, 1800000, 1900000, 1950000, 'admin', 3600000, 5400000);";

fn migrated() -> Sqlite {
    let db = Sqlite::in_memory().unwrap();
    for text in [VERSIONS].into_iter().chain(SCHEMA_11).chain([ROWS]) {
        db.connection().execute_batch(text).unwrap();
    }
    run(migrate(&db, Timestamp(1_000))).unwrap();
    db
}

fn found(db: &Sqlite, last: &str) -> incident::IncidentRow {
    let id = IncidentId::parse(&format!("019ff000-0000-7000-8000-0000000000{last}")).unwrap();
    run(incident::by_id(db, id)).unwrap().unwrap()
}

#[test]
fn an_open_incident_of_a_stuck_card_is_late_by_the_limit_of_general_ones() {
    test_support::of_sqlite!();
    let db = migrated();
    let stuck = found(&db, "b1");
    assert_eq!(stuck.state.kind, IncidentKind::StuckWriting);
    assert_eq!(stuck.opened_by, By::Platform);
    let by = Timestamp(1_000 + 30 * 60_000);
    assert_eq!(stuck.state.handle_by(), Some(by));
    let due = run(incident::due(&db, by, 10)).unwrap();
    assert_eq!(due.len(), 1, "and the clock looks then");
}

#[test]
fn a_settled_incident_with_its_final_report_has_nothing_left_for_the_clock() {
    test_support::of_sqlite!();
    let db = migrated();
    let settled = found(&db, "b2");
    assert_eq!(settled.state.severity, Severity::Severe);
    assert_eq!(settled.state.next_deadline(), None);
    let due = run(incident::due(&db, Timestamp(i64::MAX), 10)).unwrap();
    assert!(due.iter().all(|row| row.id != settled.id));
}

#[test]
fn a_stuck_card_is_found_by_its_last_step() {
    test_support::of_sqlite!();
    let db = migrated();
    assert!(
        run(task::stuck(&db, Timestamp(i64::MAX), 10)).unwrap().is_empty(),
        "it is marked"
    );
    assert_eq!(run(task::moved(&db, Timestamp(1_499), 10)).unwrap().len(), 1);
    assert!(run(task::moved(&db, Timestamp(1_500), 10)).unwrap().is_empty());
}

#[test]
fn a_faulty_chip_is_an_entry_of_the_register() {
    test_support::of_sqlite!();
    let db = migrated();
    let from = store::ListKey::first(Timestamp(i64::MAX));
    let entries = run(chip_fault::page(&db, from, false, 10)).unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (
            entries[0].fault.as_str(),
            entries[0].chip_model.as_str(),
            entries[0].entered_at
        ),
        ("registered", "XK-9", Timestamp(6))
    );
}
