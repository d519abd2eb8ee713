//! Table `gateway`: what each gateway announced last. A gateway that is silent for long is forgotten.

use super::{Database, DbError, Row, Run as _, Tx, Value};
use domain::Timestamp;

/// Separates the profiles and the key versions in their columns.
pub const SEPARATOR: &str = ",";
/// Most gateways that are read.
const MAX_GATEWAYS: u32 = 1_000;

const ANNOUNCE: &str = "INSERT INTO gateway (name, instance, seq, profiles, key_versions, announced_at) \
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO UPDATE SET instance = excluded.instance, seq = excluded.seq, \
    profiles = excluded.profiles, key_versions = excluded.key_versions, announced_at = excluded.announced_at \
    WHERE gateway.instance <> excluded.instance OR gateway.seq < excluded.seq RETURNING name";
const FORGET: &str = "DELETE FROM gateway WHERE announced_at < $1";
const ALL: &str =
    "SELECT name, instance, seq, profiles, key_versions, announced_at FROM gateway ORDER BY name LIMIT $1";

/// What a gateway announced last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayRow {
    /// Its name.
    pub name: String,
    /// Identifier of its process.
    pub instance: String,
    /// Number of the announcement within the process.
    pub seq: i64,
    /// Its card profiles, joined by [`SEPARATOR`].
    pub profiles: String,
    /// The versions of its master keys, joined by [`SEPARATOR`].
    pub key_versions: String,
    /// When it announced them.
    pub announced_at: Timestamp,
}

/// Stores an announcement in place of the one before. False when it, or a later one of the process, is stored already.
pub async fn announce<D: Database>(tx: &Tx<'_, D>, row: &GatewayRow) -> Result<bool, DbError> {
    let params: [Value; 6] = [
        row.name.as_str().into(),
        row.instance.as_str().into(),
        row.seq.into(),
        row.profiles.as_str().into(),
        row.key_versions.as_str().into(),
        row.announced_at.into(),
    ];
    Ok(!tx.run(ANNOUNCE, &params).await?.is_empty())
}

/// Forgets the gateways that have been silent since `before`.
pub async fn forget<D: Database>(tx: &Tx<'_, D>, before: Timestamp) -> Result<(), DbError> {
    tx.run(FORGET, &[before.into()]).await.map(drop)
}

/// The gateways, by name; at most 1,000.
pub async fn all<D: Database>(db: &D) -> Result<Vec<GatewayRow>, DbError> {
    let rows = db.run(ALL, &[i64::from(MAX_GATEWAYS).into()]).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<GatewayRow, DbError> {
    Ok(GatewayRow {
        name: row.text(0)?.to_owned(),
        instance: row.text(1)?.to_owned(),
        seq: row.integer(2)?,
        profiles: row.text(3)?.to_owned(),
        key_versions: row.text(4)?.to_owned(),
        announced_at: row.time(5)?,
    })
}
