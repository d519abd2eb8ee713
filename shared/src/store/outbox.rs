//! Table `outbox`: callbacks, added in the transaction that changes the state they tell of, and kept.

use super::{Database, DbError, Row, first};
use crate::domain::{CallbackId, ClientId, TaskId, Timestamp};
use crate::vault::Column;

/// Sealed column: the fields of the body.
pub const BODY: Column = Column("outbox.body");

const INSERT: &str = "INSERT INTO outbox (id, client_id, task_id, body_sealed, state, attempts, next_at, lease_until, \
    created_at) VALUES ($1, $2, $3, $4, 'pending', 0, $5, 0, $5)";
// Fresh callbacks go before repeated ones: a receiver that fails does not keep others from their first attempt.
const CLAIM: &str = "UPDATE outbox SET attempts = attempts + 1, lease_until = $1 WHERE state = 'pending' \
    AND lease_until <= $2 AND id IN (SELECT id FROM outbox WHERE state = 'pending' AND next_at <= $2 \
    AND lease_until <= $2 AND attempts < $3 ORDER BY attempts, next_at, id LIMIT $4) \
    RETURNING id, client_id, body_sealed, attempts";
const BURY: &str = "UPDATE outbox SET state = 'dead', finished_at = $1 WHERE state = 'pending' AND id IN \
    (SELECT id FROM outbox WHERE state = 'pending' AND next_at <= $1 AND lease_until <= $1 AND attempts >= $2 \
    ORDER BY next_at, id LIMIT $3) RETURNING id";
const STATE: &str = "SELECT state, attempts, next_at FROM outbox WHERE id = $1";
const DELIVERED: &str = "UPDATE outbox SET state = 'delivered', finished_at = $1 WHERE id = $2 \
    AND state IN ('pending', 'dead') RETURNING id";
const RETRY: &str = "UPDATE outbox SET next_at = $1, lease_until = 0 WHERE id = $2 AND state = 'pending' \
    AND attempts = $3 RETURNING id";
const DEAD: &str = "UPDATE outbox SET state = 'dead', finished_at = $1 WHERE id = $2 AND state = 'pending' \
    AND attempts = $3 RETURNING id";

const LATEST: &str = "SELECT o.id AS id, o.client_id AS client_id, o.task_id AS task_id, o.state AS state, \
    o.attempts AS attempts, o.next_at AS next_at, o.created_at AS created_at, o.finished_at AS finished_at, \
    a.http_status AS http_status, a.error AS error FROM outbox o \
    LEFT JOIN outbox_attempt a ON a.outbox_id = o.id AND a.attempt = o.attempts \
    ORDER BY o.created_at DESC, o.id DESC LIMIT $1";

/// A callback that was claimed for sending.
#[derive(Clone, Debug)]
pub struct ClaimedRow {
    /// Identifier.
    pub id: CallbackId,
    /// Whom it goes to.
    pub client_id: ClientId,
    /// Sealed fields of the body.
    pub body_sealed: Vec<u8>,
    /// Number of this attempt.
    pub attempt: u32,
}

/// State of a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboxState {
    /// To be sent, or being sent.
    Pending,
    /// The receiver has it.
    Delivered,
    /// All attempts are used up.
    Dead,
}

impl OutboxState {
    const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Dead];

    /// Text stored in the database.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// Where a callback stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// State.
    pub state: OutboxState,
    /// Attempts begun.
    pub attempts: u32,
    /// When the next is due.
    pub next_at: Timestamp,
}

/// Adds a callback, due at once.
///
/// # Errors
/// Those of the database.
pub async fn insert<D: Database>(
    db: &D,
    id: CallbackId,
    client: &ClientId,
    task: TaskId,
    body_sealed: Vec<u8>,
    now: Timestamp,
) -> Result<(), DbError> {
    let params = [
        id.text().into(),
        client.into(),
        task.into(),
        body_sealed.into(),
        now.into(),
    ];
    db.run(INSERT, &params).await.map(drop)
}

/// Claims up to `limit` due callbacks until `lease_until`; each counts as an attempt.
///
/// # Errors
/// Those of the database.
pub async fn claim<D: Database>(
    db: &D,
    limit: i64,
    max_attempts: i64,
    lease_until: Timestamp,
    now: Timestamp,
) -> Result<Vec<ClaimedRow>, DbError> {
    let params = [lease_until.into(), now.into(), max_attempts.into(), limit.into()];
    db.run(CLAIM, &params).await?.iter().map(read_claimed).collect()
}

