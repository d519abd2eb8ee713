//! Opens a backup and holds everything in it to its manifest, to the keys of the platform and to the rules between rows.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context as _, Result, bail};
use domain::error::Reason;
use store::backup_record::RecordKind;
use store::{
    Database, DbError, PostgresCopy, SCHEMA_VERSION, Scan, SealedCheck, Sqlite, check_sealed, invariant,
    table_digests,
};
use tempfile::TempDir;
use vault::Vault;

use super::archive::{self, CALLS, DUMP, STATE};
use super::databases::Databases;
use super::manifest::{CopiedDatabase, Manifest, POSTGRES, TableCount, counted};
use super::problem::Problem;
use super::{now, private_folder, record, server};
use crate::args::{OpenOptions, VerifyOptions};
use crate::language::{Language, text};
use crate::preflight;
use crate::reindex::INDEX_KEY;
use crate::secrets::Secrets;

/// Names rows that refer to one that is not there.
const FOREIGN_KEYS: &str = "SELECT \"table\", COUNT(*) FROM pragma_foreign_key_check GROUP BY 1 ORDER BY 1";
/// Most problems that are printed.
pub(super) const MAX_PRINTED: usize = 20;

/// A backup that was opened, and found to be what its manifest says.
pub(super) struct Opened {
    pub(super) manifest: Manifest,
    /// Its databases.
    pub(super) folder: TempDir,
    /// The database that it fills, if it is of PostgreSQL. Nobody sees it before it is committed.
    pub(super) filled: Option<PostgresCopy>,
    /// Values that open.
    pub(super) opened: u64,
    /// What is wrong with its rows.
    pub(super) problems: Vec<Problem>,
}

/// Verifies a backup, prints what was found, and records the drill if it is asked for.
pub(crate) async fn run(options: &VerifyOptions) -> Result<()> {
    let OpenOptions { file, env, .. } = &options.backup;
    let databases = || Databases::of(&options.target, Some(env));
    let databases = options.record.then(databases).transpose()?;
    // An address that is wrong is found before the backup is opened.
    if let Some(scratch) = &options.scratch {
        server::empty(scratch).await?;
    }
    let opened = open(&options.backup, beside(file), options.scratch.as_deref()).await?;
    if let Some((first, others)) = opened.problems.split_first() {
        for problem in others.iter().take(MAX_PRINTED) {
            eprintln!("{problem}");
        }
        bail!(first.clone());
    }
    let manifest = &opened.manifest;
    let (id, at, values) = (&manifest.backup_id, &manifest.state.copied_at, opened.opened);
    let rows: u64 = manifest.state.tables.values().map(|table| table.rows).sum();
    println!(
        "{}",
        text(
            format!("备份 {id}（{at}）完好：{rows} 行，{values} 个加密值均可打开，数据一致"),
            format!(
                "backup {id} ({at}) is whole: {rows} rows, all {values} sealed values open, no rule is broken"
            )
        )
    );
    if let Some(databases) = databases {
        let is_recorded = record(&databases, RecordKind::Drill, manifest).await?;
        println!(
            "{}",
            match is_recorded {
                true => text("已登记本次验证", "the drill is recorded"),
                false => text(
                    "数据库属于较早的版本，本次验证未登记",
                    "the database is of an earlier version, so the drill is not recorded in it"
                ),
            }
        );
    }
    Ok(())
}

