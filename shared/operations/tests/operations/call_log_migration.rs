//! Calls of before each day had a table (schema 14) beside those of after: listed, filtered, read page by page, destroyed
//! at their end (§9.2.2).

use domain::{ClientId, DAY_MS, Eid, HOUR_MS, MINUTE_MS, TaskId, Timestamp};
use operations::{CallFilter, CallPage, Job, search_calls};
use store::Sqlite;
use store::call_log::CallRow;
use tempfile::TempDir;
use test_support::inventory::eid;
use test_support::operations::{CALL_LOG_DAYS, World, run};
use test_support::settings::{START, sealing_key, vault};
use vault::IndexKind;

use super::access::record;
use super::migrations::bring_to;

const CLIENT: &str = "cl_0123456789abcdef0123";
const OTHER: &str = "cl_abcdef0123456789abcd";
/// Runs of the job after which nothing that is due is left.
const RUNS: usize = 5;

/// When the calls of before came, the latest first, and their interfaces.
const OLD: [(i64, &str); 4] = [
    (START - MINUTE_MS, "chip.read"),
    (START - HOUR_MS, "write.apply"),
    (START - HOUR_MS, "number.read"),
    (START - 100 * DAY_MS, "token"),
];

fn task() -> TaskId {
    TaskId::new(Timestamp(START), [3; 10])
}

fn index_of(eid: &Eid) -> String {
    let index = vault(&sealing_key(1)).blind_index(IndexKind::Eid, eid.as_str().as_bytes());
    hex::encode(index.as_bytes())
}

/// A platform whose database had calls at schema 14. About chip 0 and the task is the application, about chip 1 the
/// refused query.
fn upgraded() -> (TempDir, World) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xieka.db");
    let db = Sqlite::open(&path).unwrap();
    bring_to(&db, 14);
    let (zero, one, task) = (index_of(&eid(0)), index_of(&eid(1)), task().text());
    let key = |at: i64, salt: i64| at * 4_194_304 + salt;
    let (late, applied, long_ago) = (OLD[0].0, OLD[1].0, OLD[3].0);
    let rows = format!(
        "INSERT INTO call_log (id, client_id, interface, code, reason, address, duration_us, request_id, eid_index,
             task_id, subject) VALUES
         ({}, '{CLIENT}', 'token', 200, NULL, '192.0.2.1', 900, 'r1', NULL, NULL, NULL),
         ({}, NULL, 'number.read', 401, 'token_missing', '192.0.2.9', 800, 'r2', NULL, NULL, NULL),
         ({}, '{CLIENT}', 'write.apply', 200, NULL, '192.0.2.1', 700, 'r3', x'{zero}', '{task}', 'eid=890860****0001'),
         ({}, '{OTHER}', 'chip.read', 404, 'unknown_chip', '192.0.2.2', 600, 'r4', x'{one}', NULL, 'eid=890860****0002');",
        key(long_ago, 7),
        key(applied, 1),
        key(applied, 2),
        key(late, 0),
    );
    db.connection().execute_batch(&rows).unwrap();
    drop(db);
    let world = World::in_file(&path, 1);
    (folder, world)
}

fn everything() -> CallFilter<'static> {
    CallFilter {
        from: Some(Timestamp(0)),
        limit: 100,
        ..CallFilter::default()
    }
}

fn search(world: &World, filter: &CallFilter<'_>) -> CallPage {
    run(search_calls(&world.cx(), filter)).unwrap()
}

fn interfaces(calls: &[CallRow]) -> Vec<&str> {
    calls.iter().map(|call| call.interface.as_str()).collect()
}

fn found(world: &World, filter: CallFilter<'_>) -> Vec<String> {
    let page = search(world, &CallFilter { limit: 100, ..filter });
    page.calls.into_iter().map(|call| call.interface).collect()
}

#[test]
fn every_call_of_before_is_listed_as_it_was() {
    test_support::of_sqlite!();
    let (_folder, world) = upgraded();
    let calls = search(&world, &everything()).calls;
    let seen: Vec<_> = calls
        .iter()
        .map(|call| (call.at().millis(), call.interface.as_str()))
        .collect();
    assert_eq!(seen, OLD);
    assert!(
        calls
            .iter()
            .all(|call| call.summary.is_none() && call.secret_generation.is_none())
    );
    let [refused, applied, ..] = calls.as_slice() else {
        panic!("{calls:?}")
    };
    assert_eq!(
        (
            refused.code,
            refused.reason.as_deref(),
            refused.address.as_deref()
        ),
        (404, Some("unknown_chip"), Some("192.0.2.2"))
    );
    assert_eq!(
        (applied.client_id.as_deref(), applied.task_id.as_deref()),
        (Some(CLIENT), Some(task().text().as_str()))
    );
    assert_eq!(
        (
            applied.request_id.as_str(),
            applied.duration_us,
            applied.subject.as_deref()
        ),
        ("r3", 700, Some("eid=890860****0001"))
    );
    // A search that names nothing goes back seven days.
    let lately = found(&world, CallFilter::default());
    assert_eq!(lately, ["chip.read", "write.apply", "number.read"]);
}

