//! What is due, receiver by receiver, and claiming it.

use super::{Database, DbError, Row, read_id};
use crate::domain::{CallbackId, Receiver, Timestamp};
use crate::store::first;

// One step along the index for each receiver that has messages to come, however many it has. Who has waited longest
// comes first.
const LANES: &str = "WITH RECURSIVE lane (id) AS (SELECT min(receiver_id) FROM outbox WHERE state = 'pending' \
    UNION ALL SELECT (SELECT min(receiver_id) FROM outbox WHERE state = 'pending' AND receiver_id > lane.id) \
    FROM lane WHERE lane.id IS NOT NULL) \
    SELECT r.id AS id, CASE WHEN r.failing_since IS NULL THEN 0 ELSE 1 END AS failing, \
    (SELECT count(*) FROM outbox WHERE state = 'pending' AND lease_until > 0 AND receiver_id = r.id \
    AND lease_until > $1) AS on_their_way FROM lane JOIN receiver r ON r.id = lane.id \
    WHERE r.stopped_at IS NULL AND r.url IS NOT NULL \
    AND (SELECT min(next_at) FROM outbox WHERE state = 'pending' AND receiver_id = r.id) <= $1 \
    ORDER BY (SELECT min(next_at) FROM outbox WHERE state = 'pending' AND receiver_id = r.id), r.id LIMIT $2";
const ON_THEIR_WAY: &str = "SELECT count(*) AS n FROM outbox WHERE state = 'pending' AND lease_until > 0 \
    AND receiver_id = $1 AND lease_until > $2";
// A message waits for an earlier one of its task. Being on its way it is due again when the lease ends.
const CLAIM: &str = "UPDATE outbox SET attempts = attempts + 1, lease_until = $1, next_at = $1 \
    WHERE state = 'pending' AND next_at <= $2 AND id IN (SELECT o.id FROM outbox o WHERE o.state = 'pending' \
    AND o.receiver_id = $3 AND o.next_at <= $2 AND o.attempts - o.attempts_from < $4 \
    AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.state = 'pending' AND e.task_id = o.task_id AND e.id < o.id) \
    ORDER BY o.next_at, o.id LIMIT $5) RETURNING id, body_sealed, attempts";
const BURY: &str = "UPDATE outbox SET state = 'dead', finished_at = $1, lease_until = 0 WHERE state = 'pending' \
    AND id IN (SELECT id FROM outbox WHERE state = 'pending' AND receiver_id = $2 AND next_at <= $1 \
    AND attempts - attempts_from >= $3 ORDER BY next_at, id LIMIT $4) RETURNING id";

/// A receiver that has messages due and an address that is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Who it is.
    pub receiver: Receiver,
    /// True when the last attempts at it have failed.
    pub is_failing: bool,
    /// How many of its messages are on their way.
    pub on_their_way: u32,
}

/// A message that was claimed for sending.
#[derive(Clone, Debug)]
pub struct ClaimedRow {
    /// Identifier.
    pub id: CallbackId,
    /// Sealed fields of the body.
    pub body_sealed: Vec<u8>,
    /// Number of this attempt.
    pub attempt: u32,
}

/// Up to `limit` receivers with messages that are due, the longest waiting first.
///
/// # Errors
/// Those of the database.
pub async fn lanes<D: Database>(db: &D, limit: u32, now: Timestamp) -> Result<Vec<Lane>, DbError> {
    let rows = db.run(LANES, &[now.into(), i64::from(limit).into()]).await?;
    rows.iter()
        .map(|row| {
            Ok(Lane {
                receiver: row.receiver(0)?,
                is_failing: row.flag(1)?,
                on_their_way: row.count(2)?,
            })
        })
        .collect()
}

/// How many of a receiver's messages are on their way.
///
/// # Errors
/// Those of the database.
pub async fn on_their_way<D: Database>(db: &D, receiver: &Receiver, now: Timestamp) -> Result<u32, DbError> {
    let rows = db.run(ON_THEIR_WAY, &[receiver.into(), now.into()]).await?;
    Ok(first(&rows, |row| row.count(0))?.unwrap_or(0))
}

/// Claims up to `limit` due messages of a receiver until `lease_until`; each counts as an attempt.
///
/// # Errors
/// Those of the database.
pub async fn claim<D: Database>(
    db: &D,
    receiver: &Receiver,
    limit: u32,
    max_attempts: u32,
    (lease_until, now): (Timestamp, Timestamp),
) -> Result<Vec<ClaimedRow>, DbError> {
    let params = [
        lease_until.into(),
        now.into(),
        receiver.into(),
        i64::from(max_attempts).into(),
        i64::from(limit).into(),
    ];
    db.run(CLAIM, &params).await?.iter().map(read_claimed).collect()
}

/// Gives up to `limit` messages of a receiver up whose last attempt was claimed and never reported; how many they
/// were.
///
/// # Errors
/// Those of the database.
pub async fn bury<D: Database>(
    db: &D,
    receiver: &Receiver,
    limit: u32,
    max_attempts: u32,
    now: Timestamp,
) -> Result<usize, DbError> {
    let params = [
        now.into(),
        receiver.into(),
        i64::from(max_attempts).into(),
        i64::from(limit).into(),
    ];
    Ok(db.run(BURY, &params).await?.len())
}

fn read_claimed(row: &Row) -> Result<ClaimedRow, DbError> {
    Ok(ClaimedRow {
        id: read_id(row, 0)?,
        body_sealed: row.blob(1)?.to_owned(),
        attempt: row.count(2)?,
    })
}
