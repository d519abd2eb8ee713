//! SQLite, through both forms of the interface.

use std::cell::RefCell;

use anyhow::bail;
use serde::Deserialize;
use serde_json::{Value, json};
use spin_sdk::sqlite::wit::sqlite::Connection as PlainConnection;
use spin_sdk::sqlite::{Connection, Value as SqlValue};

/// The tests are about locks, not about the disk.
const NO_SYNC: &str = "PRAGMA synchronous = OFF";

const WRITE: &str = "UPDATE counter SET n = $1 RETURNING n AS n";

thread_local! {
    /// Connections left open on purpose; they live as long as the instance.
    static LEFT_OPEN: RefCell<Vec<Connection>> = const { RefCell::new(Vec::new()) };
}

#[derive(Deserialize)]
struct Batch {
    #[serde(default = "default_database")]
    database: String,
    #[serde(default)]
    plain: bool,
    statements: Vec<String>,
}

fn default_database() -> String {
    "default".to_owned()
}

/// Runs statements one after the other on one connection and drops it; reports rows or error of each.
pub(crate) async fn run(arguments: &Value) -> anyhow::Result<Value> {
    let batch = Batch::deserialize(arguments)?;
    let mut results = Vec::new();
    if batch.plain {
        let connection = PlainConnection::open(&batch.database)?;
        for statement in &batch.statements {
            results.push(match connection.execute(statement, &[]) {
                Ok(result) => report(
                    result.columns,
                    result.rows.into_iter().map(|row| row.values).collect(),
                ),
                Err(error) => json!({ "error": error.to_string() }),
            });
        }
    } else {
        let connection = Connection::open(&batch.database).await?;
        for statement in &batch.statements {
            results.push(match stream(&connection, statement).await {
                Ok(value) => value,
                Err(error) => json!({ "error": error.to_string() }),
            });
        }
    }
    Ok(json!(results))
}

async fn stream(connection: &Connection, statement: &str) -> anyhow::Result<Value> {
    let result = connection.execute(statement, []).await?;
    let columns = result.columns().to_vec();
    let rows = result.collect().await?;
    Ok(report(columns, rows.into_iter().map(|row| row.values).collect()))
}

fn report(columns: Vec<String>, rows: Vec<Vec<SqlValue>>) -> Value {
    let rows: Vec<Vec<Value>> = rows
        .into_iter()
        .map(|row| row.iter().map(to_json).collect())
        .collect();
    json!({ "columns": columns, "rows": rows })
}

fn to_json(value: &SqlValue) -> Value {
    match value {
        SqlValue::Integer(integer) => json!(integer),
        SqlValue::Real(real) => json!(real),
        SqlValue::Text(text) => json!(text),
        SqlValue::Blob(blob) => json!(blob),
        SqlValue::Null => Value::Null,
    }
}

/// Adds one to the only row of `counter`, in a transaction that begins with the given statement.
pub(crate) async fn add_one(arguments: &Value) -> anyhow::Result<Value> {
    let begin = crate::text(arguments, "begin")?;
    if arguments["plain"] == true {
        add_one_plain(begin)
    } else {
        add_one_streaming(begin).await
    }
}

async fn add_one_streaming(begin: &str) -> anyhow::Result<Value> {
    let connection = Connection::open_default().await?;
    stream(&connection, NO_SYNC).await?;
    stream(&connection, begin).await?;
    let read = stream(&connection, "SELECT n AS n FROM counter").await?;
    let Some(n) = read["rows"][0][0].as_i64() else {
        bail!("no counter")
    };
    let written = connection
        .execute(WRITE, [SqlValue::Integer(n + 1)])
        .await?
        .collect()
        .await?;
    stream(&connection, "COMMIT").await?;
    Ok(json!({ "n": n + 1, "rows": written.len(), "changes": connection.changes().await }))
}

fn add_one_plain(begin: &str) -> anyhow::Result<Value> {
    let connection = PlainConnection::open("default")?;
    connection.execute(NO_SYNC, &[])?;
    connection.execute(begin, &[])?;
    let read = connection.execute("SELECT n AS n FROM counter", &[])?;
    let Some(SqlValue::Integer(n)) = read.rows.first().and_then(|row| row.values.first()) else {
        bail!("no counter")
    };
    let written = connection.execute(WRITE, &[SqlValue::Integer(n + 1)])?;
    connection.execute("COMMIT", &[])?;
    Ok(json!({ "n": n + 1, "rows": written.rows.len(), "changes": connection.changes() }))
}

/// Leaves a connection open that holds a write transaction.
pub(crate) async fn leave_transaction_open() -> anyhow::Result<Value> {
    let connection = Connection::open_default().await?;
    stream(&connection, "BEGIN IMMEDIATE").await?;
    stream(&connection, "UPDATE counter SET n = 1000").await?;
    LEFT_OPEN.with_borrow_mut(|open| open.push(connection));
    Ok(Value::Null)
}
