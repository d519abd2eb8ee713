//! Response packet, the proof of receipt (TS 102 225 §5.2): `RPL RHL TAR CNTR PCNTR STS RC/CC/DS data`.
//!
//! Which protection it has was asked for by the command's SPI: a packet must never be believed because it
//! claims less.

use core::fmt;

use super::dialect::Direction;
use super::protection::{Content, Protection};
use super::{CommandHeader, Dialect, KeySet, SecurityError};
use crate::Result;
use crate::byte_enum::byte_enum;

byte_enum! {
    /// Response status code, TS 102 225 table 5.
    pub enum PorStatus {
        /// Proof of receipt is fine.
        Ok = 0x00,
        /// RC, CC or DS failed.
        IntegrityFailed = 0x01,
        /// The counter is too low.
        CounterLow = 0x02,
        /// The counter is too high.
        CounterHigh = 0x03,
        /// The counter is blocked.
        CounterBlocked = 0x04,
        /// Ciphering error.
        CipheringError = 0x05,
        /// Unidentified security error; also the answer during a proactive session.
        UnidentifiedSecurityError = 0x06,
        /// Not enough memory.
        NoMemory = 0x07,
        /// The card needs more time.
        MoreTime = 0x08,
        /// TAR unknown.
        TarUnknown = 0x09,
        /// The protection is less than the application demands.
        InsufficientSecurity = 0x0A,
        /// The actual answer follows by SMS-SUBMIT.
        BySubmit = 0x0B,
        /// The actual answer follows by USSD.
        ByUssd = 0x0C,
    }
}

/// A response packet without its protection.
#[derive(Clone, PartialEq, Eq)]
pub struct ResponsePacket {
    /// From whom it is.
    pub tar: [u8; 3],
    /// The command's counter.
    pub counter: u64,
    /// Status of the command packet.
    pub status: PorStatus,
    /// The answer to the script, compact or expanded.
    pub data: Vec<u8>,
}

impl ResponsePacket {
    /// Bytes of TAR, the only plain field.
    const TAR_BYTES: usize = 3;

    /// Protects the packet as the SPI of `command` demands.
    pub fn seal(
        &self,
        command: &CommandHeader,
        dialect: Dialect,
        keys: &KeySet,
    ) -> Result<Vec<u8>, SecurityError> {
        let content = Content {
            counter: self.counter,
            status: Some(self.status.byte()),
            data: self.data.clone(),
        };
        protection(command, dialect, keys)?.seal(&self.tar, &content)
    }

    /// Removes and verifies the protection that `command`'s SPI asked for.
    pub fn open(
        bytes: &[u8],
        command: &CommandHeader,
        dialect: Dialect,
        keys: &KeySet,
    ) -> Result<Self, SecurityError> {
        let mut reader = dialect.take_head(Direction::Response, bytes)?;
        let header_length = reader.u8("a header length")?;
        let tar = reader.array("TAR")?;
        let Content {
            counter,
            status,
            data,
        } = protection(command, dialect, keys)?.open(bytes, reader, (header_length, Self::TAR_BYTES))?;
        let status = PorStatus::from_byte(status.ok_or(reader.error("a status"))?);
        Ok(Self {
            tar,
            counter,
            status,
            data,
        })
    }
}

fn protection<'a>(
    command: &CommandHeader,
    dialect: Dialect,
    keys: &'a KeySet,
) -> Result<Protection<'a>, SecurityError> {
    let CommandHeader { spi, kic, kid, .. } = *command;
    let integrity = (spi.por_integrity(), kid);
    Protection::new(
        Direction::Response,
        dialect,
        integrity,
        (spi.por_ciphered(), kic),
        keys,
    )
}

impl fmt::Debug for ResponsePacket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            counter,
            status,
            data,
            ..
        } = self;
        write!(
            f,
            "ResponsePacket({status:?}, counter {counter}, {} data bytes)",
            data.len()
        )
    }
}
