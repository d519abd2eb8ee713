//! EF_Keys and EF_KeysPS: the last agreed cipher and integrity keys (TS 31.102 §4.2.3, §4.2.4).
//!
//! These are session keys, not the subscriber's K. The codec must never show them.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::reader::Reader;
use crate::{Error, Result};

/// Key set identifier, CK and IK; 33 bytes.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Keys {
    /// Key set identifier; 7 for none.
    pub identifier: u8,
    /// Cipher key.
    pub ck: [u8; 16],
    /// Integrity key.
    pub ik: [u8; 16],
}

impl Keys {
    /// Bytes of the file.
    pub const BYTES: usize = 33;
    /// No key is available.
    pub const NO_KEY: u8 = 0x07;

    /// What a card holds before its first authentication (annex E).
    #[must_use]
    pub const fn reset() -> Self {
        Self {
            identifier: Self::NO_KEY,
            ck: [0xFF; 16],
            ik: [0xFF; 16],
        }
    }

    /// Parses the 33 bytes of the file.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let keys = Self {
            identifier: reader.u8("a key set identifier")?,
            ck: reader.array("a cipher key of 16 bytes")?,
            ik: reader.array("an integrity key of 16 bytes")?,
        };
        reader.finish("keys of 33 bytes")?;
        if keys.identifier > Self::NO_KEY {
            return Err(Error::new(0, "a key set identifier of at most 7"));
        }
        Ok(keys)
    }

    /// The 33 bytes of the file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![self.identifier];
        out.extend(self.ck);
        out.extend(self.ik);
        out
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys(identifier {})", self.identifier)
    }
}
