//! Two reads on a connection of the instance's pool, and a row of a log.

use std::cell::{Cell, RefCell};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use spin_sdk::sqlite::wit::sqlite::{Connection, Value};

use crate::{CHIP, CLIENT, random_place};

/// How long rows wait for others, as on the platform.
const INTERVAL: Duration = Duration::from_millis(50);
/// As the platform sets up connections whose commits need not survive a power failure.
const PRAGMAS: [&str; 2] = ["PRAGMA synchronous = NORMAL", "PRAGMA wal_autocheckpoint = 4000"];
const CREATE: &str =
    "CREATE TABLE IF NOT EXISTS floor_log (id INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT";
const LOG: &str = "INSERT INTO floor_log (at) VALUES ";

thread_local! {
    static STATE: RefCell<Vec<Connection>> = const { RefCell::new(Vec::new()) };
    static CALLS: RefCell<Option<Connection>> = const { RefCell::new(None) };
    static WAITING: RefCell<Vec<i64>> = const { RefCell::new(Vec::new()) };
    static WRITER_RUNS: Cell<bool> = const { Cell::new(false) };
}

pub(super) fn answer() -> Result<(), String> {
    let connection = match STATE.with_borrow_mut(Vec::pop) {
        Some(connection) => connection,
        None => open("default")?,
    };
    for (sql, params) in [(CLIENT, vec![]), (CHIP, vec![Value::Blob(random_place())])] {
        let found = connection
            .execute(sql, &params)
            .map_err(|error| error.to_string())?;
        if found.rows.is_empty() {
            return Err(format!("no row: {sql}"));
        }
    }
    STATE.with_borrow_mut(|idle| idle.push(connection));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_millis()).unwrap_or_default();
    WAITING.with_borrow_mut(|rows| rows.push(now));
    if !WRITER_RUNS.replace(true) {
        spin_sdk::wasip3::spawn(write());
    }
    Ok(())
}

async fn write() {
    loop {
        spin_sdk::time::sleep(INTERVAL).await;
        let rows = WAITING.take();
        if rows.is_empty() {
            WRITER_RUNS.set(false);
            return;
        }
        let places = vec!["(?)"; rows.len()].join(", ");
        let params: Vec<_> = rows.into_iter().map(Value::Integer).collect();
        let written = CALLS.with_borrow_mut(|calls| {
            if calls.is_none() {
                let connection = open("calls")?;
                connection
                    .execute(CREATE, &[])
                    .map_err(|error| error.to_string())?;
                *calls = Some(connection);
            }
            let connection = calls.as_ref().ok_or("no connection")?;
            connection
                .execute(&format!("{LOG}{places}"), &params)
                .map_err(|error| error.to_string())
        });
        if let Err(problem) = written {
            eprintln!("{problem}");
        }
    }
}

fn open(label: &str) -> Result<Connection, String> {
    let connection = Connection::open(label).map_err(|error| error.to_string())?;
    for pragma in PRAGMAS {
        connection
            .execute(pragma, &[])
            .map_err(|error| error.to_string())?;
    }
    Ok(connection)
}
