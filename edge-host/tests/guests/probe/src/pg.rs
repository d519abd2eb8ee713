//! PostgreSQL, through both forms of the interface, with and without the guards that an open transaction demands.

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use anyhow::bail;
use serde::Deserialize;
use serde_json::{Value, json};
use spin_sdk::pg::wit::postgres::Connection as PlainConnection;
use spin_sdk::pg::{Column, Connection, DbValue, ParameterValue, PgError, QueryError};

const INSERT: &str = "INSERT INTO entry (name) VALUES ($1)";

/// How long an open may take where it is expected to wait for ever.
const PATIENCE: Duration = Duration::from_millis(200);

#[derive(Deserialize)]
struct Batch {
    address: String,
    #[serde(default)]
    plain: bool,
    statements: Vec<Statement>,
}

#[derive(Deserialize)]
struct Statement {
    sql: String,
    #[serde(default)]
    parameters: Vec<Value>,
    /// Whether to ask for the number of rows instead of the rows.
    #[serde(default)]
    execute: bool,
}

/// Runs statements one after the other on one connection and drops it; reports rows, count or error of each.
pub(crate) async fn run(arguments: &Value) -> anyhow::Result<Value> {
    let batch = Batch::deserialize(arguments)?;
    let mut results = Vec::new();
    if batch.plain {
        let connection = PlainConnection::open(&batch.address)?;
        for statement in &batch.statements {
            results.push(outcome(run_plain(&connection, statement)));
        }
    } else {
        let connection = PlainConnection::open_async(batch.address).await?;
        for statement in &batch.statements {
            results.push(outcome(run_async(&connection, statement).await));
        }
    }
    Ok(json!(results))
}

fn run_plain(connection: &PlainConnection, statement: &Statement) -> Result<Value, PgError> {
    let parameters = parameters(statement);
    if statement.execute {
        return connection
            .execute(&statement.sql, &parameters)
            .map(|count| json!(count));
    }
    let found = connection.query(&statement.sql, &parameters)?;
    Ok(report(&found.columns, &found.rows))
}

async fn run_async(connection: &PlainConnection, statement: &Statement) -> Result<Value, PgError> {
    let (sql, parameters) = (statement.sql.clone(), parameters(statement));
    if statement.execute {
        let count = connection.execute_async(sql, parameters).await?;
        return Ok(json!(count));
    }
    let (columns, mut stream, result) = connection.query_async(sql, parameters).await?;
    let mut rows = Vec::new();
    while let Some(row) = stream.next().await {
        rows.push(row);
    }
    result.await?;
    Ok(report(&columns, &rows))
}

fn outcome(result: Result<Value, PgError>) -> Value {
    result.unwrap_or_else(|error| match error {
        PgError::QueryFailed(QueryError::DbError(error)) => json!({
            "error": error.message,
            "code": error.code,
            "severity": error.severity,
            "detail": error.detail,
            "extras": error.extras.into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        }),
        other => json!({ "error": format!("{other:?}"), "code": null }),
    })
}

/// Columns and values as the debug output of the interface's types, which names the types.
fn report(columns: &[Column], rows: &[Vec<DbValue>]) -> Value {
    let columns = columns
        .iter()
        .map(|column| (&column.name, format!("{:?}", column.data_type)));
    let rows = rows
        .iter()
        .map(|row| row.iter().map(|value| format!("{value:?}")));
    json!({
        "columns": columns.collect::<Vec<_>>(),
        "rows": rows.map(Iterator::collect).collect::<Vec<Vec<_>>>(),
    })
}

