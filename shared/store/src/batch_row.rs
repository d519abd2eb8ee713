//! Table `batch_row`: the rows of batches, by their lines, with what became of each.

use super::destruction::purge as purge_rows;
use super::import::json_rows;
use super::{Database, DbError, Row, Run as _, Statement, Tx, Value};
use domain::{BatchId, BatchResult, TaskId, Timestamp};
use vault::Column;

/// Sealed column: EID, ICCID and MSISDN.
pub const CONTENT: Column = Column("batch_row.content");

// Rows `[[…], …]`; bytes are in hexadecimal.
macro_rules! insert {
    ($rows:literal) => {
        concat!(
            "INSERT INTO batch_row (batch_id, line, province, content_sealed, result, reason, done_at) SELECT $1, \
             CAST(value ->> 0 AS BIGINT), value ->> 1, unhex(value ->> 2), value ->> 3, value ->> 4, \
             CASE WHEN value ->> 3 IS NULL THEN NULL ELSE CAST($2 AS BIGINT) END FROM ",
            $rows
        )
    };
}
const INSERT: Statement = Statement::new(
    insert!("json_each($3)"),
    insert!("jsonb_array_elements(CAST(CAST($3 AS TEXT) AS jsonb))"),
);
const OPEN: &str = "SELECT line, province, content_sealed FROM batch_row WHERE batch_id = $1 AND result IS NULL \
    AND (province, line) > ($2, $3) ORDER BY province, line LIMIT $4";
const SET_RESULTS: &str = "UPDATE batch_row SET result = r.value ->> 1, reason = r.value ->> 2, \
    task_id = r.value ->> 3, done_at = $1 FROM json_each($2) r WHERE batch_row.batch_id = $3 \
    AND batch_row.line = CAST(r.value ->> 0 AS BIGINT) AND batch_row.result IS NULL RETURNING batch_row.line";
const LIST: &str = "SELECT line, province, content_sealed, result, reason, task_id, done_at FROM batch_row \
    WHERE batch_id = $1 AND line > $2 AND (result = $3 OR $3 IS NULL) ORDER BY line LIMIT $4";
const PURGE: &str = "DELETE FROM batch_row WHERE (batch_id, line) IN (SELECT r.batch_id, r.line FROM batch b \
    JOIN batch_row r ON r.batch_id = b.id WHERE b.ended_at < $1 ORDER BY b.ended_at, r.batch_id, r.line LIMIT $2) \
    RETURNING line";

/// A row that is added.
pub struct NewRow {
    /// Its line in the file.
    pub line: u64,
    /// Whose pool it takes a number from; else empty.
    pub province: String,
    /// What it names, sealed; none when it could not be read.
    pub content_sealed: Option<Vec<u8>>,
    /// Why it is refused at once.
    pub refused: Option<&'static str>,
}

/// A row that is to be carried out.
#[derive(Clone, Debug)]
pub struct OpenRow {
    /// Its line in the file.
    pub line: u64,
    /// Whose pool it takes a number from; else empty.
    pub province: String,
    /// What it names, sealed.
    pub content_sealed: Option<Vec<u8>>,
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowResult {
    /// Its line in the file.
    pub line: u64,
    /// What became of it.
    pub result: BatchResult,
    /// Why it was refused.
    pub reason: Option<&'static str>,
    /// The task that it is about.
    pub task: Option<TaskId>,
}

/// A row as lists have it.
#[derive(Clone, Debug)]
pub struct ListedRow {
    /// Its line in the file.
    pub line: u64,
    /// Whose pool it takes a number from; else empty.
    pub province: String,
    /// What it names, sealed; none when it could not be read.
    pub content_sealed: Option<Vec<u8>>,
    /// What became of it.
    pub result: Option<BatchResult>,
    /// Why it was refused.
    pub reason: Option<String>,
    /// The task that it is about.
    pub task: Option<TaskId>,
    /// When it was carried out or refused.
    pub done_at: Option<Timestamp>,
}

/// What the sealed values of a row are bound to.
#[must_use]
pub fn bound_to(batch: BatchId, line: u64) -> Vec<u8> {
    [batch.text().as_bytes(), &line.to_be_bytes()[..]].concat()
}

fn whole(line: u64) -> Value {
    i64::try_from(line).unwrap_or(i64::MAX).into()
}

/// Adds rows in one statement.
pub async fn insert<D: Database>(
    tx: &Tx<'_, D>,
    batch: BatchId,
    rows: &[NewRow],
    now: Timestamp,
) -> Result<(), DbError> {
    let rows = rows.iter().map(|row| {
        let result = row.refused.map(|_| BatchResult::Refused.code());
        vec![
            whole(row.line),
            row.province.as_str().into(),
            row.content_sealed.clone().into(),
            result.into(),
            row.refused.into(),
        ]
    });
    let params = [batch.text().into(), now.into(), json_rows(rows).into()];
    tx.run(INSERT, &params).await.map(drop)
}

/// Up to `limit` rows that are to be carried out, those of a province together, after this one.
pub async fn open<D: Database>(
    tx: &Tx<'_, D>,
    batch: BatchId,
    (province, line): (&str, u64),
    limit: u32,
) -> Result<Vec<OpenRow>, DbError> {
    let params = [
        batch.text().into(),
        province.into(),
        whole(line),
        i64::from(limit).into(),
    ];
    let read = |row: &Row| {
        Ok(OpenRow {
            line: row.unsigned(0)?,
            province: row.text(1)?.to_owned(),
            content_sealed: row.optional(2, Row::blob)?.map(<[u8]>::to_owned),
        })
    };
    tx.run(OPEN, &params).await?.iter().map(read).collect()
}

/// Stores what became of rows; returns of how many. One that has a result keeps it.
pub async fn set_results<D: Database>(
    tx: &Tx<'_, D>,
    batch: BatchId,
    results: &[RowResult],
    now: Timestamp,
) -> Result<usize, DbError> {
    let rows = results.iter().map(|row| {
        vec![
            whole(row.line),
            row.result.code().into(),
            row.reason.into(),
            row.task.into(),
        ]
    });
    let params = [now.into(), json_rows(rows).into(), batch.text().into()];
    Ok(tx.run(SET_RESULTS, &params).await?.len())
}

/// Up to `limit` rows after line `after`, those with this result if there is one.
pub async fn list<D: Database>(
    db: &D,
    batch: BatchId,
    after: u64,
    result: Option<BatchResult>,
    limit: u32,
) -> Result<Vec<ListedRow>, DbError> {
    let params = [
        batch.text().into(),
        whole(after),
        result.map(BatchResult::code).into(),
        i64::from(limit).into(),
    ];
    let read = |row: &Row| {
        Ok(ListedRow {
            line: row.unsigned(0)?,
            province: row.text(1)?.to_owned(),
            content_sealed: row.optional(2, Row::blob)?.map(<[u8]>::to_owned),
            result: row.optional(3, |row, at| row.code(at, BatchResult::from_code))?,
            reason: row.optional(4, Row::text)?.map(str::to_owned),
            task: row.optional(5, Row::task_id)?,
            done_at: row.optional(6, Row::time)?,
        })
    };
    db.run(LIST, &params).await?.iter().map(read).collect()
}

/// Deletes up to `limit` rows of batches that ended before `before`; returns how many.
pub async fn purge<D: Database>(tx: &Tx<'_, D>, before: Timestamp, limit: u32) -> Result<usize, DbError> {
    purge_rows(tx, PURGE, before, limit).await
}
