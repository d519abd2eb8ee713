//! Response APDU: data, then SW1 SW2 (TS 102 221 §10.1.2).
//!
//! It must never print the data: it may be the content of a file.

use core::fmt;

use super::StatusWord;
use crate::reader::Reader;
use crate::{Error, Result};

/// A response APDU.
#[derive(Clone, PartialEq, Eq)]
pub struct ResponseApdu {
    /// Response data, empty if there is none.
    pub data: Vec<u8>,
    /// SW1 SW2.
    pub status: StatusWord,
}

impl ResponseApdu {
    /// A status word alone.
    #[must_use]
    pub const fn status(status: StatusWord) -> Self {
        Self {
            data: Vec::new(),
            status,
        }
    }

    /// Data and `9000`.
    #[must_use]
    pub fn ok(data: impl Into<Vec<u8>>) -> Self {
        Self {
            data: data.into(),
            status: StatusWord::OK,
        }
    }

    /// Parses data and status word; at least the latter must be there.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        Self::read(Reader::new(bytes))
    }

    pub(crate) fn read(mut reader: Reader<'_>) -> Result<Self> {
        let start = reader.offset();
        let (data, status) = reader
            .rest()
            .split_last_chunk::<2>()
            .ok_or(Error::new(start, "a status word of two bytes"))?;
        Ok(Self {
            data: data.to_vec(),
            status: StatusWord(u16::from_be_bytes(*status)),
        })
    }

    /// The answer as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.data.clone();
        out.extend_from_slice(&self.status.0.to_be_bytes());
        out
    }
}

impl fmt::Debug for ResponseApdu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResponseApdu({} data bytes, {})", self.data.len(), self.status)
    }
}
