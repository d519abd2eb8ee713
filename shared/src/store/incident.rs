//! Table `incident`: what went wrong and is not settled yet (§8). Per kind and subject at most one is
//! open.

use super::{Database, DbError, Row, Subject};
use crate::domain::{IncidentKind, Timestamp};
use uuid::Builder;

const OPEN: &str = "INSERT INTO incident (id, kind, subject, opened_at) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (kind, subject) WHERE closed_at IS NULL DO NOTHING RETURNING id";
const CLOSE: &str =
    "UPDATE incident SET closed_at = $1 WHERE kind = $2 AND subject = $3 AND closed_at IS NULL";

const LATEST: &str = "SELECT id, kind, subject, opened_at, closed_at FROM incident \
    ORDER BY opened_at DESC, id DESC LIMIT $1";

/// Opens an incident; false when one of this kind and subject is open. `random` makes its identifier.
///
/// # Errors
/// Those of the database.
pub async fn open<D: Database>(
    db: &D,
    random: [u8; 10],
    kind: IncidentKind,
    subject: &Subject,
    now: Timestamp,
) -> Result<bool, DbError> {
    let millis = u64::try_from(now.millis()).unwrap_or(0);
    let id = Builder::from_unix_timestamp_millis(millis, &random)
        .into_uuid()
        .to_string();
    let params = [id.into(), kind.code().into(), subject.text().into(), now.into()];
    Ok(!db.run(OPEN, &params).await?.is_empty())
}

/// Closes the open incident of this kind and subject, if there is one.
///
/// # Errors
/// Those of the database.
pub async fn close<D: Database>(
    db: &D,
    kind: IncidentKind,
    subject: &Subject,
    now: Timestamp,
) -> Result<(), DbError> {
    db.run(CLOSE, &[now.into(), kind.code().into(), subject.text().into()])
        .await
        .map(drop)
}

/// An incident as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentRow {
    /// Identifier.
    pub id: String,
    /// Stable name of its kind.
    pub kind: String,
    /// What it is about, see [`Subject`].
    pub subject: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was settled, if it is.
    pub closed_at: Option<Timestamp>,
}

/// The latest `limit` incidents, the latest first.
///
/// # Errors
/// Those of the database.
pub async fn latest<D: Database>(db: &D, limit: i64) -> Result<Vec<IncidentRow>, DbError> {
    db.run(LATEST, &[limit.into()]).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<IncidentRow, DbError> {
    Ok(IncidentRow {
        id: row.text(0)?.to_owned(),
        kind: row.text(1)?.to_owned(),
        subject: row.text(2)?.to_owned(),
        opened_at: row.time(3)?,
        closed_at: row.optional(4, Row::time)?,
    })
}
