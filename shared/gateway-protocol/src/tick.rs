//! A tick has the platform do its scheduled work.

use serde::{Deserialize, Serialize};

/// The answer to a tick, as far as gateways need it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct TickAnswer {
    /// Whether more is due already.
    pub more: bool,
}
