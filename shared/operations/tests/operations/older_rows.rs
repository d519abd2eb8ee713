//! Databases of earlier schemas with a card in every state: each is brought to the present schema, and everything goes
//! on. The rows are those of the present product, as far as the earlier schema has their columns.

use std::path::Path;

use domain::error::Reason;
use domain::{CardStatus, FailureKind, MessageState, Receiver, SessionId, TaskFailure, Work};
use operations::{
    Caller, DueRequest, Job, MessageFilter, ReceiverChange, ReportEvent, SessionFilter, SessionView,
    StatusView, TaskRef, WhichMessages, cancel, change_receiver, due_messages, find_messages, list_imports,
    list_sessions, resend, status,
};
use store::{SCHEMA_VERSION, Sqlite};
use tempfile::TempDir;
use test_support::inventory::{ChipCsv, NumberCsv, eid};
use test_support::operations::{CALLBACK_URL, World, failed, reason, run};

use super::migrations::bring_to;
use super::replacement_cards::{import_card, replace};

/// The first schema from which all names of tables and columns are those of today, and every number of a task that has
/// ended is free or with its chip.
const FIRST: i64 = 7;

/// A platform in a file.
struct Source {
    folder: TempDir,
    world: World,
    caller: Caller,
}

impl Source {
    fn new(chips: u32, numbers: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = World::in_file(&folder.path().join("source.db"), 1);
        let caller = world.stocked(chips, numbers);
        Self {
            folder,
            world,
            caller,
        }
    }

    /// The rows in a database of schema `version`, changed by `sql`, and brought to the present schema.
    fn upgraded(&self, version: i64, sql: &str) -> World {
        let path = self.folder.path().join(format!("schema-{version}.db"));
        let db = Sqlite::open(&path).unwrap();
        bring_to(&db, version);
        copy(&db, &self.folder.path().join("source.db"));
        db.connection().execute_batch(sql).unwrap();
        drop(db);
        let world = World::in_file(&path, 2);
        world.now.set(self.world.now.get());
        assert!(!world.has_dangling_rows(), "schema {version}");
        world
    }
}

/// Copies the rows of every table that both databases have, in the columns that both have.
fn copy(db: &Sqlite, source: &Path) {
    let connection = db.connection();
    let names = |sql: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    connection
        .execute("ATTACH $1 AS source", [source.to_str().unwrap()])
        .unwrap();
    let tables = "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'
        AND name <> 'schema_version' AND name IN (SELECT name FROM source.sqlite_master)";
    for table in names(tables) {
        let columns = names(&format!(
            "SELECT name FROM pragma_table_info('{table}', 'main')
             WHERE name IN (SELECT name FROM pragma_table_info('{table}', 'source'))"
        ));
        let columns = columns.join(", ");
        let copied = format!(
            "DELETE FROM main.{table};
             INSERT INTO main.{table} ({columns}) SELECT {columns} FROM source.{table};"
        );
        connection.execute_batch(&copied).unwrap();
    }
    connection.execute_batch("DETACH source").unwrap();
}

fn end() -> ReportEvent {
    ReportEvent::Closed {
        reason: "closed".to_owned(),
    }
}

/// Chips 0 to 5: one that nobody applied for, one that waits, one in a session, one that holds the number of a task that
/// failed, one that is written, and one whose card is to be verified. The session, and numbers for them and one more.
fn every_state() -> (Source, SessionId) {
    let source = Source::new(6, 6);
    let (world, caller) = (&source.world, &source.caller);
    world.write_chip(caller, 4);
    world.fail_chip(caller, 3, FailureKind::FileRefused);
    world.apply_auto(caller, 5).unwrap();
    let (session, _) = world.open(5).unwrap();
    world.report_event(session, 1, ReportEvent::Written).unwrap();
    world.report_event(session, 2, end()).unwrap();
    world.apply_auto(caller, 1).unwrap();
    world.apply_auto(caller, 2).unwrap();
    let (session, _) = world.open(2).unwrap();
    let progress = ReportEvent::Progress { step: 3, steps: 12 };
    world.report_event(session, 1, progress).unwrap();
    (source, session)
}

fn card(world: &World, caller: &Caller, chip: u32) -> StatusView {
    run(status(&world.cx(), caller, &TaskRef::Eid(eid(chip)))).unwrap()
}

fn verify(world: &World, chip: u32) {
    let (session, work) = world.open(chip).unwrap();
    assert_eq!(work.work, Work::Verify, "{chip}");
    world.report_event(session, 1, ReportEvent::Verified).unwrap();
}

