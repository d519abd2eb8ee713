//! Bringing a database to the schema of the program.

use std::sync::Barrier;

use shared::domain::{IncidentKind, Severity, Timestamp};
use shared::error::Reason;
use shared::store::{SCHEMA_VERSION, Sqlite, check, incident, migrate};

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

#[test]
fn incidents_of_before_their_clocks_get_times_and_are_looked_at() {
    const OLDER: [&str; 3] = [
        include_str!("../../migrations/0001_card_writing.sql"),
        include_str!("../../migrations/0002_access_queries_log.sql"),
        include_str!("../../migrations/0003_receivers_alerts_jobs.sql"),
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
             INSERT INTO incident VALUES ('019ff000-0000-7000-8000-000000000002', 'chip_fault', 'chip:00', 1000, 2000);",
        )
        .unwrap();
    run(migrate(&db, Timestamp(5_000))).unwrap();
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
