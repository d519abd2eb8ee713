//! Table `client_secret`: the secrets with which clients take tokens (§7.2.1, §9.2.1).
//!
//! A secret is live until it is revoked or its overlap with its successor is over.

use super::client::{self, ClientRow};
use super::{Database, DbError, Row, Run as _, Tx, first};
use domain::{ClientId, Timestamp};

const INSERT: &str =
    "INSERT INTO client_secret (client_id, generation, hash, created_at) VALUES ($1, $2, $3, $4)";
const OF_CLIENT: &str = "SELECT generation, hash, created_at, expires_at, revoked_at FROM client_secret \
    WHERE client_id = $1 ORDER BY generation DESC LIMIT 16";
const EXPIRE: &str = "UPDATE client_secret SET expires_at = $1 WHERE client_id = $2 AND generation = $3 \
    AND (expires_at IS NULL OR expires_at > $1) AND revoked_at IS NULL RETURNING generation";
const REVOKE: &str = "UPDATE client_secret SET revoked_at = $1 WHERE client_id = $2 AND generation = $3 \
    AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1) RETURNING generation";
const REVOKE_ALL: &str = "UPDATE client_secret SET revoked_at = $1 WHERE client_id = $2 AND revoked_at IS NULL \
    AND (expires_at IS NULL OR expires_at > $1) RETURNING generation";
const STORE_ANEW: &str =
    "UPDATE client_secret SET hash = $1 WHERE client_id = $2 AND generation = $3 AND hash = $4";

// Read by every call of a client: the client, and the secret that its token was taken with.
const WITH_CLIENT: &str = "SELECT c.id, c.ips, c.permissions, c.limits, c.tokens_from, c.status, s.generation, s.hash, \
    s.created_at, s.expires_at, s.revoked_at FROM client_secret s JOIN client c ON c.id = s.client_id \
    WHERE s.client_id = $1 AND s.generation = $2";

/// A secret as stored.
#[derive(Clone, Debug)]
pub struct SecretRow {
    /// Counts the secrets of the client, from 1; tokens name it.
    pub generation: i64,
    /// Its hash.
    pub hash: Vec<u8>,
    /// When it was created.
    pub created_at: Timestamp,
    /// End of its overlap with its successor.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl SecretRow {
    /// Whether the secret, and tokens taken with it, are valid at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// Adds a secret.
pub async fn insert<D: Database>(
    tx: &Tx<'_, D>,
    client: &ClientId,
    generation: i64,
    hash: &[u8],
    now: Timestamp,
) -> Result<(), DbError> {
    let params = [client.into(), generation.into(), hash.into(), now.into()];
    tx.run(INSERT, &params).await.map(drop)
}

/// The latest secrets of a client, the newest first.
pub async fn of_client<D: Database>(db: &D, client: &ClientId) -> Result<Vec<SecretRow>, DbError> {
    db.run(OF_CLIENT, &[client.into()])
        .await?
        .iter()
        .map(read)
        .collect()
}

/// A client together with one of its secrets.
pub async fn with_client<D: Database>(
    db: &D,
    client: &ClientId,
    generation: i64,
) -> Result<Option<(ClientRow, SecretRow)>, DbError> {
    let rows = db.run(WITH_CLIENT, &[client.into(), generation.into()]).await?;
    first(&rows, |row| Ok((client::read(row)?, read_from(row, 6)?)))
}

/// Sets the end of a secret to `end`. False when it ends earlier already.
pub async fn expire<D: Database>(
    tx: &Tx<'_, D>,
    client: &ClientId,
    generation: i64,
    end: Timestamp,
) -> Result<bool, DbError> {
    let params = [end.into(), client.into(), generation.into()];
    Ok(!tx.run(EXPIRE, &params).await?.is_empty())
}

/// Revokes a live secret. False when there is no such secret.
pub async fn revoke<D: Database>(
    tx: &Tx<'_, D>,
    client: &ClientId,
    generation: i64,
    now: Timestamp,
) -> Result<bool, DbError> {
    let params = [now.into(), client.into(), generation.into()];
    Ok(!tx.run(REVOKE, &params).await?.is_empty())
}

/// Revokes every live secret of a client. Returns how many.
pub async fn revoke_all<D: Database>(
    tx: &Tx<'_, D>,
    client: &ClientId,
    now: Timestamp,
) -> Result<usize, DbError> {
    Ok(tx.run(REVOKE_ALL, &[now.into(), client.into()]).await?.len())
}

/// Stores another hash of the same secret, unless that has happened already.
pub async fn store_anew<D: Database>(
    tx: &Tx<'_, D>,
    client: &ClientId,
    secret: &SecretRow,
    hash: &[u8],
) -> Result<(), DbError> {
    let params = [
        hash.into(),
        client.into(),
        secret.generation.into(),
        secret.hash.as_slice().into(),
    ];
    tx.run(STORE_ANEW, &params).await.map(drop)
}

fn read(row: &Row) -> Result<SecretRow, DbError> {
    read_from(row, 0)
}

fn read_from(row: &Row, at: usize) -> Result<SecretRow, DbError> {
    Ok(SecretRow {
        generation: row.integer(at)?,
        hash: row.blob(at + 1)?.to_owned(),
        created_at: row.time(at + 2)?,
        expires_at: row.optional(at + 3, Row::time)?,
        revoked_at: row.optional(at + 4, Row::time)?,
    })
}
