//! §9.2.2: the call log in a database of its own, beside calls from before it was one.

use std::time::Duration;

use domain::DAY_MS;
use operations::{CALL_LOG_DAYS, CallFilter, Context, Job, record_calls, run_job, search_calls};
use store::{Sqlite, call_log};
use test_support::fault_injecting_db::FaultInjectingDb;
use test_support::operations::{MAINTENANCE, World, run};

type Cx<'a> = Context<'a, FaultInjectingDb>;

fn record(cx: &Cx<'_>, interface: &str) {
    let call = call_log::NewCallRow {
        at: cx.now,
        client_id: None,
        secret_generation: None,
        interface: interface.to_owned(),
        code: 200,
        reason: None,
        address: None,
        duration: Duration::from_micros(1),
        request_id: "r".into(),
        eid_index: None,
        task_id: None,
        subject: None,
    };
    run(record_calls(cx, &[call])).unwrap();
}

/// The interfaces of a page, and where the next begins.
fn page(cx: &Cx<'_>, cursor: Option<i64>) -> (Vec<String>, Option<i64>) {
    let filter = CallFilter {
        cursor,
        limit: 2,
        ..CallFilter::default()
    };
    let page = run(search_calls(cx, &filter)).unwrap();
    (
        page.calls.into_iter().map(|call| call.interface).collect(),
        page.next,
    )
}

#[test]
fn calls_of_both_databases_are_found_in_the_order_of_time_and_destroyed_by_days() {
    let world = World::new();
    let calls = FaultInjectingDb::new(Sqlite::in_memory().unwrap());
    for _ in 0..2 {
        run(call_log::set_up(&calls)).unwrap();
    }
    record(&world.cx(), "first");
    world.pass(DAY_MS);
    record(&world.cx(), "second");
    world.pass(1);
    record(&world.cx().logging(&calls), "third");
    world.pass(DAY_MS);
    record(&world.cx().logging(&calls), "fourth");

    let cx = world.cx().logging(&calls);
    let (latest, next) = page(&cx, None);
    assert_eq!(latest, ["fourth", "third"]);
    assert_eq!(page(&cx, next).0, ["second", "first"]);

    let destroy = || {
        let cx = world.cx().logging(&calls);
        run(run_job(&cx, Job::Retention, &MAINTENANCE)).unwrap().count
    };
    world.pass((i64::from(CALL_LOG_DAYS) - 1) * DAY_MS);
    assert_eq!(destroy(), 1, "the first, of the state");
    world.pass(DAY_MS);
    assert_eq!(destroy(), 2, "the second, of the state, and the third");
    assert_eq!(destroy(), 0);
    assert_eq!(
        page(&world.cx().logging(&calls), None).0,
        [""; 0],
        "seven days at most"
    );
    assert_eq!(
        world.column("SELECT kind || ' ' || count FROM destruction ORDER BY day"),
        ["calls 1", "calls 2"]
    );
}

#[test]
fn a_day_that_could_not_be_recorded_as_destroyed_is_not_dropped() {
    let world = World::new();
    let calls = FaultInjectingDb::new(Sqlite::in_memory().unwrap());
    run(call_log::set_up(&calls)).unwrap();
    let first = world.now.get() / DAY_MS;
    record(&world.cx().logging(&calls), "first");
    world.pass((i64::from(CALL_LOG_DAYS) + 1) * DAY_MS);
    let is_there = || {
        let sql = format!("SELECT COUNT(*) FROM sqlite_master WHERE name = 'call_log_{first}'");
        let connection = calls.inner.connection();
        connection
            .query_row(&sql, [], |row| row.get::<_, i64>(0))
            .unwrap()
            == 1
    };
    // Each statement on the state fails once.
    let mut failed = 0;
    while is_there() {
        failed += 1;
        world.db.fail_at(Some(failed));
        let cx = world.cx().logging(&calls);
        let _ = run(run_job(&cx, Job::Retention, &MAINTENANCE));
        world.db.fail_at(None);
        let recorded = world.count("SELECT COUNT(*) FROM destruction WHERE kind = 'calls'");
        assert!(is_there() || recorded == 1, "dropped without a record");
    }
    assert!(failed > 2, "{failed}");
}
