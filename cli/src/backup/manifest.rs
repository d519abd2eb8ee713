//! What a backup contains: counted and hashed from the copy that is in it. Names keys by the beginning of their check
//! values; never holds a key or an identifier.

use std::collections::BTreeMap;

use domain::{Timestamp, Zone};
use serde::{Deserialize, Serialize};
use store::{KeyRow, TableDigest};

/// The only form so far.
pub(super) const FORMAT: u32 = 1;
/// The engine of backups with the files of SQLite.
pub(super) const SQLITE: &str = "sqlite";
/// The engine of backups that `pg_dump` made.
pub(super) const POSTGRES: &str = "postgresql";

/// A manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// Form of the backup.
    pub(super) format: u32,
    /// Identifier of the backup.
    pub(super) backup_id: String,
    /// When it was made (RFC 3339, UTC).
    pub(super) created_at: String,
    /// The program that made it.
    pub(super) product: String,
    /// The engine whose data it has.
    pub(super) engine: String,
    /// Of a backup of PostgreSQL: what it was made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) postgresql: Option<Versions>,
    /// Schema of the state.
    pub(super) schema_version: i64,
    /// The state: chips, numbers, tasks and everything else but calls.
    pub(super) state: CopiedDatabase,
    /// The call log, if it is a database of its own, with a moment of its own.
    pub(super) calls: Option<CopiedDatabase>,
    /// Keys that the state was made with.
    pub(super) keys: Vec<KeyFingerprint>,
}

/// Major versions of PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Versions {
    /// That of the server.
    pub(super) server: i64,
    /// That of `pg_dump`.
    pub(super) pg_dump: i64,
}

/// A database in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CopiedDatabase {
    /// The moment of the copy (RFC 3339, UTC).
    pub(super) copied_at: String,
    /// The same in milliseconds since 1970.
    pub(super) copied_at_ms: i64,
    /// Bytes of its file.
    pub(super) bytes: u64,
    /// Its tables.
    pub(super) tables: Tables,
}

/// Tables by their names.
pub(super) type Tables = BTreeMap<String, TableCount>;

/// The rows of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TableCount {
    /// How many.
    pub(super) rows: u64,
    /// SHA-256 of all of them.
    pub(super) sha256: String,
}

/// A key, without the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeyFingerprint {
    /// Its kind and number.
    name: String,
    /// The beginning of its check value.
    fingerprint: String,
}

impl From<&KeyRow> for KeyFingerprint {
    fn from(key: &KeyRow) -> Self {
        Self {
            name: key.name.clone(),
            fingerprint: key.fingerprint(),
        }
    }
}

/// The tables of a database as a manifest has them.
pub(super) fn counted(digests: Vec<TableDigest>) -> Tables {
    let counted = |found: TableDigest| {
        let TableDigest { table, rows, sha256 } = found;
        (table, TableCount { rows, sha256 })
    };
    digests.into_iter().map(counted).collect()
}

/// A time as manifests have it.
pub(super) fn utc(at: Timestamp) -> String {
    at.to_rfc3339(Zone::UTC)
}
