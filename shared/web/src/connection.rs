//! One connection of the host, whatever its engine.

use std::pin::Pin;

use store::{Database, DbError, Row, Statement, Value};

/// A future that stays on its thread: it may hold resources of the host.
pub type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Transactions on the state, whose commits survive a power failure: allocations, tasks, callbacks, audits.
    State,
    /// Reads of the state, and rows beside it whose commits survive the end of the process: jobs, retention.
    Journal,
    /// The call log, a database of its own: it neither waits for the state nor delays it. Commits survive the end of the
    /// process.
    Calls,
}

/// A database whose engine is not known here.
trait AnyDatabase {
    fn execute_boxed<'a>(
        &'a self,
        statement: Statement,
        params: &'a [Value],
    ) -> LocalFuture<'a, Result<Vec<Row>, DbError>>;
}

impl<D: Database> AnyDatabase for D {
    fn execute_boxed<'a>(
        &'a self,
        statement: Statement,
        params: &'a [Value],
    ) -> LocalFuture<'a, Result<Vec<Row>, DbError>> {
        Box::pin(self.execute(statement, params))
    }
}

/// One connection of the host. Dropping it returns it to the host, and rolls an open transaction back.
pub struct Connection(Box<dyn AnyDatabase>);

impl Connection {
    /// A connection of some engine.
    pub fn new(database: impl Database + 'static) -> Self {
        Self(Box::new(database))
    }

    pub(crate) async fn execute(&self, statement: Statement, params: &[Value]) -> Result<Vec<Row>, DbError> {
        self.0.execute_boxed(statement, params).await
    }
}
