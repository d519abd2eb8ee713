//! Table `incident`: what went wrong and is not settled yet (§8). Per kind and subject at most one is
//! open.

use super::{Database, DbError, Row};
use crate::domain::{IncidentKind, Timestamp};
use crate::vault::BlindIndex;
use uuid::Builder;

const OPEN: &str = "INSERT INTO incident (id, kind, subject, opened_at) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (kind, subject) WHERE closed_at IS NULL DO NOTHING";
const CLOSE: &str =
    "UPDATE incident SET closed_at = $1 WHERE kind = $2 AND subject = $3 AND closed_at IS NULL";

const LATEST: &str = "SELECT id, kind, subject, opened_at, closed_at FROM incident \
    ORDER BY opened_at DESC, id DESC LIMIT $1";

/// What an incident is about. Its text holds no identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject(String);

impl Subject {
    /// A chip.
    #[must_use]
    pub fn chip(eid_index: &BlindIndex) -> Self {
        Self(format!("chip:{}", eid_index.hex()))
    }

    /// A province.
    #[must_use]
    pub fn province(code: &str) -> Self {
        Self(format!("province:{code}"))
    }

    /// A callback.
    #[must_use]
    pub fn callback(id: crate::domain::CallbackId) -> Self {
        Self(format!("callback:{id}"))
    }
}

/// Opens an incident unless one of this kind and subject is open. `random` makes its identifier.
///
/// # Errors
/// Those of the database.
pub async fn open<D: Database>(
    db: &D,
    random: [u8; 10],
    kind: IncidentKind,
    subject: &Subject,
    now: Timestamp,
) -> Result<(), DbError> {
    let millis = u64::try_from(now.millis()).unwrap_or(0);
    let id = Builder::from_unix_timestamp_millis(millis, &random)
        .into_uuid()
        .to_string();
    let params = [
        id.into(),
        kind.code().into(),
        subject.0.as_str().into(),
        now.into(),
    ];
    db.run(OPEN, &params).await.map(drop)
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
    db.run(
        CLOSE,
        &[now.into(), kind.code().into(), subject.0.as_str().into()],
    )
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
    /// What it is about: `chip:<blind index>`, `province:<code>` or `callback:<id>`.
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