/// The folder that a backup is in.
pub(super) fn beside(file: &Path) -> &Path {
    if file.is_dir() {
        return file;
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Opens a backup into a folder that is made in `beside`, and examines it. One of PostgreSQL is filled into the empty
/// database at `server`.
///
/// # Errors
/// A [`Problem`] that leaves nothing to be examined; another error when a file cannot be read or written, or the backup
/// is of the other engine.
pub(super) async fn open(options: &OpenOptions, beside: &Path, server: Option<&str>) -> Result<Opened> {
    let identities = archive::identities(&options.identity)?;
    let secrets = Secrets::read(&options.env)?;
    let keys = secrets.stored_keys(secrets.get(INDEX_KEY)?)?;
    let folder = private_folder(beside)?;
    let manifest = archive::open(&last_of(&options.file)?, &identities, folder.path())?;
    if manifest.schema_version > SCHEMA_VERSION {
        bail!(Problem::Newer(manifest.schema_version));
    }
    let mut opened = Opened {
        manifest,
        folder,
        filled: None,
        opened: 0,
        problems: Vec::new(),
    };
    match (opened.manifest.engine == POSTGRES, server) {
        (true, Some(server)) => fill(&mut opened, server, &keys).await?,
        (false, None) => look_at_files(&mut opened, &keys).await?,
        (true, None) => bail!(text(
            "备份来自 PostgreSQL：请指定一个空数据库（verify 用 --scratch，restore 用 --database）",
            "the backup is of PostgreSQL: name an empty database (verify: --scratch, restore: --database)"
        )),
        (false, Some(_)) => bail!(text(
            "备份是 SQLite 文件：不使用 PostgreSQL 数据库（restore 用 --into）",
            "the backup is of SQLite files: name no PostgreSQL database (restore: --into)"
        )),
    }
    Ok(opened)
}

/// The backup itself, or the last one in a folder: their names have their times.
fn last_of(file: &Path) -> Result<PathBuf> {
    if !file.is_dir() {
        return Ok(file.to_owned());
    }
    let name = file.display();
    let entries = fs::read_dir(file)
        .and_then(Iterator::collect::<io::Result<Vec<_>>>)
        .with_context(|| text(format!("无法读取 {name}"), format!("cannot read {name}")))?;
    let files = entries.iter().map(fs::DirEntry::path);
    let backups = files.filter(|file| file.extension().is_some_and(|ending| ending == "age"));
    backups.max().with_context(|| {
        text(
            format!("{name} 中没有备份"),
            format!("there is no backup in {name}"),
        )
    })
}

async fn look_at_files(found: &mut Opened, keys: &Vault) -> Result<()> {
    let calls = found.folder.path().join(CALLS);
    match &found.manifest.calls {
        Some(described) => found.problems.extend(file_differences(&calls, described).await),
        None if calls.exists() => found.problems.push(Problem::Contents(CALLS.to_owned())),
        None => (),
    }
    let state = found.folder.path().join(STATE);
    found
        .problems
        .extend(file_differences(&state, &found.manifest.state).await);
    // A file whose pages cannot be read is looked at no further.
    let Ok(Some(db)) = preflight::sound(&state) else {
        bail!(found.problems.remove(0));
    };
    found.opened = examine(&db, keys, &mut found.problems).await?;
    for (table, rows) in dangling(&db)? {
        let rule = text(
            format!("表 {table} 的每一行所引用的行都存在"),
            format!("every row that table {table} refers to is there"),
        );
        found.problems.push(Problem::Broken(rule, rows));
    }
    Ok(())
}

/// Fills the database at `server`. The server itself has checked that every row that is referred to is there.
async fn fill(found: &mut Opened, server: &str, keys: &Vault) -> Result<()> {
    let dump = found.folder.path().join(DUMP);
    if !dump.is_file() {
        bail!(Problem::Contents(format!("{DUMP}: {}", text("缺失", "missing"))));
    }
    let copy = server::fill(server, found.manifest.postgresql, &dump).await?;
    let differences = differences(DUMP, &copy, &found.manifest.state).await?;
    found.problems.extend(differences);
    found.opened = examine(&copy, keys, &mut found.problems).await?;
    found.filled = Some(copy);
    Ok(())
}

/// A problem of what is in a database, by the name of its file.
fn contents(name: &str, what: &str) -> Problem {
    Problem::Contents(format!("{name}: {what}"))
}

/// In what a file differs from its manifest.
async fn file_differences(file: &Path, described: &CopiedDatabase) -> Vec<Problem> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    if !file.is_file() {
        return vec![contents(&name, text("缺失", "missing"))];
    }
    let found = match preflight::sound(file) {
        Ok(Some(db)) => {
            let found = differences(&name, &db, described).await;
            found.map_err(|error| error.to_string())
        }
        Ok(None) => Err(String::new()),
        Err(error) => Err(error.root_cause().to_string()),
    };
    found.unwrap_or_else(|error| vec![contents(&name, &error)])
}

/// In what the tables of a database differ from its manifest.
async fn differences(
    name: &str,
    db: &impl Scan,
    described: &CopiedDatabase,
) -> Result<Vec<Problem>, DbError> {
    let found = counted(table_digests(db).await?);
    let names: BTreeSet<_> = found.keys().chain(described.tables.keys()).collect();
    let mut problems = Vec::new();
    for table in names {
        let (rows, said) = (found.get(table), described.tables.get(table));
        let count = |table: Option<&TableCount>| table.map_or(0, |table| table.rows);
        if count(rows) != count(said) {
            let (rows, said) = (count(rows), count(said));
            let what = text(
                format!("表 {table} 有 {rows} 行，清单为 {said} 行"),
                format!("table {table} has {rows} rows, in the manifest {said}"),
            );
            problems.push(contents(name, &what));
        } else if rows != said {
            let what = text(
                format!("表 {table} 的摘要不符"),
                format!("table {table} has another digest"),
            );
            problems.push(contents(name, &what));
        }
    }
    Ok(problems)
}

/// Brings the copy to the schema of this program, opens every sealed value, and holds the rows to each other. Returns how
/// many values open.
async fn examine(db: &impl Database, keys: &Vault, problems: &mut Vec<Problem>) -> Result<u64> {
    store::migrate(db, now()).await?;
    if let Err(error) = store::check_keys(db, keys, now()).await {
        match error.reason() {
            Reason::KeysWrong => bail!(Problem::WrongKeys(error.cause().unwrap_or_default().to_owned())),
            _ => return Err(error.into()),
        }
    }
    let SealedCheck { opened, faults, .. } = check_sealed(db, keys).await?;
    problems.extend(faults.into_iter().map(|fault| match fault.belongs_to {
        Some(owner) => Problem::Swapped(fault.column, fault.row, owner),
        None => Problem::Unopened(fault.column, fault.row),
    }));
    for rule in invariant::broken(db).await? {
        let words = Language::of_this_process().pick(rule.zh, rule.en);
        problems.push(Problem::Broken(words.to_owned(), rule.rows));
    }
    Ok(opened)
}

/// Tables with rows that refer to one that is not there.
fn dangling(db: &Sqlite) -> Result<Vec<(String, u64)>, DbError> {
    let failed = |error: rusqlite::Error| DbError::Failed(error.to_string());
    let mut check = db.connection().prepare(FOREIGN_KEYS).map_err(failed)?;
    let rows = check.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())));
    rows.and_then(Iterator::collect).map_err(failed)
}
