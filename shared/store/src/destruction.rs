//! Table `destruction`: how many rows were deleted at the end of their retention, by day and kind of data (§9.1.2). The call
//! log is a database of its own, and has one, too.

use super::{Database, DbError, Row, Run as _, Tx, Value};
use domain::Timestamp;

const ADD: &str = "INSERT INTO destruction (day, kind, count) VALUES ($1, $2, $3) \
    ON CONFLICT (day, kind) DO UPDATE SET count = destruction.count + excluded.count";
const LATEST: &str = "SELECT day, kind, count FROM destruction ORDER BY day DESC, kind LIMIT $1";

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
    let read = |row: &Row| {
        Ok(DestructionRow {
            day: row.text(0)?.to_owned(),
            kind: row.text(1)?.to_owned(),
            count: row.count(2)?,
        })
    };
    db.run(LATEST, &[i64::from(limit).into()])
        .await?
        .iter()
        .map(read)
        .collect()
}

/// Deletes (or ends) up to `limit` rows that ended before `before` by a statement that returns a row for each; returns how
/// many.
pub(super) async fn purge<D: Database>(
    tx: &Tx<'_, D>,
    sql: &'static str,
    before: Timestamp,
    limit: u32,
) -> Result<usize, DbError> {
    let rows = tx.run(sql, &[before.into(), i64::from(limit).into()]).await?;
    Ok(rows.len())
}

/// Reads the key of a row that is due.
type ReadKey = fn(&Row) -> Result<String, DbError>;

/// Deletes what up to `limit` rows that ended before `before` consist of. `due` finds their keys, which `key` reads, and
/// each of `statements` deletes by a list of them. Returns how many there were.
pub(super) async fn purge_all<D: Database>(
    tx: &Tx<'_, D>,
    (due, key): (&'static str, ReadKey),
    statements: &[&'static str],
    before: Timestamp,
    limit: u32,
) -> Result<usize, DbError> {
    let rows = tx.run(due, &[before.into(), i64::from(limit).into()]).await?;
    let keys: Vec<String> = rows.iter().map(key).collect::<Result<_, _>>()?;
    if keys.is_empty() {
        return Ok(0);
    }
    let list = serde_json::to_string(&keys).map_err(|_| DbError::Shape("a list of keys".to_owned()))?;
    let list: Value = list.into();
    for sql in statements {
        tx.run(sql, std::slice::from_ref(&list)).await?;
    }
    Ok(keys.len())
}