/// A parameter is null, a text, a number (an `int8`), or an object with one type and its value.
fn parameters(statement: &Statement) -> Vec<ParameterValue> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let parameter = |value: &Value| match value {
        Value::Null => ParameterValue::DbNull,
        Value::String(text) => ParameterValue::Str(text.clone()),
        Value::Number(number) => ParameterValue::Int64(number.as_i64().unwrap_or_default()),
        Value::Bool(value) => ParameterValue::Boolean(*value),
        value if value["uuid"].is_string() => ParameterValue::Uuid(text(&value["uuid"])),
        value if value["decimal"].is_string() => ParameterValue::Decimal(text(&value["decimal"])),
        value if value["jsonb"].is_string() => ParameterValue::Jsonb(text(&value["jsonb"]).into_bytes()),
        value if value["binary"].is_string() => ParameterValue::Binary(text(&value["binary"]).into_bytes()),
        value if value["seconds"].is_number() => {
            ParameterValue::Timestamp(value["seconds"].as_i64().unwrap_or_default())
        }
        value if value["day"].is_array() => {
            let part = |at: usize| value["day"][at].as_i64().unwrap_or_default();
            ParameterValue::Date((part(0) as i32, part(1) as u8, part(2) as u8))
        }
        value => ParameterValue::ArrayStr(
            value
                .as_array()
                .into_iter()
                .flatten()
                .map(|item| item.as_str().map(str::to_owned))
                .collect(),
        ),
    };
    statement.parameters.iter().map(parameter).collect()
}

/// Rolls back what is open when it is dropped.
struct Guarded(PlainConnection);

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.0.execute("ROLLBACK", &[]);
    }
}

/// Begins a transaction, inserts a row and goes away: by dropping the connection, after a rollback if it is `guarded`; or
/// by a panic.
pub(crate) async fn abandon(arguments: &Value) -> anyhow::Result<Value> {
    let connection = PlainConnection::open_async(crate::text(arguments, "address")?.to_owned()).await?;
    connection.execute_async("BEGIN".to_owned(), Vec::new()).await?;
    insert(&connection, crate::text(arguments, "name")?).await?;
    assert!(arguments["panic"] != true, "asked to");
    if arguments["guarded"] == true {
        drop(Guarded(connection));
    }
    Ok(Value::Null)
}

/// Inserts a row in a transaction of its own: begun after a rollback if the connection is rolled back first, with the
/// given statement.
pub(crate) async fn commit(arguments: &Value) -> anyhow::Result<Value> {
    let connection = PlainConnection::open_async(crate::text(arguments, "address")?.to_owned()).await?;
    if arguments["rollback"] == true {
        connection
            .execute_async("ROLLBACK".to_owned(), Vec::new())
            .await?;
    }
    let begin = crate::text(arguments, "begin")?.to_owned();
    if let Err(error) = connection.execute_async(begin, Vec::new()).await {
        return Ok(outcome(Err(error)));
    }
    insert(&connection, crate::text(arguments, "name")?).await?;
    connection.execute_async("COMMIT".to_owned(), Vec::new()).await?;
    Ok(json!("committed"))
}

async fn insert(connection: &PlainConnection, name: &str) -> Result<u64, PgError> {
    let parameters = vec![ParameterValue::Str(name.to_owned())];
    connection.execute_async(INSERT.to_owned(), parameters).await
}

/// Opens connections up to a number, then one more; gives one back and opens one more. Reports how the last two ended.
pub(crate) async fn exhaust(arguments: &Value) -> anyhow::Result<Value> {
    let address = crate::text(arguments, "address")?;
    let Some(count) = arguments["count"].as_u64() else {
        bail!("no argument \"count\"")
    };
    let mut held = Vec::new();
    for _ in 0..count {
        held.push(Connection::open(address).await?);
    }
    let full = try_open(address).await;
    drop(held.pop());
    Ok(json!({ "full": full, "after": try_open(address).await }))
}

async fn try_open(address: &str) -> String {
    let mut opening = pin!(Connection::open(address));
    let mut sleep = pin!(spin_sdk::time::sleep(PATIENCE));
    let first = std::future::poll_fn(|context| {
        if let Poll::Ready(result) = opening.as_mut().poll(context) {
            return Poll::Ready(Some(result));
        }
        sleep.as_mut().poll(context).map(|()| None)
    });
    match first.await {
        Some(Ok(_)) => "opened".to_owned(),
        Some(Err(error)) => error.to_string(),
        None => "waited".to_owned(),
    }
}
