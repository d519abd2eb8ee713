//! Why a statement failed.

use domain::error::{Error, Reason};

/// Why a statement failed. Never carries a parameter's value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DbError {
    /// Another connection holds the lock for too long; trying again later helps.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// The engine gave the transaction up in favour of another one and rolled it back; running it again helps.
    #[error("the transaction was rolled back in favour of another: {0}")]
    Retryable(String),
    /// The engine refused the statement or failed.
    #[error("the database failed: {0}")]
    Failed(String),
    /// A write found no row as it expects it: another transaction changed it. Names the table.
    #[error("no row to change in {0}")]
    Missed(String),
    /// A row does not have the shape the program expects.
    #[error("unexpected row: {0}")]
    Shape(String),
}

impl DbError {
    fn reason(&self) -> Reason {
        match self {
            // The same call can succeed later.
            Self::Busy(_) | Self::Retryable(_) => Reason::Unavailable,
            Self::Missed(_) => Reason::Conflict,
            Self::Failed(_) | Self::Shape(_) => Reason::Internal,
        }
    }
}

impl From<DbError> for Error {
    fn from(error: DbError) -> Self {
        Self::new(error.reason()).with_cause(error)
    }
}
