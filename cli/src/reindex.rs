//! `xieka reindex`: gives the database of a platform that is stopped another index key.
//!
//! The next key is in the file of the secrets before the database changes, and takes the place of the old one after
//! that. So whenever the process or the machine stops, the same command goes on: the database belongs to one of both
//! keys, as a whole. Never prints a key.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result, anyhow, bail};
use domain::Timestamp;
use store::reindex::{
    Reindex, ReindexError, Reindexed, attach_calls, keep_to_this_connection, leave_nothing_old,
    reindex as reindex_rows, share_again,
};
use store::{DbError, Sqlite, transaction};
use vault::{KEY_BYTES, Random, home_key_of};

use crate::args::ReindexOptions;
use crate::language::text;
use crate::preflight;
use crate::secrets::{NEXT_INDEX_KEY, Secrets, random_hex};
use crate::up::{CALLS_FILE, DATABASE_FILE, ENV_FILE};

/// The index key in use.
pub(crate) const INDEX_KEY: &str = "SPIN_VARIABLE_INDEX_KEY";
/// The key that gives cards their home. It never changes.
const HOME_KEY: &str = "SPIN_VARIABLE_HOME_KEY";

/// The files of a database.
struct Files<'a> {
    state: &'a Path,
    /// That of the call log, if there is one.
    calls: Option<&'a Path>,
}

/// Changes the key, and prints what was done.
pub(crate) async fn run(options: &ReindexOptions) -> Result<()> {
    let (database, calls, env) = match (&options.database, &options.env) {
        (Some(database), Some(env)) => (database.clone(), options.calls.clone(), env.clone()),
        _ => (
            options.data.join(DATABASE_FILE),
            Some(options.data.join(CALLS_FILE)),
            env_file(&options.data)?,
        ),
    };
    if !database.is_file() {
        let name = database.display();
        bail!(text(
            format!("没有数据库 {name}"),
            format!("there is no database {name}")
        ));
    }
    // Held until this function ends.
    let _lock = match options.database {
        None => Some(preflight::lock(&options.data)?),
        Some(_) => None,
    };
    let now = SystemTime::now().into();
    let files = Files {
        state: &database,
        // There is none before the first call is logged.
        calls: calls.as_deref().filter(|file| file.is_file()),
    };
    show(change(&files, &env, options.end_old_secrets, now).await?, &env);
    Ok(())
}

/// The file of the secrets that `xieka up` would read.
pub(crate) fn env_file(data: &Path) -> Result<PathBuf> {
    let (current, stored) = (PathBuf::from(ENV_FILE), data.join(ENV_FILE));
    if !current.is_file() {
        return Ok(stored);
    }
    if stored.is_file() && !preflight::same_file(&current, &stored) {
        let (current, stored) = (current.display(), stored.display());
        bail!(text(
            format!("{current} 与 {stored} 同时存在：更换密钥前请只保留一份"),
            format!("there are both {current} and {stored}: keep only one of them before the key is changed")
        ));
    }
    Ok(current)
}

/// Gives the database the next index key, and the file of the secrets, too. What was done with the database, if a run
/// that was cut off had not done it already.
async fn change(
    files: &Files<'_>,
    env: &Path,
    end_old_secrets: bool,
    now: Timestamp,
) -> Result<Option<Reindexed>> {
    let database = files.state;
    let secrets = with_home_key(Secrets::read(env)?)?;
    preflight::owner_only(env)?;
    if let Some(calls) = files.calls {
        preflight::call_log(calls)?;
    }
    let old = secrets.stored_keys(secrets.get(INDEX_KEY)?)?;
    let begun = secrets.get(NEXT_INDEX_KEY).ok();
    if let Some(next) = begun {
        let new = secrets.stored_keys(next)?;
        if preflight::database(database, &new, now).await.is_ok() {
            let cleared = in_database(files, None).await;
            cleared.map_err(|error| described(error, database))?;
            finish(env, next)?;
            return Ok(None);
        }
    }
    preflight::database(database, &old, now).await?;
    preflight::current_schema(database).await?;
    let next = match begun {
        Some(next) => next.to_owned(),
        None => random_hex::<KEY_BYTES>()?,
    };
    let home = secrets.get(HOME_KEY)?;
    Secrets::change(env, &[(NEXT_INDEX_KEY, Some(&next)), (HOME_KEY, Some(home))])?;
    let new = secrets.stored_keys(&next)?;
    let how = Reindex {
        old: &old,
        new: &new,
        random: &OperatingSystem,
        now,
        end_old_secrets,
    };
    let done = match in_database(files, Some(&how)).await {
        Ok(done) => done,
        Err(error) => {
            // Once the database has the new key, the next run has to know it.
            if preflight::database(database, &old, now).await.is_ok() {
                Secrets::change(env, &[(NEXT_INDEX_KEY, None)])?;
            }
            return Err(described(error, database));
        }
    };
    finish(env, &next)?;
    Ok(done)
}

