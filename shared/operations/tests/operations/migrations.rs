//! Bringing a database to the schema of the program.

use std::path::Path;
use std::sync::Barrier;

use domain::MessageState;
use domain::error::Reason;
use domain::{AlertId, IncidentId, IncidentKind, MessageId, Receiver, Severity, Timestamp};
use store::message::{self, MessageQuery, QueueQuery};
use store::{SCHEMA_VERSION, Sqlite, alert, check, incident, job, message_attempt, migrate, transaction};
use vault::Column;

use rusqlite::types::Value;
use test_support::operations::{World, reason, run};
use test_support::random::SeededRandom;
use test_support::settings::{sealing_key, vault};

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
fn a_database_that_cannot_be_written_to_stays_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xieka.db");
    let db = Sqlite::open(&path).unwrap();
    db.connection().pragma_update(None, "query_only", true).unwrap();
    assert_eq!(reason(run(migrate(&db, Timestamp(1)))), Reason::SchemaBehind);
    run(migrate(&Sqlite::open(&path).unwrap(), Timestamp(2))).unwrap();
    run(migrate(&db, Timestamp(3))).unwrap();
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
    assert_eq!(column(&db, "PRAGMA journal_mode"), ["wal"]);
}

/// The first column of a query's rows, as text.
pub(super) fn column(db: &Sqlite, sql: &str) -> Vec<String> {
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
fn messages_to_a_client_survive_every_migration() {
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
    assert_eq!(column(&db, "PRAGMA foreign_keys"), ["1"]);
    assert!(column(&db, "PRAGMA foreign_key_check").is_empty());
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
                attempts || ' ' || next_at || ' ' || COALESCE(finished_at, '-') FROM message ORDER BY id",
            &["m1 cl t1 0C pending 1 70 -", "m2 cl t1 0D dead 2 80 90"][..],
        ),
        (
            "SELECT id || ' ' || hex(eid_index) || ' ' || chip_seq || ' ' || unaddressed FROM message ORDER BY id",
            &["m1 05 0 0", "m2 05 0 0"][..],
        ),
        ("SELECT COALESCE(changes, 'outcomes') FROM receiver", &["outcomes"][..]),
        (
            "SELECT failed_handshakes || COALESCE(handshake_failed_at, '-') || COALESCE(handshake_failure, '-') FROM chip",
            &["0--"][..],
        ),
        (
            "SELECT message_id || ' ' || attempt || ' ' || started_at || ' ' || COALESCE(http_status, error)
                FROM message_attempt ORDER BY message_id",
            &["m1 1 50 503", "m2 2 51 timeout"][..],
        ),
    ] {
        assert_eq!(column(&db, sql), rows, "{sql}");
    }
    let dangling = "INSERT INTO message_attempt VALUES ('m3', 1, 1, NULL, NULL, NULL, NULL)";
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
        column(
            &db,
            "SELECT COALESCE(temp_next_at, 'nothing') FROM chip ORDER BY status"
        ),
        ["nothing", "1801065600000"]
    );
    assert_eq!(
        column(
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
        column(&db, settled),
        ["1000 platform", "9000000 platform"],
        "nothing would settle them: a receiver has its own"
    );
    let due = run(incident::due(&db, Timestamp(5_000), 10)).unwrap();
    assert_eq!(due.len(), 1, "what is open");
    assert_eq!(
        (due[0].state.since, due[0].opened_at),
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

/// A database of an earlier schema, without rows.
pub(super) fn at_schema(version: i64) -> Sqlite {
    let db = Sqlite::in_memory().unwrap();
    bring_to(&db, version);
    db
}

/// Brings an empty database to an earlier schema.
pub(super) fn bring_to(db: &Sqlite, version: i64) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../store/migrations");
    let files = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let versions = "PRAGMA foreign_keys = OFF;
         CREATE TABLE schema_version (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT;";
    db.connection().execute_batch(versions).unwrap();
    for (version, file) in (1..=version).zip(files) {
        let text = std::fs::read_to_string(file).unwrap();
        let text = format!("{text}INSERT INTO schema_version VALUES ({version}, 0);");
        db.connection().execute_batch(&text).unwrap();
    }
}

/// Rows in every table and column that schema 6 renames, and every stored name that it changes.
const ROWS_OF_SCHEMA_5: &str = "
    INSERT INTO receiver (id, url, entered_at, changed_at) VALUES ('operator', 'https://operator.example.com/', 1, 1);
    INSERT INTO outbox VALUES
        ('019ff000-0000-7000-8000-0000000000a1', 'operator', 'pool_low', NULL, x'', 'pending', 1, 0, 900, 800, 10, NULL),
        ('019ff000-0000-7000-8000-0000000000a2', 'operator', 'pool_low', NULL, x'', 'pending', 3, 2, 50, 0, 20, NULL),
        ('019ff000-0000-7000-8000-0000000000a3', 'operator', 'pool_low', NULL, x'', 'dead', 8, 0, 60, 0, 30, 70),
        ('019ff000-0000-7000-8000-0000000000a4', 'operator', 'pool_low', NULL, x'', 'delivered', 1, 0, 60, 0, 40, 80);
    INSERT INTO outbox_attempt VALUES
        ('019ff000-0000-7000-8000-0000000000a1', 1, 700, NULL, NULL, NULL, NULL),
        ('019ff000-0000-7000-8000-0000000000a3', 8, 65, 70, 0, 503, 'HTTP 503');
    INSERT INTO stranger VALUES ('secret 203.0.113.9', 123456);
    INSERT INTO incident (id, kind, subject, opened_at, severity, since, severe_at, told, next_check_at) VALUES
        ('019ff000-0000-7000-8000-0000000000b1', 'province_without_number', 'province:37', 5, 'severe', 4, 6, 5, 7);
    INSERT INTO job VALUES ('callbacks', 1, 2, NULL, 0, NULL), ('retention', 3, 4, NULL, 0, NULL),
        ('strangers', 5, NULL, 6, 7, 'busy');
    INSERT INTO alert VALUES
        ('019ff000-0000-7000-8000-0000000000c1', 'job_failing', 'job:callbacks', x'', 1, NULL),
        ('019ff000-0000-7000-8000-0000000000c2', 'job_failing', 'job:strangers', x'', 2, NULL),
        ('019ff000-0000-7000-8000-0000000000c3', 'job_failing', 'job:retention', x'', 3, NULL);";

/// A migrated database that held the rows of schema 5.
fn from_schema_5() -> Sqlite {
    let db = at_schema(5);
    db.connection().execute_batch(ROWS_OF_SCHEMA_5).unwrap();
    run(migrate(&db, Timestamp(1_000))).unwrap();
    run(check(&db)).unwrap();
    db
}

// A number that was suspended or never sent when its task ended.
#[test]
fn numbers_of_tasks_that_have_ended_are_freed_or_stay_with_their_chips() {
    let db = at_schema(6);
    let mut rows = String::from(
        "INSERT INTO task (id, eid_index, seq, client_id, write_type, iccid_index, state, next_work, attempt, step,
             progress, created_at, changed_at)
         SELECT 'task-' || value, x'00', key, 'client', 1, x'00', value, 'write', 1, 0, 0, 0, 0
         FROM json_each('[\"failed\",\"waiting\",\"succeeded\"]');",
    );
    for (name, state, chip, task, exposed, written) in [
        ("01", "suspended", "x'c1'", "'task-failed'", 0, "NULL"),
        ("02", "suspended", "x'c2'", "'task-failed'", 1, "NULL"),
        ("03", "suspended", "x'c3'", "'task-waiting'", 0, "NULL"),
        ("04", "reserved", "x'c4'", "'task-failed'", 0, "NULL"),
        ("05", "reserved", "x'c5'", "NULL", 0, "NULL"),
        ("06", "reserved", "x'c6'", "NULL", 1, "NULL"),
        ("07", "written", "x'c7'", "'task-succeeded'", 1, "9"),
        ("08", "suspended", "x'c7'", "NULL", 1, "NULL"),
    ] {
        rows += &format!(
            "INSERT INTO number (iccid_index, iccid_sealed, msisdn_index, msisdn_sealed, imsi_index, imsi_sealed,
                 province, services, k_sealed, opc_sealed, status, eid_index, task_id, exposed, written_at,
                 imported_digest, imported_at, changed_at)
             VALUES (x'{name}', x'', x'{name}', x'', x'{name}', x'', '37', '', x'', x'', '{state}', {chip}, {task},
                 {exposed}, {written}, x'', 0, 0);"
        );
    }
    db.connection().execute_batch(&rows).unwrap();
    run(migrate(&db, Timestamp(1_000))).unwrap();
    let found = column(
        &db,
        "SELECT hex(iccid_index) || ' ' || status || ' ' || (eid_index IS NOT NULL) || (task_id IS NOT NULL)
         FROM number ORDER BY iccid_index",
    );
    assert_eq!(
        found,
        [
            "01 suspended 00",
            "02 suspended 10",
            "03 suspended 11",
            "04 available 00",
            "05 available 00",
            "06 reserved 10",
            "07 written 11",
            "08 suspended 00",
        ]
    );
}

