//! Command APDU, cases 1 to 4 with short lengths (TS 102 221 §10.1.1, ISO/IEC 7816-3 §12.1.3).
//!
//! It must never hold more data than a short Lc can announce.

use core::fmt;

use zeroize::Zeroize;

use crate::reader::Reader;
use crate::{Error, Result};

/// Most bytes of a data field with a short Lc.
pub const MAX_DATA_BYTES: usize = 255;

/// Instruction bytes, TS 102 221 table 10.5 and TS 102 226 table 7.1.
pub mod ins {
    #![expect(missing_docs, reason = "the names are those of the specification")]
    pub const DEACTIVATE_FILE: u8 = 0x04;
    pub const TERMINAL_PROFILE: u8 = 0x10;
    pub const FETCH: u8 = 0x12;
    pub const TERMINAL_RESPONSE: u8 = 0x14;
    pub const VERIFY_PIN: u8 = 0x20;
    pub const CHANGE_PIN: u8 = 0x24;
    pub const DISABLE_PIN: u8 = 0x26;
    pub const ENABLE_PIN: u8 = 0x28;
    pub const UNBLOCK_PIN: u8 = 0x2C;
    pub const INCREASE: u8 = 0x32;
    pub const ACTIVATE_FILE: u8 = 0x44;
    pub const MANAGE_CHANNEL: u8 = 0x70;
    pub const AUTHENTICATE: u8 = 0x88;
    pub const SEARCH_RECORD: u8 = 0xA2;
    pub const SELECT: u8 = 0xA4;
    pub const READ_BINARY: u8 = 0xB0;
    pub const READ_RECORD: u8 = 0xB2;
    pub const GET_RESPONSE: u8 = 0xC0;
    pub const ENVELOPE: u8 = 0xC2;
    pub const UPDATE_BINARY: u8 = 0xD6;
    pub const UPDATE_RECORD: u8 = 0xDC;
    /// PUSH, TS 102 226 §9.
    pub const PUSH: u8 = 0xEC;
    pub const STATUS: u8 = 0xF2;
}

/// A command to the card. Its data is wiped from memory when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct CommandApdu {
    /// Class byte: `00` for ISO commands, `80` for toolkit commands.
    pub cla: u8,
    /// Instruction, see [`ins`].
    pub ins: u8,
    /// First parameter.
    pub p1: u8,
    /// Second parameter.
    pub p2: u8,
    /// Le as on the wire: the bytes expected back, 0 for 256; `None` when no answer data is expected.
    pub le: Option<u8>,
    data: Vec<u8>,
}

impl CommandApdu {
    /// A command without data and without Le (case 1).
    #[must_use]
    pub const fn new(cla: u8, ins: u8, p1: u8, p2: u8) -> Self {
        Self {
            cla,
            ins,
            p1,
            p2,
            le: None,
            data: Vec::new(),
        }
    }

    /// The same command with a data field. Fails if `data` is longer than [`MAX_DATA_BYTES`].
    pub fn with_data(mut self, data: impl Into<Vec<u8>>) -> Result<Self> {
        let data = data.into();
        if data.len() > MAX_DATA_BYTES {
            return Err(Error::new(MAX_DATA_BYTES, "at most 255 bytes of command data"));
        }
        self.data.zeroize();
        self.data = data;
        Ok(self)
    }

    /// The same command with Le; 0 asks for up to 256 bytes.
    #[must_use]
    pub const fn with_le(mut self, le: u8) -> Self {
        self.le = Some(le);
        self
    }

    /// The data field; empty in cases 1 and 2.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// How many bytes the answer may have: 0 without Le, else 1 to 256.
    #[must_use]
    pub fn expected_len(&self) -> usize {
        match self.le {
            None => 0,
            Some(0) => 256,
            Some(le) => usize::from(le),
        }
    }

    /// Parses any of the four cases.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        Self::read(Reader::new(bytes))
    }

    pub(crate) fn read(mut reader: Reader<'_>) -> Result<Self> {
        let [cla, ins, p1, p2] = reader.array("an APDU header of four bytes")?;
        let header = Self::new(cla, ins, p1, p2);
        if reader.is_empty() {
            return Ok(header);
        }
        let at = reader;
        let p3 = reader.u8("Lc or Le")?;
        if reader.is_empty() {
            return Ok(header.with_le(p3));
        }
        if p3 == 0 {
            return Err(at.error("an Lc of 1 to 255: extended lengths are not used"));
        }
        let command = header.with_data(reader.take(usize::from(p3), "as many bytes as Lc announces")?)?;
        if reader.is_empty() {
            return Ok(command);
        }
        let le = reader.u8("Le")?;
        reader.finish("the end of the APDU after Le")?;
        Ok(command.with_le(le))
    }

    /// The command as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![self.cla, self.ins, self.p1, self.p2];
        if !self.data.is_empty() {
            // with_data() keeps the length within one byte.
            out.push(self.data.len() as u8);
            out.extend_from_slice(&self.data);
        }
        out.extend(self.le);
        out
    }
}

impl Drop for CommandApdu {
    fn drop(&mut self) {
        self.data.zeroize();
    }
}

impl fmt::Debug for CommandApdu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cla,
            ins,
            p1,
            p2,
            le,
            data,
        } = self;
        write!(
            f,
            "CommandApdu({cla:02X} {ins:02X} {p1:02X} {p2:02X}, {} data bytes, Le ",
            data.len()
        )?;
        match le {
            Some(le) => write!(f, "{le:02X})"),
            None => f.write_str("absent)"),
        }
    }
}
