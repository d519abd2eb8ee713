//! Rows and the statements that make them, behind one small trait with two implementations: Spin's
//! SQLite in the components, rusqlite in native processes and tests.
//!
//! Statements are constants and stay within what SQLite and PostgreSQL share: `$1` parameters in
//! order, `RETURNING`, `ON CONFLICT`, integers for time. Every `UPDATE` that changes a state names
//! the state it expects. Nothing here decides anything about cards or clients, and no identifier
//! reaches a row unsealed.

mod database;
mod migrate;
#[cfg(feature = "native")]
mod native;
mod row;
mod transaction;

pub use database::{Database, DbError};
pub use migrate::{SCHEMA_VERSION, check, migrate};
#[cfg(feature = "native")]
pub use native::Sqlite;
pub use row::{Row, Value};
pub use transaction::transaction;
