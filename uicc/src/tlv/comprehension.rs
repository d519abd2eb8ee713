//! COMPREHENSION-TLV: the objects of proactive commands, terminal responses and envelopes
//! (TS 101 220 §7.1.1.2, TS 102 223 §7.1.1). The top bit of the tag says "comprehension required".
//!
//! It must never drop that bit: a terminal that does not know a required object has to refuse.

use core::fmt;

use super::length::take_value;
use super::put_length;
use crate::reader::Reader;
use crate::{Error, Result};

/// First byte of a tag in three-byte format.
const LONG_TAG: u8 = 0x7F;
/// "Comprehension required" in a one-byte tag.
const CR: u8 = 0x80;
/// "Comprehension required" in the 16-bit number of a three-byte tag.
const LONG_CR: u16 = 0x8000;

/// One object, borrowed from the message it was read from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Object<'a> {
    /// The tag without the comprehension-required bit, e.g. `0x36` for channel data; above `0x7E` the
    /// object is written with a three-byte tag (`7F` and two bytes).
    pub tag: u16,
    /// Comprehension required.
    pub required: bool,
    /// The value, of the length that was announced and checked.
    pub value: &'a [u8],
    /// Where the value begins, in bytes from the start of the message.
    pub offset: usize,
}

impl<'a> Object<'a> {
    /// One object that fills `bytes` exactly.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let object = Self::read(&mut reader)?;
        reader.finish("the end after one COMPREHENSION-TLV object")?;
        Ok(object)
    }

    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let at = *reader;
        let first = reader.u8("a COMPREHENSION-TLV tag")?;
        let (tag, required) = match first {
            // TS 101 220 §7.1.1.2: 00, FF and 80 are not tags.
            0x00 | 0x80 | 0xFF => return Err(at.error("a COMPREHENSION-TLV tag")),
            LONG_TAG => {
                let tag = reader.u16("the last two bytes of a three-byte tag")?;
                (tag & !LONG_CR, tag & LONG_CR != 0)
            }
            short => (u16::from(short & !CR), short & CR != 0),
        };
        let value = take_value(reader)?;
        Ok(Self {
            tag,
            required,
            value,
            offset: reader.offset() - value.len(),
        })
    }

    /// The object as bytes, with the shortest length field.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out, self.tag, self.required, self.value);
        out
    }

    pub(crate) const fn reader(&self) -> Reader<'a> {
        Reader::at(self.value, self.offset)
    }

    /// The value, which must be one byte.
    pub(crate) fn byte(&self, expected: &'static str) -> Result<u8> {
        match self.value {
            [byte] => Ok(*byte),
            _ => Err(Error::new(self.offset, expected)),
        }
    }

    /// The value, which must be exactly `N` bytes.
    pub(crate) fn array<const N: usize>(&self, expected: &'static str) -> Result<[u8; N]> {
        self.value
            .try_into()
            .map_err(|_| Error::new(self.offset, expected))
    }
}

impl fmt::Debug for Object<'_> {
    /// Without the value: it may be an identifier.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.required { ", required" } else { "" };
        write!(
            f,
            "Object({:02X}{mark}, {} bytes at {})",
            self.tag,
            self.value.len(),
            self.offset
        )
    }
}

/// All objects of a message part.
pub fn objects(bytes: &[u8]) -> Result<Vec<Object<'_>>> {
    read_all(Reader::new(bytes))
}

pub(crate) fn read_all(mut reader: Reader<'_>) -> Result<Vec<Object<'_>>> {
    let mut objects = Vec::new();
    while !reader.is_empty() {
        objects.push(Object::read(&mut reader)?);
    }
    Ok(objects)
}

/// Appends one object. Tags `0x01..=0x7E` take one byte, others three.
pub fn put(out: &mut Vec<u8>, tag: u16, required: bool, value: &[u8]) {
    match u8::try_from(tag) {
        Ok(short @ 0x01..=0x7E) => out.push(if required { short | CR } else { short }),
        _ => {
            out.push(LONG_TAG);
            let tag = (tag & !LONG_CR) | if required { LONG_CR } else { 0 };
            out.extend_from_slice(&tag.to_be_bytes());
        }
    }
    put_length(out, value.len());
    out.extend_from_slice(value);
}
