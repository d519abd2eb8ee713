//! Table `message`: messages to receivers. A message is added in the transaction that changes its subject, and is
//! kept.
//!
//! `receiver_queue.rs` finds and claims due messages, `delivery.rs` records results, `search.rs` finds messages and
//! sends them again.

/// The state of a message. Its column says `dead` of what waits for an address too, so that nobody sends that.
macro_rules! state {
    ($table:literal) => {
        concat!(
            "CASE ",
            $table,
            ".unaddressed WHEN 1 THEN 'unaddressed' ELSE ",
            $table,
            ".state END"
        )
    };
}

mod delivery;
mod receiver_queue;
mod search;

pub use delivery::{
    MessageDelivery, delivery, purge, release, restart, set_dead, set_delivered, set_retry, set_unaddressed,
};
pub use receiver_queue::{
    ClaimedRow, DueRow, QueueQuery, ReceiverQueue, claim, due, expire_unreported, in_flight, postpone,
    receiver_queues,
};
pub use search::{MessageQuery, MessageRow, Resend, resend, resend_failed, search};

use super::{Database, DbError, Row, Statement, Tx};
use domain::{MessageId, Receiver, TaskId, Timestamp};
use vault::{BlindIndex, Column};

/// Sealed column: the fields of the body. It keeps the name under which it was sealed first.
pub const BODY: Column = Column("outbox.body");

const INSERT: Statement = Statement::new(
    "INSERT INTO message (id, receiver_id, topic, task_id, body_sealed, state, attempts, next_at, \
    lease_until, created_at, eid_index, chip_seq, unaddressed, finished_at) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, 0, \
    $7, $8, (SELECT COALESCE(MAX(seq), 0) FROM card_history WHERE eid_index = $8), $9, $10)",
    "SELECT message_insert($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
);

/// What a new row is made of.
pub struct NewMessageRow<'a> {
    /// Identifier.
    pub id: MessageId,
    /// Whom it goes to.
    pub receiver: &'a Receiver,
    /// What it is about.
    pub topic: &'a str,
    /// The task it is about.
    pub task: Option<TaskId>,
    /// The chip it is about; its latest step is the one that the message tells. Messages about one chip are sent one
    /// after the other, in the order of their steps.
    pub chip: Option<&'a BlindIndex>,
    /// Whether the receiver has an address. Without one the message waits until somebody asks for it.
    pub is_addressed: bool,
    /// Sealed fields of the body.
    pub body_sealed: Vec<u8>,
}

/// Adds a message, due at once if its receiver has an address.
pub async fn insert<D: Database>(
    tx: &Tx<'_, D>,
    new: NewMessageRow<'_>,
    now: Timestamp,
) -> Result<(), DbError> {
    if let Some(chip) = new.chip {
        tx.write_of_others("card_history", &chip.into()).await?;
    }
    let params = vec![
        new.id.text().into(),
        new.receiver.into(),
        new.topic.into(),
        new.task.into(),
        new.body_sealed.into(),
        if new.is_addressed { "pending" } else { "dead" }.into(),
        now.into(),
        new.chip.into(),
        (!new.is_addressed).into(),
        Some(now).filter(|_| !new.is_addressed).into(),
    ];
    tx.later("message", INSERT, params).await
}

fn read_id(row: &Row, at: usize) -> Result<MessageId, DbError> {
    row.code(at, |text| MessageId::parse(text).ok())
}
