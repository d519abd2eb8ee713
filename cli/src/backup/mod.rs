//! `xieka backup`, `xieka verify` and `xieka restore`: an encrypted copy of both databases while the platform runs, the
//! proof that it is whole, and a new platform made of it. `xieka migrate`: what is only done after a backup.
//!
//! What is specific to an engine is in `databases.rs`, `server.rs` and `store`; the archive, the manifest and the checks of
//! rows do not depend on it. Never prints or stores a key, never writes an identifier unsealed.

mod archive;
mod audit;
mod databases;
mod manifest;
mod migrate;
mod problem;
mod restore;
mod server;
mod verify;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use age::x25519::Recipient;
use anyhow::{Context as _, Result};
use domain::Timestamp;
use store::backup_record::{BackupRecord, RecordKind};
use tempfile::{NamedTempFile, TempDir};

use crate::args::BackupOptions;
use crate::language::text;
use crate::secrets::random_hex;
use databases::Databases;
use manifest::{FORMAT, KeyFingerprint, Manifest, utc};

pub(crate) use audit::run as audit;
pub(crate) use migrate::run as migrate;
pub(crate) use problem::Problem;
pub(crate) use restore::run as restore;
pub(crate) use server::connect;
pub(crate) use verify::run as verify;

/// Bytes of the identifier of a backup.
const ID_BYTES: usize = 8;
/// Characters of a time up to its seconds.
const TIME_CHARS: usize = "2026-07-01T00:00:00".len();

fn now() -> Timestamp {
    SystemTime::now().into()
}

/// Makes a backup, and prints what is in it.
pub(crate) async fn run(options: &BackupOptions) -> Result<()> {
    let recipients = archive::recipients(&options.recipients)?;
    let databases = Databases::of(&options.source, options.env.as_deref())?;
    let into = options.into.display();
    fs::create_dir_all(&options.into)
        .with_context(|| text(format!("无法创建 {into}"), format!("cannot make {into}")))?;
    let (file, manifest) = make(&databases, &options.into, &recipients, now()).await?;
    let is_recorded = record(&databases, RecordKind::Backup, &manifest).await?;
    let (file, id) = (file.display(), &manifest.backup_id);
    let rows: u64 = manifest.state.tables.values().map(|table| table.rows).sum();
    let at = &manifest.state.copied_at;
    let calls = manifest.calls.iter().flat_map(|calls| calls.tables.values());
    let calls: u64 = calls.map(|table| table.rows).sum();
    println!("{file}");
    println!(
        "{}",
        match manifest.postgresql {
            None => text(
                format!("备份 {id}：状态 {rows} 行（{at}），调用日志 {calls} 行"),
                format!("backup {id}: {rows} rows of state ({at}), {calls} of the call log")
            ),
            Some(_) => text(
                format!("备份 {id}：{rows} 行（{at}），含调用日志"),
                format!("backup {id}: {rows} rows ({at}), with the call log")
            ),
        }
    );
    if !is_recorded {
        println!(
            "{}",
            text(
                "数据库属于较早的版本，本次备份未登记",
                "the database is of an earlier version, so the backup is not recorded in it"
            )
        );
    }
    Ok(())
}

/// Copies the databases, and writes backup and manifest into a folder under names that no file has.
async fn make(
    databases: &Databases,
    into: &Path,
    recipients: &[Recipient],
    now: Timestamp,
) -> Result<(PathBuf, Manifest)> {
    let name: String = utc(now)
        .chars()
        .take(TIME_CHARS)
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let name = into.join(format!("xieka-{name}Z"));
    // Only its owner can open it. It is gone when this function ends.
    let folder = tempfile::Builder::new()
        .prefix(".xieka-backup-")
        .tempdir_in(into)?;
    let copied = databases.copy(folder.path()).await?;
    let manifest = Manifest {
        format: FORMAT,
        backup_id: random_hex::<ID_BYTES>()?,
        created_at: utc(now),
        product: format!("xieka {}", env!("CARGO_PKG_VERSION")),
        engine: copied.engine.to_owned(),
        postgresql: copied.postgresql,
        schema_version: copied.schema_version,
        state: copied.state,
        calls: copied.calls,
        keys: copied.keys.iter().map(KeyFingerprint::from).collect(),
    };
    let mut content = serde_json::to_vec_pretty(&manifest)?;
    content.push(b'\n');
    let file = name.with_extension("age");
    let written = NamedTempFile::new_in(into)?;
    archive::write(written.as_file(), recipients, &content, folder.path())?;
    finish(written, &file)?;
    let mut beside = NamedTempFile::new_in(into)?;
    beside.write_all(&content)?;
    finish(beside, &name.with_extension("json"))?;
    archive::sync_folder(into)?;
    Ok((file, manifest))
}

/// Gives a file that is on the disk its name, unless another one has it.
fn finish(file: NamedTempFile, name: &Path) -> Result<()> {
    file.as_file().sync_all()?;
    file.persist_noclobber(name)
        .map_err(|failed| failed.error)
        .with_context(|| format!("{}", name.display()))?;
    Ok(())
}

/// Records a backup or a drill in the database of a platform. False if its schema has no place for it.
async fn record(databases: &Databases, kind: RecordKind, manifest: &Manifest) -> Result<bool> {
    let record = BackupRecord {
        kind,
        backup_id: &manifest.backup_id,
        backup_at: Timestamp(manifest.state.copied_at_ms),
        quarantined: 0,
        no_writes_since: None,
    };
    databases.record(&record).await
}

/// A folder that only its owner can open, beside what it is for.
fn private_folder(beside: &Path) -> Result<TempDir> {
    let name = beside.display();
    let folder = tempfile::Builder::new()
        .prefix(".xieka-restore-")
        .tempdir_in(beside);
    folder.with_context(|| text(format!("无法写入 {name}"), format!("cannot write into {name}")))
}
