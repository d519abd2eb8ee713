//! EF_SPN: the name a terminal shows (TS 31.102 §4.2.12; alphabets of TS 102 221 annex A).
//!
//! It must never cut a name: what does not fit is an error.

use crate::reader::Reader;
use crate::{Error, Result};

const FILLER: u8 = 0xFF;
/// Mark of UCS2 coding, TS 102 221 annex A.
const UCS2: u8 = 0x80;

/// Service provider name, 17 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spn {
    /// Bit 1: show the registered network; bit 2: do not show the name in service provider PLMNs.
    pub display: u8,
    /// Name as coded, without the fillers behind it; at most 16 bytes.
    name: Vec<u8>,
}

impl Spn {
    /// Bytes of the file.
    pub const BYTES: usize = 17;
    /// Most bytes of a name.
    pub const MAX_NAME_BYTES: usize = 16;

    /// A name in letters, digits and spaces of the GSM default alphabet if it has no others, else in UCS2
    /// (at most 7 characters of the basic plane).
    pub fn new(display: u8, name: &str) -> Result<Self> {
        // These have the same code in ASCII and in the GSM default alphabet (TS 23.038 §6.2.1).
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b' ';
        let name = if name.bytes().all(plain) {
            name.as_bytes().to_vec()
        } else {
            let mut coded = vec![UCS2];
            coded.extend(name.encode_utf16().flat_map(u16::to_be_bytes));
            coded
        };
        if name.len() > Self::MAX_NAME_BYTES {
            return Err(Error::new(
                Self::MAX_NAME_BYTES,
                "a name of at most 16 bytes once coded",
            ));
        }
        Ok(Self { display, name })
    }

    /// The name, if it is coded in plain letters or UCS2.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        match self.name.split_first() {
            Some((&UCS2, coded)) => {
                let (pairs, []) = coded.as_chunks::<2>() else {
                    return None;
                };
                let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
                String::from_utf16(&units).ok()
            }
            _ if self
                .name
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || *byte == b' ') =>
            {
                String::from_utf8(self.name.clone()).ok()
            }
            _ => None,
        }
    }

    /// Parses the seventeen bytes of the file.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let display = reader.u8("a display condition")?;
        let name: [u8; Self::MAX_NAME_BYTES] = reader.array("a name of 16 bytes")?;
        reader.finish("a service provider name of 17 bytes")?;
        let length = name
            .iter()
            .rposition(|&byte| byte != FILLER)
            .map_or(0, |last| last + 1);
        Ok(Self {
            display,
            name: name[..length].to_vec(),
        })
    }

    /// The seventeen bytes of the file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![self.display];
        out.extend_from_slice(&self.name);
        out.resize(Self::BYTES, FILLER);
        out
    }
}
