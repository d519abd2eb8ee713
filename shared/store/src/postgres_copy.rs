//! A PostgreSQL database in one transaction: as it is at one moment, to be backed up, or as a backup fills it, which
//! nobody sees before all of it is right.
//!
//! What runs in it may use transactions of its own, which are part of this one. Runs the statements of a backup as they
//! are: who can make a backup decides what they do with the rights of the connection.

use std::io::BufRead;
use std::pin::pin;

use bytes::Bytes;
use futures::{SinkExt as _, TryStreamExt as _};
use tokio_postgres::types::ToSql;

use super::postgres::{failed, incoming};
use super::{Database, DbError, Postgres, Row, Run as _, Scan, Statement, Value, first};

/// Bytes of rows that are sent to the server at a time.
const CHUNK_BYTES: usize = 1 << 16;

// One that only reads sees the rows of one moment.
const BEGIN_SNAPSHOT: Statement = Statement::of_postgres("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
const BEGIN_LOAD: Statement = Statement::of_postgres("BEGIN NOT DEFERRABLE");
const COMMIT: Statement = Statement::of_postgres("COMMIT");
// The connection is idle while other programs read and write.
const NO_LIMITS: [Statement; 2] = [
    Statement::of_postgres("SET LOCAL idle_in_transaction_session_timeout = 0"),
    Statement::of_postgres("SET LOCAL statement_timeout = 0"),
];
const EXPORT: Statement = Statement::of_postgres("SELECT pg_export_snapshot() AS name");
const VERSION: Statement =
    Statement::of_postgres("SELECT CAST(current_setting('server_version_num') AS BIGINT) / 10000 AS major");
const IS_EMPTY: Statement = Statement::of_postgres(
    "SELECT COUNT(*) AS n FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'",
);
// A backup leaves the search path empty; statistics let the checks find their way.
const RESET_PATH: Statement = Statement::of_postgres("RESET search_path");
const ANALYZE: Statement = Statement::of_postgres("ANALYZE");

/// How the lines of a backup that carry rows begin and end.
const ROWS: (&str, &str) = ("COPY ", " FROM stdin;");
/// The line after the rows.
const ROWS_END: &[u8] = b"\\.";
/// Lines for `psql` alone, in which it forbids its own commands among the rows.
const FOR_PSQL: [&str; 2] = ["\\restrict ", "\\unrestrict "];

/// The transaction. It is rolled back when it is dropped.
pub struct PostgresCopy(Postgres);

impl PostgresCopy {
    /// The database as it is now, and the name by which other connections see the same rows as long as this is there.
    ///
    /// # Errors
    /// [`DbError`] when the server refuses it.
    pub async fn snapshot(db: Postgres) -> Result<(Self, String), DbError> {
        let copy = Self::begin(db, BEGIN_SNAPSHOT).await?;
        let name = first(&copy.run(EXPORT, &[]).await?, |row| {
            row.text(0).map(str::to_owned)
        })?;
        Ok((copy, name.unwrap_or_default()))
    }

    /// A database that is about to be filled.
    ///
    /// # Errors
    /// [`DbError`] when the server refuses it.
    pub async fn to_be_filled(db: Postgres) -> Result<Self, DbError> {
        Self::begin(db, BEGIN_LOAD).await
    }

    async fn begin(db: Postgres, how: Statement) -> Result<Self, DbError> {
        db.execute(how, &[]).await?;
        let copy = Self(db);
        for setting in NO_LIMITS {
            copy.run(setting, &[]).await?;
        }
        Ok(copy)
    }

    /// The server's major version.
    ///
    /// # Errors
    /// [`DbError`] when it does not answer.
    pub async fn server_version(&self) -> Result<i64, DbError> {
        let version = first(&self.run(VERSION, &[]).await?, |row| row.integer(0))?;
        Ok(version.unwrap_or_default())
    }

    /// Whether the database has no table, view or sequence of anybody.
    ///
    /// # Errors
    /// [`DbError`] when it cannot be read.
    pub async fn is_empty(&self) -> Result<bool, DbError> {
        let found = first(&self.run(IS_EMPTY, &[]).await?, |row| row.integer(0))?;
        Ok(found == Some(0))
    }

    /// Runs the statements of a backup, as `pg_restore` writes them.
    ///
    /// # Errors
    /// [`DbError`] when the server refuses one, or the script cannot be read.
    pub async fn fill(&self, script: &mut impl BufRead) -> Result<(), DbError> {
        let mut statements = String::new();
        let mut line = Vec::new();
        while next_line(script, &mut line)? {
            let text = str::from_utf8(&line).map_err(|error| DbError::Shape(error.to_string()))?;
            if text.starts_with(ROWS.0) && text.ends_with(ROWS.1) {
                self.batch(&std::mem::take(&mut statements)).await?;
                self.rows(text, script).await?;
            } else if !FOR_PSQL.iter().any(|word| text.starts_with(word)) {
                statements.push_str(text);
                statements.push('\n');
            }
        }
        self.batch(&statements).await?;
        self.run(RESET_PATH, &[]).await?;
        self.run(ANALYZE, &[]).await.map(drop)
    }

    async fn batch(&self, statements: &str) -> Result<(), DbError> {
        self.0.client()?.batch_execute(statements).await.map_err(failed)
    }

    /// Sends the rows that follow a line.
    async fn rows(&self, copy: &str, script: &mut impl BufRead) -> Result<(), DbError> {
        let sink = self.0.client()?.copy_in(copy).await.map_err(failed)?;
        let mut sink = pin!(sink);
        let (mut line, mut chunk) = (Vec::new(), Vec::with_capacity(CHUNK_BYTES));
        while next_line(script, &mut line)? && line != ROWS_END {
            chunk.extend_from_slice(&line);
            chunk.push(b'\n');
            if chunk.len() >= CHUNK_BYTES {
                sink.send(Bytes::from(std::mem::take(&mut chunk)))
                    .await
                    .map_err(failed)?;
            }
        }
        sink.send(Bytes::from(chunk)).await.map_err(failed)?;
        sink.as_mut().finish().await.map(drop).map_err(failed)
    }

    /// Commits everything.
    ///
    /// # Errors
    /// [`DbError`] when something in it failed, or was to be rolled back; then nothing is there.
    pub async fn commit(self) -> Result<(), DbError> {
        self.0.execute(COMMIT, &[]).await.map(drop)
    }
}

/// Reads a line without its end. False when there is none.
fn next_line(script: &mut impl BufRead, line: &mut Vec<u8>) -> Result<bool, DbError> {
    line.clear();
    let read = script.read_until(b'\n', line);
    let read = read.map_err(|error| DbError::Failed(error.to_string()))?;
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Ok(read > 0)
}

impl Database for PostgresCopy {
    async fn execute(&self, statement: Statement, params: &[Value]) -> Result<Vec<Row>, DbError> {
        match statement.first_word() {
            "BEGIN" | "COMMIT" => Ok(Vec::new()),
            "ROLLBACK" => {
                self.0.fail();
                Ok(Vec::new())
            }
            _ => self.0.execute(statement, params).await,
        }
    }
}

impl Scan for PostgresCopy {
    async fn each_row(
        &self,
        sql: &str,
        mut read: impl FnMut(Row) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        let none: [&(dyn ToSql + Sync); 0] = [];
        let rows = self.0.client()?.query_raw(sql, none).await.map_err(failed)?;
        let mut rows = pin!(rows);
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            read(incoming(&row)?)?;
        }
        Ok(())
    }
}
