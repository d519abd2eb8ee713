//! Compact remote response (TS 102 226 §5.1.2): how many commands ran, and how the last one ended.
//!
//! It must never be taken for the expanded format, which begins with AB or AF.

use crate::Result;
use crate::apdu::{ResponseApdu, StatusWord};
use crate::reader::Reader;

/// Answer to a compact command script, a plain row of C-APDUs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompactResponse {
    /// Commands executed.
    pub executed: u8,
    /// The last command's status and data.
    pub last: ResponseApdu,
}

impl CompactResponse {
    /// Parses number, status word and data.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let executed = reader.u8("the number of executed commands")?;
        let status = StatusWord(reader.u16("a status word")?);
        Ok(Self {
            executed,
            last: ResponseApdu {
                data: reader.rest().to_vec(),
                status,
            },
        })
    }

    /// Number, status word and data as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![self.executed];
        out.extend(self.last.status.0.to_be_bytes());
        out.extend_from_slice(&self.last.data);
        out
    }
}
