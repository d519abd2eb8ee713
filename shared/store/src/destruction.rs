//! Table `destruction`: how many rows were deleted at the end of their retention, by day and kind of data (§9.1.2). On
//! SQLite the call log is a database of its own, and has one, too.

use super::{Database, DbError, Row, Run as _, Sql, Statement, Tx};

const ADD: &str = "INSERT INTO destruction (day, kind, count) VALUES ($1, $2, $3) \
    ON CONFLICT (day, kind) DO UPDATE SET count = destruction.count + excluded.count";
const LATEST: &str = "SELECT day, kind, count FROM destruction ORDER BY day DESC, kind LIMIT $1";
// On PostgreSQL the call log is in the database of the state, and its record is that of the state.
const LATEST_OF_CALLS: Statement = Statement::of_sqlite(LATEST);

/// How many rows of one kind of data were deleted on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestructionRow {
    /// The day, `YYYY-MM-DD`.
    pub day: String,
    /// Kind of data.
    pub kind: String,
    /// How many rows were deleted.
    pub count: u32,
}

/// Adds `count` deleted rows to the record of a day.
pub async fn add<D: Database>(tx: &Tx<'_, D>, day: &str, kind: &str, count: usize) -> Result<(), DbError> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.run(ADD, &[day.into(), kind.into(), count.into()])
        .await
        .map(drop)
}

/// The latest `limit` records.
pub async fn latest<D: Database>(db: &D, limit: u32) -> Result<Vec<DestructionRow>, DbError> {
    read_latest(db, LATEST, limit).await
}

/// The latest `limit` records of a call log that is a database of its own.
pub async fn latest_of_calls<D: Database>(db: &D, limit: u32) -> Result<Vec<DestructionRow>, DbError> {
    read_latest(db, LATEST_OF_CALLS, limit).await
}

async fn read_latest<D: Database>(db: &D, sql: impl Sql, limit: u32) -> Result<Vec<DestructionRow>, DbError> {
    let read = |row: &Row| {
        Ok(DestructionRow {
            day: row.text(0)?.to_owned(),
            kind: row.text(1)?.to_owned(),
            count: row.count(2)?,
        })
    };
    db.run(sql, &[i64::from(limit).into()])
        .await?
        .iter()
        .map(read)
        .collect()
}
