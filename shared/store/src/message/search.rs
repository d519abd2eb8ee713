//! Messages as administrators see them, and sending them again.

use super::read_id;
use crate::list::{Asked, ListedBy, Order, find_page, listed_by};
use crate::{Database, DbError, Row, Run as _, Tx, Value};
use domain::{MessageId, MessageState, Receiver, TaskId, Timestamp};
use vault::BlindIndex;

// The engine numbers parameters as they first occur.
macro_rules! listed {
    ($by:literal) => {
        listed_by!(
            "o.id" and concat!(
                " AS id, o.receiver_id AS receiver_id, o.topic AS topic, o.task_id AS task_id, ",
                state!("o"),
                " AS state, o.attempts AS attempts, o.next_at AS next_at, o.created_at AS created_at, \
                 CASE o.unaddressed WHEN 1 THEN NULL ELSE o.finished_at END AS finished_at, \
                 a.http_status AS http_status, a.error AS error"
            ),
            "message o" " LEFT JOIN message_attempt a ON a.message_id = o.id AND a.attempt = o.attempts",
            by $by and "",
            "o.id" from "$2" to "$3",
            concat!("(o.receiver_id = $4 OR $4 IS NULL) AND (", state!("o"), " = $5 OR $5 IS NULL)"),
            "o.id DESC" or "o.id",
            "$4",
            "$6"
        )
    };
}
const ALL: ListedBy = listed!("CAST($1 AS TEXT) IS NULL");
const OF_RECEIVER: ListedBy = listed!("o.receiver_id = $1");
const OF_TASK: ListedBy = listed!("o.task_id = $1");
const OF_CHIP: ListedBy = listed!("o.eid_index = $1");
// Dead messages, and those without an address, are few and have an index of their own.
const DEAD_OF_RECEIVER: ListedBy = listed!("o.state = 'dead' AND o.receiver_id = $1");

// Sent again from the beginning of the schedule; attempts continue their numbers.
macro_rules! resend {
    ($which:literal) => {
        concat!(
            "UPDATE message SET state = 'pending', unaddressed = 0, next_at = $1, lease_until = 0, attempts_from = attempts, \
             finished_at = NULL WHERE id IN (SELECT id FROM message WHERE ",
            $which,
            ") RETURNING id"
        )
    };
}
// Two searches, so that each uses its index however many messages were delivered meanwhile: pending ones are found by
// receiver and time, and an identifier with nothing added to it is not looked up. Messages in flight stay as they are.
const RESEND_UNDELIVERED: &str = resend!(
    "id IN (SELECT id FROM (SELECT id FROM message WHERE state = 'dead' AND receiver_id = $2 AND id >= $3 AND id < $4 \
     ORDER BY id LIMIT $5) AS dead UNION ALL SELECT id FROM (SELECT id FROM message WHERE state = 'pending' \
     AND lease_until <= $1 AND receiver_id = $2 AND id || '' >= $3 AND id || '' < $4 AND next_at > 0 \
     ORDER BY id || '' LIMIT $5) AS waiting) ORDER BY id LIMIT $5"
);
const RESEND_ALL: &str = resend!(
    "(state IN ('dead', 'delivered') OR state = 'pending' AND lease_until <= $1) AND receiver_id = $2 AND id >= $3 \
     AND id < $4 ORDER BY id LIMIT $5"
);
const RESEND_FAILED: &str = resend!(
    "state = 'dead' AND unaddressed = 0 AND finished_at >= $2 AND (receiver_id = $3 OR $3 IS NULL) ORDER BY finished_at, id LIMIT $4"
);

/// A message as administrators see it, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRow {
    /// Identifier.
    pub id: MessageId,
    /// Whom it goes to.
    pub receiver: Receiver,
    /// What it is about.
    pub topic: String,
    /// The task it is about.
    pub task_id: Option<TaskId>,
    /// State of the message.
    pub state: MessageState,
    /// Attempts begun.
    pub attempts: u32,
    /// When the next attempt is due.
    pub next_at: Timestamp,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was delivered or became dead.
    pub finished_at: Option<Timestamp>,
    /// HTTP status of the last attempt, if there was an answer.
    pub http_status: Option<u32>,
    /// Why the last attempt failed, if it failed.
    pub error: Option<String>,
}

