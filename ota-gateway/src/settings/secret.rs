//! A text that must not be shown: shared secrets and keys from settings.
//!
//! It must never appear in `Debug` output, in a log or in an error, and it is overwritten when dropped.

use std::fmt;

use serde::Deserialize;
use zeroize::Zeroizing;

/// A secret text.
#[derive(Clone, Default, Deserialize)]
#[serde(from = "String")]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text itself. Use it where it is needed and keep no copy.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the setting is not given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() {
            "Secret(not set)"
        } else {
            "Secret(****)"
        })
    }
}