// A chip that was replaced before there was a column for it.
#[test]
fn chips_that_were_replaced_are_known_as_such() {
    let db = at_schema(11);
    let rows = "INSERT INTO chip (eid_index, eid_sealed, client_id, chip_model, profile, network, temp_msisdn_index,
             temp_msisdn_sealed, temp_iccid_index, temp_iccid_sealed, temp_imsi_index, temp_imsi_sealed, temp_opened_on,
             temp_expires_at, allowance_bytes, used_bytes, key_version, status, faulty, imported_digest, imported_at,
             changed_at)
         SELECT unhex(value), x'', 'client', '', '', '4g', unhex(value), x'', unhex(value), x'', unhex(value), x'', '',
             0, 0, 0, 64, 1, key < 2, x'', 0, 0 FROM json_each('[\"01\",\"02\",\"03\"]');
         INSERT INTO task (id, eid_index, seq, client_id, write_type, iccid_index, state, next_work, attempt, step,
             progress, failure, created_at, changed_at)
         SELECT 'task-' || value, unhex(value), 1, 'client', 1, x'00', 'failed', 'write', 1, 0, 0, 'chip_replaced', 0, 0
         FROM json_each('[\"01\",\"03\"]');";
    db.connection().execute_batch(rows).unwrap();
    run(migrate(&db, Timestamp(1_000))).unwrap();
    let found = column(
        &db,
        "SELECT hex(eid_index) || ' ' || replaced FROM chip ORDER BY eid_index",
    );
    assert_eq!(found, ["01 1", "02 0", "03 0"]);
}

