//! Bringing a database to the schema of the program.

use std::sync::Barrier;

use domain::error::Reason;
use domain::{IncidentKind, Severity, Timestamp};
use store::{SCHEMA_VERSION, Sqlite, check, incident, migrate};

use rusqlite::types::Value;

use super::harness::{World, reason, run};

#[test]
fn a_new_database_is_behind_until_it_is_migrated() {
    let db = Sqlite::in_memory().unwrap();
    assert_eq!(reason(run(check(&db))), Reason::SchemaBehind);
    run(migrate(&db, Timestamp(1))).unwrap();
    run(check(&db)).unwrap();
}

#[test]
fn migrating_again_changes_nothing() {
    let world = World::new();
    world.stocked(1, 1);
    let before = world.dump();
    run(migrate(&world.db, Timestamp(2))).unwrap();
    assert_eq!(world.dump(), before);
}

#[test]
fn a_database_of_a_newer_program_is_left_alone() {
    let world = World::new();
    world.execute("INSERT INTO schema_version VALUES (999, 0)");
    let before = world.dump();
    assert_eq!(reason(run(check(&world.db))), Reason::SchemaAhead);
    assert_eq!(reason(run(migrate(&world.db, world.time()))), Reason::SchemaAhead);
    assert_eq!(world.dump(), before);
}

#[test]
fn several_processes_may_migrate_one_file_at_once() {
    const PROCESSES: usize = 8;
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("xieka.db");
        let barrier = Barrier::new(PROCESSES);
        std::thread::scope(|scope| {
            for _ in 0..PROCESSES {
                scope.spawn(|| {
                    barrier.wait();
                    let db = Sqlite::open(&path).unwrap();
                    run(migrate(&db, Timestamp(1))).unwrap();
                    run(check(&db)).unwrap();
                });
            }
        });
        let db = Sqlite::open(&path).unwrap();
        let versions: i64 = db
            .connection()
            .query_row("SELECT COUNT(*) FROM schema_version", [], |row| row.get(0))
            .unwrap();
        assert_eq!(versions, SCHEMA_VERSION);
    }
}

#[test]
fn a_file_uses_a_write_ahead_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xieka.db");
    run(migrate(&Sqlite::open(&path).unwrap(), Timestamp(1))).unwrap();
    let db = Sqlite::open(&path).unwrap();
    let mode: String = db
        .connection()
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
}

/// The first column of a query's rows, as text.
fn texts(db: &Sqlite, sql: &str) -> Vec<String> {
    let mut statement = db.connection().prepare(sql).unwrap();
    let rows = statement.query_map([], |row| {
        Ok(match row.get(0)? {
            Value::Integer(number) => number.to_string(),
            Value::Text(text) => text,
            other => format!("{other:?}"),
        })
    });
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn what_a_client_was_to_be_told_survives_every_migration() {
    let db = Sqlite::in_memory().unwrap();
    for text in [
        include_str!("../../../store/migrations/0001_card_writing.sql"),
        "CREATE TABLE schema_version (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT;
         INSERT INTO schema_version VALUES (1, 0);
         INSERT INTO client VALUES ('cl', 'n', x'01', x'02', '[]', '[]', 'https://client.example.com/', x'0a', x'0b', 3,
            'active', 5, 6);
         INSERT INTO chip SELECT value, value, 'cl', 'm', 'p', '4g', value, value, value, value, value, value,
            '2026-06-01', 1803657600000, 0, 0, NULL, NULL, NULL, 64, NULL, NULL, 5, 0, value, 0, 0
            FROM (SELECT x'05' AS value);",
        "INSERT INTO number (iccid_index, iccid_sealed, msisdn_index, msisdn_sealed, imsi_index, imsi_sealed, province,
            services, client_id, k_sealed, opc_sealed, status, exposed, imported_digest, imported_at, changed_at) VALUES
            (x'01', x'', x'01', x'', x'01', x'', '37', '', NULL, x'', x'', 'written', 0, x'', 7, 0);
         INSERT INTO task VALUES ('t1', x'05', 1, 'cl', 1, '37', x'01', 'succeeded', 'verify', 1, 0, 100, NULL, 1, 2, 3,
            3);
         INSERT INTO outbox VALUES ('m1', 'cl', 't1', x'0c', 'pending', 1, 70, 0, 40, NULL);
         INSERT INTO outbox VALUES ('m2', 'cl', 't1', x'0d', 'dead', 2, 80, 0, 41, 90);
         INSERT INTO outbox_attempt VALUES ('m1', 1, 50, 60, 0, 503, NULL);
         INSERT INTO outbox_attempt VALUES ('m2', 2, 51, 61, NULL, NULL, 'timeout');",
    ] {
        db.connection().execute_batch(text).unwrap();
    }
    run(migrate(&db, Timestamp(1))).unwrap();
    run(check(&db)).unwrap();
    assert_eq!(texts(&db, "PRAGMA foreign_keys"), ["1"]);
    assert!(texts(&db, "PRAGMA foreign_key_check").is_empty());
    for (sql, rows) in [
        (
            "SELECT id || ' ' || client_id || ' ' || url || ' ' || entered_at FROM receiver WHERE client_id IS NOT NULL",
            &["cl cl https://client.example.com/ 6"][..],
        ),
        (
            "SELECT receiver_id || ' ' || generation || ' ' || hex(secret_sealed) || ' ' || created_at FROM receiver_secret
                WHERE receiver_id = 'cl'",
            &["cl 1 0A 5"][..],
        ),
        (
            "SELECT client_id || ' ' || generation || ' ' || hex(hash) FROM client_secret",
            &["cl 3 0B"][..],
        ),
        (
            "SELECT id || ' ' || receiver_id || ' ' || task_id || ' ' || hex(body_sealed) || ' ' || state || ' ' ||
                attempts || ' ' || next_at || ' ' || COALESCE(finished_at, '-') FROM outbox ORDER BY id",
            &["m1 cl t1 0C pending 1 70 -", "m2 cl t1 0D dead 2 80 90"][..],
        ),
        (
            "SELECT outbox_id || ' ' || attempt || ' ' || started_at || ' ' || COALESCE(http_status, error)
                FROM outbox_attempt ORDER BY outbox_id",
            &["m1 1 50 503", "m2 2 51 timeout"][..],
        ),
    ] {
        assert_eq!(texts(&db, sql), rows, "{sql}");
    }
    let dangling = "INSERT INTO outbox_attempt VALUES ('m3', 1, 1, NULL, NULL, NULL, NULL)";
    assert!(db.connection().execute_batch(dangling).is_err(), "of no message");
}

