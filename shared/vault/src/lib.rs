//! Keys and everything done with them: sealing values for storage, blind indexes for exact look-ups, unwrapping
//! imported key material, wrapping key material for the gateway, and recognising secrets (§5.3.1.2, §9.1.1).
//!
//! Key material leaves this crate in one of three forms only: sealed, wrapped, or in memory that is wiped when
//! dropped. It is never printed. The crate makes no randomness of its own.

#![forbid(unsafe_code)]

mod envelope;
mod keyed;
mod password;
mod settings;
mod totp;
mod wrap;

pub use keyed::{BlindIndex, IndexKind, KeyCheck, equal_in_constant_time, hash_secret, is_keyed_hash};
pub use password::{hash_password, verify_password};
pub use settings::{VaultSettings, home_key_of};
pub use totp::{TOTP_SECRET_BYTES, totp_code, totp_step, totp_text};
pub use wrap::{unwrap, wrap};
pub use zeroize::Zeroizing;

use std::collections::BTreeMap;

/// Bytes of every symmetric key of the platform itself.
pub const KEY_BYTES: usize = 32;

/// Shortest secret of an internal interface, in bytes.
pub const MIN_SECRET_BYTES: usize = 32;

pub(crate) type Key = Zeroizing<[u8; KEY_BYTES]>;

/// Where random bytes come from: the component's or the operating system's generator, or a test's.
pub trait Random {
    /// Fills `out` with unpredictable bytes.
    fn fill(&self, out: &mut [u8]);
}

/// `N` bytes from `random`.
#[must_use]
pub fn random_bytes<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut out = [0; N];
    random.fill(&mut out);
    out
}

/// A column whose values are sealed, as `table.column`. Every seal is bound to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column(pub &'static str);

/// Why an operation of the vault failed. Holds no key and no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// A setting is missing or malformed.
    #[error("setting {0}: {1}")]
    Setting(&'static str, &'static str),
    /// A sealed value is malformed, was moved to another row, was changed, or its key is missing.
    #[error("a sealed value of {0} cannot be opened: {1}")]
    Sealed(&'static str, &'static str),
    /// There is no transport key of that name.
    #[error("no such transport key")]
    UnknownTransportKey,
    /// RFC 3394 unwrapping failed its integrity check, or a length is wrong.
    #[error("wrapped key material is damaged or wrapped under another key")]
    Unwrap,
    /// A key cannot be wrapped: it is too short, too long or no multiple of 8 bytes.
    #[error("key material of this length cannot be wrapped")]
    Wrap,
    /// A password cannot be hashed, or a stored hash of one is malformed.
    #[error("a password cannot be hashed or its stored hash is malformed")]
    Password,
    /// The component was not given this key.
    #[error("this component has no {0}")]
    Absent(&'static str),
}

impl From<VaultError> for domain::error::Error {
    fn from(error: VaultError) -> Self {
        Self::internal(error)
    }
}

/// The platform's keys.
pub struct Vault {
    sealing: BTreeMap<u8, Key>,
    // The number of the key that seals; the others only open.
    seals: u8,
    index: Key,
    // Gives cards their home.
    home: Option<Key>,
    // The first wraps.
    link: Vec<Key>,
    // The first signs, all are accepted.
    token: Vec<Key>,
    // Token keys that are known, and not accepted any more.
    revoked: Vec<Key>,
    transport: BTreeMap<String, Zeroizing<Vec<u8>>>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(…)")
    }
}
