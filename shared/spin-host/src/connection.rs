//! A connection to whatever database the variable `database` chooses: PostgreSQL, or the SQLite files of the manifest.

use std::cell::Cell;

use domain::Timestamp;
use domain::error::Error;
use store::{Database, DbError, Row, Statement, Value, call_log};
use web::Purpose;

use super::postgres::Postgres;
use super::sqlite::Sqlite;

thread_local! {
    static SCHEMA_IS_CURRENT: Cell<bool> = const { Cell::new(false) };
    static LOG_IS_SET_UP: Cell<bool> = const { Cell::new(false) };
}

/// The database as one request uses it. One type for both engines, so that a component has the code of the store once.
pub(crate) enum Connection {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Connection {
    /// Checks once per instance that the schema is this program's, and brings an older database up to it.
    ///
    /// # Errors
    /// [`Unavailable`](domain::error::Reason::Unavailable) when the database cannot be opened, and the errors of
    /// `store::migrate`.
    pub(crate) async fn take(
        now: Timestamp,
        purpose: Purpose,
        database: Option<&str>,
    ) -> Result<Self, Error> {
        let connection = match database {
            Some(address) => Self::Postgres(Postgres::new(address)),
            None => Self::Sqlite(Sqlite::new(purpose)),
        };
        if purpose == Purpose::Calls {
            if !LOG_IS_SET_UP.get() {
                call_log::set_up(&connection).await?;
                LOG_IS_SET_UP.set(true);
            }
        } else if !SCHEMA_IS_CURRENT.get() {
            store::migrate(&connection, now).await?;
            SCHEMA_IS_CURRENT.set(true);
        }
        Ok(connection)
    }
}

impl Database for Connection {
    async fn execute(&self, statement: Statement, params: &[Value]) -> Result<Vec<Row>, DbError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.execute(statement, params).await,
            Self::Postgres(postgres) => postgres.execute(statement, params).await,
        }
    }
}
