//! Table `message_attempt`: each attempt to send a message, and its result.

use super::{Database, DbError, Run as _, Tx, first};
use domain::{MessageId, Timestamp};

const INSERT: &str = "INSERT INTO message_attempt (message_id, attempt, started_at) VALUES ($1, $2, $3)";
const FINISH: &str = "UPDATE message_attempt SET finished_at = $1, accepted = $2, http_status = $3, error = $4 \
    WHERE message_id = $5 AND attempt = $6 AND finished_at IS NULL RETURNING started_at";

/// Records that an attempt begins.
pub async fn insert<D: Database>(
    tx: &Tx<'_, D>,
    id: MessageId,
    attempt: u32,
    now: Timestamp,
) -> Result<(), DbError> {
    tx.run(INSERT, &[id.text().into(), i64::from(attempt).into(), now.into()])
        .await
        .map(drop)
}

/// Records the result of an attempt and returns when it began; `None` when there is no such attempt or it has a result.
pub async fn finish<D: Database>(
    tx: &Tx<'_, D>,
    id: MessageId,
    attempt: u32,
    accepted: bool,
    http_status: Option<u16>,
    error: Option<&str>,
    now: Timestamp,
) -> Result<Option<Timestamp>, DbError> {
    let params = [
        now.into(),
        accepted.into(),
        http_status.map(i64::from).into(),
        error.into(),
        id.text().into(),
        i64::from(attempt).into(),
    ];
    first(&tx.run(FINISH, &params).await?, |row| row.time(0))
}
