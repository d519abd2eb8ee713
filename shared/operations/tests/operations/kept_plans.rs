//! PostgreSQL runs the statements of applications, sessions, reports and status queries as functions, which a migration
//! makes. SQLite runs the texts that stand in the program: both must be the same.

use domain::{CardChange, FailureKind};
use operations::{Caller, ReportEvent, TaskRef, status};
use test_support::eid::eid_text;
use test_support::inventory::{ChipCsv, NumberCsv, eid};
use test_support::operations::{World, designated, failed, run};

use super::state_changes::select;

/// The folder of the migrations for PostgreSQL.
const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../store/migrations/postgres");

/// How the name of the migration with the functions ends.
const NAME: &str = "_kept_plans.sql";

/// What only PostgreSQL needs where several writers reach for the numbers of a pool.
const LOCKS: [&str; 2] = [" FOR UPDATE SKIP LOCKED", " FOR UPDATE"];

/// The text of the migration.
fn migration() -> String {
    let mut entries = std::fs::read_dir(MIGRATIONS)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let path = entries.find(|path| path.to_str().is_some_and(|path| path.ends_with(NAME)));
    std::fs::read_to_string(path.unwrap()).unwrap()
}

/// The words of a text.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The statement in a function that has one.
fn statement_of(function: &str) -> &str {
    let ends = [
        ("WITH done AS (", ") SELECT COUNT(*) INTO changed"),
        ("RETURN QUERY ", "; END"),
        ("BEGIN ", "; changed := 1; END"),
    ];
    let found = ends.into_iter().find_map(|(before, after)| {
        let (_, rest) = function.split_once(before)?;
        Some(rest.split_once(after)?.0)
    });
    found.expect(function)
}

/// A card written, one that fails and tries again, and what is asked about them.
fn everything(world: &World) {
    let caller = Caller {
        id: world.client().client_id,
    };
    let chips: Vec<ChipCsv> = (0..2).map(ChipCsv::new).collect();
    world.chips(&caller.id, &chips);
    world.numbers(&[NumberCsv::new(0), NumberCsv::allotted(1, &caller.id)]);
    select(world, &caller, &CardChange::ALL);

    world.apply_auto(&caller, 0).unwrap();
    let (session, _) = world.open(0).unwrap();
    let step = ReportEvent::Progress { step: 1, steps: 4 };
    world.report_event(session, 1, step).unwrap();
    world.report_event(session, 2, ReportEvent::Written).unwrap();
    let (session, _) = world.open(0).unwrap();
    world.report_event(session, 1, ReportEvent::Verified).unwrap();

    // A number that its chip holds from the first application goes to the second.
    let (text, number) = (eid_text(1), NumberCsv::new(1));
    let request = designated(&text, &number.iccid, &number.msisdn);
    let applied = world.apply(&caller, &request).unwrap();
    let (session, _) = world.open(1).unwrap();
    world
        .report_event(session, 1, failed(FailureKind::FileRefused))
        .unwrap();
    world.apply(&caller, &request).unwrap();

    for what in [TaskRef::Eid(eid(1)), TaskRef::Task(applied.task_id)] {
        run(status(&world.cx(), &caller, &what)).unwrap();
    }
}

#[test]
fn a_function_of_postgresql_is_the_statement_that_sqlite_runs() {
    test_support::of_sqlite!();
    let world = World::new();
    everything(&world);
    let seen: Vec<String> = world.db.seen.borrow().iter().map(|text| words(text)).collect();
    let functions = words(&migration());
    let mut functions = functions.split("CREATE FUNCTION ");
    let comment = functions.next().unwrap();
    assert!(comment.starts_with("--"), "{comment}");
    let mut count = 0;
    for function in functions {
        // The last one is followed by what the migration does besides.
        let (function, _) = function.split_once(" $$;").unwrap();
        let statement = LOCKS
            .iter()
            .fold(statement_of(function).to_owned(), |text, lock| {
                text.replace(lock, "")
            });
        assert!(
            seen.contains(&statement),
            "SQLite does not run this:\n{statement}"
        );
        count += 1;
    }
    assert!(count > 0);
}
