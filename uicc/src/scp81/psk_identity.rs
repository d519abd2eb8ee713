//! PSK identity in the layout of SGP.02 v4.2 table 4: TLV objects, written out as hexadecimal text.
//!
//! RFC 4279 and Amendment B §3.8.2 make the identity opaque: it must never be refused only because it is
//! not of this layout.

use crate::hex_digits::{decode_hex, encode_hex};
use crate::ident::{Aid, EID_BYTES, Eid};
use crate::reader::Reader;
use crate::tlv::ber::{self, Tlv};
use crate::{Error, Result};

/// The value of tag `80`: this layout.
const LAYOUT: u8 = 0x02;
/// Chip, security domain and key that a TLS client wants to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PskIdentity {
    /// EID of the chip.
    pub eid: Eid,
    /// The security domain that holds the key: usually the ISD-R.
    pub aid: Aid,
    /// Key identifier.
    pub key_id: u8,
    /// Key version number, `40` to `4F` for SCP81.
    pub key_version: u8,
}

impl PskIdentity {
    /// Most bytes of an identity; an OpenSSL server accepts no more.
    pub const MAX_BYTES: usize = 256;

    /// Parses the identity of a ClientKeyExchange: hexadecimal text. Offsets of errors inside
    /// the TLV objects count decoded bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > Self::MAX_BYTES {
            return Err(Error::new(Self::MAX_BYTES, "an identity of at most 256 bytes"));
        }
        let text =
            core::str::from_utf8(bytes).map_err(|error| Error::new(error.valid_up_to(), "UTF-8 text"))?;
        Self::parse_tlv(&decode_hex(text)?)
    }

    fn parse_tlv(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let mut next = |tag: u16, expected: &'static str| {
            let at = reader.offset();
            let tlv = Tlv::read(&mut reader)?;
            if tlv.tag.get() == tag {
                Ok(tlv)
            } else {
                Err(Error::new(at, expected))
            }
        };
        let layout = next(0x80, "tag 80, the layout")?;
        if layout.value != [LAYOUT] {
            return Err(Error::new(layout.offset, "layout 02"));
        }
        let eid = next(0x81, "tag 81, the EID")?;
        let aid = next(0x4F, "tag 4F, the AID")?;
        let key_id = next(0x82, "tag 82, the key identifier")?;
        let key_version = next(0x83, "tag 83, the key version")?;
        reader.finish("the end after the key version")?;
        Ok(Self {
            eid: Eid::from_bcd(eid.value).map_err(|error| error.shifted(eid.offset))?,
            aid: Aid::parse(aid.value).map_err(|error| error.shifted(aid.offset))?,
            key_id: one_byte(&key_id)?,
            key_version: one_byte(&key_version)?,
        })
    }

    /// Encodes the identity for ClientKeyExchange: upper-case hexadecimal text.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(EID_BYTES * 3);
        ber::put(&mut out, 0x80, &[LAYOUT]);
        ber::put(&mut out, 0x81, &self.eid.to_bcd());
        ber::put(&mut out, 0x4F, self.aid.as_bytes());
        ber::put(&mut out, 0x82, &[self.key_id]);
        ber::put(&mut out, 0x83, &[self.key_version]);
        encode_hex(&out).into_bytes()
    }
}

fn one_byte(tlv: &Tlv<'_>) -> Result<u8> {
    match tlv.value {
        [byte] => Ok(*byte),
        _ => Err(Error::new(tlv.offset, "a value of one byte")),
    }
}
