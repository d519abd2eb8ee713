//! Brings a database to the schema this program knows.
//!
//! Migrations are numbered files that are never edited once released; a statement in them ends with
//! `;` at the end of a line.

use super::{Database, DbError, Value, transaction};
use crate::domain::Timestamp;
use crate::error::{Error, Reason};

/// Number and text of every migration, ascending from 1.
const MIGRATIONS: &[(i64, &[&str])] = &[];

/// The schema this program needs.
pub const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

/// Applies what is missing. Doing it again changes nothing; several processes may do it at once.
///
/// # Errors
/// [`Reason::SchemaAhead`] when the database is newer than this program, and those of the database.
pub async fn migrate<D: Database>(db: &D, now: Timestamp) -> Result<(), Error> {
    let _ = (db, now, Value::Null);
    transaction(db, async |_| Ok::<_, DbError>(())).await?;
    Ok(())
}

/// Verifies that the database has exactly the schema of this program.
///
/// # Errors
/// [`Reason::SchemaBehind`], [`Reason::SchemaAhead`], and those of the database.
pub async fn check<D: Database>(db: &D) -> Result<(), Error> {
    let _ = db;
    Err(Reason::SchemaBehind.into())
}
