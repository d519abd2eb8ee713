//! One guest connection to an SQLite database.
//!
//! Each connection that a component opens is a connection of its own: transactions are never shared, and
//! dropping a connection rolls back what was not committed. Nothing here blocks the async runtime. A
//! connection gets only the settings that Spin's own build implies, since a component could notice others.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Batch, Statement};
use tokio::runtime::{Handle, RuntimeFlavor};

use crate::runtime_config::Location;

/// How long a statement waits for another connection's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// An open connection; shared with the thread that runs its statement.
#[derive(Clone)]
#[expect(
    unreachable_pub,
    reason = "generated code re-exports it inside its private module"
)]
pub struct Connection(Arc<Mutex<rusqlite::Connection>>);

/// Why a statement failed, in SQLite's words.
pub(crate) struct Failure(pub(crate) String);

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self(error.to_string())
    }
}

impl Connection {
    /// Opens a connection and sets its busy timeout, foreign keys and authorizer.
    ///
    /// # Errors
    /// [`Failure`] when SQLite cannot open the file.
    pub(crate) async fn open(location: Location) -> Result<Self, Failure> {
        run_blocking(move || {
            let mut connection = match location {
                Location::Memory => rusqlite::Connection::open_in_memory(),
                Location::File(path) => rusqlite::Connection::open(path),
            }?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.pragma_update(None, "foreign_keys", true)?;
            // Newer SQLite compiles a cached statement anew each time it is given other values, in case they lead to
            // a better plan. That takes longer than carrying the statement out.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
            connection.authorizer(Some(refuse_attach))?;
            Ok(Self(Arc::new(Mutex::new(connection))))
        })
        .await
    }

    /// Runs work on the connection; other users of the connection wait until it is done.
    ///
    /// # Errors
    /// [`Failure`] of the work, or when the thread that ran it panicked.
    pub(crate) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let connection = self.clone();
        run_blocking(move || connection.run(work)).await
    }

    /// Runs work on the connection, on this thread.
    ///
    /// # Errors
    /// [`Failure`] of the work.
    pub(crate) fn run<T>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        work(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Runs `work` on this thread, while the runtime moves this thread's other tasks to another one: a statement takes
/// microseconds, less than passing it to a thread and back. A runtime with one thread runs it on a blocking thread.
async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    if Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread {
        return tokio::task::block_in_place(work);
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Failure(error.to_string())),
    }
}

/// Denies access to other files: `ATTACH` and, with it, `VACUUM INTO`.
fn refuse_attach(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Attach { filename } if !matches!(filename, "" | ":memory:") => Authorization::Deny,
        _ => Authorization::Allow,
    }
}

/// Runs the first statement of the text; what follows it is ignored, as in Spin.
///
/// # Errors
/// [`Failure`] of the work, or when the text has no valid first statement.
pub(crate) fn with_statement<T>(
    connection: &rusqlite::Connection,
    sql: &str,
    work: impl FnOnce(&mut Statement<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    if let Ok(mut statement) = connection.prepare_cached(sql) {
        return work(&mut statement);
    }
    // The error may be about what follows the first statement.
    match Batch::new(connection, sql).next()? {
        Some(mut statement) => work(&mut statement),
        None => Err(Failure("not an SQL statement".to_owned())),
    }
}