fn message_id(last: &str) -> MessageId {
    MessageId::parse(&format!("019ff000-0000-7000-8000-0000000000{last}")).unwrap()
}

#[test]
fn schema_6_leaves_no_old_name_and_no_dangling_row() {
    let db = from_schema_5();
    let old = "SELECT name FROM sqlite_master WHERE sql LIKE '%outbox%' OR sql LIKE '%stranger%' OR sql LIKE '%told%' \
        OR name LIKE '%outbox%' OR name LIKE '%stranger%' OR name LIKE '%lane%'";
    assert!(column(&db, old).is_empty(), "{:?}", column(&db, old));
    assert!(column(&db, "PRAGMA foreign_key_check").is_empty());
    let versions = column(&db, "SELECT version FROM schema_version ORDER BY version");
    let every: Vec<String> = (1..=SCHEMA_VERSION).map(|version| version.to_string()).collect();
    assert_eq!(versions, every);
}

#[test]
fn messages_and_attempts_of_schema_5_are_read_sent_and_recorded() {
    let db = from_schema_5();
    let query = MessageQuery {
        receiver: Some(&Receiver::Operator),
        limit: 10,
        ..MessageQuery::default()
    };
    let found = run(message::search(&db, &query)).unwrap().0;
    let found: Vec<_> = found
        .iter()
        .map(|row| (row.id, row.state, row.attempts, row.http_status, row.finished_at))
        .collect();
    assert_eq!(
        found,
        [
            (
                message_id("a4"),
                MessageState::Delivered,
                1,
                None,
                Some(Timestamp(80))
            ),
            (
                message_id("a3"),
                MessageState::Dead,
                8,
                Some(503),
                Some(Timestamp(70))
            ),
            (message_id("a2"), MessageState::Pending, 3, None, None),
            (message_id("a1"), MessageState::Pending, 1, None, None),
        ]
    );
    let delivery = run(message::delivery(&db, message_id("a2"))).unwrap().unwrap();
    assert_eq!((delivery.attempts_from, delivery.next_at), (2, Timestamp(50)));
    let query = QueueQuery {
        failing_too: true,
        most_failing: 2,
        most: 10,
        limit: 10,
    };
    let queues = run(message::receiver_queues(&db, query, Timestamp(100))).unwrap();
    assert_eq!((queues.len(), queues[0].in_flight), (1, 1));
    let finished = run(transaction(&db, async |tx| {
        message_attempt::finish(tx, message_id("a1"), 1, true, Some(200), None, Timestamp(900)).await
    }));
    assert_eq!(finished.unwrap(), Some(Timestamp(700)));
}

