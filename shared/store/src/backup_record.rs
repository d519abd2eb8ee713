//! Table `backup_record`: backups that were made, drills that opened one and found it whole, and restores.

use super::{Database, DbError, Row, Run as _, Tx, first};
use domain::Timestamp;

/// How long a record is kept beyond the next one of its kind, in milliseconds: two years.
const KEPT_MS: i64 = 731 * domain::DAY_MS;

const ADD: &str = "INSERT INTO backup_record (kind, backup_id, at, backup_at, quarantined, no_writes_since, \
    imports_free_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
const FORGET: &str = "DELETE FROM backup_record WHERE kind = $1 AND kind <> 'restore' AND at < $2";
// A time ahead comes from a clock that was set back since.
const LATEST: &str = "SELECT at FROM backup_record WHERE kind = $1 AND at <= $2 ORDER BY at DESC LIMIT 1";
const FIND: &str = "SELECT at FROM backup_record WHERE kind = $1 AND backup_id = $2 AND backup_at = $3";
const BEGAN: &str = "SELECT MIN(applied_at) AS at FROM schema_version";
const FREE_IMPORTS: &str = "UPDATE backup_record SET imports_free_at = $1 WHERE kind = 'restore' \
    AND imports_free_at IS NULL RETURNING backup_id";
const ALERTED: &str = "SELECT id FROM alert WHERE kind = $1 AND subject = $2 AND at > $3 LIMIT 1";

/// What is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// A backup was made of a copy that was found whole.
    Backup,
    /// A backup was opened and found whole.
    Drill,
    /// This database is from a backup.
    Restore,
}

impl RecordKind {
    /// Its stable name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Drill => "drill",
            Self::Restore => "restore",
        }
    }
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupRecord<'a> {
    /// What was done.
    pub kind: RecordKind,
    /// Identifier of the backup.
    pub backup_id: &'a str,
    /// When the state in it was copied.
    pub backup_at: Timestamp,
    /// Of a restore: how many numbers were quarantined.
    pub quarantined: u64,
    /// Of a restore: since when nothing was written to a card, as a person stated.
    pub no_writes_since: Option<Timestamp>,
}

/// Adds a record.
pub async fn add<D: Database>(
    tx: &Tx<'_, D>,
    record: &BackupRecord<'_>,
    now: Timestamp,
) -> Result<(), DbError> {
    let kind = record.kind.code();
    let params = [
        kind.into(),
        record.backup_id.into(),
        now.into(),
        record.backup_at.into(),
        i64::try_from(record.quarantined).unwrap_or(i64::MAX).into(),
        record.no_writes_since.into(),
        // Where nothing was written since the backup, files of numbers are new.
        record.no_writes_since.map(|_| now).into(),
    ];
    tx.run(ADD, &params).await?;
    tx.run(FORGET, &[kind.into(), now.plus(-KEPT_MS).into()])
        .await
        .map(drop)
}

/// When something was last recorded.
pub async fn latest<D: Database>(
    db: &D,
    kind: RecordKind,
    now: Timestamp,
) -> Result<Option<Timestamp>, DbError> {
    first(&db.run(LATEST, &[kind.code().into(), now.into()]).await?, |row| {
        row.time(0)
    })
}

/// Whether a backup was recorded in this database: so it was made of it.
pub async fn is_recorded<D: Database>(
    db: &D,
    backup_id: &str,
    backup_at: Timestamp,
) -> Result<bool, DbError> {
    let params = [
        RecordKind::Backup.code().into(),
        backup_id.into(),
        backup_at.into(),
    ];
    Ok(!db.run(FIND, &params).await?.is_empty())
}

/// When the database was made: from then on a first backup is due.
pub async fn began<D: Database>(db: &D) -> Result<Option<Timestamp>, DbError> {
    let rows = db.run(BEGAN, &[]).await?;
    Ok(first(&rows, |row| row.optional(0, Row::time))?.flatten())
}

/// Whether an alert of this kind and subject was raised after a time.
pub async fn is_alerted<D: Database>(
    db: &D,
    kind: &str,
    subject: &super::Subject,
    since: Timestamp,
) -> Result<bool, DbError> {
    let params = [kind.into(), subject.text().into(), since.into()];
    Ok(!db.run(ALERTED, &params).await?.is_empty())
}

/// Numbers that are imported from now on are not quarantined. False when they were not before either.
pub async fn free_imports<D: Database>(tx: &Tx<'_, D>, now: Timestamp) -> Result<bool, DbError> {
    Ok(!tx.run(FREE_IMPORTS, &[now.into()]).await?.is_empty())
}
