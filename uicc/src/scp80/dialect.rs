//! What differs between transports: packet identifiers, length fields, and what a checksum covers
//! (TS 31.115 §4, TS 102 225 §6 and §7).
//!
//! It must never reassemble: concatenated short messages are joined before they come here.

use super::SecurityError;
use crate::reader::Reader;
use crate::tlv::ber::{self, Tlv};
use crate::tlv::put_length;
use crate::{Error, Result};

/// How secured packets travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Short messages. The command's identifier is in the user data header, which is not part of the
    /// packet; the response packet begins with its header `02 71 00`.
    SmsPp,
    /// CAT_TP and TCP/IP: identifier `01` or `02`, lengths in BER form.
    TcpIp,
}

/// User data header of a response packet.
const RESPONSE_UDH: [u8; 3] = [0x02, 0x71, 0x00];
const COMMAND_IDENTIFIER: u8 = 0x01;
const RESPONSE_IDENTIFIER: u8 = 0x02;
const IDENTIFICATION_IDENTIFIER: u16 = 0x03;

/// Which way a packet goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Command,
    Response,
}

impl Dialect {
    const fn identifier(self, direction: Direction) -> &'static [u8] {
        match (self, direction) {
            (Self::SmsPp, Direction::Command) => &[],
            (Self::SmsPp, Direction::Response) => &RESPONSE_UDH,
            (Self::TcpIp, Direction::Command) => &[COMMAND_IDENTIFIER],
            (Self::TcpIp, Direction::Response) => &[RESPONSE_IDENTIFIER],
        }
    }

    /// Identifier and length in front of `length` bytes: all of it is covered by the checksum.
    pub(super) fn head(self, direction: Direction, length: usize) -> Result<Vec<u8>, SecurityError> {
        let mut head = self.identifier(direction).to_vec();
        let length = u16::try_from(length).map_err(|_| SecurityError::TooLong)?;
        match self {
            Self::SmsPp => head.extend(length.to_be_bytes()),
            Self::TcpIp => put_length(&mut head, usize::from(length)),
        }
        Ok(head)
    }

    /// Takes identifier and length off and returns what they cover. Exactly that must follow.
    pub(super) fn take_head<'a>(self, direction: Direction, bytes: &'a [u8]) -> Result<Reader<'a>> {
        let mut reader = Reader::new(bytes);
        match self {
            Self::SmsPp => {
                let identifier = self.identifier(direction);
                if reader.take(identifier.len(), "the header 02 71 00")? != identifier {
                    return Err(Error::new(0, "the header 02 71 00"));
                }
                let at = reader;
                let length = reader.u16("a packet length of two bytes")?;
                if usize::from(length) != reader.len() {
                    return Err(at.error("the number of bytes that follow"));
                }
                Ok(reader)
            }
            Self::TcpIp => {
                let tlv = Tlv::parse(bytes)?;
                let identifier = self.identifier(direction);
                if tlv.tag.get().to_be_bytes()[1..] != *identifier {
                    return Err(Error::new(0, "packet identifier 01 or 02"));
                }
                Ok(tlv.reader())
            }
        }
    }
}

/// What a card sends first over TCP/IP: who it is, not secured (TS 102 225 §7, table 6).
#[derive(Clone, PartialEq, Eq)]
pub struct IdentificationPacket(pub Vec<u8>);

impl IdentificationPacket {
    /// Parses `03 <length> <identification data>`.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let tlv = Tlv::parse(bytes)?;
        if tlv.tag.get() == IDENTIFICATION_IDENTIFIER {
            Ok(Self(tlv.value.to_vec()))
        } else {
            Err(Error::new(0, "03, an identification packet"))
        }
    }

    /// The packet as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        ber::put(&mut out, IDENTIFICATION_IDENTIFIER, &self.0);
        out
    }
}

impl core::fmt::Debug for IdentificationPacket {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "IdentificationPacket({} bytes)", self.0.len())
    }
}
