//! The keys of a chip, requested when it opens a TLS session.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Asks for the keys that belong to a PSK identity.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct KeysRequest {
    /// The identity as the chip sent it, in hexadecimal; 1 to [`crate::MAX_PSK_IDENTITY_BYTES`] bytes.
    pub psk_identity: String,
    /// The EID, if the identity has the layout of SGP.02 and so carries one. It is a hint: nobody has authenticated it.
    pub eid: Option<String>,
}

impl fmt::Debug for KeysRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeysRequest").finish_non_exhaustive()
    }
}

/// The keys of a chip.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct KeysAnswer {
    /// The chip, 32 digits.
    pub eid: String,
    /// Version of its keys (KVN), which names the master key they are derived from.
    pub key_version: u8,
    /// Its pre-shared key, wrapped; none when the gateway derives it.
    pub psk_wrapped: Option<String>,
    /// Its data encryption key, wrapped; none when the gateway derives it.
    pub dek_wrapped: Option<String>,
}

impl fmt::Debug for KeysAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeysAnswer")
            .field("key_version", &self.key_version)
            .finish_non_exhaustive()
    }
}
