//! The URI of a request line or of `X-Admin-Next-URI`.
//!
//! It must never hold a space, a control character or anything outside ASCII.

use core::fmt;
use core::str::FromStr;

use crate::{Error, Result};

/// A non-empty run of visible ASCII, at most [`Uri::MAX_BYTES`] long.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Uri(String);

impl Uri {
    /// Longest URI accepted, bytes.
    pub const MAX_BYTES: usize = 255;

    /// Text of the URI.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Uri {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Some(at) = text.bytes().position(|byte| !byte.is_ascii_graphic()) {
            return Err(Error::new(at, "visible ASCII in a URI"));
        }
        if !(1..=Self::MAX_BYTES).contains(&text.len()) {
            return Err(Error::new(
                text.len().min(Self::MAX_BYTES),
                "a URI of 1 to 255 bytes",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
