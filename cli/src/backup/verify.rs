//! Opens a backup and holds everything in it to its manifest, to the keys of the platform and to the rules between rows.

use std::path::Path;

use anyhow::{Result, bail};
use domain::error::Reason;
use store::backup_record::RecordKind;
use store::{DbError, SCHEMA_VERSION, SealedCheck, Sqlite, check_sealed, invariant, table_digests};
use tempfile::TempDir;
use vault::Vault;

use super::archive::{self, CALLS, STATE};
use super::manifest::{CopiedDatabase, Manifest, counted};
use super::problem::Problem;
use super::{Files, now, private_folder, record};
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
    /// Values that open.
    pub(super) opened: u64,
    /// What is wrong with its rows.
    pub(super) problems: Vec<Problem>,
}

/// Verifies a backup, prints what was found, and records the drill if it is asked for.
pub(crate) async fn run(options: &VerifyOptions) -> Result<()> {
    let files = options.record.then(|| Files::of(&options.target)).transpose()?;
    let beside = options
        .backup
        .file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let opened = open(&options.backup, beside.unwrap_or(Path::new("."))).await?;
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
    if let Some(files) = files {
        let is_recorded = record(&files.state, RecordKind::Drill, manifest).await?;
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

/// Opens a backup into a folder that is made in `beside`, and examines it.
///
/// # Errors
/// A [`Problem`] that leaves nothing to be examined; another error when a file cannot be read or written.
pub(super) async fn open(options: &OpenOptions, beside: &Path) -> Result<Opened> {
    let identities = archive::identities(&options.identity)?;
    let secrets = Secrets::read(&options.env)?;
    let keys = secrets.stored_keys(secrets.get(INDEX_KEY)?)?;
    let folder = private_folder(beside)?;
    let manifest = archive::open(&options.file, &identities, folder.path())?;
    if manifest.schema_version > SCHEMA_VERSION {
        bail!(Problem::Newer(manifest.schema_version));
    }
    let mut problems = Vec::new();
    let calls = folder.path().join(CALLS);
    match &manifest.calls {
        Some(described) => problems.extend(differences(&calls, described)),
        None if calls.exists() => problems.push(Problem::Contents(CALLS.to_owned())),
        None => (),
    }
    let state = folder.path().join(STATE);
    problems.extend(differences(&state, &manifest.state));
    // A file whose pages cannot be read is looked at no further.
    let Ok(Some(db)) = preflight::sound(&state) else {
        bail!(problems.remove(0));
    };
    let opened = examine(&db, &keys, &mut problems).await?;
    Ok(Opened {
        manifest,
        folder,
        opened,
        problems,
    })
}

/// In what a database differs from its manifest.
fn differences(file: &Path, described: &CopiedDatabase) -> Vec<Problem> {
    let name = file
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let contents = |what: String| Problem::Contents(format!("{name}: {what}"));
    if !file.is_file() {
        return vec![contents(text("缺失", "missing").to_owned())];
    }
    let found = match preflight::sound(file) {
        Ok(Some(db)) => table_digests(&db).map(counted).map_err(|error| error.to_string()),
        Ok(None) => Err(String::new()),
        Err(error) => Err(error.root_cause().to_string()),
    };
    let found = match found {
        Ok(found) => found,
        Err(error) => return vec![contents(error)],
    };
    let names: std::collections::BTreeSet<_> = found.keys().chain(described.tables.keys()).collect();
    let mut problems = Vec::new();
    for table in names {
        let (rows, said) = (found.get(table), described.tables.get(table));
        let count = |table: Option<&super::manifest::TableCount>| table.map_or(0, |table| table.rows);
        if count(rows) != count(said) {
            let (rows, said) = (count(rows), count(said));
            problems.push(contents(text(
                format!("表 {table} 有 {rows} 行，清单为 {said} 行"),
                format!("table {table} has {rows} rows, in the manifest {said}"),
            )));
        } else if rows != said {
            problems.push(contents(text(
                format!("表 {table} 的摘要不符"),
                format!("table {table} has another digest"),
            )));
        }
    }
    problems
}

/// Brings the copy to the schema of this program, opens every sealed value, and holds the rows to each other. Returns how
/// many values open.
async fn examine(db: &Sqlite, keys: &Vault, problems: &mut Vec<Problem>) -> Result<u64> {
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
    for (table, rows) in dangling(db)? {
        let rule = text(
            format!("表 {table} 的每一行所引用的行都存在"),
            format!("every row that table {table} refers to is there"),
        );
        problems.push(Problem::Broken(rule, rows));
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
