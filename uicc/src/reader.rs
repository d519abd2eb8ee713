//! A cursor over a message that counts its offset from the first byte.
//!
//! It must never read past the end, and every failure names the absolute offset.

use crate::{Error, Result};

/// Reads a slice from front to back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            offset: 0,
        }
    }

    /// A reader of a part that begins `offset` bytes into the whole message.
    pub(crate) const fn at(bytes: &'a [u8], offset: usize) -> Self {
        Self { rest: bytes, offset }
    }

    pub(crate) const fn offset(&self) -> usize {
        self.offset
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) const fn len(&self) -> usize {
        self.rest.len()
    }

    /// An error at the present position.
    pub(crate) const fn error(&self, expected: &'static str) -> Error {
        Error::new(self.offset, expected)
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    pub(crate) fn u8(&mut self, expected: &'static str) -> Result<u8> {
        let (&first, rest) = self.rest.split_first().ok_or(self.error(expected))?;
        self.rest = rest;
        self.offset += 1;
        Ok(first)
    }

    pub(crate) fn u16(&mut self, expected: &'static str) -> Result<u16> {
        self.array::<2>(expected).map(u16::from_be_bytes)
    }

    pub(crate) fn array<const N: usize>(&mut self, expected: &'static str) -> Result<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or(self.error(expected))?;
        self.rest = rest;
        self.offset += N;
        Ok(*head)
    }

    pub(crate) fn take(&mut self, n: usize, expected: &'static str) -> Result<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(n).ok_or(self.error(expected))?;
        self.rest = rest;
        self.offset += n;
        Ok(head)
    }

    /// Everything that is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        let all = self.rest;
        self.offset += all.len();
        self.rest = &[];
        all
    }

    /// Nothing may be left.
    pub(crate) fn finish(&self, expected: &'static str) -> Result<()> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.error(expected))
        }
    }
}
