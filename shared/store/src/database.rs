//! The trait that runs every statement.

use domain::error::{Error, Reason};

use super::{Row, Value};

/// Why a statement failed. Never holds a parameter's value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DbError {
    /// Another connection held the lock for too long; the same call can succeed later.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// The engine rolled the transaction back because it conflicts with another one; running it again can succeed.
    #[error("the transaction was rolled back in favour of another: {0}")]
    Retryable(String),
    /// The engine refused the statement or failed.
    #[error("the database failed: {0}")]
    Failed(String),
    /// A row does not have the shape the program expects.
    #[error("unexpected row: {0}")]
    Shape(String),
}

impl DbError {
    /// True when the same call can succeed later.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Busy(_) | Self::Retryable(_))
    }
}

impl From<DbError> for Error {
    fn from(error: DbError) -> Self {
        let reason = if error.is_busy() {
            Reason::Unavailable
        } else {
            Reason::Internal
        };
        Self::new(reason).with_cause(error)
    }
}

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
