//! Table `client`: business systems, the networks they call from and the interfaces they may call.

use super::destruction::purge_all;
use super::{Database, DbError, Row, Run as _, Tx, Value, first};
use domain::{ClientId, StopCause, Timestamp};
use vault::Column;

/// Sealed column: telephone number.
pub const PHONE: Column = Column("client.phone");

const INSERT: &str = "INSERT INTO client (id, name, phone_index, phone_sealed, ips, permissions, status, created_at, \
    changed_at) VALUES ($1, $2, $3, $4, $5, $6, 'active', $7, $7)";
const BY_ID: &str = "SELECT id, ips, permissions, limits, tokens_from, status FROM client WHERE id = $1";

const CHANGE: &str = "UPDATE client SET name = COALESCE($1, name), ips = COALESCE($2, ips), \
    permissions = COALESCE($3, permissions), limits = COALESCE($4, limits), status = COALESCE($5, status), \
    changed_at = $6 WHERE id = $7 RETURNING id";
const REFUSE_TOKENS_BEFORE: &str =
    "UPDATE client SET tokens_from = $1, changed_at = $2 WHERE id = $3 AND tokens_from <= $1 RETURNING id";
const CLOSE: &str =
    "UPDATE client SET closed_at = $1, changed_at = $1 WHERE id = $2 AND closed_at IS NULL RETURNING id";
const CLOSED: &str =
    "SELECT CASE WHEN closed_at IS NULL THEN 0 ELSE 1 END AS closed FROM client WHERE id = $1";
const LIST: &str = "SELECT c.id AS id, c.name AS name, c.phone_sealed AS phone_sealed, c.ips AS ips, \
    c.permissions AS permissions, r.url AS url, c.limits AS limits, c.status AS status, c.created_at AS created_at, \
    c.changed_at AS changed_at, r.failing_since AS failing_since, r.stopped_at AS stopped_at, \
    r.stopped_for AS stopped_for, r.held_at AS held_at, \
    c.closed_at AS closed_at FROM client c LEFT JOIN receiver r ON r.id = c.id \
    WHERE (c.id = $1 OR $1 IS NULL) AND (c.id > $2 OR $2 IS NULL) ORDER BY c.id LIMIT $3";

// Whoever has something on the platform, or an open incident, stays.
const PURGED: &str = "SELECT c.id FROM client c WHERE c.status = 'disabled' AND c.changed_at < $1 \
    AND NOT EXISTS (SELECT 1 FROM chip WHERE chip.client_id = c.id) \
    AND NOT EXISTS (SELECT 1 FROM number n WHERE n.client_id = c.id) \
    AND NOT EXISTS (SELECT 1 FROM task t WHERE t.client_id = c.id) \
    AND NOT EXISTS (SELECT 1 FROM message m WHERE m.receiver_id = c.id) \
    AND NOT EXISTS (SELECT 1 FROM incident i WHERE i.closed_at IS NULL \
    AND i.subject IN ('client:' || c.id, 'receiver:' || c.id)) ORDER BY c.id LIMIT $2";
const PURGE: [&str; 4] = [
    "DELETE FROM receiver_secret WHERE receiver_id IN (SELECT value FROM json_each($1))",
    "DELETE FROM receiver WHERE id IN (SELECT value FROM json_each($1))",
    "DELETE FROM client_secret WHERE client_id IN (SELECT value FROM json_each($1))",
    "DELETE FROM client WHERE id IN (SELECT value FROM json_each($1))",
];

/// A client as stored.
#[derive(Clone, Debug)]
pub struct ClientRow {
    /// Identifier.
    pub id: ClientId,
    /// JSON list of CIDR networks.
    pub ips: String,
    /// JSON list of permission names.
    pub permissions: String,
    /// Limits in calls a minute that differ from the defaults: a JSON object from interface name to number.
    pub limits: String,
    /// Tokens issued before this time are refused.
    pub tokens_from: Timestamp,
    /// False when the client is disabled.
    pub active: bool,
}

/// The values of a new row.
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
}

/// What to change in a row; `None` leaves a column alone.
pub struct ClientChangeRow<'a> {
    /// Name.
    pub name: Option<&'a str>,
    /// JSON list of CIDR networks.
    pub ips: Option<String>,
    /// JSON list of permission names.
    pub permissions: Option<String>,
    /// JSON object of limits.
    pub limits: Option<String>,
    /// Whether the client may call.
    pub active: Option<bool>,
}

/// A client as administrators see it.
#[derive(Clone, Debug)]
pub struct ListedClientRow {
    /// Identifier.
    pub id: ClientId,
    /// Name.
    pub name: String,
    /// Sealed telephone number.
    pub phone_sealed: Vec<u8>,
    /// JSON list of CIDR networks.
    pub ips: String,
    /// JSON list of permission names.
    pub permissions: String,
    /// Where callbacks go.
    pub callback_url: Option<String>,
    /// JSON object of limits.
    pub limits: String,
    /// False when the client is disabled.
    pub active: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub changed_at: Timestamp,
    /// Since when every callback to its address has failed.
    pub callback_failing_since: Option<Timestamp>,
    /// Since when callbacks to its address are stopped, and why.
    pub callback_stopped: Option<(Timestamp, StopCause)>,
    /// Since when it is frozen.
    pub frozen_at: Option<Timestamp>,
    /// Since when it is closed.
    pub closed_at: Option<Timestamp>,
}