#[test]
fn notices_and_names_of_jobs_of_schema_5_are_kept() {
    let db = from_schema_5();
    let id = IncidentId::parse("019ff000-0000-7000-8000-0000000000b1").unwrap();
    let incident = run(incident::by_id(&db, id)).unwrap().unwrap();
    assert_eq!(
        (incident.state.notices, incident.state.severe_at),
        (5, Some(Timestamp(6)))
    );
    let jobs = run(job::all(&db)).unwrap();
    let jobs: Vec<_> = jobs.iter().map(|job| (job.name.as_str(), job.failures)).collect();
    assert_eq!(jobs, [("ip_throttles", 7), ("messages", 0), ("retention", 0)]);
    let alerts = run(alert::list(&db, AlertId::last(), false, 10)).unwrap();
    let subjects: Vec<_> = alerts.iter().map(|alert| alert.subject.as_str()).collect();
    assert_eq!(subjects, ["job:retention", "job:ip_throttles", "job:messages"]);
}

#[test]
fn a_message_that_was_sealed_under_the_old_name_of_its_table_still_opens() {
    let (vault, id) = (vault(&sealing_key(1)), message_id("a1").text());
    let sealed = vault.seal(&SeededRandom::new(1), Column("outbox.body"), id.as_bytes(), b"{}");
    let opened = vault
        .open(message::BODY, id.as_bytes(), &sealed.unwrap())
        .unwrap();
    assert_eq!(opened.as_slice(), b"{}");
}

#[test]
fn keys_and_runs_of_the_schema_before_keep_their_times() {
    let db = at_schema(15);
    let rows = "INSERT INTO key_check VALUES ('index_key', x'01', 700);
         INSERT INTO job (name, ran_at, succeeded_at, failures) VALUES ('pools', 800, 800, 0),
            ('retention', 900, 850, 0);";
    db.connection().execute_batch(rows).unwrap();
    assert_eq!(reason(run(check(&db))), Reason::SchemaBehind);
    run(migrate(&db, Timestamp(1_000))).unwrap();
    let key = run(store::keys(&db)).unwrap().remove(0);
    assert_eq!(
        (key.stored_at, key.used_at, key.retired_at),
        (Timestamp(700), Timestamp(700), None)
    );
    // A platform that stood still over the upgrade is noticed too.
    let clock = run(store::clock::find(&db)).unwrap();
    assert_eq!((clock.trusted_at, clock.held_at), (Some(Timestamp(850)), None));
}