/// Gives up to `limit` callbacks up whose last attempt was claimed and never reported.
///
/// # Errors
/// Those of the database.
pub async fn bury<D: Database>(
    db: &D,
    limit: i64,
    max_attempts: i64,
    now: Timestamp,
) -> Result<Vec<CallbackId>, DbError> {
    let rows = db
        .run(BURY, &[now.into(), max_attempts.into(), limit.into()])
        .await?;
    rows.iter()
        .map(|row| row.code(0, |text| CallbackId::parse(text).ok()))
        .collect()
}

/// Where a callback stands.
///
/// # Errors
/// Those of the database.
pub async fn standing<D: Database>(db: &D, id: CallbackId) -> Result<Option<Standing>, DbError> {
    let state = |code: &str| match code {
        "pending" => Some(OutboxState::Pending),
        "delivered" => Some(OutboxState::Delivered),
        "dead" => Some(OutboxState::Dead),
        _ => None,
    };
    first(&db.run(STATE, &[id.text().into()]).await?, |row| {
        Ok(Standing {
            state: row.code(0, state)?,
            attempts: row.count(1)?,
            next_at: row.time(2)?,
        })
    })
}

/// Marks a callback as delivered, also when it had been given up.
///
/// # Errors
/// Those of the database.
pub async fn set_delivered<D: Database>(db: &D, id: CallbackId, now: Timestamp) -> Result<bool, DbError> {
    Ok(!db
        .run(DELIVERED, &[now.into(), id.text().into()])
        .await?
        .is_empty())
}

/// Plans the attempt after `attempt`. False when another attempt has begun since.
///
/// # Errors
/// Those of the database.
pub async fn set_retry<D: Database>(
    db: &D,
    id: CallbackId,
    attempt: u32,
    at: Timestamp,
) -> Result<bool, DbError> {
    let params = [at.into(), id.text().into(), i64::from(attempt).into()];
    Ok(!db.run(RETRY, &params).await?.is_empty())
}

/// Gives a callback up after `attempt`. False when another attempt has begun since.
///
/// # Errors
/// Those of the database.
pub async fn set_dead<D: Database>(
    db: &D,
    id: CallbackId,
    attempt: u32,
    now: Timestamp,
) -> Result<bool, DbError> {
    let params = [now.into(), id.text().into(), i64::from(attempt).into()];
    Ok(!db.run(DEAD, &params).await?.is_empty())
}

fn read_claimed(row: &Row) -> Result<ClaimedRow, DbError> {
    Ok(ClaimedRow {
        id: row.code(0, |text| CallbackId::parse(text).ok())?,
        client_id: row.client_id(1)?,
        body_sealed: row.blob(2)?.to_owned(),
        attempt: row.count(3)?,
    })
}

/// A callback as an operator sees it: everything but its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackRow {
    /// Identifier.
    pub id: CallbackId,
    /// Whom it goes to.
    pub client_id: ClientId,
    /// The task it tells of.
    pub task_id: TaskId,
    /// State and attempts.
    pub standing: Standing,
    /// When it came into being.
    pub created_at: Timestamp,
    /// When it was delivered or given up, if it was.
    pub finished_at: Option<Timestamp>,
    /// HTTP status of the last attempt, if there was an answer.
    pub http_status: Option<u32>,
    /// Why the last attempt failed, if it did.
    pub error: Option<String>,
}

/// The latest `limit` callbacks, the latest first.
///
/// # Errors
/// Those of the database.
pub async fn latest<D: Database>(db: &D, limit: i64) -> Result<Vec<CallbackRow>, DbError> {
    db.run(LATEST, &[limit.into()])
        .await?
        .iter()
        .map(read_latest)
        .collect()
}

fn read_latest(row: &Row) -> Result<CallbackRow, DbError> {
    Ok(CallbackRow {
        id: row.code(0, |text| CallbackId::parse(text).ok())?,
        client_id: row.client_id(1)?,
        task_id: row.task_id(2)?,
        standing: Standing {
            state: row.code(3, OutboxState::from_code)?,
            attempts: row.count(4)?,
            next_at: row.time(5)?,
        },
        created_at: row.time(6)?,
        finished_at: row.optional(7, Row::time)?,
        http_status: row.optional(8, Row::count)?,
        error: row.optional(9, Row::text)?.map(str::to_owned),
    })
}
