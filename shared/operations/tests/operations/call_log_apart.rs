//! §9.2.2: the call log in a database of its own, beside calls from before it was one.

use std::time::Duration;

use domain::DAY_MS;
use operations::{CallFilter, Context, Job, destructions, record_calls, run_job, search_calls};
use store::{Sqlite, call_log};
use test_support::fault_injecting_db::FaultInjectingDb;
use test_support::operations::{CALL_LOG_DAYS, MAINTENANCE, World, run};
use test_support::test_db::TestDb;

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
    let calls = FaultInjectingDb::new(TestDb::Sqlite(Sqlite::in_memory().unwrap()));
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
    world.pass((CALL_LOG_DAYS - 1) * DAY_MS);
    assert_eq!(destroy(), 1, "the first, of the state");
    world.pass(DAY_MS);
    assert_eq!(destroy(), 2, "the second, of the state, and the third");
    assert_eq!(destroy(), 0);
    assert_eq!(
        page(&world.cx().logging(&calls), None).0,
        [""; 0],
        "seven days at most"
    );
    let rows = run(destructions(&world.cx().logging(&calls), 10)).unwrap();
    let rows: Vec<_> = rows.iter().map(|row| (row.kind.as_str(), row.count)).collect();
    assert_eq!(
        rows,
        [("calls", 2), ("calls", 1)],
        "of two days, the latest first"
    );
}
