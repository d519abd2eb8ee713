//! `xieka backup`, `xieka verify` and `xieka restore`: an encrypted copy of both databases while the platform runs, the
//! proof that it is whole, and a new platform made of it.
//!
//! What is specific to the files of SQLite is here and in `store::Sqlite`; the archive, the manifest and the checks of rows
//! do not depend on it. Never prints or stores a key, never writes an identifier unsealed.

mod archive;
mod manifest;
mod problem;
mod restore;
mod verify;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use age::x25519::Recipient;
use anyhow::{Context as _, Result, bail};
use domain::Timestamp;
use store::backup_record::{self, BackupRecord, RecordKind};
use store::{SCHEMA_VERSION, Sqlite, table_digests, transaction};
use tempfile::{NamedTempFile, TempDir};

use crate::args::{BackupOptions, DataOptions};
use crate::language::text;
use crate::preflight;
use crate::secrets::random_hex;
use crate::up::{CALLS_FILE, DATABASE_FILE};
use archive::{CALLS, STATE};
use manifest::{CopiedDatabase, FORMAT, KeyFingerprint, Manifest, SQLITE, counted, utc};

pub(crate) use problem::Problem;
pub(crate) use restore::run as restore;
pub(crate) use verify::run as verify;

/// Bytes of the identifier of a backup.
const ID_BYTES: usize = 8;
/// Characters of a time up to its seconds.
const TIME_CHARS: usize = "2026-07-01T00:00:00".len();

/// The files of a platform.
struct Files {
    state: PathBuf,
    /// That of the call log, if there is one.
    calls: Option<PathBuf>,
}

impl Files {
    fn of(options: &DataOptions) -> Result<Self> {
        let (state, calls) = match &options.database {
            Some(database) => (database.clone(), options.calls.clone()),
            None => (
                options.data.join(DATABASE_FILE),
                Some(options.data.join(CALLS_FILE)),
            ),
        };
        let missing = [Some(&state), options.calls.as_ref()];
        if let Some(file) = missing.into_iter().flatten().find(|file| !file.is_file()) {
            let name = file.display();
            bail!(text(
                format!("没有数据库 {name}"),
                format!("there is no database {name}")
            ));
        }
        // There is no call log before the first call.
        let calls = calls.filter(|file| file.is_file());
        Ok(Self { state, calls })
    }
}

fn now() -> Timestamp {
    SystemTime::now().into()
}

/// Makes a backup, and prints what is in it.
pub(crate) async fn run(options: &BackupOptions) -> Result<()> {
    let recipients = archive::recipients(&options.recipients)?;
    let files = Files::of(&options.source)?;
    let into = options.into.display();
    fs::create_dir_all(&options.into)
        .with_context(|| text(format!("无法创建 {into}"), format!("cannot make {into}")))?;
    let (file, manifest) = make(&files, &options.into, &recipients, now()).await?;
    let is_recorded = record(&files.state, RecordKind::Backup, &manifest).await?;
    let (file, id) = (file.display(), &manifest.backup_id);
    let rows: u64 = manifest.state.tables.values().map(|table| table.rows).sum();
    let calls = manifest.calls.iter().flat_map(|calls| calls.tables.values());
    let calls: u64 = calls.map(|table| table.rows).sum();
    println!("{file}");
    println!(
        "{}",
        text(
            format!(
                "备份 {id}：状态 {rows} 行（{}），调用日志 {calls} 行",
                manifest.state.copied_at
            ),
            format!(
                "backup {id}: {rows} rows of state ({}), {calls} of the call log",
                manifest.state.copied_at
            )
        )
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
    files: &Files,
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
    let (state, db) = copied(&files.state, &folder.path().join(STATE))?;
    let calls = files
        .calls
        .as_deref()
        .map(|calls| copied(calls, &folder.path().join(CALLS)));
    let calls = calls.transpose()?.map(|(calls, _)| calls);
    let schema_version = store::version(&db).await?;
    if schema_version == 0 {
        let name = files.state.display();
        bail!(text(
            format!("{name} 中没有平台的数据：请先启动一次平台"),
            format!("{name} has no data of a platform: start it once first")
        ));
    }
    // Earlier schemas have other columns of keys, or none.
    let keys = match schema_version == SCHEMA_VERSION {
        true => store::keys(&db).await?,
        false => Vec::new(),
    };
    drop(db);
    let manifest = Manifest {
        format: FORMAT,
        backup_id: random_hex::<ID_BYTES>()?,
        created_at: utc(now),
        product: format!("xieka {}", env!("CARGO_PKG_VERSION")),
        engine: SQLITE.to_owned(),
        schema_version,
        state,
        calls,
        keys: keys.iter().map(KeyFingerprint::from).collect(),
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

/// Copies a database, and counts and hashes the copy.
fn copied(from: &Path, to: &Path) -> Result<(CopiedDatabase, Sqlite)> {
    let name = from.display();
    let unread = || text(format!("无法复制 {name}"), format!("cannot copy {name}"));
    let source = Sqlite::open(from).with_context(unread)?;
    let at = now();
    source.copy_to(to).with_context(unread)?;
    let Some(copy) = preflight::sound(to)? else {
        bail!(unread())
    };
    let described = CopiedDatabase {
        copied_at: utc(at),
        copied_at_ms: at.millis(),
        bytes: fs::metadata(to)?.len(),
        tables: counted(table_digests(&copy)?),
    };
    Ok((described, copy))
}

/// Records a backup or a drill in the database of a platform. False if its schema has no place for it.
async fn record(state: &Path, kind: RecordKind, manifest: &Manifest) -> Result<bool> {
    let name = state.display();
    let unwritten = || {
        text(
            format!("备份有效，但未能登记到 {name}"),
            format!("the backup is good, and could not be recorded in {name}"),
        )
    };
    let db = Sqlite::open(state).with_context(unwritten)?;
    if store::version(&db).await.with_context(unwritten)? != SCHEMA_VERSION {
        return Ok(false);
    }
    let record = BackupRecord {
        kind,
        backup_id: &manifest.backup_id,
        backup_at: Timestamp(manifest.state.copied_at_ms),
        quarantined: 0,
        no_writes_since: None,
    };
    let recorded = transaction(&db, async |tx| backup_record::add(tx, &record, now()).await);
    recorded.await.with_context(unwritten)?;
    Ok(true)
}

/// A folder that only its owner can open, beside what it is for.
fn private_folder(beside: &Path) -> Result<TempDir> {
    let name = beside.display();
    let folder = tempfile::Builder::new()
        .prefix(".xieka-restore-")
        .tempdir_in(beside);
    folder.with_context(|| text(format!("无法写入 {name}"), format!("cannot write into {name}")))
}
