//! Where the databases of a platform are, and how each is copied: files with SQLite's backup interface, a database of
//! PostgreSQL by `pg_dump`. What is counted and hashed is the copy, or what the server shows of the same moment.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use domain::Timestamp;
use domain::error::Reason;
use store::backup_record::{self, BackupRecord};
use store::{Database, KeyRow, PostgresCopy, Sqlite, TableDigest, table_digests, transaction};

use super::archive::{CALLS, DUMP, STATE};
use super::manifest::{CopiedDatabase, POSTGRES, SQLITE, Versions, counted, utc};
use super::{now, server};
use crate::args::DataOptions;
use crate::database::{DATABASE, is_address};
use crate::language::text;
use crate::preflight;
use crate::secrets::Secrets;
use crate::up::{self, CALLS_FILE, DATABASE_FILE};

/// The databases of a platform.
pub(super) enum Databases {
    /// Files of SQLite.
    Files {
        /// The state.
        state: PathBuf,
        /// The call log, if there is one.
        calls: Option<PathBuf>,
    },
    /// A database of PostgreSQL, by its address.
    Server(String),
}

/// Databases that were copied into a folder.
pub(super) struct Copied {
    pub(super) engine: &'static str,
    pub(super) postgresql: Option<Versions>,
    pub(super) state: CopiedDatabase,
    pub(super) calls: Option<CopiedDatabase>,
    pub(super) schema_version: i64,
    pub(super) keys: Vec<KeyRow>,
}

