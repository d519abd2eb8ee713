//! The [`Database`] trait on rusqlite, for native processes and tests.

use std::{path::Path, time::Duration};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, config::DbConfig, params_from_iter, types::ValueRef};

use super::{Database, DbError, Engine, Row, Scan, Statement, Value};

/// How long a statement waits for another connection's lock; the same as Spin's.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Most tries to begin a copy while another connection has the file to itself.
const MAX_COPY_TRIES: u32 = 100;
/// The wait between two of them.
const COPY_WAIT: Duration = Duration::from_millis(100);

/// One rusqlite connection.
pub struct Sqlite(Connection);

impl Sqlite {
    /// Opens a database file, creating it if it is missing.
    ///
    /// # Errors
    /// [`DbError`] when the file cannot be opened or set up.
    pub fn open(path: &Path) -> Result<Self, DbError> {
        Self::prepare(Connection::open(path).map_err(failed)?)
    }

    /// Opens a database in memory, which exists as long as this value.
    ///
    /// # Errors
    /// [`DbError`] when the database cannot be opened or set up.
    pub fn in_memory() -> Result<Self, DbError> {
        Self::prepare(Connection::open_in_memory().map_err(failed)?)
    }

    fn prepare(connection: Connection) -> Result<Self, DbError> {
        connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
        connection
            .pragma_update(None, "foreign_keys", true)
            .map_err(failed)?;
        // Recent SQLite would compile a cached statement anew each time it is given other values.
        connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
            .map_err(failed)?;
        Ok(Self(connection))
    }

    /// Copies the database as it is at one moment into a new file, while other connections go on.
    ///
    /// # Errors
    /// [`DbError`] when the file cannot be written, or another connection has the database to itself.
    pub fn copy_to(&self, file: &Path) -> Result<(), DbError> {
        let mut copy = Connection::open(file).map_err(failed)?;
        {
            let backup = Backup::new(&self.0, &mut copy).map_err(failed)?;
            let mut tries = 0;
            // All pages in one step, in one read transaction, which keeps no writer of a write-ahead log waiting. Of
            // several steps every commit in between would begin the copy anew.
            while backup.step(-1).map_err(failed)? != StepResult::Done {
                tries += 1;
                if tries == MAX_COPY_TRIES {
                    return Err(DbError::Busy(
                        "another connection has the database to itself".to_owned(),
                    ));
                }
                std::thread::sleep(COPY_WAIT);
            }
        }
        // The copy is one file.
        copy.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))
            .map_err(failed)
    }

    /// The connection itself, for tests and checks of the file.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.0
    }
}

impl Database for Sqlite {
    async fn execute(&self, statement: Statement, params: &[Value]) -> Result<Vec<Row>, DbError> {
        let text = statement.text(Engine::Sqlite);
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let mut statement = self.0.prepare_cached(text).map_err(failed)?;
        let mut out = Vec::new();
        each(&mut statement, params, |row| {
            out.push(row);
            Ok(())
        })?;
        Ok(out)
    }
}

impl Scan for Sqlite {
    async fn each_row(&self, sql: &str, read: impl FnMut(Row) -> Result<(), DbError>) -> Result<(), DbError> {
        each(&mut self.0.prepare(sql).map_err(failed)?, &[], read)
    }
}

fn each(
    statement: &mut rusqlite::Statement<'_>,
    params: &[Value],
    mut read: impl FnMut(Row) -> Result<(), DbError>,
) -> Result<(), DbError> {
    let columns = statement.column_count();
    let mut rows = statement.query(params_from_iter(params)).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let values = (0..columns).map(|at| row.get_ref(at).map_err(failed).and_then(owned));
        read(Row(values.collect::<Result<_, _>>()?))?;
    }
    Ok(())
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        let value = match self {
            Self::Null => ValueRef::Null,
            Self::Integer(value) => ValueRef::Integer(*value),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
            Self::Blob(value) => ValueRef::Blob(value),
            Self::Real(value) => ValueRef::Real(*value),
        };
        Ok(rusqlite::types::ToSqlOutput::Borrowed(value))
    }
}

fn owned(value: ValueRef<'_>) -> Result<Value, DbError> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Integer(value),
        ValueRef::Real(value) => Value::Real(value),
        ValueRef::Blob(value) => Value::Blob(value.to_owned()),
        ValueRef::Text(value) => {
            let text =
                std::str::from_utf8(value).map_err(|_| DbError::Shape("text is not UTF-8".to_owned()))?;
            Value::Text(text.to_owned())
        }
    })
}

fn failed(error: rusqlite::Error) -> DbError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => DbError::Busy(error.to_string()),
        _ => DbError::Failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on as run;

    use super::{Sqlite, Value};
    use crate::Run as _;

    #[test]
    fn every_kind_of_value_comes_back_as_it_went_in() {
        let db = Sqlite::in_memory().unwrap();
        let values = [
            Value::Null,
            Value::Integer(i64::MIN),
            Value::Text("写卡".to_owned()),
            Value::Blob(vec![0, 0xff]),
            Value::Real(-0.5),
        ];
        let rows = run(db.run("SELECT $1, $2, $3, $4, $5", &values)).unwrap();
        assert_eq!(rows.len(), 1);
        assert!(rows[0].0.iter().zip(&values).all(|(out, value)| out == value));
    }

    #[test]
    fn a_wrong_statement_is_an_error_and_not_a_panic() {
        let db = Sqlite::in_memory().unwrap();
        for sql in ["SELECT", "SELECT * FROM nothing", ""] {
            let _ = run(db.run(sql, &[]));
        }
        assert!(run(db.run("SELECT $1", &[])).is_err());
    }
}
