//! The one door to a database.

use domain::error::{Error, Reason};

use super::{Row, Value};

/// Why a statement failed. Never carries a parameter's value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DbError {
    /// Another connection holds the lock for too long; trying again later helps.
    #[error("the database is busy: {0}")]
    Busy(String),
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
        matches!(self, Self::Busy(_))
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
    /// [`DbError`] when the statement was not carried out.
    async fn run(&self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>, DbError>;
}
