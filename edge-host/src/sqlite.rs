//! One guest connection to an SQLite database.
//!
//! Every connection a component opens is a connection of its own: transactions are never shared, and
//! dropping it rolls back what was not committed. Nothing here runs on the async runtime's own
//! threads, and nothing that a component could notice is set behind its back but what Spin's build implies.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::{Value as SqlValue, ValueRef};
use rusqlite::{Batch, Row, Statement, params_from_iter};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{mpsc, oneshot};

use crate::bindings::spin::sqlite::sqlite::{Error, QueryResult, RowResult, Value};
use crate::runtime_config::Location;

/// How long a statement waits for another connection's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The largest result handed over, in bytes of its values.
const MAX_RESULT_BYTES: usize = 128 << 20;

/// Rows read ahead of a component that streams a result. The connection stays locked until the last
/// one is taken, as in Spin.
const ROWS_AHEAD: usize = 4;

/// An open connection; shared with the thread that runs its statement.
#[derive(Clone)]
#[expect(
    unreachable_pub,
    reason = "generated code re-exports it inside its private module"
)]
pub struct Connection(Arc<Mutex<rusqlite::Connection>>);

/// A running query: columns at once, then rows, then how it ended.
pub(crate) struct Streaming {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: mpsc::Receiver<RowResult>,
    pub(crate) end: oneshot::Receiver<Result<(), Error>>,
}

impl Connection {
    pub(crate) async fn open(location: Location) -> Result<Self, Error> {
        blocking(move || {
            let mut connection = match location {
                Location::Memory => rusqlite::Connection::open_in_memory(),
                Location::File(path) => rusqlite::Connection::open(path),
            }?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.pragma_update(None, "foreign_keys", true)?;
            // Newer SQLite compiles a cached statement anew each time it is given other values, in case they lead to a
            // better plan. That takes longer than carrying the statement out.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
            connection.authorizer(Some(refuse_attach))?;
            Ok(Self(Arc::new(Mutex::new(connection))))
        })
        .await
    }

    /// Runs the first statement of the text and returns all its rows.
    pub(crate) async fn execute(&self, sql: String, parameters: Vec<Value>) -> Result<QueryResult, Error> {
        self.with(move |connection| {
            with_statement(connection, &sql, |statement| {
                let columns = columns(statement);
                let mut rows = statement.query(params_from_iter(parameters.into_iter().map(to_sql)))?;
                let mut collected = Vec::new();
                let mut bytes = 0;
                while let Some(row) = rows.next()? {
                    let (row, size) = convert(row)?;
                    bytes += size;
                    check_size(bytes)?;
                    collected.push(row);
                }
                Ok(QueryResult {
                    columns,
                    rows: collected,
                })
            })
        })
        .await
    }

    /// Runs the first statement of the text and hands its rows over one by one. A statement that
    /// fails has no columns and says so at the end.
    pub(crate) async fn stream(&self, sql: String, parameters: Vec<Value>) -> Result<Streaming, Error> {
        let (columns_tx, columns_rx) = oneshot::channel();
        let (rows_tx, rows) = mpsc::channel(ROWS_AHEAD);
        let (end_tx, end) = oneshot::channel();
        let connection = self.clone();
        tokio::task::spawn_blocking(move || {
            let result = connection.run(|connection| {
                with_statement(connection, &sql, |statement| {
                    // A receiver that is gone means a component that is gone.
                    let _ = columns_tx.send(columns(statement));
                    let mut rows = statement.query(params_from_iter(parameters.into_iter().map(to_sql)))?;
                    while let Some(row) = rows.next()? {
                        let (row, size) = convert(row)?;
                        check_size(size)?;
                        rows_tx
                            .blocking_send(row)
                            .map_err(|_| Failure("the rows are no longer read".to_owned()))?;
                    }
                    Ok(())
                })
            });
            let _ = end_tx.send(result.map_err(Into::into));
        });
        Ok(Streaming {
            columns: columns_rx.await.unwrap_or_default(),
            rows,
            end,
        })
    }

    pub(crate) async fn changes(&self) -> Result<u64, Error> {
        self.with(|connection| Ok(connection.changes())).await
    }

    pub(crate) async fn last_insert_rowid(&self) -> Result<i64, Error> {
        self.with(|connection| Ok(connection.last_insert_rowid())).await
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Error> {
        let connection = self.clone();
        blocking(move || connection.run(work)).await
    }

    fn run<T>(&self, work: impl FnOnce(&rusqlite::Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        work(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Why a statement failed, in SQLite's words.
struct Failure(String);

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Io(failure.0)
    }
}

/// Runs `work` here and now, while the runtime moves what else this thread had to do to another one: a statement takes
/// microseconds, less than handing it to a thread and back. Where the runtime has one thread only, another does it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Error> {
    if Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread {
        return tokio::task::block_in_place(work).map_err(Into::into);
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(Into::into),
        Err(error) => Err(Error::Io(error.to_string())),
    }
}

/// Other files stay out of reach: `ATTACH` and, with it, `VACUUM INTO`.
fn refuse_attach(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Attach { filename } if !matches!(filename, "" | ":memory:") => Authorization::Deny,
        _ => Authorization::Allow,
    }
}

/// Runs the first statement of the text; what follows it is ignored, as in Spin.
fn with_statement<T>(
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

fn columns(statement: &Statement<'_>) -> Vec<String> {
    statement.column_names().map(str::to_owned).collect()
}

fn convert(row: &Row<'_>) -> Result<(RowResult, usize), Failure> {
    let count = row.as_ref().column_count();
    let mut values = Vec::with_capacity(count);
    let mut bytes = 0;
    for column in 0..count {
        let value = match row.get_ref(column)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(integer) => Value::Integer(integer),
            ValueRef::Real(real) => Value::Real(real),
            ValueRef::Text(text) => Value::Text(
                String::from_utf8(text.to_vec())
                    .map_err(|_| Failure(format!("the text in column {column} is not UTF-8")))?,
            ),
            ValueRef::Blob(blob) => Value::Blob(blob.to_vec()),
        };
        bytes += size_of::<Value>()
            + match &value {
                Value::Text(text) => text.len(),
                Value::Blob(blob) => blob.len(),
                Value::Null | Value::Integer(_) | Value::Real(_) => 0,
            };
        values.push(value);
    }
    Ok((RowResult { values }, bytes))
}

fn to_sql(value: Value) -> SqlValue {
    match value {
        Value::Null => SqlValue::Null,
        Value::Integer(integer) => SqlValue::Integer(integer),
        Value::Real(real) => SqlValue::Real(real),
        Value::Text(text) => SqlValue::Text(text),
        Value::Blob(blob) => SqlValue::Blob(blob),
    }
}

fn check_size(bytes: usize) -> Result<(), Failure> {
    if bytes > MAX_RESULT_BYTES {
        return Err(Failure(format!(
            "query result exceeds limit of {MAX_RESULT_BYTES} bytes"
        )));
    }
    Ok(())
}
