//! Statements of components on PostgreSQL, with the results and errors of `spin:postgres@4.2.0`.
//!
//! Each statement is prepared, executed and closed: no plan is kept, as in Spin. Does not know which component runs a
//! statement, nor whether it may.

#![expect(
    clippy::result_large_err,
    reason = "errors are as large as the interface makes them"
)]

use std::future::pending;
use std::pin::pin;

use futures::StreamExt as _;
use tokio::sync::{mpsc, oneshot};
use tokio_postgres::types::ToSql;
use tokio_postgres::{RowStream, error::DbError as ServerError};

use crate::bindings::spin::postgres::postgres::{
    Column, DbError, DbValue, Error, ParameterValue, QueryError, RowSet,
};
use crate::postgres::Client;
use crate::postgres_values::{columns, size, to_sql, values};

/// The largest result of one query, in bytes of its values; of one row where rows are streamed.
const MAX_RESULT_BYTES: usize = 128 << 20;

/// Rows read ahead of a component that streams a result.
const ROWS_AHEAD: usize = 4;

/// A running query: columns, then rows, then its outcome.
pub(crate) struct StreamedQuery {
    /// Empty when there is no row.
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: mpsc::Receiver<Vec<DbValue>>,
    pub(crate) outcome: oneshot::Receiver<Result<(), Error>>,
}

/// Runs a statement and returns how many rows it changed or found.
///
/// # Errors
/// [`Error::ValueConversionFailed`] when a parameter is malformed; [`Error::QueryFailed`] with the server's error.
pub(crate) async fn execute(
    client: &Client,
    statement: &str,
    parameters: &[ParameterValue],
) -> Result<u64, Error> {
    let parameters =
        to_sql(parameters).map_err(|error| Error::ValueConversionFailed(format!("{error:?}")))?;
    let parameters: Vec<_> = parameters
        .iter()
        .map(|parameter| &**parameter as &(dyn ToSql + Sync))
        .collect();
    client.execute(statement, &parameters).await.map_err(query_failed)
}

/// Runs a statement and returns all its rows. As in Spin 4.1 it never returns when there is none, and an error after the
/// statement began has no SQLSTATE.
///
/// # Errors
/// [`Error::BadParameter`] when a parameter is malformed; [`Error::QueryFailed`] with the server's error, or when the
/// result exceeds [`MAX_RESULT_BYTES`].
pub(crate) async fn query(
    client: &Client,
    statement: &str,
    parameters: &[ParameterValue],
) -> Result<RowSet, Error> {
    let mut found = pin!(start(client, statement, parameters).await?);
    let mut names = None;
    let mut rows = Vec::new();
    let mut bytes = size_of::<RowSet>();
    while let Some(row) = found.next().await {
        let row = row.map_err(|error| failed(format!("{:?}", query_failed(error))))?;
        names.get_or_insert_with(|| columns(&row));
        let row = values(&row).map_err(|error| failed(format!("{error:?}")))?;
        bytes += size(&row);
        check_size(bytes)?;
        rows.push(row);
    }
    let Some(columns) = names else {
        tracing::warn!("spin:postgres: query found no row and never returns, as in Spin: use query-async");
        return pending().await;
    };
    Ok(RowSet { columns, rows })
}

/// Runs a statement and sends its rows one by one.
///
/// # Errors
/// [`Error::BadParameter`] when a parameter is malformed; [`Error::QueryFailed`] with the server's error when the
/// statement does not begin. Later errors are the outcome.
pub(crate) async fn stream(
    client: &Client,
    statement: &str,
    parameters: &[ParameterValue],
) -> Result<StreamedQuery, Error> {
    let found = start(client, statement, parameters).await?;
    let (columns_tx, columns_rx) = oneshot::channel();
    let (rows_tx, rows) = mpsc::channel(ROWS_AHEAD);
    let (outcome_tx, outcome) = oneshot::channel();
    tokio::spawn(async move {
        // A receiver that is gone means a component that is gone.
        let _ = outcome_tx.send(forward(found, columns_tx, &rows_tx).await);
    });
    Ok(StreamedQuery {
        columns: columns_rx.await.unwrap_or_default(),
        rows,
        outcome,
    })
}

async fn start(client: &Client, statement: &str, parameters: &[ParameterValue]) -> Result<RowStream, Error> {
    let parameters = to_sql(parameters).map_err(|error| Error::BadParameter(format!("{error:?}")))?;
    client
        .query_raw(statement, parameters)
        .await
        .map_err(query_failed)
}

/// Sends columns and rows until there are no more, or nobody reads them.
async fn forward(
    found: RowStream,
    columns_tx: oneshot::Sender<Vec<Column>>,
    rows_tx: &mpsc::Sender<Vec<DbValue>>,
) -> Result<(), Error> {
    let mut found = pin!(found);
    let mut columns_tx = Some(columns_tx);
    loop {
        let row = tokio::select! {
            biased;
            () = rows_tx.closed() => return Ok(()),
            row = found.next() => row,
        };
        let Some(row) = row else { return Ok(()) };
        let row = row.map_err(query_failed)?;
        if let Some(columns_tx) = columns_tx.take() {
            let _ = columns_tx.send(columns(&row));
        }
        let row = values(&row).map_err(|error| failed(format!("{error:?}")))?;
        check_size(size(&row))?;
        rows_tx
            .send(row)
            .await
            .map_err(|error| failed(format!("async error: {error}")))?;
    }
}

fn check_size(bytes: usize) -> Result<(), Error> {
    if bytes > MAX_RESULT_BYTES {
        return Err(failed(format!(
            "query result exceeds limit of {MAX_RESULT_BYTES} bytes"
        )));
    }
    Ok(())
}

fn failed(text: String) -> Error {
    Error::QueryFailed(QueryError::Text(text))
}

fn query_failed(error: tokio_postgres::Error) -> Error {
    let as_text = format!("{error:?}");
    let Some(server) = error.as_db_error() else {
        return failed(as_text);
    };
    Error::QueryFailed(QueryError::DbError(DbError {
        as_text,
        severity: server.severity().to_owned(),
        code: server.code().code().to_owned(),
        message: server.message().to_owned(),
        detail: server.detail().map(str::to_owned),
        extras: extras(server),
    }))
}

fn extras(error: &ServerError) -> Vec<(String, String)> {
    let line = error.line().map(|line| line.to_string());
    [
        ("column", error.column()),
        ("constraint", error.constraint()),
        ("routine", error.routine()),
        ("hint", error.hint()),
        ("table", error.table()),
        ("datatype", error.datatype()),
        ("schema", error.schema()),
        ("file", error.file()),
        ("line", line.as_deref()),
        ("where_", error.where_()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
    .collect()
}