fn write(world: &World, chip: u32) {
    let (session, work) = world.open(chip).unwrap();
    assert_eq!(work.work, Work::Write, "{chip}");
    world.report_event(session, 1, ReportEvent::Written).unwrap();
    verify(world, chip);
}

#[test]
fn a_card_in_every_state_goes_on_from_every_schema() {
    test_support::of_sqlite!();
    let (source, session) = every_state();
    let caller = &source.caller;
    let sessions = SessionFilter {
        limit: 100,
        ..SessionFilter::default()
    };
    for version in FIRST..SCHEMA_VERSION {
        let world = source.upgraded(version, "");
        for chip in 0..6 {
            let before = card(&source.world, caller, chip);
            assert_eq!(card(&world, caller, chip), before, "{version}: {chip}");
        }
        let listed = |world: &World| run(list_sessions(&world.cx(), &sessions)).unwrap().sessions;
        let (now, before) = (listed(&world), listed(&source.world));
        let ids = |all: &[SessionView]| all.iter().map(|one| one.id).collect::<Vec<_>>();
        assert_eq!(ids(&now), ids(&before), "{version}");
        for (now, before) in now.iter().zip(before) {
            // 0010: why a session ended was not kept before.
            let reason = before.end_reason.filter(|_| version >= 10);
            assert_eq!(now.end_reason, reason, "{version}");
        }

        write(&world, 1);
        let progress = ReportEvent::Progress { step: 12, steps: 12 };
        assert!(world.report_event(session, 2, progress).unwrap().go_on);
        world.report_event(session, 3, ReportEvent::Written).unwrap();
        world.report_event(session, 4, end()).unwrap();
        verify(&world, 2);
        verify(&world, 5);
        assert_eq!(world.open(4).unwrap().1.work, Work::None);
        assert_eq!(reason(world.apply_auto(caller, 4)), Reason::AlreadyWritten);
        // 0012: the number of a task that failed before is looked for on the card.
        let (held, work) = world.open(3).unwrap();
        assert_eq!((work.work, work.task_id), (Work::Verify, None), "{version}");
        let other_imsi = ReportEvent::NotVerified {
            rewrite: true,
            other_imsi: true,
            detail: "EF_IMSI".to_owned(),
        };
        world.report_event(held, 1, other_imsi).unwrap();
        world.apply_auto(caller, 0).unwrap();
        write(&world, 0);
        world.apply_auto(caller, 3).unwrap();
        write(&world, 3);
        let states = world.column("SELECT DISTINCT status FROM number");
        assert_eq!(states, ["written"], "{version}");
        assert_eq!(world.count("SELECT COUNT(*) FROM chip WHERE status = 4"), 6);
    }
}

// 0009: the notice of the end was given, and the card still waited.
#[test]
fn a_card_that_waited_at_the_end_of_its_test_period_is_found_by_the_periodic_work() {
    test_support::of_sqlite!();
    let source = Source::new(1, 1);
    let task = source.world.apply_auto(&source.caller, 0).unwrap().task_id;
    let period = "SELECT min(temp_expires_at) FROM chip";
    let noticed = "UPDATE chip SET temp_stage = 2, temp_next_at = NULL";
    let world = source.upgraded(8, noticed);
    world.now.set(world.count(period) - 1);
    assert_eq!(world.job(Job::HopelessTasks).count, 0);
    world.pass(1);
    assert_eq!(world.job(Job::HopelessTasks).count, 1);
    let view = run(status(&world.cx(), &source.caller, &TaskRef::Task(task))).unwrap();
    assert_eq!(view.task.unwrap().failure, Some(TaskFailure::NotPoweredUp));
    assert_eq!(world.column("SELECT status FROM number"), ["available"]);
}

// 0011: what waited when its receiver's address was removed.
#[test]
fn a_message_that_waited_without_an_address_is_sent_when_somebody_asks() {
    test_support::of_sqlite!();
    let source = Source::new(1, 1);
    source.world.write_chip(&source.caller, 0);
    assert_eq!(source.world.column("SELECT state FROM message"), ["pending"]);
    let world = source.upgraded(10, "UPDATE receiver SET url = NULL");
    let receiver = Receiver::Client(source.caller.id.clone());
    let find = |state| {
        let filter = MessageFilter {
            receiver: Some(receiver.clone()),
            state: Some(state),
            limit: 10,
            ..MessageFilter::default()
        };
        run(find_messages(&world.cx(), &filter)).unwrap().0
    };
    let waiting = find(MessageState::Unaddressed);
    assert_eq!((waiting.len(), find(MessageState::Pending).len()), (1, 0));
    let change = ReceiverChange {
        url: Some(Some(CALLBACK_URL)),
        allow_http: None,
        callback_allow_http: false,
        changes: None,
    };
    run(change_receiver(&world.cx(), &receiver, &change)).unwrap();
    let due = || run(due_messages(&world.cx(), DueRequest::ALL)).unwrap();
    assert!(due().is_empty());
    let one = WhichMessages::One(waiting[0].id);
    assert_eq!(run(resend(&world.cx(), &one)).unwrap().count, 1);
    let sent = due();
    assert_eq!((sent.len(), sent[0].id), (1, waiting[0].id));
}

