//! Connections to one database file, kept open between requests.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use domain::error::{Error, Reason};
use store::{Database, DbError, Engine, Row, Sqlite, Statement, Value, pragma};
use web::Purpose;

/// Idle connections of one purpose. One thread uses it.
pub(crate) struct Pool {
    file: PathBuf,
    purpose: Purpose,
    idle: RefCell<Vec<Sqlite>>,
}

impl Pool {
    pub(crate) fn new(file: PathBuf, purpose: Purpose) -> Rc<Self> {
        Rc::new(Self {
            file,
            purpose,
            idle: RefCell::default(),
        })
    }

    /// Takes an idle connection, or opens one.
    pub(crate) fn take(pool: &Rc<Self>) -> Result<Taken, Error> {
        let idle = pool.idle.borrow_mut().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => pool.open()?,
        };
        Ok(Taken {
            connection: Some(connection),
            pool: Rc::clone(pool),
        })
    }

    fn open(&self) -> Result<Sqlite, Error> {
        let connection = Sqlite::open(&self.file).map_err(unavailable)?;
        let set = |pragma: Statement| connection.connection().execute_batch(pragma.text(Engine::Sqlite));
        set(pragma::COPY_THE_LOG_LATER).map_err(unavailable)?;
        if self.purpose != Purpose::State {
            set(pragma::DO_NOT_WAIT_FOR_THE_DISK).map_err(unavailable)?;
        }
        Ok(connection)
    }
}

/// A connection that one request uses alone. When it is dropped it returns to the pool, unless a transaction is still
/// open: then it is closed, which rolls back.
pub(crate) struct Taken {
    connection: Option<Sqlite>,
    pool: Rc<Pool>,
}

impl Database for Taken {
    async fn execute(&self, statement: Statement, params: &[Value]) -> Result<Vec<Row>, DbError> {
        let Some(connection) = &self.connection else {
            return Err(DbError::Failed("the connection was given back".to_owned()));
        };
        connection.execute(statement, params).await
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let connection = self.connection.take();
        let done = connection.filter(|connection| connection.connection().is_autocommit());
        self.pool.idle.borrow_mut().extend(done);
    }
}

fn unavailable(cause: impl std::fmt::Display) -> Error {
    Error::new(Reason::Unavailable).with_cause(cause)
}
