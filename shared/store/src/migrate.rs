//! Brings a database to the schema this program knows.
//!
//! Migrations are numbered files that are never edited once released. A statement in them ends with `;` at the end of
//! a line, and a comment takes whole lines. They are written for SQLite and libSQL. PostgreSQL begins with one file that
//! makes a whole schema; a later version has a file of its own for it where the same definitions in its words do not do.

use super::{Database, DbError, Run as _, Statement, transaction};
use domain::Timestamp;
use domain::error::{Error, Reason};

/// Text of every migration; the first makes version 1.
const MIGRATIONS: &[&str] = &[
    include_str!(concat!(env!("OUT_DIR"), "/0001_card_writing.sql")),
    include_str!(concat!(env!("OUT_DIR"), "/0002_access_queries_log.sql")),
    include_str!(concat!(env!("OUT_DIR"), "/0003_receivers_alerts_jobs.sql")),
    include_str!(concat!(env!("OUT_DIR"), "/0004_incident_clocks.sql")),
    include_str!(concat!(env!("OUT_DIR"), "/0005_temporary_numbers_pools.sql")),
    include_str!(concat!(env!("OUT_DIR"), "/0006_field_words.sql")),
    include_str!(concat!(env!("OUT_DIR"), "/0007_ended_tasks.sql")),
    include_str!(concat!(env!("OUT_DIR"), "/0008_key_checks.sql")),
    include_str!(concat!(env!("OUT_DIR"), "/0009_ways_out.sql")),
    include_str!(concat!(env!("OUT_DIR"), "/0010_session_ends.sql")),
    include_str!(concat!(env!("OUT_DIR"), "/0011_state_change_messages.sql")),
    include_str!(concat!(env!("OUT_DIR"), "/0012_held_numbers.sql")),
    include_str!(concat!(env!("OUT_DIR"), "/0013_imports.sql")),
    include_str!(concat!(env!("OUT_DIR"), "/0014_incident_limits.sql")),
    include_str!(concat!(env!("OUT_DIR"), "/0015_unauthenticated_calls.sql")),
    include_str!(concat!(env!("OUT_DIR"), "/0016_key_rotation_clock.sql")),
    include_str!(concat!(env!("OUT_DIR"), "/0017_replacement_cards.sql")),
    include_str!(concat!(env!("OUT_DIR"), "/0018_gateways.sql")),
    include_str!(concat!(env!("OUT_DIR"), "/0019_unsent_numbers.sql")),
    include_str!(concat!(env!("OUT_DIR"), "/0020_backups.sql")),
    include_str!(concat!(env!("OUT_DIR"), "/0021_retention.sql")),
];

/// The migrations of PostgreSQL with their versions. The first makes the schema of its version and those before it.
#[cfg(feature = "postgres")]
const POSTGRES: &[(i64, &str)] = include!(concat!(env!("OUT_DIR"), "/postgres.rs"));
// A program that cannot reach PostgreSQL does not carry them.
#[cfg(not(feature = "postgres"))]
const POSTGRES: &[(i64, &str)] = &[];

/// The schema this program needs.
pub const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

/// Separates the statements of a migration.
const STATEMENT_END: &str = ";\n";

const USE_WAL: Statement = Statement::of_sqlite("PRAGMA journal_mode = WAL");
// PostgreSQL lets two programs begin at once; the second one waits here until the first has committed.
const LOCK: Statement =
    Statement::of_postgres("SELECT CAST(pg_advisory_xact_lock(8246734118) AS TEXT) AS locked");
const FIND_TABLE: Statement = Statement::new(
    "SELECT COUNT(*) AS n FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'",
    "SELECT COUNT(*) AS n FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'schema_version'",
);
const CREATE_TABLE: Statement = Statement::new(
    "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)",
);
const READ_VERSION: &str = "SELECT COALESCE(MAX(version), 0) AS version FROM schema_version";
const ADD_VERSION: &str = "INSERT INTO schema_version (version, applied_at) VALUES ($1, $2)";

/// Applies the missing migrations. May be repeated, and run by several processes at once.
///
/// # Errors
/// [`Reason::SchemaAhead`] when the database is newer than this program; [`Reason::SchemaBehind`] when the database
/// refuses a migration, for example because it cannot be written to; [`Reason::Unavailable`] when it is busy.
pub async fn migrate<D: Database>(db: &D, now: Timestamp) -> Result<(), Error> {
    // A current or a newer database is only read: no call waits for the lock of a writer.
    match check(db).await {
        Err(behind) if behind.reason() == Reason::SchemaBehind => {}
        outcome => return outcome,
    }
    // Outside the transaction, where SQLite allows it. A refusal does not matter: another process sets the mode at the
    // same time, or the engine manages its log itself. The mode affects speed, not correctness.
    let _ = db.run(USE_WAL, &[]).await;
    transaction(db, async |db| {
        db.run(LOCK, &[]).await?;
        db.run(CREATE_TABLE, &[]).await?;
        let applied = not_ahead(read_version(db).await?)?;
        for (version, text) in (1..).zip(MIGRATIONS).filter(|(version, _)| *version > applied) {
            let of_postgres = POSTGRES.iter().find(|(number, _)| *number == version);
            let mut postgres = statements(of_postgres.map_or("", |(_, text)| text));
            let mut sqlite = statements(text);
            loop {
                // Each engine runs its own; where one has fewer it has nothing to run.
                let (one, other) = (sqlite.next(), postgres.next());
                if one.is_none() && other.is_none() {
                    break;
                }
                let both = Statement::new(one.unwrap_or_default(), other.unwrap_or_default());
                db.run(both, &[]).await?;
            }
            db.run(ADD_VERSION, &[version.into(), now.millis().into()])
                .await?;
        }
        Ok(())
    })
    .await
    .map_err(refused)
}

fn statements(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.split(STATEMENT_END)
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

/// A migration that cannot be carried out leaves the database behind the program.
fn refused(error: Error) -> Error {
    if error.reason() == Reason::Internal {
        return Error::new(Reason::SchemaBehind).with_cause(error.cause().unwrap_or_default());
    }
    error
}

/// Verifies that the database has exactly the schema of this program.
///
/// # Errors
/// [`Reason::SchemaBehind`], [`Reason::SchemaAhead`]; [`Reason::Unavailable`] when the database is busy.
pub async fn check<D: Database>(db: &D) -> Result<(), Error> {
    if not_ahead(version(db).await?)? < SCHEMA_VERSION {
        Err(Reason::SchemaBehind.into())
    } else {
        Ok(())
    }
}

/// The schema of a database, whatever program made it; 0 of an empty one.
///
/// # Errors
/// [`DbError`] when it cannot be read.
pub async fn version<D: Database>(db: &D) -> Result<i64, DbError> {
    match db.run(FIND_TABLE, &[]).await?.first() {
        Some(row) if row.integer(0)? > 0 => read_version(db).await,
        _ => Ok(0),
    }
}

fn not_ahead(version: i64) -> Result<i64, Error> {
    if version > SCHEMA_VERSION {
        let cause = format!("the database has version {version}, the program knows {SCHEMA_VERSION}");
        return Err(Error::new(Reason::SchemaAhead).with_cause(cause));
    }
    Ok(version)
}

async fn read_version<D: Database>(db: &D) -> Result<i64, DbError> {
    let rows = db.run(READ_VERSION, &[]).await?;
    rows.first()
        .ok_or_else(|| DbError::Shape("no version".to_owned()))?
        .integer(0)
}