// 0017: no number of before takes over the MSISDN of another one.
#[test]
fn a_number_of_before_replaces_none_and_its_written_card_is_replaced_afterwards() {
    test_support::of_sqlite!();
    let source = Source::new(3, 1);
    let (caller, number) = (&source.caller, NumberCsv::new(0));
    source.world.write_chip(caller, 0);
    let others = [NumberCsv::new(1), NumberCsv::new(2)];
    assert_eq!(source.world.numbers(&others).imported, 2);
    source.world.apply_auto(caller, 2).unwrap();
    let world = source.upgraded(16, "");
    let counts = "SELECT COUNT(*) || ' ' || COUNT(replaces_index) FROM number";
    assert_eq!(world.column(counts), ["3 0"]);
    // One that waits to be taken is none that only a replaced card may take.
    world.apply_auto(caller, 1).unwrap();
    run(cancel(&world.cx(), caller, &TaskRef::Eid(eid(1)))).unwrap();

    let report = import_card(&world, 5, caller.id.as_str(), &number.iccid);
    assert_eq!((report.imported, report.rejected), (1, 0));
    replace(&world, 1).unwrap();
    write(&world, 1);
    let states = "SELECT status FROM number WHERE written_at IS NOT NULL ORDER BY status";
    assert_eq!(world.column(states), ["retired", "written"]);
    assert_eq!(card(&world, caller, 1).card_status, CardStatus::Written);
    assert_eq!(card(&world, caller, 2).card_status, CardStatus::WaitingPowerOn);
}

// 0019: which sessions were given a number was not kept before.
#[test]
fn a_number_that_an_older_program_gave_to_a_gateway_stays_with_its_chip() {
    test_support::of_sqlite!();
    let source = Source::new(1, 1);
    source.world.apply_auto(&source.caller, 0).unwrap();
    let (session, _) = source.world.open(0).unwrap();
    let unable = || failed(FailureKind::ProfileUnknown);
    let world = source.upgraded(18, "");
    world.report_event(session, 1, unable()).unwrap();
    assert_eq!(world.column("SELECT status FROM number"), ["reserved"]);
    source.world.report_event(session, 1, unable()).unwrap();
    assert_eq!(source.world.column("SELECT status FROM number"), ["available"]);
}

// 0013: rows of before have no import, and are known to the next one.
#[test]
fn what_was_imported_before_imports_had_identifiers_is_unchanged_by_the_same_file() {
    test_support::of_sqlite!();
    let source = Source::new(2, 2);
    let world = source.upgraded(12, "");
    assert!(run(list_imports(&world.cx(), None, 10)).unwrap().0.is_empty());
    let chips = [ChipCsv::new(0), ChipCsv::new(1)];
    let report = world.chips(&source.caller.id, &chips);
    assert_eq!((report.unchanged, report.imported), (2, 0));
    let report = world.numbers(&[NumberCsv::new(0), NumberCsv::new(1)]);
    assert_eq!((report.unchanged, report.imported), (2, 0));
    // Another key for a chip of before is a second chip.
    let copy = ChipCsv {
        psk: Some([7; 16]),
        ..ChipCsv::new(0)
    };
    assert_eq!(world.chips(&source.caller.id, &[copy]).rejected, 1);
    assert_eq!(world.count("SELECT SUM(blocked) FROM chip"), 1);
}

#[test]
fn k_and_opc_of_a_number_that_was_written_before_are_destroyed_too() {
    test_support::of_sqlite!();
    let source = Source::new(2, 2);
    source.world.write_chip(&source.caller, 0);
    source.world.pass(1_000);
    let world = source.upgraded(19, "");
    assert!(!world.job(Job::Retention).more);
    let destroyed = "SELECT kind || ' ' || count FROM destruction";
    assert_eq!(world.column(destroyed), ["number_keys 1"]);
    assert_eq!(
        world.count(
            "SELECT COUNT(*) FROM number WHERE keys_destroyed_at IS NOT NULL AND written_at IS NOT NULL"
        ),
        1
    );
}
