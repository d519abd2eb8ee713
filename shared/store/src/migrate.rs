//! Brings a database to the schema this program knows.
//!
//! Migrations are numbered files that are never edited once released. A statement in them ends with `;` at the end of
//! a line, and a comment takes whole lines. They are written for SQLite and libSQL. PostgreSQL begins with one file that
//! makes a whole schema; a later version has a file of its own for it where the same definitions in its words do not do.
//!
//! Most migrations expand: they add what the next program needs, and every program runs them. One that contracts, whose
//! first line is `-- contracting`, removes what no program of this version reads. Only `xieka migrate` runs it, which asks
//! for a backup; until then this program works without it. A database that is new has nothing to lose.

use super::{Database, DbError, Run as _, Statement, transaction};
use domain::Timestamp;
use domain::error::{Error, Reason};
use miniz_oxide::inflate::decompress_to_vec;

/// The texts of all migrations, packed by `build.rs`: of each version, from 1 on, that of SQLite and that of PostgreSQL.
const PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/migrations.deflate"));

/// Ends a text.
const TEXT_END: char = '\0';

/// The schema this program needs.
pub const SCHEMA_VERSION: i64 = include!(concat!(env!("OUT_DIR"), "/schema_version"));

/// The migrations that contract.
const CONTRACTING: &[i64] = &include!(concat!(env!("OUT_DIR"), "/contracting"));

/// The version without which this program does not work.
const NEEDED_VERSION: i64 = needed(SCHEMA_VERSION, CONTRACTING);

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
const READ_VERSIONS: &str = "SELECT version FROM schema_version ORDER BY version";
const READ_VERSION: &str = "SELECT COALESCE(MAX(version), 0) AS version FROM schema_version";
const ADD_VERSION: &str = "INSERT INTO schema_version (version, applied_at) VALUES ($1, $2)";

/// The last of the versions up to `newest` that does not contract.
const fn needed(newest: i64, contracting: &[i64]) -> i64 {
    let (mut version, mut at) = (newest, contracting.len());
    while at > 0 && contracting[at - 1] == version {
        version -= 1;
        at -= 1;
    }
    version
}

/// Whether a migration is to be run on a database that has had these, in the order of the versions.
fn is_due(version: i64, applied: &[i64], contracting: &[i64], may_contract: bool) -> bool {
    let Some(last) = applied.last() else { return true };
    if contracting.contains(&version) {
        may_contract && !applied.contains(&version)
    } else {
        version > *last
    }
}

/// Applies the missing migrations, but for those that contract. May be repeated, and run by several processes at once.
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
    apply(db, now, false).await
}

/// Applies the missing migrations, those that contract too. May be repeated.
///
/// # Errors
/// As of [`migrate`].
#[cfg(feature = "native")]
pub async fn contract<D: Database>(db: &D, now: Timestamp) -> Result<(), Error> {
    apply(db, now, true).await
}

/// The migrations that contract, and that a database has not had yet.
///
/// # Errors
/// [`DbError`] when it cannot be read.
#[cfg(feature = "native")]
pub async fn not_contracted<D: Database>(db: &D) -> Result<Vec<i64>, DbError> {
    let applied = read_versions(db).await?;
    let missing = CONTRACTING.iter().filter(|version| !applied.contains(version));
    Ok(missing.copied().collect())
}

async fn apply<D: Database>(db: &D, now: Timestamp, may_contract: bool) -> Result<(), Error> {
    // Outside the transaction, where SQLite allows it. A refusal does not matter: another process sets the mode at the
    // same time, or the engine manages its log itself. The mode affects speed, not correctness.
    let _ = db.run(USE_WAL, &[]).await;
    let texts = unpacked()?;
    transaction(db, async |db| {
        db.run(LOCK, &[]).await?;
        db.run(CREATE_TABLE, &[]).await?;
        let applied = read_versions(db).await?;
        not_ahead(applied.last().copied().unwrap_or_default())?;
        let mut texts = texts.split_terminator(TEXT_END);
        for version in 1..=SCHEMA_VERSION {
            let [mut sqlite, mut postgres] = [texts.next(), texts.next()].map(statements);
            if !is_due(version, &applied, CONTRACTING, may_contract) {
                continue;
            }
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

/// The texts, which stay in memory: statements do. An instance needs them once at most.
fn unpacked() -> Result<&'static str, Error> {
    let bytes = decompress_to_vec(PACKED).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.map(|text| &*text.leak())
        .ok_or_else(|| Error::internal("the migrations cannot be unpacked"))
}

fn statements(text: Option<&'static str>) -> impl Iterator<Item = &'static str> {
    text.unwrap_or_default()
        .split(STATEMENT_END)
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

/// Verifies that the database has what this program needs, and is not of a newer one.
///
/// # Errors
/// [`Reason::SchemaBehind`], [`Reason::SchemaAhead`]; [`Reason::Unavailable`] when the database is busy.
pub async fn check<D: Database>(db: &D) -> Result<(), Error> {
    if not_ahead(version(db).await?)? < NEEDED_VERSION {
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

async fn read_versions<D: Database>(db: &D) -> Result<Vec<i64>, DbError> {
    let rows = db.run(READ_VERSIONS, &[]).await?;
    rows.iter().map(|row| row.integer(0)).collect()
}

async fn read_version<D: Database>(db: &D) -> Result<i64, DbError> {
    let rows = db.run(READ_VERSION, &[]).await?;
    rows.first()
        .ok_or_else(|| DbError::Shape("no version".to_owned()))?
        .integer(0)
}

#[cfg(test)]
mod tests {
    use super::{is_due, needed};

    /// The versions that are run of eight, of which some contract.
    fn run(applied: &[i64], contracting: &[i64], may_contract: bool) -> Vec<i64> {
        (1..=8)
            .filter(|version| is_due(*version, applied, contracting, may_contract))
            .collect()
    }

    #[test]
    fn a_component_leaves_migrations_that_contract_to_the_command_unless_the_database_is_new() {
        let contracting = [4, 6, 8];
        let old = [1, 2, 3];
        assert_eq!(run(&old, &contracting, false), [5, 7]);
        assert_eq!(run(&[], &contracting, false), [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(run(&[1, 2, 3, 5, 7], &contracting, false), [0; 0]);
        // The command makes up for what components left out, in the order of the versions.
        assert_eq!(run(&[1, 2, 3, 5, 7], &contracting, true), [4, 6, 8]);
        assert_eq!(run(&old, &contracting, true), [4, 5, 6, 7, 8]);
        assert_eq!(run(&old, &[], false), run(&old, &[], true));
        assert_eq!(run(&[1, 2, 3, 4, 5, 6, 7, 8], &contracting, true), [0; 0]);
        // Only the last version may be known of an old database.
        assert_eq!(run(&[3], &contracting, false), [5, 7]);
    }

    #[test]
    fn a_program_works_without_the_last_migrations_if_they_contract() {
        for (contracting, expected) in [(&[][..], 8), (&[3], 8), (&[8], 7), (&[4, 7, 8], 6), (&[6, 8], 7)] {
            assert_eq!(needed(8, contracting), expected, "{contracting:?}");
        }
    }
}
