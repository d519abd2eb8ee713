//! The fields of JSON documents. A missing or malformed field is refused by its name.

use serde::{Deserialize, Deserializer};

use super::refusal::Refusal;
use domain::Malformed;
use domain::error::Reason;

/// The value of the field called `name` of a document, as `read`.
///
/// # Errors
/// The refusal of a text that breaks the rule of its kind.
pub(crate) fn field<T>(name: &str, read: Result<T, impl Into<Malformed>>) -> Result<T, Refusal> {
    read.map_err(|error| Refusal::of_malformed(name, error.into()))
}

/// The value of the field called `name` of a document, which must be present.
///
/// # Errors
/// [`Reason::ParameterMissing`].
pub fn present<T>(name: &str, value: Option<T>) -> Result<T, Refusal> {
    value.ok_or_else(|| Refusal::of_field(name, Reason::ParameterMissing))
}

/// Reads a field in which null differs from absence: `None` when absent, `Some(None)` when null. The field needs a
/// default.
///
/// # Errors
/// The deserializer's error when the value is neither null nor a `T`.
pub fn or_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
