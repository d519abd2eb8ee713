//! Table `message`: messages to receivers. A message is added in the transaction that changes its subject, and is
//! kept.
//!
//! `receiver_queue.rs` finds and claims due messages, `delivery.rs` records results, `search.rs` finds messages and
//! sends them again.

mod delivery;
mod receiver_queue;
mod search;

pub use delivery::{MessageDelivery, delivery, purge, restart, set_dead, set_delivered, set_retry};
pub use receiver_queue::{
    ClaimedRow, DueRow, QueueQuery, ReceiverQueue, claim, due, expire_unreported, in_flight, receiver_queues,
};
pub use search::{MessageQuery, MessageRow, Resend, resend, resend_failed, search};

use super::{Database, DbError, Row, Run as _, Tx};
use domain::{MessageId, Receiver, TaskId, Timestamp};
use vault::Column;

/// Sealed column: the fields of the body. It keeps the name under which it was sealed first.
pub const BODY: Column = Column("outbox.body");

const INSERT: &str = "INSERT INTO message (id, receiver_id, topic, task_id, body_sealed, state, attempts, next_at, \
    lease_until, created_at) VALUES ($1, $2, $3, $4, $5, 'pending', 0, $6, 0, $6)";

/// What a new row is made of.
pub struct NewMessageRow<'a> {
    /// Identifier.
    pub id: MessageId,
    /// Whom it goes to.
    pub receiver: &'a Receiver,
    /// What it is about.
    pub topic: &'a str,
    /// The task it is about; messages of one task are sent one after the other.
    pub task: Option<TaskId>,
    /// Sealed fields of the body.
    pub body_sealed: Vec<u8>,
}

/// Adds a message, due at once.
pub async fn insert<D: Database>(
    tx: &Tx<'_, D>,
    new: NewMessageRow<'_>,
    now: Timestamp,
) -> Result<(), DbError> {
    let params = [
        new.id.text().into(),
        new.receiver.into(),
        new.topic.into(),
        new.task.into(),
        new.body_sealed.into(),
        now.into(),
    ];
    tx.run(INSERT, &params).await.map(drop)
}

fn read_id(row: &Row, at: usize) -> Result<MessageId, DbError> {
    row.code(at, |text| MessageId::parse(text).ok())
}
