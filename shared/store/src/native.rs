//! The [`Database`] trait on rusqlite, for native processes and tests.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, ErrorCode, config::DbConfig, params_from_iter, types::ValueRef};

use super::{Database, DbError, Engine, Row, Statement, Value};

/// How long a statement waits for another connection's lock; the same as Spin's.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

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

    /// The connection itself, for backup and restore.
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
        let columns = statement.column_count();
        let mut rows = statement.query(params_from_iter(params)).map_err(failed)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let values = (0..columns).map(|at| row.get_ref(at).map_err(failed).and_then(owned));
            out.push(Row(values.collect::<Result<_, _>>()?));
        }
        Ok(out)
    }
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
