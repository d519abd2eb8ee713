//! The delivery of a message: results of attempts, retries, and deletion at the end of retention.

use crate::{Database, DbError, Run as _, Tx, first};
use domain::{MessageId, MessageState, Receiver, Timestamp};

const DELIVERY: &str = concat!(
    "SELECT receiver_id, ",
    state!("message"),
    " AS state, attempts, attempts_from, next_at FROM message WHERE id = $1"
);
const DELIVERED: &str = "UPDATE message SET state = 'delivered', unaddressed = 0, finished_at = $1, lease_until = 0 WHERE id = $2 \
    AND state IN ('pending', 'dead') RETURNING id";
const RETRY: &str = "UPDATE message SET next_at = $1, lease_until = 0 WHERE id = $2 AND state = 'pending' \
    AND attempts = $3 RETURNING id";
const DEAD: &str = "UPDATE message SET state = 'dead', finished_at = $1, lease_until = 0 WHERE id = $2 \
    AND state = 'pending' AND attempts = $3 RETURNING id";
const RELEASE: &str = "UPDATE message SET next_at = $1 WHERE state = 'pending' AND lease_until <= $1 AND next_at > $1 \
    AND attempts = attempts_from AND eid_index = (SELECT d.eid_index FROM message d WHERE d.id = $2)";
const RESTART: &str = "UPDATE message SET next_at = $1, attempts_from = attempts, lease_until = 0 WHERE state = 'pending' \
    AND receiver_id = $2 AND next_at >= 0 AND lease_until <= $1";
const SET_UNADDRESSED: &str = "UPDATE message SET state = 'dead', unaddressed = 1, finished_at = $1, lease_until = 0 \
    WHERE state = 'pending' AND receiver_id = $2 AND next_at >= 0";
const PURGE_ATTEMPTS: &str = "DELETE FROM message_attempt WHERE message_id IN (SELECT id FROM message \
    WHERE finished_at IS NOT NULL AND finished_at < $1 ORDER BY finished_at, id LIMIT $2)";
const PURGE: &str = "DELETE FROM message WHERE id IN (SELECT id FROM message \
    WHERE finished_at IS NOT NULL AND finished_at < $1 ORDER BY finished_at, id LIMIT $2) RETURNING id";

/// The state of a message's delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageDelivery {
    /// Whom it goes to.
    pub receiver: Receiver,
    /// State of the message.
    pub state: MessageState,
    /// Attempts begun.
    pub attempts: u32,
    /// Attempts begun before it was last sent again by hand.
    pub attempts_from: u32,
    /// When the next attempt is due.
    pub next_at: Timestamp,
}

/// The state of a message's delivery; `None` when there is no such message.
pub async fn delivery<D: Database>(db: &D, id: MessageId) -> Result<Option<MessageDelivery>, DbError> {
    first(&db.run(DELIVERY, &[id.text().into()]).await?, |row| {
        Ok(MessageDelivery {
            receiver: row.receiver(0)?,
            state: row.code(1, MessageState::from_code)?,
            attempts: row.count(2)?,
            attempts_from: row.count(3)?,
            next_at: row.time(4)?,
        })
    })
}

/// Marks a message as delivered, also a dead one. False when it was delivered before.
pub async fn set_delivered<D: Database>(
    tx: &Tx<'_, D>,
    id: MessageId,
    now: Timestamp,
) -> Result<bool, DbError> {
    Ok(!tx
        .run(DELIVERED, &[now.into(), id.text().into()])
        .await?
        .is_empty())
}

/// Plans the attempt after `attempt`. False when another attempt has begun since.
pub async fn set_retry<D: Database>(
    tx: &Tx<'_, D>,
    id: MessageId,
    attempt: u32,
    at: Timestamp,
) -> Result<bool, DbError> {
    let params = [at.into(), id.text().into(), i64::from(attempt).into()];
    Ok(!tx.run(RETRY, &params).await?.is_empty())
}

/// Marks a message as dead after `attempt`. False when another attempt has begun since.
pub async fn set_dead<D: Database>(
    tx: &Tx<'_, D>,
    id: MessageId,
    attempt: u32,
    now: Timestamp,
) -> Result<bool, DbError> {
    let params = [now.into(), id.text().into(), i64::from(attempt).into()];
    Ok(!tx.run(DEAD, &params).await?.is_empty())
}

/// Makes due what waited for this message, which is done, and was put off with it.
pub async fn release<D: Database>(tx: &Tx<'_, D>, id: MessageId, now: Timestamp) -> Result<(), DbError> {
    tx.run(RELEASE, &[now.into(), id.text().into()]).await.map(drop)
}

/// Restarts the schedule of a receiver's pending messages; those in flight stay as they are.
pub async fn restart<D: Database>(
    tx: &Tx<'_, D>,
    receiver: &Receiver,
    now: Timestamp,
) -> Result<(), DbError> {
    tx.run(RESTART, &[now.into(), receiver.into()]).await.map(drop)
}

/// Leaves a receiver's pending messages without an address: they wait until somebody asks for them. What is in flight
/// may still be delivered.
pub async fn set_unaddressed<D: Database>(
    tx: &Tx<'_, D>,
    receiver: &Receiver,
    now: Timestamp,
) -> Result<(), DbError> {
    tx.run(SET_UNADDRESSED, &[now.into(), receiver.into()])
        .await
        .map(drop)
}

/// Deletes up to `limit` messages, with their attempts, that ended before `before`; returns how many.
pub async fn purge<D: Database>(tx: &Tx<'_, D>, before: Timestamp, limit: u32) -> Result<usize, DbError> {
    let params = [before.into(), i64::from(limit).into()];
    tx.run(PURGE_ATTEMPTS, &params).await?;
    Ok(tx.run(PURGE, &params).await?.len())
}
