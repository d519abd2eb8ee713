//! Command packet (TS 102 225 §5.1): `CPL CHL SPI KIc KID TAR CNTR PCNTR RC/CC/DS data padding`.
//!
//! Its header must never be acted upon: until the packet was opened, anybody may have written it.

use core::fmt;

use super::dialect::Direction;
use super::protection::{Content, Protection};
use super::{Dialect, KeySet, SecurityError, Spi};
use crate::Result;
use crate::reader::Reader;

/// The part of a command packet that is never ciphered: enough to find the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandHeader {
    /// Protection, and when a response is sent.
    pub spi: Spi,
    /// Ciphering algorithm (low half) and key set (high half).
    pub kic: u8,
    /// Checksum algorithm (low half) and key set (high half).
    pub kid: u8,
    /// Toolkit application reference: for whom it is.
    pub tar: [u8; 3],
}

impl CommandHeader {
    /// SPI, KIc, KID and TAR.
    const BYTES: usize = 7;

    /// Reads the header of a packet that is still protected.
    pub fn parse(bytes: &[u8], dialect: Dialect) -> Result<Self> {
        let mut reader = dialect.take_head(Direction::Command, bytes)?;
        reader.u8("a header length")?;
        Self::read(&mut reader)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            spi: Spi(reader.array("SPI")?),
            kic: reader.u8("KIc")?,
            kid: reader.u8("KID")?,
            tar: reader.array("TAR")?,
        })
    }

    fn protection<'a>(&self, dialect: Dialect, keys: &'a KeySet) -> Result<Protection<'a>, SecurityError> {
        let Self { spi, kic, kid, .. } = *self;
        Protection::new(
            Direction::Command,
            dialect,
            (spi.integrity(), kid),
            (spi.ciphered(), kic),
            keys,
        )
    }

    fn put(&self, out: &mut Vec<u8>) {
        out.extend(self.spi.0);
        out.extend([self.kic, self.kid]);
        out.extend(self.tar);
    }
}

/// A command packet without its protection.
#[derive(Clone, PartialEq, Eq)]
pub struct CommandPacket {
    /// Protection, keys and addressee.
    pub header: CommandHeader,
    /// Counter, at most [`super::MAX_COUNTER`].
    pub counter: u64,
    /// Secured data: a script.
    pub data: Vec<u8>,
}

impl CommandPacket {
    /// Protects the packet. Persist the counter first: it must never be used twice.
    pub fn seal(&self, dialect: Dialect, keys: &KeySet) -> Result<Vec<u8>, SecurityError> {
        let mut fields = Vec::with_capacity(CommandHeader::BYTES);
        self.header.put(&mut fields);
        let content = Content {
            counter: self.counter,
            status: None,
            data: self.data.clone(),
        };
        self.header.protection(dialect, keys)?.seal(&fields, &content)
    }

    /// Removes and verifies the protection.
    pub fn open(bytes: &[u8], dialect: Dialect, keys: &KeySet) -> Result<Self, SecurityError> {
        let mut reader = dialect.take_head(Direction::Command, bytes)?;
        let header_length = reader.u8("a header length")?;
        let header = CommandHeader::read(&mut reader)?;
        let protection = header.protection(dialect, keys)?;
        let Content { counter, data, .. } =
            protection.open(bytes, reader, (header_length, CommandHeader::BYTES))?;
        Ok(Self {
            header,
            counter,
            data,
        })
    }
}

impl fmt::Debug for CommandPacket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            header,
            counter,
            data,
        } = self;
        write!(
            f,
            "CommandPacket({header:?}, counter {counter}, {} data bytes)",
            data.len()
        )
    }
}
