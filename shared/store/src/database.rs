//! The trait that runs every statement.

use super::{DbError, Row, Value};

/// A statement of this crate. No other crate can make one, so none runs SQL of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement(pub(crate) &'static str);

impl Statement {
    /// The SQL text, for the engine.
    #[must_use]
    pub const fn text(self) -> &'static str {
        self.0
    }
}

/// One connection. A transaction belongs to one connection, so a connection serves one request at a
/// time; dropping a connection rolls its open transaction back.
#[expect(
    async_fn_in_trait,
    reason = "components are single-threaded: no Send bound is wanted"
)]
pub trait Database {
    /// Runs one statement and returns all its rows.
    ///
    /// # Errors
    /// [`DbError`] when the statement did not run.
    async fn execute(&self, statement: Statement, params: &[Value]) -> Result<Vec<Row>, DbError>;
}

/// Runs the statements of this crate.
pub(crate) trait Run: Database {
    /// Runs `sql` and returns all its rows.
    async fn run(&self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        self.execute(Statement(sql), params).await
    }
}

impl<D: Database> Run for D {}
