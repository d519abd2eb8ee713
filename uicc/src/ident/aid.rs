//! AID: the name of an application on a chip (ISO/IEC 7816-4 §8.2.1.2).

use core::fmt;
use core::str::FromStr;

use crate::hex_digits::{decode_hex, encode_hex};
use crate::{Error, Result};

/// Bytes of the registered application provider identifier at the head of an AID.
pub const RID_BYTES: usize = 5;
/// Most bytes of an AID (ISO/IEC 7816-4 §8.2.1.2).
pub const MAX_AID_BYTES: usize = 16;

/// An application identifier, 5 to 16 bytes: RID and PIX (ISO/IEC 7816-4 §8.2.1.2).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Aid(Vec<u8>);

impl Aid {
    /// Reads 5 to 16 bytes.
    ///
    /// # Errors
    /// [`Error`] with the number of bytes when there are fewer or more.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        if (RID_BYTES..=MAX_AID_BYTES).contains(&bytes.len()) {
            Ok(Self(bytes.to_vec()))
        } else {
            Err(Error::new(bytes.len(), "an AID of 5 to 16 bytes"))
        }
    }

    /// The AID as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.0.clone()
    }

    /// The AID as bytes, borrowed.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The registered application provider.
    #[must_use]
    pub fn rid(&self) -> &[u8] {
        &self.0[..RID_BYTES]
    }

    /// The proprietary application identifier extension; may be empty.
    #[must_use]
    pub fn pix(&self) -> &[u8] {
        &self.0[RID_BYTES..]
    }
}

impl FromStr for Aid {
    type Err = Error;

    /// From hexadecimal digits, either case.
    fn from_str(text: &str) -> Result<Self> {
        Self::parse(&decode_hex(text)?)
    }
}

impl fmt::Display for Aid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode_hex(&self.0))
    }
}

impl fmt::Debug for Aid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Aid({self})")
    }
}
