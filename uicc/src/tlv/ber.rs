//! BER-TLV with tags of one or two bytes, definite lengths and — for scripts — the indefinite form.
//!
//! It must never copy a value while reading, nor parse nested objects by itself: the caller decides which tags nest.

use core::fmt;

use super::length::{INDEFINITE, take_value};
use super::put_length;
use crate::reader::Reader;
use crate::{Error, Result};

/// A tag of one byte (`0x22`) or two (`0x7F20`); ISO/IEC 8825-1 §8.1.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(u16);

impl Tag {
    /// The tag of these one or two bytes, if they are one whole tag.
    pub const fn new(tag: u16) -> Result<Self> {
        let [high, low] = tag.to_be_bytes();
        let long = high & 0x1F == 0x1F;
        if (high == 0 && low & 0x1F != 0x1F) || (long && low < 0x80) {
            Ok(Self(tag))
        } else {
            Err(Error::new(
                0,
                "a tag of one byte, or of two the first of which ends in 1F",
            ))
        }
    }

    /// The tag as a number: `0x22`, `0x7F20`.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let at = *reader;
        let first = reader.u8("a tag")?;
        if first & 0x1F != 0x1F {
            return Ok(Self(u16::from(first)));
        }
        let second = reader.u8("the second byte of a tag")?;
        if second < 0x80 {
            Ok(Self(u16::from_be_bytes([first, second])))
        } else {
            Err(at.error("a tag of at most two bytes"))
        }
    }
}

/// One object, borrowed from the message it was read from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// Tag of the object.
    pub tag: Tag,
    /// Value of the object.
    pub value: &'a [u8],
    /// Where the value begins, in bytes from the start of the message.
    pub offset: usize,
}

impl<'a> Tlv<'a> {
    /// One object that fills `bytes` exactly.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let tlv = Self::read(&mut reader)?;
        reader.finish("the end after one TLV object")?;
        Ok(tlv)
    }

    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let tag = Tag::read(reader)?;
        let value = take_value(reader)?;
        Ok(Self {
            tag,
            value,
            offset: reader.offset() - value.len(),
        })
    }

    /// The object as bytes, with the shortest length field.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out, self.tag.0, self.value);
        out
    }

    /// The objects inside this one; their offsets count from the start of the same message.
    #[must_use]
    pub const fn children(&self) -> Items<'a> {
        Items {
            reader: Reader::at(self.value, self.offset),
            failed: false,
        }
    }

    pub(crate) const fn reader(&self) -> Reader<'a> {
        Reader::at(self.value, self.offset)
    }
}

impl fmt::Debug for Tlv<'_> {
    /// Without the value: it may be a key or an identifier.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Tlv({:02X}, {} bytes at {})",
            self.tag.0,
            self.value.len(),
            self.offset
        )
    }
}

/// Objects one after another; ends after the first error.
#[derive(Debug, Clone)]
pub struct Items<'a> {
    reader: Reader<'a>,
    failed: bool,
}

/// The objects of `bytes`, one after another.
#[must_use]
pub const fn items(bytes: &[u8]) -> Items<'_> {
    Items {
        reader: Reader::new(bytes),
        failed: false,
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<Tlv<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.reader.is_empty() {
            return None;
        }
        let item = Tlv::read(&mut self.reader);
        self.failed = item.is_err();
        Some(item)
    }
}

/// Appends tag, shortest length and value. `tag` above `0xFF` is written as two bytes.
pub fn put(out: &mut Vec<u8>, tag: u16, value: &[u8]) {
    put_tag(out, tag);
    put_length(out, value.len());
    out.extend_from_slice(value);
}

/// Appends an indefinite-length object: tag, `80`, `content` (whole TLV objects), `00 00`.
pub fn put_indefinite(out: &mut Vec<u8>, tag: u16, content: &[u8]) {
    put_tag(out, tag);
    out.push(INDEFINITE);
    out.extend_from_slice(content);
    out.extend_from_slice(&[0, 0]);
}

fn put_tag(out: &mut Vec<u8>, tag: u16) {
    let [high, low] = tag.to_be_bytes();
    if high != 0 {
        out.push(high);
    }
    out.push(low);
}

/// Reads the objects of an indefinite-length value up to and including its `00 00`. The tag was read,
/// the reader is at the length byte.
pub(crate) fn read_indefinite<'a>(reader: &mut Reader<'a>) -> Result<Vec<Tlv<'a>>> {
    if reader.peek() != Some(INDEFINITE) {
        return Err(reader.error("80, the indefinite length"));
    }
    reader.u8("80, the indefinite length")?;
    let mut objects = Vec::new();
    // Each turn consumes at least two bytes, so the length of the message bounds the loop.
    loop {
        if reader.peek() == Some(0) {
            reader.u8("00 00, the end of contents")?;
            return match reader.peek() {
                Some(0) => reader.u8("00 00, the end of contents").map(|_| objects),
                _ => Err(reader.error("the second byte of 00 00, the end of contents")),
            };
        }
        objects.push(Tlv::read(reader)?);
    }
}
