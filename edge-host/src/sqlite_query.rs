//! Statements of components, with the values and rows of `spin:sqlite@3.1.0`.
//!
//! Does not know which component runs a statement, nor whether it may.

use rusqlite::types::{Value as SqlValue, ValueRef};
use rusqlite::{Row, Statement, params_from_iter};
use tokio::sync::{mpsc, oneshot};

use crate::bindings::spin::sqlite::sqlite::{Error, QueryResult, RowResult, Value};
use crate::sqlite::{Connection, Failure, with_statement};

/// The largest result of one query, in bytes of its values.
const MAX_RESULT_BYTES: usize = 128 << 20;

/// Rows read ahead of a component that streams a result. The connection stays locked until the last
/// one is taken, as in Spin.
const ROWS_AHEAD: usize = 4;

/// A running query: columns at once, then rows, then its outcome.
pub(crate) struct StreamedQuery {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: mpsc::Receiver<RowResult>,
    pub(crate) outcome: oneshot::Receiver<Result<(), Error>>,
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Io(failure.0)
    }
}

/// Runs the first statement of the text and returns all its rows.
///
/// # Errors
/// [`Error::Io`] when the statement fails or its result exceeds [`MAX_RESULT_BYTES`].
pub(crate) async fn execute(
    connection: &Connection,
    sql: String,
    parameters: Vec<Value>,
) -> Result<QueryResult, Error> {
    let query = move |connection: &rusqlite::Connection| {
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
    };
    Ok(connection.with(query).await?)
}

/// Runs the first statement of the text and sends its rows one by one. A statement that fails has no
/// columns; its outcome says why.
pub(crate) async fn stream(connection: Connection, sql: String, parameters: Vec<Value>) -> StreamedQuery {
    let (columns_tx, columns_rx) = oneshot::channel();
    let (rows_tx, rows) = mpsc::channel(ROWS_AHEAD);
    let (outcome_tx, outcome) = oneshot::channel();
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
        let _ = outcome_tx.send(result.map_err(Into::into));
    });
    StreamedQuery {
        columns: columns_rx.await.unwrap_or_default(),
        rows,
        outcome,
    }
}

/// Returns how many rows the last statement of the connection changed.
///
/// # Errors
/// [`Error::Io`] when the thread that asked panicked.
pub(crate) async fn changes(connection: &Connection) -> Result<u64, Error> {
    Ok(connection.with(|connection| Ok(connection.changes())).await?)
}

/// Returns the row id of the last row that the connection inserted.
///
/// # Errors
/// [`Error::Io`] when the thread that asked panicked.
pub(crate) async fn last_insert_rowid(connection: &Connection) -> Result<i64, Error> {
    let query = |connection: &rusqlite::Connection| Ok(connection.last_insert_rowid());
    Ok(connection.with(query).await?)
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