/// Conditions of a search.
#[derive(Clone, Copy, Debug, Default)]
pub struct MessageQuery<'a> {
    /// Identifiers from here on; they begin with their time.
    pub from: Option<MessageId>,
    /// Identifiers below this.
    pub below: Option<MessageId>,
    /// State of the message.
    pub state: Option<MessageState>,
    /// The receiver.
    pub receiver: Option<&'a Receiver>,
    /// The task that it is about.
    pub task_id: Option<TaskId>,
    /// The chip whose change of state it tells.
    pub eid_index: Option<BlindIndex>,
    /// The order of identifiers.
    pub order: Order,
    /// Most rows.
    pub limit: u32,
}

/// Which messages to send again.
#[derive(Clone, Copy, Debug)]
pub struct Resend<'a> {
    /// The receiver.
    pub receiver: &'a Receiver,
    /// Identifiers from here on.
    pub from: MessageId,
    /// Identifiers below this.
    pub below: MessageId,
    /// Includes delivered messages.
    pub delivered_too: bool,
    /// Most rows.
    pub limit: u32,
}

/// A page of messages in the order of their identifiers, and the identifier after which the next one begins.
pub async fn search<D: Database>(
    db: &D,
    query: &MessageQuery<'_>,
) -> Result<(Vec<MessageRow>, Option<MessageId>), DbError> {
    let (list, by, is_of_receiver) = match (query.task_id, query.eid_index, query.receiver, query.state) {
        (Some(task), ..) => (OF_TASK, task.text().into(), false),
        (None, Some(chip), ..) => (OF_CHIP, chip.into(), false),
        (None, None, Some(receiver), Some(MessageState::Dead | MessageState::Unaddressed)) => {
            (DEAD_OF_RECEIVER, receiver.into(), true)
        }
        (None, None, Some(receiver), _) => (OF_RECEIVER, receiver.into(), true),
        (None, None, None, _) => (ALL, Value::Null, false),
    };
    let below = vec![query.below.unwrap_or_else(MessageId::last).text().into()];
    let from = vec![query.from.map_or_else(String::new, |id| id.text()).into()];
    let asked = Asked {
        by,
        span: match query.order {
            Order::Descending => [below, from],
            Order::Ascending => [from, below],
        },
        order: query.order,
        others: vec![
            query.receiver.filter(|_| !is_of_receiver).into(),
            query.state.map(MessageState::code).into(),
        ],
        limit: query.limit,
    };
    let (rows, next) = find_page(db, list, asked).await?;
    let messages = rows.iter().map(read).collect::<Result<_, _>>()?;
    let next = next.as_ref().map(|row| read_id(row, 0)).transpose()?;
    Ok((messages, next))
}

/// Restarts messages of a receiver that are not in flight, the earliest first; returns their identifiers.
pub async fn resend<D: Database>(
    tx: &Tx<'_, D>,
    which: &Resend<'_>,
    now: Timestamp,
) -> Result<Vec<MessageId>, DbError> {
    let params = [
        now.into(),
        which.receiver.into(),
        which.from.text().into(),
        which.below.text().into(),
        i64::from(which.limit).into(),
    ];
    let sql = if which.delivered_too {
        RESEND_ALL
    } else {
        RESEND_UNDELIVERED
    };
    tx.run(sql, &params)
        .await?
        .iter()
        .map(|row| read_id(row, 0))
        .collect()
}

/// Restarts up to `limit` messages that became dead since `since`, of one receiver or of all; returns how many.
pub async fn resend_failed<D: Database>(
    tx: &Tx<'_, D>,
    receiver: Option<&Receiver>,
    since: Timestamp,
    limit: u32,
    now: Timestamp,
) -> Result<usize, DbError> {
    let params = [now.into(), since.into(), receiver.into(), i64::from(limit).into()];
    Ok(tx.run(RESEND_FAILED, &params).await?.len())
}

fn read(row: &Row) -> Result<MessageRow, DbError> {
    Ok(MessageRow {
        id: read_id(row, 0)?,
        receiver: row.receiver(1)?,
        topic: row.text(2)?.to_owned(),
        task_id: row.optional(3, Row::task_id)?,
        state: row.code(4, MessageState::from_code)?,
        attempts: row.count(5)?,
        next_at: row.time(6)?,
        created_at: row.time(7)?,
        finished_at: row.optional(8, Row::time)?,
        http_status: row.optional(9, Row::count)?,
        error: row.optional(10, Row::text)?.map(str::to_owned),
    })
}