/// The secrets with the home key that they stand for: one that is made from the index key has to be written down before
/// that changes.
fn with_home_key(mut secrets: Secrets) -> Result<Secrets> {
    if secrets.get(HOME_KEY).unwrap_or_default().trim().is_empty() {
        let home = home_key_of(secrets.get(INDEX_KEY)?)
            .with_context(|| text("密钥配置有误", "a secret is malformed").to_owned())?;
        secrets.set(HOME_KEY, home.as_str());
    }
    Ok(secrets)
}

/// Puts the next key in the place of the old one.
fn finish(env: &Path, next: &str) -> Result<()> {
    Secrets::change(env, &[(INDEX_KEY, Some(next)), (NEXT_INDEX_KEY, None)]).map(drop)
}

/// Works on the database while no other process can open it: makes the indexes anew, unless a run that was cut off has
/// done that, and clears up after it.
async fn in_database(
    files: &Files<'_>,
    how: Option<&Reindex<'_>>,
) -> Result<Option<Reindexed>, ReindexError> {
    let db = Sqlite::open(files.state)?;
    if let Some(calls) = files.calls {
        attach_calls(&db, &calls.to_string_lossy()).await?;
    }
    keep_to_this_connection(&db).await?;
    let done = match how {
        Some(how) => transaction(&db, async |tx| reindex_rows(tx, how).await)
            .await
            .map(Some),
        None => Ok(None),
    };
    let cleared = match done {
        Ok(_) => leave_nothing_old(&db).await,
        Err(_) => Ok(()),
    };
    let shared = share_again(&db).await;
    let done = done?;
    cleared?;
    shared?;
    Ok(done)
}

/// Why it ended, and what to do.
fn described(error: ReindexError, database: &Path) -> anyhow::Error {
    let name = database.display();
    match error {
        ReindexError::Database(DbError::Busy(_)) => anyhow!(text(
            format!("另有进程正在使用数据库 {name}：请先停止平台的所有节点"),
            format!("another process uses {name}: stop every node of the platform first")
        )),
        ReindexError::OldSecrets(clients) => {
            let clients = clients.join(", ");
            anyhow!(text(
                format!(
                    "以下业务需求方的密钥仍按早期版本的方式保存，更换后无法校验：{clients}。请启动平台，让它们各获取一次令牌，\
                     或更换其密钥（clients:rotate-secret，overlap_secs 为 0）；或加上 --end-old-secrets 撤销这些密钥"
                ),
                format!(
                    "secrets of these clients are still stored as earlier versions stored them, and could not be \
                     verified any more: {clients}. Start the platform and let each take a token, or rotate its secret \
                     (clients:rotate-secret with overlap_secs 0); or add --end-old-secrets, which revokes them"
                )
            ))
        }
        ReindexError::Unopened { column, count } => anyhow!(text(
            format!("{column} 有 {count} 个值无法解密，不能重建其索引：请先从备份恢复这些值"),
            format!(
                "{count} values of {column} cannot be opened, so no index can be made of them: restore them from a backup first"
            )
        )),
        ReindexError::Unmatched { column, count } => anyhow!(text(
            format!("{column} 有 {count} 个索引不属于任何已存储的标识：请先从备份恢复这些行"),
            format!(
                "{count} indexes in {column} belong to no identifier that is stored: restore these rows from a backup first"
            )
        )),
        error => anyhow!("{name}: {error}"),
    }
}

fn show(done: Option<Reindexed>, env: &Path) {
    let mut lines = Vec::new();
    match done {
        None => lines.push(text(
            "数据库已使用新的索引密钥".to_owned(),
            "the database has the new index key already".to_owned(),
        )),
        Some(Reindexed {
            indexes,
            sealed,
            unopened,
            forgotten,
            ended_secrets,
        }) => {
            lines.push(text(
                format!("已重建 {indexes} 个盲索引，重新加密 {sealed} 个值"),
                format!("made {indexes} blind indexes anew and sealed {sealed} values anew"),
            ));
            let others = [
                (
                    unopened,
                    "个值此前已无法解密，今后也不能",
                    "values could not be opened before, and never can be",
                ),
                (
                    forgotten,
                    "个索引不属于任何已存储的标识，已删除",
                    "indexes were of nothing that is stored, and are gone",
                ),
                (
                    ended_secrets,
                    "个业务需求方密钥已撤销",
                    "secrets of clients were revoked",
                ),
            ];
            let others = others.into_iter().filter(|(count, ..)| *count > 0);
            lines.extend(others.map(|(count, zh, en)| format!("{count} {}", text(zh, en))));
        }
    }
    let env = env.display();
    lines.push(text(
        format!("{env} 中已是新的索引密钥：请保存一份副本，并在启动前把其中的 index_key 与 home_key 写入所有节点"),
        format!("{env} has the new index key: keep a copy, and set index_key and home_key of every node to what it has before you start it"),
    ));
    println!("{}", lines.join("\n"));
}

/// The operating system's random source.
pub(crate) struct OperatingSystem;

impl Random for OperatingSystem {
    fn fill(&self, out: &mut [u8]) {
        // A nonce must not be used twice.
        openssl::rand::rand_bytes(out).expect("the operating system has randomness");
    }
}
