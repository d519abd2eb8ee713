//! The fields of the documents that callers send: what is missing or malformed is refused by its name.

use serde::{Deserialize, Deserializer};

use super::refusal::Refusal;
use domain::Malformed;
use domain::error::Reason;

/// What was read of the field called `name` of a document.
///
/// # Errors
/// The refusal of a text that breaks the rule of its kind.
pub fn field<T>(name: &str, read: Result<T, impl Into<Malformed>>) -> Result<T, Refusal> {
    read.map_err(|error| Refusal::of_malformed(name, error.into()))
}

/// The value of the field called `name` of a document.
///
/// # Errors
/// [`Reason::ParameterMissing`].
pub fn present<T>(name: &str, value: Option<T>) -> Result<T, Refusal> {
    value.ok_or_else(|| Refusal::of_field(name, Reason::ParameterMissing))
}

/// Reads a field for which null says something other than its absence, which has to be the default: `None` absent,
/// `Some(None)` null.
///
/// # Errors
/// The deserializer's error when the value is neither null nor a `T`.
pub fn or_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
