//! The queue of each receiver: finding what is due, and claiming it.

use super::read_id;
use crate::{Database, DbError, Row, Run as _, Tx, first};
use domain::{MessageId, Receiver, Timestamp};

// One step along the index for each receiver with pending messages, however many messages it has. The receiver that
// has waited longest comes first. A receiver with its maximum in flight is left out.
const QUEUES: &str = "WITH RECURSIVE queue (id) AS (SELECT min(receiver_id) FROM message WHERE state = 'pending' \
    UNION ALL SELECT (SELECT min(receiver_id) FROM message WHERE state = 'pending' AND receiver_id > queue.id) \
    FROM queue WHERE queue.id IS NOT NULL) SELECT id, failing, in_flight FROM ( \
    SELECT r.id AS id, CASE WHEN r.failing_since IS NULL THEN 0 ELSE 1 END AS failing, \
    (SELECT count(*) FROM message WHERE state = 'pending' AND lease_until > 0 AND receiver_id = r.id \
    AND lease_until > $1) AS in_flight, \
    (SELECT min(next_at) FROM message WHERE state = 'pending' AND receiver_id = r.id) AS due \
    FROM queue JOIN receiver r ON r.id = queue.id WHERE r.stopped_at IS NULL AND r.held_at IS NULL \
    AND r.url IS NOT NULL) AS queues \
    WHERE due <= $1 AND failing <= CAST($2 AS BIGINT) AND in_flight < CASE failing WHEN 1 THEN CAST($3 AS BIGINT) ELSE CAST($4 AS BIGINT) END \
    ORDER BY due, id LIMIT $5";
const IN_FLIGHT: &str = "SELECT count(*) AS n FROM message WHERE state = 'pending' AND lease_until > 0 \
    AND receiver_id = $1 AND lease_until > $2";
// A message waits for an earlier one about its chip.
const DUE: &str = "SELECT o.id AS id, o.attempts AS attempts, o.attempts_from AS attempts_from FROM message o \
    WHERE o.state = 'pending' AND o.receiver_id = $1 AND o.next_at <= $2 AND o.attempts - o.attempts_from < $3 \
    AND NOT EXISTS (SELECT 1 FROM message e WHERE e.state = 'pending' AND e.eid_index = o.eid_index \
    AND (e.chip_seq, e.id) < (o.chip_seq, o.id) AND e.receiver_id = o.receiver_id) \
    ORDER BY o.next_at, o.id LIMIT $4";
// What waits for a message that waits for its next attempt is due no sooner than that: it would only be examined again
// and again, and its receiver before others. What is added to the identifier keeps the engine to the few messages of the chip, away from the
// many of the receiver.
const POSTPONE: &str = "UPDATE message SET next_at = (SELECT MAX(e.next_at) FROM message e WHERE e.state = 'pending' \
    AND e.eid_index = message.eid_index AND (e.chip_seq, e.id) < (message.chip_seq, message.id) \
    AND e.receiver_id || '' = message.receiver_id) WHERE state = 'pending' AND id IN (SELECT o.id FROM message o \
    WHERE o.state = 'pending' AND o.receiver_id = $1 AND o.next_at <= $2 AND o.lease_until <= $2 AND EXISTS (SELECT 1 \
    FROM message e WHERE e.state = 'pending' AND e.eid_index = o.eid_index \
    AND (e.chip_seq, e.id) < (o.chip_seq, o.id) AND e.receiver_id = o.receiver_id AND e.lease_until <= $2 \
    AND e.next_at > $2) LIMIT $3)";
const CLAIM: &str = "UPDATE message SET attempts = attempts + 1, lease_until = $1, next_at = $2 WHERE id = $3 \
    AND state = 'pending' AND attempts = $4 RETURNING id, body_sealed, attempts";
const EXPIRE: &str = "UPDATE message SET state = 'dead', finished_at = $1, lease_until = 0 WHERE state = 'pending' \
    AND id IN (SELECT id FROM message WHERE state = 'pending' AND receiver_id = $2 AND next_at <= $1 \
    AND attempts - attempts_from >= $3 ORDER BY next_at, id LIMIT $4) RETURNING id";

/// A receiver that has due messages and an address that is not stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiverQueue {
    /// The receiver.
    pub receiver: Receiver,
    /// True when the latest attempts have failed.
    pub is_failing: bool,
    /// How many of its messages are in flight.
    pub in_flight: u32,
}