/// Adds a client.
pub async fn insert<D: Database>(
    tx: &Tx<'_, D>,
    new: &NewClientRow<'_>,
    now: Timestamp,
) -> Result<(), DbError> {
    let params = [
        new.id.into(),
        new.name.into(),
        new.phone_index.clone(),
        new.phone_sealed.as_slice().into(),
        new.ips.as_str().into(),
        new.permissions.as_str().into(),
        now.into(),
    ];
    tx.run(INSERT, &params).await.map(drop)
}

/// Finds a client.
pub async fn by_id<D: Database>(db: &D, id: &ClientId) -> Result<Option<ClientRow>, DbError> {
    first(&db.run(BY_ID, &[id.into()]).await?, read)
}

/// Changes a client. False when there is no such client.
pub async fn change<D: Database>(
    tx: &Tx<'_, D>,
    id: &ClientId,
    change: &ClientChangeRow<'_>,
    now: Timestamp,
) -> Result<bool, DbError> {
    let status = change
        .active
        .map(|active| if active { "active" } else { "disabled" });
    let params: [Value; 7] = [
        change.name.into(),
        change.ips.clone().into(),
        change.permissions.clone().into(),
        change.limits.clone().into(),
        status.into(),
        now.into(),
        id.into(),
    ];
    Ok(!tx.run(CHANGE, &params).await?.is_empty())
}

/// Closes a client. False when it is closed already, or there is no such client.
pub async fn close<D: Database>(tx: &Tx<'_, D>, id: &ClientId, now: Timestamp) -> Result<bool, DbError> {
    Ok(!tx.run(CLOSE, &[now.into(), id.into()]).await?.is_empty())
}

/// Whether a client is closed; none when there is no such client.
pub async fn is_closed<D: Database>(db: &D, id: &ClientId) -> Result<Option<bool>, DbError> {
    first(&db.run(CLOSED, &[id.into()]).await?, |row| row.flag(0))
}

/// Refuses tokens issued before `before`. False when there is no such client, or a later time is set already.
pub async fn refuse_tokens_before<D: Database>(
    tx: &Tx<'_, D>,
    id: &ClientId,
    before: Timestamp,
    now: Timestamp,
) -> Result<bool, DbError> {
    let params = [before.into(), now.into(), id.into()];
    Ok(!tx.run(REFUSE_TOKENS_BEFORE, &params).await?.is_empty())
}

/// The client with the given identifier, or clients that follow `after` in the order of identifiers.
pub async fn list<D: Database>(
    db: &D,
    only: Option<&ClientId>,
    after: Option<&ClientId>,
    limit: u32,
) -> Result<Vec<ListedClientRow>, DbError> {
    let params = [only.into(), after.into(), i64::from(limit).into()];
    let rows = db.run(LIST, &params).await?;
    rows.iter().map(read_listed).collect()
}

fn read_listed(row: &Row) -> Result<ListedClientRow, DbError> {
    Ok(ListedClientRow {
        id: row.client_id(0)?,
        name: row.text(1)?.to_owned(),
        phone_sealed: row.blob(2)?.to_owned(),
        ips: row.text(3)?.to_owned(),
        permissions: row.text(4)?.to_owned(),
        callback_url: row.optional(5, Row::text)?.map(str::to_owned),
        limits: row.text(6)?.to_owned(),
        active: row.text(7)? == "active",
        created_at: row.time(8)?,
        changed_at: row.time(9)?,
        callback_failing_since: row.optional(10, Row::time)?,
        callback_stopped: row
            .optional(11, Row::time)?
            .zip(row.optional(12, |row, at| row.code(at, StopCause::from_code))?),
        frozen_at: row.optional(13, Row::time)?,
        closed_at: row.optional(14, Row::time)?,
    })
}

pub(super) fn read(row: &Row) -> Result<ClientRow, DbError> {
    Ok(ClientRow {
        id: row.client_id(0)?,
        ips: row.text(1)?.to_owned(),
        permissions: row.text(2)?.to_owned(),
        limits: row.text(3)?.to_owned(),
        tokens_from: row.time(4)?,
        active: row.text(5)? == "active",
    })
}

/// Deletes up to `limit` clients that were disabled before `before` and have nothing on the platform, with their secrets and
/// addresses; returns how many.
pub async fn purge<D: Database>(tx: &Tx<'_, D>, before: Timestamp, limit: u32) -> Result<usize, DbError> {
    purge_all(
        tx,
        (PURGED, |row| row.text(0).map(str::to_owned)),
        &PURGE,
        before,
        limit,
    )
    .await
}
