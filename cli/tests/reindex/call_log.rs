//! The call log is a database of its own, and changes together with the state.

use std::fs;

use store::{Sqlite, call_log};
use test_support::operations::run;
use test_support::settings::NOW;

use super::{Platform, printed, problem, stocked};

/// The day of [`NOW`], since 1970.
const DAY: i64 = NOW.0 / domain::DAY_MS;

/// The blind indexes of EIDs in the call log, in the order of the calls.
fn logged(platform: &Platform) -> Vec<Option<Vec<u8>>> {
    let db = Sqlite::open(&platform.calls()).unwrap();
    let sql = format!("SELECT eid_index FROM call_log_{DAY} ORDER BY id");
    let mut statement = db.connection().prepare(&sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[test]
fn the_call_log_changes_with_the_state_or_not_at_all() {
    let platform = Platform::with(stocked);
    let indexes = || {
        let db = Sqlite::open(&platform.database()).unwrap();
        let sql = "SELECT eid_index FROM chip ORDER BY imported_at, length(eid_sealed), eid_index";
        let mut statement = db.connection().prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
        rows.collect::<Result<Vec<_>, _>>().unwrap()
    };
    let (chips, unknown) = (indexes(), vec![0x5a; 16]);
    let calls = Sqlite::open(&platform.calls()).unwrap();
    run(call_log::set_up(&calls)).unwrap();
    run(call_log::prepare(&calls, NOW)).unwrap();
    for (id, index) in (0_i64..).zip([Some(&chips[0]), Some(&unknown), None]) {
        let sql = format!(
            "INSERT INTO call_log_{DAY} (id, interface, code, duration_us, request_id, eid_index) \
             VALUES (?1, 'a', 200, 1, 'r', ?2)"
        );
        calls.connection().execute(&sql, (id, index)).unwrap();
    }
    // While another process has the log open, neither changes.
    let before = platform.content();
    let text = problem(&platform.reindex(&[]));
    assert!(text.contains("another process uses"), "{text}");
    platform.is_as_before(&before);
    drop(calls);
    assert_eq!(logged(&platform)[0].as_ref(), Some(&chips[0]));

    let text = printed(&platform.reindex(&[]));
    assert!(text.contains("1 indexes were of nothing"), "{text}");
    platform.is_changed();
    let log = logged(&platform);
    assert!(
        log[0].as_ref().is_some_and(|index| indexes().contains(index)),
        "{log:?}"
    );
    assert_eq!(log[1..], [None, None]);
    let file = fs::read(platform.calls()).unwrap();
    for old in [&chips[0], &unknown] {
        assert!(!file.windows(old.len()).any(|window| window == old.as_slice()));
    }
}
