//! Rows and SQL statements behind one small trait, which has three implementations: Spin's SQLite in the components,
//! rusqlite and tokio-postgres in native processes and tests.
//!
//! Statements are constants, but for the table of a day that those of the call log name, and for tables that `reindex`
//! finds in the schema. They use only what SQLite and PostgreSQL share: `$1` parameters that first appear in
//! ascending order, `RETURNING`, `ON CONFLICT`, integers for time. Every `UPDATE` that changes a state names the state
//! it expects. This crate must never decide anything about cards or clients, and never store an identifier unsealed.
//!
//! A function that writes takes a [`Tx`]; the call log and the counters of call rates do not. A function that runs a
//! statement fails with [`DbError`] when the statement does not run.

#![forbid(unsafe_code)]

pub mod alert;
pub mod approval;
pub mod audit;
pub mod backup_record;
pub mod batch;
pub mod batch_row;
pub mod call_log;
pub mod card_facts;
pub mod card_history;
pub mod chip;
pub mod chip_content;
pub mod chip_destruction;
pub mod chip_fault;
pub mod chip_list;
pub mod chip_seen_list;
pub mod client;
pub mod client_secret;
pub mod client_work;
pub mod clock;
mod database;
pub mod destruction;
pub mod deviation;
pub mod device_session;
mod error;
pub mod gateway;
pub mod import;
pub mod incident;
#[cfg(feature = "native")]
pub mod invariant;
pub mod job;
mod key_check;
mod list;
mod list_key;
pub mod lock;
pub mod message;
pub mod message_attempt;
mod migrate;
pub mod monthly_review;
#[cfg(feature = "native")]
mod native;
pub mod number;
pub mod number_content;
pub mod number_list;
pub mod operator_inquiry;
pub mod operator_report;
pub mod pool_level;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(all(feature = "native", feature = "postgres"))]
mod postgres_copy;
pub mod pragma;
pub mod quarantine;
pub mod receiver;
pub mod receiver_secret;
pub mod refusal_list;
#[cfg(feature = "native")]
pub mod reindex;
mod row;
pub mod sealed;
#[cfg(feature = "native")]
mod sealed_check;
pub mod session_search;
pub mod staff;
mod subject;
#[cfg(feature = "native")]
mod table_digest;
pub mod task;
pub mod task_list;
pub mod temporary_number;
mod together;
mod transaction;
pub mod unserved_application;
pub mod views;

pub use database::{Database, Engine, Statement};
pub(crate) use database::{Run, Sql};
pub use error::DbError;
pub use key_check::{KeyRow, RowsFit, check_keys, keys, keys_checked_lately, retire_key, rows_fit};
pub use list::{MAX_SIFTED, Order};
pub use list_key::ListKey;
pub use migrate::{SCHEMA_VERSION, check, migrate, version};
#[cfg(feature = "native")]
pub use migrate::{contract, not_contracted};
#[cfg(feature = "native")]
pub use native::Sqlite;
#[cfg(feature = "postgres")]
pub use postgres::{Postgres, PostgresPool};
#[cfg(all(feature = "native", feature = "postgres"))]
pub use postgres_copy::PostgresCopy;
pub use row::{Row, Value};
#[cfg(feature = "native")]
pub use sealed_check::{SealedCheck, SealedFault, check_sealed};
pub use subject::Subject;
#[cfg(feature = "native")]
pub use table_digest::{Scan, TableDigest, table_digests};
pub use transaction::{Tx, transaction};

use domain::{ClientId, Receiver, TaskId, Timestamp, Volume};
use vault::BlindIndex;

/// A value that another chip or number has: name of its column, and blind index and sealed EID or ICCID of the other
/// one.
pub type Held = (&'static str, BlindIndex, Vec<u8>);

impl From<&BlindIndex> for Value {
    fn from(index: &BlindIndex) -> Self {
        index.as_bytes().into()
    }
}

impl From<BlindIndex> for Value {
    fn from(index: BlindIndex) -> Self {
        index.as_bytes().into()
    }
}

impl From<&ClientId> for Value {
    fn from(id: &ClientId) -> Self {
        id.as_str().into()
    }
}

impl From<&Receiver> for Value {
    fn from(receiver: &Receiver) -> Self {
        receiver.code().into()
    }
}

impl From<TaskId> for Value {
    fn from(id: TaskId) -> Self {
        id.text().into()
    }
}

impl From<Volume> for Value {
    fn from(volume: Volume) -> Self {
        // A volume has at most fifteen digits.
        i64::try_from(volume.bytes()).unwrap_or(i64::MAX).into()
    }
}

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        at.millis().into()
    }
}

/// Getters for columns that hold values of the domain.
impl Row {
    pub(crate) fn index(&self, at: usize) -> Result<BlindIndex, DbError> {
        BlindIndex::from_bytes(self.blob(at)?).ok_or_else(|| not_a(at, "blind index"))
    }

    pub(crate) fn client_id(&self, at: usize) -> Result<ClientId, DbError> {
        ClientId::parse(self.text(at)?).map_err(|_| not_a(at, "client id"))
    }

    pub(crate) fn receiver(&self, at: usize) -> Result<Receiver, DbError> {
        Receiver::parse(self.text(at)?).map_err(|_| not_a(at, "receiver"))
    }

    pub(crate) fn task_id(&self, at: usize) -> Result<TaskId, DbError> {
        TaskId::parse(self.text(at)?).map_err(|_| not_a(at, "task id"))
    }

    pub(crate) fn time(&self, at: usize) -> Result<Timestamp, DbError> {
        self.integer(at).map(Timestamp)
    }

    pub(crate) fn count(&self, at: usize) -> Result<u32, DbError> {
        u32::try_from(self.integer(at)?).map_err(|_| not_a(at, "count"))
    }

    /// The text in column `at`, as `decode` reads it.
    pub(crate) fn code<T>(&self, at: usize, decode: impl FnOnce(&str) -> Option<T>) -> Result<T, DbError> {
        decode(self.text(at)?).ok_or_else(|| not_a(at, "known code"))
    }

    /// The number in column `at`, as `decode` reads it.
    pub(crate) fn number_code<T>(
        &self,
        at: usize,
        decode: impl FnOnce(i64) -> Option<T>,
    ) -> Result<T, DbError> {
        decode(self.integer(at)?).ok_or_else(|| not_a(at, "known code"))
    }
}

fn not_a(at: usize, what: &str) -> DbError {
    DbError::Shape(format!("column {at} is no {what}"))
}

/// The first row, read by `read`.
fn first<T>(rows: &[Row], read: impl FnOnce(&Row) -> Result<T, DbError>) -> Result<Option<T>, DbError> {
    rows.first().map(read).transpose()
}
