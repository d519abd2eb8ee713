//! Values and rows, read by position.

use super::DbError;

/// A parameter or a column.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// A whole number; also times (milliseconds) and flags (0, 1).
    Integer(i64),
    /// UTF-8 text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
    /// A floating-point number.
    Real(f64),
}

impl Value {
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Integer(_) => "integer",
            Self::Text(_) => "text",
            Self::Blob(_) => "blob",
            Self::Real(_) => "real",
        }
    }
}

/// Shows the kind only: a value may be secret.
impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Integer(i64::from(value))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Blob(value.to_owned())
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Blob(value)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One row of a result. Getters take a position, because engines differ in how they name columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Row(pub Vec<Value>);

impl Row {
    fn get(&self, at: usize) -> Result<&Value, DbError> {
        self.0
            .get(at)
            .ok_or_else(|| DbError::Shape(format!("column {at} is missing, the row has {}", self.0.len())))
    }

    /// The whole number in column `at`.
    ///
    /// # Errors
    /// [`DbError::Shape`] when there is none.
    pub fn integer(&self, at: usize) -> Result<i64, DbError> {
        match self.get(at)? {
            Value::Integer(value) => Ok(*value),
            other => Err(wrong(at, "integer", other)),
        }
    }

    /// The non-negative whole number in column `at`.
    ///
    /// # Errors
    /// [`DbError::Shape`] when there is none or it is negative.
    pub fn unsigned(&self, at: usize) -> Result<u64, DbError> {
        let value = self.integer(at)?;
        u64::try_from(value).map_err(|_| DbError::Shape(format!("column {at} is negative")))
    }

    /// The flag in column `at`.
    ///
    /// # Errors
    /// [`DbError::Shape`] when it is neither 0 nor 1.
    pub fn flag(&self, at: usize) -> Result<bool, DbError> {
        match self.integer(at)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DbError::Shape(format!("column {at} is neither 0 nor 1"))),
        }
    }

    /// The text in column `at`.
    ///
    /// # Errors
    /// [`DbError::Shape`] when there is none.
    pub fn text(&self, at: usize) -> Result<&str, DbError> {
        match self.get(at)? {
            Value::Text(value) => Ok(value),
            other => Err(wrong(at, "text", other)),
        }
    }

    /// The bytes in column `at`.
    ///
    /// # Errors
    /// [`DbError::Shape`] when there are none.
    pub fn blob(&self, at: usize) -> Result<&[u8], DbError> {
        match self.get(at)? {
            Value::Blob(value) => Ok(value),
            other => Err(wrong(at, "blob", other)),
        }
    }

    /// What `read` finds in column `at`, or `None` when the column is null.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn optional<'a, T>(
        &'a self,
        at: usize,
        read: impl FnOnce(&'a Self, usize) -> Result<T, DbError>,
    ) -> Result<Option<T>, DbError> {
        match self.get(at)? {
            Value::Null => Ok(None),
            _ => read(self, at).map(Some),
        }
    }
}

fn wrong(at: usize, expected: &str, found: &Value) -> DbError {
    DbError::Shape(format!(
        "column {at} should be {expected}, it is {}",
        found.kind()
    ))
}

#[cfg(test)]
mod tests {
    use super::{Row, Value};

    #[test]
    fn a_wrong_column_is_named_with_what_was_found_but_not_its_value() {
        let row = Row(vec![Value::from("secret"), Value::Null, Value::from(-1)]);
        assert_eq!(
            row.integer(0).unwrap_err().to_string(),
            "unexpected row: column 0 should be integer, it is text"
        );
        assert_eq!(
            row.blob(7).unwrap_err().to_string(),
            "unexpected row: column 7 is missing, the row has 3"
        );
        assert!(row.unsigned(2).is_err() && row.flag(2).is_err());
        assert_eq!(row.optional(1, Row::text).unwrap(), None);
        assert_eq!(row.optional(0, Row::text).unwrap(), Some("secret"));
        assert!(!format!("{row:?}").contains("secret"));
    }
}
