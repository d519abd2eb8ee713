//! What command and response packets have in common: a plain head, then counter, padding counter, perhaps
//! a status, check field, data and padding, all of these ciphered together (TS 102 225 §5).
//!
//! It must never hand out data before the checksum was verified.

use super::dialect::Direction;
use super::integrity::{Check, KeySet, key_for};
use super::{Dialect, Integrity, Key, MAX_COUNTER, SecurityError};
use crate::Error;
use crate::reader::Reader;

/// Bytes of CNTR.
const COUNTER_BYTES: usize = 5;

/// How one packet is protected.
pub(super) struct Protection<'a> {
    direction: Direction,
    dialect: Dialect,
    check: Check<'a>,
    cipher: Option<&'a Key>,
}

/// What a protected packet carries besides its plain fields.
pub(super) struct Content {
    pub(super) counter: u64,
    /// Response packets only.
    pub(super) status: Option<u8>,
    pub(super) data: Vec<u8>,
}

impl<'a> Protection<'a> {
    pub(super) fn new(
        direction: Direction,
        dialect: Dialect,
        (integrity, kid): (Integrity, u8),
        (ciphered, kic): (bool, u8),
        keys: &'a KeySet,
    ) -> Result<Self, SecurityError> {
        let cipher = ciphered
            .then(|| key_for(keys.cipher.as_ref(), kic & 0xF))
            .transpose()?;
        Ok(Self {
            direction,
            dialect,
            check: Check::new(integrity, kid, keys)?,
            cipher,
        })
    }

    /// CNTR, PCNTR and, in responses, STS.
    const fn counters_bytes(&self) -> usize {
        COUNTER_BYTES
            + match self.direction {
                Direction::Command => 1,
                Direction::Response => 2,
            }
    }

    /// The value of CHL or RHL: everything from after it to the check field.
    const fn header_length(&self, fields: usize) -> usize {
        fields + self.counters_bytes() + self.check.bytes()
    }

    /// The whole packet. `fields` are the plain ones after the header length.
    pub(super) fn seal(&self, fields: &[u8], content: &Content) -> Result<Vec<u8>, SecurityError> {
        if content.counter > MAX_COUNTER {
            return Err(SecurityError::Counter);
        }
        let body = self.counters_bytes() + self.check.bytes() + content.data.len();
        let padding = self.cipher.map_or(0, |key| {
            body.next_multiple_of(key.algorithm().block_bytes()) - body
        });

        let mut plain = self
            .dialect
            .head(self.direction, 1 + fields.len() + body + padding)?;
        // Twenty-one at most.
        plain.push(self.header_length(fields.len()) as u8);
        plain.extend_from_slice(fields);

        let mut counters = content.counter.to_be_bytes()[3..].to_vec();
        // Less than one block.
        counters.push(padding as u8);
        counters.extend(content.status);
        let mut data = content.data.clone();
        data.resize(data.len() + padding, 0);

        let sum = self.check.compute(&[&plain[..], &counters, &data].concat());
        let mut secret = [counters, sum, data].concat();
        if let Some(key) = self.cipher {
            key.encrypt(&mut secret);
        }
        plain.extend(secret);
        Ok(plain)
    }

    /// Opens the packet `bytes`, of which `reader` has read all plain fields.
    pub(super) fn open(
        &self,
        bytes: &[u8],
        mut reader: Reader<'_>,
        (header_length, fields): (u8, usize),
    ) -> Result<Content, SecurityError> {
        let secret_at = reader.offset();
        if usize::from(header_length) != self.header_length(fields) {
            let at = secret_at - fields - 1;
            return Err(Error::new(at, "a header length that agrees with the check field").into());
        }
        let mut secret = reader.rest().to_vec();
        if let Some(key) = self.cipher {
            key.decrypt(&mut secret)
                .map_err(|error| error.shifted(secret_at))?;
        }
        let mut body = Reader::at(&secret, secret_at);
        let counters = body.take(self.counters_bytes(), "counter, padding counter and status")?;
        let sum = body.take(self.check.bytes(), "a check field")?;
        let data_at = body.offset();
        let data = body.rest();
        self.check
            .verify(&[&bytes[..secret_at], counters, data].concat(), sum)?;

        let mut counters = Reader::at(counters, secret_at);
        let counter: [u8; COUNTER_BYTES] = counters.array("a counter")?;
        let padding = counters.u8("a padding counter")?;
        let status = counters.peek();
        let data = data
            .len()
            .checked_sub(usize::from(padding))
            .and_then(|length| data.get(..length))
            .ok_or(Error::new(
                data_at,
                "at least as many bytes as the padding counter says",
            ))?;
        let counter = counter
            .iter()
            .fold(0, |counter, &byte| counter << 8 | u64::from(byte));
        Ok(Content {
            counter,
            status,
            data: data.to_vec(),
        })
    }
}
