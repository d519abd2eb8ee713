//! Table `receiver_secret`: the secrets that sign messages to a receiver (§9.2.2).
//!
//! A secret is live until its overlap with its successor is over.

use super::{Database, DbError, Row, Run as _, Tx};
use domain::{Receiver, Timestamp};
use vault::Column;

/// Sealed column: the secret. It keeps the name of the column for which it was first sealed.
pub const SECRET: Column = Column("client.callback_secret");

const INSERT: &str = "INSERT INTO receiver_secret (receiver_id, generation, secret_sealed, created_at) \
    VALUES ($1, $2, $3, $4)";
const LATEST: &str = "SELECT generation, secret_sealed, created_at, expires_at FROM receiver_secret \
    WHERE receiver_id = $1 ORDER BY generation DESC LIMIT 16";
const EXPIRE: &str = "UPDATE receiver_secret SET expires_at = $1 WHERE receiver_id = $2 AND generation = $3";

/// A secret as stored.
#[derive(Clone, Debug)]
pub struct ReceiverSecretRow {
    /// Counts the secrets of the receiver, from 1.
    pub generation: i64,
    /// The sealed secret.
    pub secret_sealed: Vec<u8>,
    /// When it was created.
    pub created_at: Timestamp,
    /// End of its overlap with its successor.
    pub expires_at: Option<Timestamp>,
}

impl ReceiverSecretRow {
    /// Whether messages are signed with it.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// Adds a secret.
pub async fn insert<D: Database>(
    tx: &Tx<'_, D>,
    receiver: &Receiver,
    generation: i64,
    secret_sealed: Vec<u8>,
    now: Timestamp,
) -> Result<(), DbError> {
    let params = [
        receiver.into(),
        generation.into(),
        secret_sealed.into(),
        now.into(),
    ];
    tx.run(INSERT, &params).await.map(drop)
}

/// The latest secrets, the newest first.
pub async fn latest<D: Database>(db: &D, receiver: &Receiver) -> Result<Vec<ReceiverSecretRow>, DbError> {
    db.run(LATEST, &[receiver.into()])
        .await?
        .iter()
        .map(read)
        .collect()
}

/// Ends a secret at `at`.
pub async fn expire<D: Database>(
    tx: &Tx<'_, D>,
    receiver: &Receiver,
    generation: i64,
    at: Timestamp,
) -> Result<(), DbError> {
    let params = [at.into(), receiver.into(), generation.into()];
    tx.run(EXPIRE, &params).await.map(drop)
}

fn read(row: &Row) -> Result<ReceiverSecretRow, DbError> {
    Ok(ReceiverSecretRow {
        generation: row.integer(0)?,
        secret_sealed: row.blob(1)?.to_owned(),
        created_at: row.time(2)?,
        expires_at: row.optional(3, Row::time)?,
    })
}
