//! Makes a new platform of a backup. Never over a database that is there.
//!
//! The numbers are quarantined before the database has its name, or its rows are committed: no program ever sees it
//! without.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use domain::Timestamp;
use operations::{Restored, record_restore};
use store::{Database, Sqlite};
use tempfile::TempPath;

use super::archive::{CALLS, DUMP, STATE, sync_folder};
use super::databases::of_secrets;
use super::manifest::utc;
use super::problem::Problem;
use super::verify::{self, MAX_PRINTED, Opened};
use super::{now, server};
use crate::args::RestoreOptions;
use crate::language::text;
use crate::preflight;
use crate::up::{CALLS_FILE, DATABASE_FILE};

/// What a backup is restored into.
enum Target {
    Folder(PathBuf),
    Server(String),
}

/// Restores a backup, and prints what is to be done next.
pub(crate) async fn run(options: &RestoreOptions) -> Result<()> {
    let no_writes_since = options.no_writes_since.as_deref().map(time).transpose()?;
    let (name, restored) = match target(options)? {
        Target::Folder(into) => {
            let restored = into_folder(&into, options, no_writes_since).await?;
            (into.display().to_string(), restored)
        }
        Target::Server(address) => {
            let restored = into_server(&address, options, no_writes_since).await?;
            (server::name(&address)?, restored)
        }
    };
    let (id, at) = (&restored.backup_id, utc(restored.backup_at));
    println!(
        "{}",
        text(
            format!("已将备份 {id}（{at}）恢复到 {name}"),
            format!("restored backup {id} ({at}) into {name}")
        )
    );
    let quarantined = restored.quarantined;
    println!(
        "{}",
        match no_writes_since {
            Some(_) => text(
                "已登记：自备份起没有写过卡，码号未隔离".to_owned(),
                "recorded: no card was written since the backup, so no number is quarantined".to_owned()
            ),
            None => text(
                format!(
                    "{quarantined} 个码号已隔离：核对后以 numbers:end-quarantine 解除，见 docs/backup.zh-CN.md"
                ),
                format!(
                    "{quarantined} numbers are quarantined until numbers:end-quarantine, see docs/backup.md"
                )
            ),
        }
    );
    Ok(())
}

fn target(options: &RestoreOptions) -> Result<Target> {
    if let Some(into) = &options.into {
        return Ok(Target::Folder(into.clone()));
    }
    let address = match &options.database {
        Some(address) => Some(address.clone()),
        None => of_secrets(&options.backup.env)?,
    };
    address.map(Target::Server).with_context(|| {
        text(
            "请以 --into 指定新平台的文件夹，或以 --database 指定空的 PostgreSQL 数据库",
            "name the folder of the new platform with --into, or an empty PostgreSQL database with --database",
        )
    })
}

/// What was restored.
struct Done {
    backup_id: String,
    backup_at: Timestamp,
    quarantined: u64,
}

async fn into_folder(into: &Path, options: &RestoreOptions, since: Option<Timestamp>) -> Result<Done> {
    let name = into.display();
    refuse_existing(into)?;
    fs::create_dir_all(into)
        .with_context(|| text(format!("无法创建 {name}"), format!("cannot make {name}")))?;
    // Held until this function ends.
    let _lock = preflight::lock(into)?;
    refuse_existing(into)?;
    let opened = verify::open(&options.backup, into, None).await?;
    warn(&opened)?;
    let db = Sqlite::open(&opened.folder.path().join(STATE))?;
    let done = quarantine(&db, &opened, since).await?;
    drop(db);
    place(&opened, into)?;
    Ok(done)
}

/// Quarantine and data are committed together.
async fn into_server(address: &str, options: &RestoreOptions, since: Option<Timestamp>) -> Result<Done> {
    // Before the backup is opened, which takes its time.
    server::empty(address).await?;
    let beside = verify::beside(&options.backup.file);
    let mut opened = verify::open(&options.backup, beside, Some(address)).await?;
    warn(&opened)?;
    let db = opened.filled.take().context(DUMP)?;
    let done = quarantine(&db, &opened, since).await?;
    db.commit().await?;
    Ok(done)
}

/// No database is in the folder.
fn refuse_existing(into: &Path) -> Result<()> {
    for file in [DATABASE_FILE, CALLS_FILE] {
        let file = into.join(file);
        if file.exists() {
            let name = file.display();
            bail!(text(
                format!("{name} 已存在：恢复不会覆盖任何数据库，请指定新的目录"),
                format!("{name} exists: a restore never overwrites a database; name a new folder")
            ));
        }
    }
    Ok(())
}

fn time(given: &str) -> Result<Timestamp> {
    let read = Timestamp::parse_rfc3339(given).ok();
    read.with_context(|| {
        text(
            format!("{given} 不是带时区的时间，如 2026-07-01T08:00:00+08:00"),
            format!("{given} is no time with its offset, such as 2026-07-01T08:00:00+08:00"),
        )
    })
}

/// A backup that is not what was written is not restored. Rows that were wrong before are named: a platform that has lost
/// its data needs the others.
fn warn(opened: &Opened) -> Result<()> {
    let is_content = |problem: &&Problem| matches!(problem, Problem::Contents(_));
    if let Some(problem) = opened.problems.iter().find(is_content) {
        bail!(problem.clone());
    }
    for problem in opened.problems.iter().take(MAX_PRINTED) {
        eprintln!("{}: {problem}", text("警告", "warning"));
    }
    Ok(())
}

async fn quarantine(db: &impl Database, opened: &Opened, since: Option<Timestamp>) -> Result<Done> {
    let state = &opened.manifest.state;
    let restored = Restored {
        backup_id: &opened.manifest.backup_id,
        backup_at: Timestamp(state.copied_at_ms),
        no_writes_since: since,
    };
    if let Some(since) = since.filter(|since| *since > restored.backup_at) {
        let (since, at) = (utc(since), &state.copied_at);
        bail!(text(
            format!("备份是 {at} 的，{since} 在其后：两者之间可能写过卡"),
            format!("the backup is of {at}, and {since} is later: cards may have been written in between")
        ));
    }
    Ok(Done {
        backup_id: restored.backup_id.to_owned(),
        backup_at: restored.backup_at,
        quarantined: record_restore(db, &restored, now()).await?,
    })
}

/// Gives the databases their names in the folder of the platform, the state last.
fn place(opened: &Opened, into: &Path) -> Result<()> {
    for (name, file) in [(CALLS, CALLS_FILE), (STATE, DATABASE_FILE)] {
        let from = opened.folder.path().join(name);
        if !from.is_file() {
            continue;
        }
        let db = Sqlite::open(&from)?;
        // As components use it. Whoever closes the last connection leaves one file.
        db.connection()
            .pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        drop(db);
        preflight::owner_only(&from)?;
        fs::File::open(&from)?.sync_all()?;
        let to = into.join(file);
        let folder = to.parent().unwrap_or(into);
        fs::create_dir_all(folder)?;
        let moved = TempPath::try_from_path(&from)?.persist_noclobber(&to);
        moved
            .map_err(|failed| failed.error)
            .with_context(|| format!("{}", to.display()))?;
        sync_folder(folder)?;
    }
    Ok(sync_folder(into)?)
}