// §5.3.1.3, §5.3.1.1
#[test]
fn what_an_older_database_holds_is_watched_too() {
    let db = Sqlite::in_memory().unwrap();
    for text in [
        include_str!("../../../store/migrations/0001_card_writing.sql"),
        include_str!("../../../store/migrations/0002_access_queries_log.sql"),
        include_str!("../../../store/migrations/0003_receivers_alerts_jobs.sql"),
        // A chip that is not written, one that is, a number of a pool and one set aside for a client.
        "PRAGMA foreign_keys = OFF;
         CREATE TABLE schema_version (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT;
         INSERT INTO schema_version VALUES (1, 0), (2, 0), (3, 0);
         INSERT INTO chip SELECT value, value, 'cl', 'm', 'p', '4g', value, value, value, value, value, value,
            '2026-06-01', 1803657600000, 0, 0, NULL, NULL, NULL, 64, NULL, NULL,
            CASE value WHEN x'04' THEN 4 ELSE 5 END, 0, value, 0, 0
            FROM (SELECT x'04' AS value UNION ALL SELECT x'05');
         INSERT INTO number (iccid_index, iccid_sealed, msisdn_index, msisdn_sealed, imsi_index, imsi_sealed,
            province, services, client_id, k_sealed, opc_sealed, status, exposed, imported_digest, imported_at,
            changed_at) VALUES
            (x'01', x'', x'01', x'', x'01', x'', '37', '', NULL, x'', x'', 'available', 0, x'', 7, 0),
            (x'02', x'', x'02', x'', x'02', x'', '11', '', 'cl', x'', x'', 'allotted', 0, x'', 8, 0);",
    ] {
        db.connection().execute_batch(text).unwrap();
    }
    run(migrate(&db, Timestamp(1))).unwrap();
    assert_eq!(
        texts(
            &db,
            "SELECT COALESCE(temp_next_at, 'nothing') FROM chip ORDER BY status"
        ),
        ["nothing", "1801065600000"]
    );
    assert_eq!(
        texts(
            &db,
            "SELECT province || ' ' || state || ' ' || changed_at FROM pool_level"
        ),
        ["37 ok 7"]
    );
}

#[test]
fn incidents_of_before_their_clocks_get_times_and_are_looked_at() {
    const OLDER: [&str; 3] = [
        include_str!("../../../store/migrations/0001_card_writing.sql"),
        include_str!("../../../store/migrations/0002_access_queries_log.sql"),
        include_str!("../../../store/migrations/0003_receivers_alerts_jobs.sql"),
    ];
    let db = Sqlite::in_memory().unwrap();
    let connection = db.connection();
    for text in OLDER {
        connection.execute_batch(text).unwrap();
    }
    connection
        .execute_batch(
            "CREATE TABLE schema_version (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT;
             INSERT INTO schema_version VALUES (3, 0);
             INSERT INTO incident VALUES ('019ff000-0000-7000-8000-000000000001', 'number_silent', 'chip:00', 1000, NULL);
             INSERT INTO incident VALUES ('019ff000-0000-7000-8000-000000000002', 'chip_fault', 'chip:00', 1000, 2000);
             INSERT INTO incident VALUES ('019ff000-0000-7000-8000-000000000003', 'callback_undeliverable',
                'callback:019ff000-0000-7000-8000-0000000000c1', 1000, NULL);
             INSERT INTO incident VALUES ('019ff000-0000-7000-8000-000000000004', 'callback_undeliverable',
                'callback:019ff000-0000-7000-8000-0000000000c2', 1000, 9000000);",
        )
        .unwrap();
    run(migrate(&db, Timestamp(5_000))).unwrap();
    let settled = "SELECT closed_at || ' ' || settled_by FROM incident WHERE kind = 'callback_undeliverable'
        AND next_check_at IS NULL ORDER BY id";
    assert_eq!(
        texts(&db, settled),
        ["1000 platform", "9000000 platform"],
        "nothing would settle them: a receiver has its own"
    );
    let due = run(incident::due(&db, Timestamp(5_000), 10)).unwrap();
    assert_eq!(due.len(), 1, "what is open");
    assert_eq!(
        (due[0].standing.since, due[0].opened_at),
        (Timestamp(1_000), Timestamp(1_000))
    );
    let by = "SELECT handle_by - opened_at FROM incident WHERE subject = 'chip:00' ORDER BY id";
    let mut statement = connection.prepare(by).unwrap();
    let limits = statement.query_map([], |row| row.get::<_, i64>(0)).unwrap();
    let limits: Vec<i64> = limits.map(Result::unwrap).collect();
    let of = |kind: IncidentKind| kind.row().limit.for_severity(Severity::General).unwrap();
    assert_eq!(
        limits,
        [of(IncidentKind::NumberSilent), of(IncidentKind::ChipFault)]
    );
}
