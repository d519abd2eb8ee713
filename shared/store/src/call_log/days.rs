//! The tables of the call log: one for each day (UTC), so that a day at the end of its retention is dropped as a whole.
//! PostgreSQL has one table with a partition for each day, which statements name just so.
//!
//! The table of a day is made ahead by the periodic work, or by the first call of the day.

use std::sync::{Mutex, PoisonError};

use crate::{Database, DbError, Run as _, Sql, Statement, Tx, first, transaction};
use domain::{DAY_MS, Timestamp};

/// The name that the table has in the texts of statements.
const NAME: &str = "call_log_0";

// PostgreSQL's indexes are those of the table whose partition it is.
const CREATE: [Statement; 5] = [
    Statement::new(
        "CREATE TABLE IF NOT EXISTS call_log_0 (id INTEGER PRIMARY KEY, client_id TEXT, interface TEXT NOT NULL, \
     code INTEGER NOT NULL, reason TEXT, address TEXT, duration_us INTEGER NOT NULL, request_id TEXT NOT NULL, \
     eid_index BLOB, task_id TEXT, subject TEXT, secret_generation INTEGER, calls INTEGER, first_at INTEGER, \
     last_at INTEGER, gap_ms INTEGER, reasons TEXT) STRICT",
        "SELECT create_call_log_day('call_log_0')",
    ),
    Statement::of_sqlite(
        "CREATE INDEX IF NOT EXISTS call_log_0_client ON call_log_0 (client_id, id) WHERE client_id IS NOT NULL",
    ),
    Statement::of_sqlite(
        "CREATE INDEX IF NOT EXISTS call_log_0_eid ON call_log_0 (eid_index, id) WHERE eid_index IS NOT NULL",
    ),
    Statement::of_sqlite(
        "CREATE INDEX IF NOT EXISTS call_log_0_task ON call_log_0 (task_id, id) WHERE task_id IS NOT NULL",
    ),
    Statement::of_sqlite(
        "CREATE INDEX IF NOT EXISTS call_log_0_refused ON call_log_0 (reason, id) WHERE client_id IS NOT NULL \
     AND reason IS NOT NULL",
    ),
];
const USE_WAL: Statement = Statement::of_sqlite("PRAGMA journal_mode = WAL");
// On PostgreSQL the call log is in the database of the state, and set up with it.
const FIND_REGISTER: Statement = Statement::new(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'call_log_day'",
    "SELECT 'call_log_day' AS name",
);
const CREATE_REGISTER: Statement =
    Statement::of_sqlite("CREATE TABLE IF NOT EXISTS call_log_day (day INTEGER PRIMARY KEY) STRICT");
// What this database loses is recorded in it, in the same transaction.
const CREATE_DESTRUCTION: Statement = Statement::of_sqlite(
    "CREATE TABLE IF NOT EXISTS destruction (day TEXT NOT NULL, kind TEXT NOT NULL, \
    count INTEGER NOT NULL, PRIMARY KEY (day, kind)) STRICT",
);
const REGISTER: &str = "INSERT INTO call_log_day (day) VALUES ($1) ON CONFLICT DO NOTHING";
const FIND: &str = "SELECT day FROM call_log_day WHERE day = $1";
const BETWEEN: &str = "SELECT day FROM call_log_day WHERE day >= $1 AND day <= $2 ORDER BY day DESC";
const OLDEST: &str = "SELECT day FROM call_log_day WHERE day < $1 ORDER BY day LIMIT 1";
const COUNT: &str = "SELECT COUNT(*) AS n FROM call_log_0";
const LEAVE: &str = "DELETE FROM call_log_day WHERE day = $1 RETURNING day";
const DROP: &str = "DROP TABLE IF EXISTS call_log_0";

/// The day of a time, in days since 1970.
pub(super) fn day_of(at: Timestamp) -> i64 {
    at.millis().div_euclid(DAY_MS)
}

/// A statement about the table of a day, or with `None` about the table that had every day before there was one for
/// each. Its texts are made once and kept, a few for each day of the process.
pub(super) fn on(day: Option<i64>, sql: impl Sql) -> Statement {
    static MADE: Mutex<Vec<(Option<i64>, Statement, Statement)>> = Mutex::new(Vec::new());
    let statement = sql.statement();
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((.., known)) = made.iter().find(|(d, s, _)| (*d, *s) == (day, statement)) {
        return *known;
    }
    let name = day.map_or_else(|| "call_log".to_owned(), |day| format!("call_log_{day}"));
    let new = statement.with(NAME, &name);
    made.push((day, statement, new));
    new
}

/// Sets up a database that is new. May be repeated, and done by several processes at once.
///
/// # Errors
/// [`DbError`] when it cannot be written to.
pub async fn set_up<D: Database>(db: &D) -> Result<(), DbError> {
    if db.run(FIND_REGISTER, &[]).await?.is_empty() {
        // A refusal affects speed, not correctness.
        let _ = db.run(USE_WAL, &[]).await;
        // Last, because it is looked for.
        db.run(CREATE_DESTRUCTION, &[]).await?;
        db.run(CREATE_REGISTER, &[]).await?;
    }
    Ok(())
}

/// Makes the table of a day in the open transaction, unless it is there.
pub(super) async fn ensure<D: Database>(tx: &Tx<'_, D>, day: i64) -> Result<(), DbError> {
    if !tx.run(FIND, &[day.into()]).await?.is_empty() {
        return Ok(());
    }
    for text in CREATE {
        tx.run(on(Some(day), text), &[]).await?;
    }
    tx.run(REGISTER, &[day.into()]).await.map(drop)
}

/// Makes the table of a day, unless it is there.
pub(super) async fn create<D: Database>(db: &D, day: i64) -> Result<(), DbError> {
    transaction(db, async |tx| ensure(tx, day).await).await
}

/// Makes the tables of this day and the next ahead, so that no call has to.
pub async fn prepare<D: Database>(db: &D, now: Timestamp) -> Result<(), DbError> {
    for day in [day_of(now), day_of(now) + 1] {
        if db.run(FIND, &[day.into()]).await?.is_empty() {
            create(db, day).await?;
        }
    }
    Ok(())
}

/// The days that have a table, the latest first.
pub(super) async fn between<D: Database>(db: &D, from: i64, to: i64) -> Result<Vec<i64>, DbError> {
    let rows = db.run(BETWEEN, &[from.into(), to.into()]).await?;
    rows.iter().map(|row| row.integer(0)).collect()
}

/// The oldest day whose calls all came before `before`, with their number.
pub async fn oldest_day<D: Database>(db: &D, before: Timestamp) -> Result<Option<(i64, usize)>, DbError> {
    let rows = db.run(OLDEST, &[day_of(before).into()]).await?;
    let Some(day) = first(&rows, |row| row.integer(0))? else {
        return Ok(None);
    };
    let rows = db.run(on(Some(day), COUNT), &[]).await?;
    let count = first(&rows, |row| row.integer(0))?.unwrap_or_default();
    Ok(Some((day, usize::try_from(count).unwrap_or(usize::MAX))))
}

/// Drops the table of a day. False when another node has dropped it.
pub async fn drop_day<D: Database>(tx: &Tx<'_, D>, day: i64) -> Result<bool, DbError> {
    if tx.run(LEAVE, &[day.into()]).await?.is_empty() {
        return Ok(false);
    }
    tx.run(on(Some(day), DROP), &[]).await?;
    Ok(true)
}
