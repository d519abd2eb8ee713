//! What a client has under way, of several tables: its open tasks, and the messages that wait to be sent to it.

use super::{Database, DbError, Row, Run as _, first};
use domain::{ClientId, TaskId};

// What is added to the identifier keeps the engine to the open tasks, away from the many of the client that have ended.
const UNDER_WAY: &str = "SELECT \
    (SELECT COUNT(*) FROM (SELECT 1 AS n FROM task WHERE state = 'waiting' AND client_id || '' = $1 LIMIT $2) AS t) AS waiting, \
    (SELECT COUNT(*) FROM (SELECT 1 AS n FROM task WHERE state = 'writing' AND client_id || '' = $1 LIMIT $2) AS t) AS writing, \
    (SELECT COUNT(*) FROM (SELECT 1 AS n FROM message WHERE state = 'pending' AND receiver_id = $1 LIMIT $2) AS m) AS pending";

const WAITING: &str =
    "SELECT id FROM task WHERE state = 'waiting' AND client_id || '' = $1 ORDER BY id LIMIT $2";
const ALLOTTED: &str = "SELECT lower(hex(iccid_index)) AS iccid FROM number WHERE status = 'allotted' \
    AND client_id || '' = $1 AND eid_index IS NULL AND replaces_index IS NULL ORDER BY imported_at, iccid_index LIMIT $2";

/// What a client has under way. No count is larger than the limit that was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientWork {
    /// Cards that wait for power-up.
    pub cards_waiting: u32,
    /// Cards that are being written.
    pub cards_writing: u32,
    /// Messages that are not delivered yet.
    pub messages_pending: u32,
}

/// Counts what a client has under way, up to `limit` of each kind.
pub async fn under_way<D: Database>(db: &D, client: &ClientId, limit: u32) -> Result<ClientWork, DbError> {
    let rows = db
        .run(UNDER_WAY, &[client.into(), i64::from(limit).into()])
        .await?;
    first(&rows, read)?.ok_or_else(|| DbError::Shape("no counts".to_owned()))
}

/// Up to `limit` tasks of a client that wait for power-up, the oldest first.
pub async fn waiting_tasks<D: Database>(
    db: &D,
    client: &ClientId,
    limit: u32,
) -> Result<Vec<TaskId>, DbError> {
    let rows = db.run(WAITING, &[client.into(), i64::from(limit).into()]).await?;
    rows.iter().map(|row| row.task_id(0)).collect()
}

/// Up to `limit` numbers that are allotted to a client and that no card has, as hexadecimal indexes of their ICCIDs. A data card
/// whose MSISDN another card has is not among them: the pool must not give it away.
pub async fn allotted_numbers<D: Database>(
    db: &D,
    client: &ClientId,
    limit: u32,
) -> Result<Vec<String>, DbError> {
    let rows = db
        .run(ALLOTTED, &[client.into(), i64::from(limit).into()])
        .await?;
    rows.iter().map(|row| row.text(0).map(str::to_owned)).collect()
}

fn read(row: &Row) -> Result<ClientWork, DbError> {
    Ok(ClientWork {
        cards_waiting: row.count(0)?,
        cards_writing: row.count(1)?,
        messages_pending: row.count(2)?,
    })
}
