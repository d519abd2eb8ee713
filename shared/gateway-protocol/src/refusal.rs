//! Why the platform refuses a call.

use serde::{Deserialize, Serialize};

/// What a gateway reads of a refusal; the HTTP status says whether asking again can help.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct Refusal {
    /// Stable reason, from the platform's catalogue of errors.
    pub reason: String,
    /// What happened, for people.
    pub message: String,
}
