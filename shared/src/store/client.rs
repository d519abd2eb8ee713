//! Table `client`: business systems, their secrets, addresses and permissions.

use super::{Database, DbError, Row, Value, first};
use crate::domain::{ClientId, Timestamp};
use crate::vault::Column;

/// Sealed column: telephone number.
pub const PHONE: Column = Column("client.phone");
/// Sealed column: callback secret.
pub const CALLBACK_SECRET: Column = Column("client.callback_secret");

const INSERT: &str = "INSERT INTO client (id, name, phone_index, phone_sealed, ips, permissions, callback_url, \
    callback_secret_sealed, status, created_at, changed_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'active', $9, $9)";
const BY_ID: &str = "SELECT id, ips, permissions, callback_url, callback_secret_sealed, limits, tokens_from, status \
    FROM client WHERE id = $1";

/// A client as stored.
#[derive(Clone, Debug)]
pub struct ClientRow {
    /// Identifier.
    pub id: ClientId,
    /// JSON list of CIDR networks.
    pub ips: String,
    /// JSON list of permission names.
    pub permissions: String,
    /// Where callbacks go.
    pub callback_url: Option<String>,
    /// Sealed callback secret.
    pub callback_secret_sealed: Vec<u8>,
    /// Calls a minute that differ from the defaults: a JSON object from interface name to number.
    pub limits: String,
    /// Tokens handed out before this moment are refused.
    pub tokens_from: Timestamp,
    /// False when the client is disabled.
    pub active: bool,
}

/// What a new row is made of.
pub struct NewClientRow<'a> {
    /// Identifier.
    pub id: &'a ClientId,
    /// Name.
    pub name: &'a str,
    /// Blind index of the telephone number.
    pub phone_index: Value,
    /// Sealed telephone number.
    pub phone_sealed: Vec<u8>,
    /// JSON list of CIDR networks.
    pub ips: String,
    /// JSON list of permission names.
    pub permissions: String,
    /// Where callbacks go.
    pub callback_url: Option<&'a str>,
    /// Sealed callback secret.
    pub callback_secret_sealed: Vec<u8>,
}

/// Adds a client.
///
/// # Errors
/// Those of the database.
pub async fn insert<D: Database>(db: &D, new: NewClientRow<'_>, now: Timestamp) -> Result<(), DbError> {
    let params = [
        new.id.into(),
        new.name.into(),
        new.phone_index,
        new.phone_sealed.into(),
        new.ips.into(),
        new.permissions.into(),
        new.callback_url.into(),
        new.callback_secret_sealed.into(),
        now.into(),
    ];
    db.run(INSERT, &params).await.map(drop)
}

/// Finds a client.
///
/// # Errors
/// Those of the database.
pub async fn by_id<D: Database>(db: &D, id: &ClientId) -> Result<Option<ClientRow>, DbError> {
    first(&db.run(BY_ID, &[id.into()]).await?, read)
}

pub(super) fn read(row: &Row) -> Result<ClientRow, DbError> {
    Ok(ClientRow {
        id: row.client_id(0)?,
        ips: row.text(1)?.to_owned(),
        permissions: row.text(2)?.to_owned(),
        callback_url: row.optional(3, Row::text)?.map(str::to_owned),
        callback_secret_sealed: row.blob(4)?.to_owned(),
        limits: row.text(5)?.to_owned(),
        tokens_from: row.time(6)?,
        active: row.text(7)? == "active",
    })
}
