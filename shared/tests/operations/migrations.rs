//! Bringing a database to the schema of the program.

use std::sync::Barrier;

use shared::domain::Timestamp;
use shared::error::Reason;
use shared::store::{SCHEMA_VERSION, Sqlite, check, migrate};

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