#[test]
fn calls_of_before_and_after_are_found_by_client_chip_task_interface_reason_and_time() {
    test_support::of_sqlite!();
    let (_folder, world) = upgraded();
    let task = task().text();
    record(&world, "write.status", Some(&eid(0)), Some(&task), None);
    record(&world, "chip.read", Some(&eid(1)), None, Some("unknown_chip"));
    let client = |id| CallFilter {
        client_id: Some(ClientId::parse(id).unwrap()),
        ..CallFilter::default()
    };
    assert_eq!(found(&world, client(CLIENT)), ["write.apply", "token"]);
    assert_eq!(found(&world, client(OTHER)), ["chip.read"]);
    let about = |chip| CallFilter {
        eid: Some(eid(chip)),
        ..CallFilter::default()
    };
    assert_eq!(found(&world, about(0)), ["write.status", "write.apply"]);
    assert_eq!(found(&world, about(1)), ["chip.read", "chip.read"]);
    let of_task = CallFilter {
        task_id: TaskId::parse(&task).ok(),
        ..CallFilter::default()
    };
    assert_eq!(found(&world, of_task), ["write.status", "write.apply"]);
    let refused = CallFilter {
        reason: Some("unknown_chip"),
        interface: Some("chip.read"),
        ..everything()
    };
    assert_eq!(found(&world, refused), ["chip.read", "chip.read"]);
    let span = CallFilter {
        from: Some(Timestamp(START - HOUR_MS)),
        to: Some(Timestamp(START)),
        ..CallFilter::default()
    };
    assert_eq!(found(&world, span), ["chip.read", "write.apply", "number.read"]);
}

#[test]
fn new_calls_go_to_the_table_of_their_day_and_one_page_has_both() {
    test_support::of_sqlite!();
    let (_folder, world) = upgraded();
    assert_eq!(world.count("SELECT COUNT(*) FROM call_log_day"), 0);
    for _ in 0..2 {
        record(&world, "new", None, None, None);
        world.pass(DAY_MS);
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM call_log"), 4);
    let day = START / DAY_MS;
    for day in [day, day + 1] {
        assert_eq!(world.count(&format!("SELECT COUNT(*) FROM call_log_{day}")), 1);
    }
    let all = ["new", "new", "chip.read", "write.apply", "number.read", "token"];
    assert_eq!(interfaces(&search(&world, &everything()).calls), all);
    // Read page by page, as they are exported: each call once, whatever the pages.
    for limit in 1..=6 {
        let mut read = Vec::new();
        let mut cursor = None;
        loop {
            let page = search(
                &world,
                &CallFilter {
                    cursor,
                    limit,
                    ..everything()
                },
            );
            read.extend(page.calls);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(interfaces(&read), all, "{limit}");
    }
}

#[test]
fn calls_of_before_are_destroyed_one_by_one_at_their_end_and_those_of_after_by_the_day() {
    test_support::of_sqlite!();
    let (_folder, world) = upgraded();
    record(&world, "new", None, None, None);
    let left = || interfaces(&search(&world, &everything()).calls).join(" ");
    let sweep = || {
        for _ in 0..RUNS {
            world.job(Job::Retention);
        }
    };
    let kept = CALL_LOG_DAYS * DAY_MS;
    for (at, before, after) in [
        (
            OLD[3].0,
            "new chip.read write.apply number.read token",
            "new chip.read write.apply number.read",
        ),
        (OLD[1].0, "new chip.read write.apply number.read", "new chip.read"),
        (OLD[0].0, "new chip.read", "new"),
    ] {
        world.now.set(at + kept);
        sweep();
        assert_eq!(left(), before);
        world.pass(1);
        sweep();
        assert_eq!(left(), after);
    }
    let counts = world.column("SELECT kind || ' ' || count FROM destruction");
    assert_eq!(counts, ["calls 1", "calls 3"], "one row for each day");
    // The day of the new one ends at midnight.
    world.now.set((START / DAY_MS + 1) * DAY_MS + kept);
    sweep();
    assert_eq!(left(), "");
}
