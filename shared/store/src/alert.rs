//! Table `alert`: alerts to the operator, and when each was acknowledged.

use super::destruction::purge as purge_rows;
use super::{Database, DbError, Row, Run as _, Subject, Tx};
use domain::{AlertId, Timestamp};
use vault::Column;

/// Sealed column: the message.
pub const BODY: Column = Column("alert.body");

const INSERT: &str = "INSERT INTO alert (id, kind, subject, body_sealed, at) VALUES ($1, $2, $3, $4, $5)";
const ALL: &str = "SELECT id, kind, subject, body_sealed, at, noted_at FROM alert WHERE id < $1 \
    ORDER BY id DESC LIMIT $2";
const OPEN: &str = "SELECT id, kind, subject, body_sealed, at, noted_at FROM alert WHERE id < $1 \
    AND noted_at IS NULL ORDER BY id DESC LIMIT $2";
const NOTE: &str = "UPDATE alert SET noted_at = $1 WHERE noted_at IS NULL AND id IN \
    (SELECT value FROM json_each($2)) RETURNING id";
const PURGE: &str = "DELETE FROM alert WHERE id IN (SELECT id FROM alert WHERE noted_at IS NOT NULL \
    AND noted_at < $1 ORDER BY noted_at LIMIT $2) RETURNING id";

/// An alert as stored.
#[derive(Clone, Debug)]
pub struct AlertRow {
    /// Identifier.
    pub id: AlertId,
    /// Stable name of its kind.
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// The sealed message.
    pub body_sealed: Vec<u8>,
    /// When it was raised.
    pub at: Timestamp,
    /// When it was acknowledged.
    pub noted_at: Option<Timestamp>,
}

/// Adds an alert.
pub async fn insert<D: Database>(
    tx: &Tx<'_, D>,
    id: AlertId,
    kind: &str,
    subject: &Subject,
    body_sealed: Vec<u8>,
    now: Timestamp,
) -> Result<(), DbError> {
    let params = [
        id.text().into(),
        kind.into(),
        subject.text().into(),
        body_sealed.into(),
        now.into(),
    ];
    tx.run(INSERT, &params).await.map(drop)
}

/// Up to `limit` alerts before `below`, the latest first; with `noted_too` also the acknowledged ones.
pub async fn list<D: Database>(
    db: &D,
    below: AlertId,
    noted_too: bool,
    limit: u32,
) -> Result<Vec<AlertRow>, DbError> {
    let sql = if noted_too { ALL } else { OPEN };
    let params = [below.text().into(), i64::from(limit).into()];
    db.run(sql, &params).await?.iter().map(read).collect()
}

/// Acknowledges alerts; `ids` is a JSON list. Returns how many were open.
pub async fn note<D: Database>(tx: &Tx<'_, D>, ids: String, now: Timestamp) -> Result<usize, DbError> {
    Ok(tx.run(NOTE, &[now.into(), ids.into()]).await?.len())
}

/// Deletes up to `limit` alerts that were acknowledged before `before`; returns how many.
pub async fn purge<D: Database>(tx: &Tx<'_, D>, before: Timestamp, limit: u32) -> Result<usize, DbError> {
    purge_rows(tx, PURGE, before, limit).await
}

fn read(row: &Row) -> Result<AlertRow, DbError> {
    Ok(AlertRow {
        id: row.code(0, |text| AlertId::parse(text).ok())?,
        kind: row.text(1)?.to_owned(),
        subject: row.text(2)?.to_owned(),
        body_sealed: row.blob(3)?.to_owned(),
        at: row.time(4)?,
        noted_at: row.optional(5, Row::time)?,
    })
}
