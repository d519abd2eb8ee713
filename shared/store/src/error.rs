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
    /// A refusal of PostgreSQL: its code, the names of the constraint, table and column that it is about, and its text,
    /// which may quote a value and is kept only where it speaks of the statement.
    pub fn of_postgres<'a>(code: &str, names: impl Iterator<Item = &'a str>, message: &str) -> Self {
        let mut text = code.to_owned();
        for name in names {
            text.push(' ');
            text.push_str(name);
        }
        match code {
            // A serialization failure, a deadlock; and a unique value that another transaction added meanwhile: the next
            // run reads its row.
            "40001" | "40P01" | "23505" => return Self::Retryable(text),
            // A lock that is not given, a server that only reads.
            "55P03" | "25006" => return Self::Busy(text),
            _ => {}
        }
        match code.get(..2) {
            // Too many connections, a server that stops or starts, a connection that is lost.
            Some("53" | "57" | "08") => return Self::Busy(text),
            // A mistake in a statement is found by this.
            Some("42") => {
                text.push_str(": ");
                text.push_str(message);
            }
            _ => {}
        }
        Self::Failed(text)
    }

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