/// A message that was claimed for sending.
#[derive(Clone, Debug)]
pub struct ClaimedRow {
    /// Identifier.
    pub id: MessageId,
    /// Sealed fields of the body.
    pub body_sealed: Vec<u8>,
    /// Number of this attempt.
    pub attempt: u32,
}

/// Conditions of a search for queues.
#[derive(Clone, Copy, Debug)]
pub struct QueueQuery {
    /// Includes receivers whose latest attempts failed.
    pub failing_too: bool,
    /// Most messages in flight of a failing receiver.
    pub most_failing: u32,
    /// Most messages in flight of any other receiver.
    pub most: u32,
    /// Most queues.
    pub limit: u32,
}

/// Receivers with due messages and room for another attempt, the longest waiting first.
pub async fn receiver_queues<D: Database>(
    db: &D,
    query: QueueQuery,
    now: Timestamp,
) -> Result<Vec<ReceiverQueue>, DbError> {
    let params = [
        now.into(),
        query.failing_too.into(),
        i64::from(query.most_failing).into(),
        i64::from(query.most).into(),
        i64::from(query.limit).into(),
    ];
    let rows = db.run(QUEUES, &params).await?;
    rows.iter()
        .map(|row| {
            Ok(ReceiverQueue {
                receiver: row.receiver(0)?,
                is_failing: row.flag(1)?,
                in_flight: row.count(2)?,
            })
        })
        .collect()
}

/// How many of a receiver's messages are in flight.
pub async fn in_flight<D: Database>(db: &D, receiver: &Receiver, now: Timestamp) -> Result<u32, DbError> {
    let rows = db.run(IN_FLIGHT, &[receiver.into(), now.into()]).await?;
    Ok(first(&rows, |row| row.count(0))?.unwrap_or(0))
}

/// A message that is due.
#[derive(Clone, Copy, Debug)]
pub struct DueRow {
    /// Identifier.
    pub id: MessageId,
    /// Attempts begun.
    pub attempts: u32,
    /// Attempts begun before it was last sent again by hand.
    pub attempts_from: u32,
}

/// Up to `limit` due messages of a receiver that have attempts left of `max_attempts`, the longest waiting first.
pub async fn due<D: Database>(
    db: &D,
    receiver: &Receiver,
    max_attempts: u32,
    limit: u32,
    now: Timestamp,
) -> Result<Vec<DueRow>, DbError> {
    let params = [
        receiver.into(),
        now.into(),
        i64::from(max_attempts).into(),
        i64::from(limit).into(),
    ];
    let read = |row: &Row| {
        Ok(DueRow {
            id: read_id(row, 0)?,
            attempts: row.count(1)?,
            attempts_from: row.count(2)?,
        })
    };
    db.run(DUE, &params).await?.iter().map(read).collect()
}

/// Puts off up to `limit` due messages of a receiver that wait for one about the same chip whose next attempt is later.
pub async fn postpone<D: Database>(
    tx: &Tx<'_, D>,
    receiver: &Receiver,
    limit: u32,
    now: Timestamp,
) -> Result<(), DbError> {
    let params = [receiver.into(), now.into(), i64::from(limit).into()];
    tx.run(POSTPONE, &params).await.map(drop)
}

/// Claims a message: an attempt begins, and nobody else claims it until `lease_until`. Unless its result is reported,
/// it is due again at `next_at`. `None` when another attempt has begun since, or the message is not pending any more.
pub async fn claim<D: Database>(
    tx: &Tx<'_, D>,
    due: &DueRow,
    lease_until: Timestamp,
    next_at: Timestamp,
) -> Result<Option<ClaimedRow>, DbError> {
    let params = [
        lease_until.into(),
        next_at.into(),
        due.id.text().into(),
        i64::from(due.attempts).into(),
    ];
    first(&tx.run(CLAIM, &params).await?, read_claimed)
}

/// Marks up to `limit` messages of a receiver as dead whose last attempt was claimed and never reported; returns how
/// many.
pub async fn expire_unreported<D: Database>(
    tx: &Tx<'_, D>,
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
    Ok(tx.run(EXPIRE, &params).await?.len())
}

fn read_claimed(row: &Row) -> Result<ClaimedRow, DbError> {
    Ok(ClaimedRow {
        id: read_id(row, 0)?,
        body_sealed: row.blob(1)?.to_owned(),
        attempt: row.count(2)?,
    })
}
