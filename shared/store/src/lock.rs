//! Locks of rows, for engines with several writers. Whoever decides by what it reads of a chip, a receiver or a client
//! takes the lock first, in its transaction and in a statement of its own: a statement that waits for a lock reads what
//! else it reads as it was before. An application and the opening of a session read the chip with a function that takes
//! the lock first (see [`super::card_facts`]).
//!
//! SQLite has one writer, so there is nothing to lock, and nothing runs.

use super::{Database, DbError, Run as _, Statement, Tx, Value};
use domain::{ClientId, Receiver, SessionId, TaskId};
use vault::BlindIndex;

// Not FOR UPDATE: rows of other tables that name this one can be added meanwhile.
const CHIP: Statement =
    Statement::of_postgres("SELECT 1 AS n FROM chip WHERE eid_index = $1 FOR NO KEY UPDATE");
const CHIP_OF_TASK: Statement = Statement::of_postgres(
    "SELECT 1 AS n FROM chip WHERE eid_index = (SELECT eid_index FROM task WHERE id = $1) FOR NO KEY UPDATE",
);
const CHIP_OF_SESSION: Statement = Statement::of_postgres(
    "SELECT 1 AS n FROM chip WHERE eid_index = (SELECT eid_index FROM device_session WHERE id = $1) FOR NO KEY UPDATE",
);
const RECEIVER: Statement =
    Statement::of_postgres("SELECT 1 AS n FROM receiver WHERE id = $1 FOR NO KEY UPDATE");
const CLIENT: Statement = Statement::of_postgres("SELECT 1 AS n FROM client WHERE id = $1 FOR NO KEY UPDATE");
const NUMBERS: Statement = Statement::of_postgres(
    "WITH batch (key) AS MATERIALIZED (SELECT unhex(value ->> 1) FROM json_each($1)) \
     SELECT 1 AS n FROM number WHERE iccid_index IN (SELECT iccid_index FROM number JOIN batch ON iccid_index = key \
     UNION ALL SELECT iccid_index FROM number JOIN batch ON msisdn_index = key) ORDER BY iccid_index FOR NO KEY UPDATE",
);
const POOLS: Statement =
    Statement::of_postgres("SELECT CAST(pg_advisory_xact_lock(8246734120) AS TEXT) AS locked");
const STAFF: Statement =
    Statement::of_postgres("SELECT CAST(pg_advisory_xact_lock(8246734125) AS TEXT) AS locked");

/// Keeps a chip, its tasks and its sessions for this transaction.
pub async fn chip<D: Database>(tx: &Tx<'_, D>, eid_index: &BlindIndex) -> Result<(), DbError> {
    take(tx, CHIP, eid_index.into()).await
}

/// Keeps the chip of a task.
pub async fn chip_of_task<D: Database>(tx: &Tx<'_, D>, task: TaskId) -> Result<(), DbError> {
    take(tx, CHIP_OF_TASK, task.into()).await
}

/// Keeps the chip of a session.
pub async fn chip_of_session<D: Database>(tx: &Tx<'_, D>, session: SessionId) -> Result<(), DbError> {
    take(tx, CHIP_OF_SESSION, session.text().into()).await
}

/// Keeps a receiver: how many of its messages are in flight, its address and its secrets.
pub async fn receiver<D: Database>(tx: &Tx<'_, D>, receiver: &Receiver) -> Result<(), DbError> {
    take(tx, RECEIVER, receiver.into()).await
}

/// Keeps a client and its secrets.
pub async fn client<D: Database>(tx: &Tx<'_, D>, client: &ClientId) -> Result<(), DbError> {
    take(tx, CLIENT, client.into()).await
}

/// Keeps the numbers of a batch `[[…, key], …]`; a key is the blind index of ICCID or MSISDN in hexadecimal.
pub async fn numbers<D: Database>(tx: &Tx<'_, D>, batch: String) -> Result<(), DbError> {
    take(tx, NUMBERS, batch.into()).await
}

/// Keeps what is decided by all pools together.
pub async fn pools<D: Database>(tx: &Tx<'_, D>) -> Result<(), DbError> {
    tx.run(POOLS, &[]).await.map(drop)
}

/// Keeps what is decided by all accounts and roles of staff together: who the last system administrator is, which role is
/// in use.
pub async fn staff<D: Database>(tx: &Tx<'_, D>) -> Result<(), DbError> {
    tx.run(STAFF, &[]).await.map(drop)
}

async fn take<D: Database>(tx: &Tx<'_, D>, sql: Statement, key: Value) -> Result<(), DbError> {
    tx.run(sql, &[key]).await.map(drop)
}