impl Databases {
    /// Those that options name, else that of the secrets, in `env` or where `xieka up` has them, else the files of the
    /// folder.
    ///
    /// # Errors
    /// There is none, or the secrets cannot be read.
    pub(super) fn of(options: &DataOptions, env: Option<&Path>) -> Result<Self> {
        let given = options.database.as_deref();
        let address = match given {
            Some(given) => given
                .to_str()
                .filter(|given| is_address(given))
                .map(str::to_owned),
            None => match env {
                Some(env) => of_secrets(env)?,
                None => {
                    let env = up::env_file(&options.data)?;
                    env.is_file().then(|| of_secrets(&env)).transpose()?.flatten()
                }
            },
        };
        if let Some(address) = address {
            if options.calls.is_some() {
                bail!(text(
                    "PostgreSQL 数据库包含调用日志，不能使用 --calls",
                    "a PostgreSQL database has the call log in it: leave out --calls"
                ));
            }
            return Ok(Self::Server(address));
        }
        let (state, calls) = match given {
            Some(database) => (database.to_owned(), options.calls.clone()),
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
        Ok(Self::Files { state, calls })
    }

    /// The name of the state, without a password.
    fn name(&self) -> Result<String> {
        match self {
            Self::Files { state, .. } => Ok(state.display().to_string()),
            Self::Server(address) => server::name(address),
        }
    }

    /// Copies the databases into a folder.
    ///
    /// # Errors
    /// One cannot be copied, or has no data of a platform.
    pub(super) async fn copy(&self, folder: &Path) -> Result<Copied> {
        match self {
            Self::Files { state, calls } => {
                let (state, db) = copied_file(state, &folder.join(STATE)).await?;
                let calls = match calls {
                    Some(calls) => Some(copied_file(calls, &folder.join(CALLS)).await?.0),
                    None => None,
                };
                let (schema_version, keys) = self.schema_and_keys(&db).await?;
                Ok(Copied {
                    engine: SQLITE,
                    postgresql: None,
                    state,
                    calls,
                    schema_version,
                    keys,
                })
            }
            Self::Server(address) => self.copy_of_server(address, &folder.join(DUMP)).await,
        }
    }

    /// Counts, hashes and `pg_dump` see the rows of one moment.
    async fn copy_of_server(&self, address: &str, to: &Path) -> Result<Copied> {
        let name = server::name(address)?;
        let unread = || text(format!("无法复制 {name}"), format!("cannot copy {name}"));
        let db = server::connect(address).await?;
        let at = now();
        let (snapshot, exported) = PostgresCopy::snapshot(db).await.with_context(unread)?;
        let (schema_version, keys) = self.schema_and_keys(&snapshot).await?;
        let versions = server::dump_versions(address, snapshot.server_version().await?).await?;
        let digests = async { anyhow::Ok(table_digests(&snapshot).await?) };
        let ((), digests) = tokio::try_join!(server::dump(address, &exported, to), digests)?;
        Ok(Copied {
            engine: POSTGRES,
            postgresql: Some(versions),
            state: described(at, to, digests)?,
            calls: None,
            schema_version,
            keys,
        })
    }

    async fn schema_and_keys(&self, db: &impl Database) -> Result<(i64, Vec<KeyRow>)> {
        let schema_version = store::version(db).await?;
        if schema_version == 0 {
            let name = self.name()?;
            bail!(text(
                format!("{name} 中没有平台的数据：请先启动一次平台"),
                format!("{name} has no data of a platform: start it once first")
            ));
        }
        // Earlier schemas have other columns of keys, or none.
        let keys = match is_current(db).await? {
            true => store::keys(db).await?,
            false => Vec::new(),
        };
        Ok((schema_version, keys))
    }

    /// Records a backup or a drill. False if the schema has no place for it.
    ///
    /// # Errors
    /// It could not be recorded.
    pub(super) async fn record(&self, record: &BackupRecord<'_>) -> Result<bool> {
        let name = self.name()?;
        let unwritten = || {
            text(
                format!("备份有效，但未能登记到 {name}"),
                format!("the backup is good, and could not be recorded in {name}"),
            )
        };
        match self {
            Self::Files { state, .. } => {
                let db = Sqlite::open(state).with_context(unwritten)?;
                recorded(&db, record).await.with_context(unwritten)
            }
            Self::Server(address) => {
                let db = server::connect(address).await.with_context(unwritten)?;
                recorded(&db, record).await.with_context(unwritten)
            }
        }
    }
}

/// The database that the secrets in a file name, if they name one.
///
/// # Errors
/// The file cannot be read.
pub(super) fn of_secrets(env: &Path) -> Result<Option<String>> {
    let secrets = Secrets::read(env)?;
    let address = secrets.get(DATABASE).unwrap_or_default();
    Ok(Some(address.to_owned()).filter(|address| !address.is_empty()))
}

/// Whether a database has the schema of this program.
pub(super) async fn is_current(db: &impl Database) -> Result<bool> {
    match store::check(db).await {
        Ok(()) => Ok(true),
        Err(other) if [Reason::SchemaBehind, Reason::SchemaAhead].contains(&other.reason()) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn recorded(db: &impl Database, record: &BackupRecord<'_>) -> Result<bool> {
    if !is_current(db).await? {
        return Ok(false);
    }
    transaction(db, async |tx| backup_record::add(tx, record, now()).await).await?;
    Ok(true)
}

/// Copies a database, and counts and hashes the copy.
async fn copied_file(from: &Path, to: &Path) -> Result<(CopiedDatabase, Sqlite)> {
    let name = from.display();
    let unread = || text(format!("无法复制 {name}"), format!("cannot copy {name}"));
    let source = Sqlite::open(from).with_context(unread)?;
    let at = now();
    source.copy_to(to).with_context(unread)?;
    let Some(copy) = preflight::sound(to)? else {
        bail!(unread())
    };
    let digests = table_digests(&copy).await?;
    Ok((described(at, to, digests)?, copy))
}

fn described(at: Timestamp, copy: &Path, digests: Vec<TableDigest>) -> Result<CopiedDatabase> {
    Ok(CopiedDatabase {
        copied_at: utc(at),
        copied_at_ms: at.millis(),
        bytes: fs::metadata(copy)?.len(),
        tables: counted(digests),
    })
}
