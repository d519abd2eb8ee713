//! EF_SMSP: how short messages are sent, above all through which service centre (TS 31.102 §4.2.27).
//!
//! An indicator bit of 0 means the parameter is there. It must never read a parameter that is absent.

use core::fmt;

use super::DialNumber;
use crate::reader::Reader;
use crate::{Error, Result};

const FILLER: u8 = 0xFF;

/// One record: Y bytes of alpha identifier and 28 of parameters.
#[derive(Clone, PartialEq, Eq)]
pub struct SmspRecord {
    /// Alpha identifier with its `FF` padding; its length is the record's length less 28.
    pub alpha: Vec<u8>,
    /// TP-Destination address as raw twelve bytes: its length counts digits, unlike a service centre's.
    pub destination: Option<[u8; 12]>,
    /// Service centre address.
    pub service_centre: Option<DialNumber>,
    /// TP-Protocol identifier.
    pub protocol: Option<u8>,
    /// TP-Data coding scheme.
    pub coding: Option<u8>,
    /// TP-Validity period.
    pub validity: Option<u8>,
}

impl fmt::Debug for SmspRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            destination,
            service_centre,
            protocol,
            coding,
            validity,
            ..
        } = self;
        let destination = destination.is_some();
        write!(
            f,
            "SmspRecord(destination {destination}, {service_centre:?}, {protocol:?}, {coding:?}, {validity:?})"
        )
    }
}

impl SmspRecord {
    /// Bytes after the alpha identifier.
    pub const FIXED_BYTES: usize = 28;
    /// Validity of one day in relative format (TS 23.040 §9.2.3.12.1).
    pub const ONE_DAY: u8 = 0xA7;

    /// A record of `record_size` bytes with a service centre, protocol 0, coding 0 and this validity, and
    /// without alpha identifier. Fails below 28.
    pub fn with_service_centre(record_size: usize, centre: DialNumber, validity: u8) -> Result<Self> {
        let alpha = record_size
            .checked_sub(Self::FIXED_BYTES)
            .ok_or(Error::new(record_size, "a record of at least 28 bytes"))?;
        Ok(Self {
            alpha: vec![FILLER; alpha],
            destination: None,
            service_centre: Some(centre),
            protocol: Some(0),
            coding: Some(0),
            validity: Some(validity),
        })
    }

    /// Parses a record of 28 bytes or more.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let alpha = bytes
            .len()
            .checked_sub(Self::FIXED_BYTES)
            .ok_or(Error::new(bytes.len(), "a record of at least 28 bytes"))?;
        let alpha = reader.take(alpha, "an alpha identifier")?.to_vec();
        let indicators = reader.u8("parameter indicators")?;
        let present = |bit: u8| indicators >> bit & 1 == 0;
        let destination = reader.array("a destination address of twelve bytes")?;
        let service_centre = if present(1) {
            DialNumber::read_field(&mut reader)?
        } else {
            reader.take(12, "a service centre address of twelve bytes")?;
            None
        };
        let [protocol, coding, validity] = reader.array("protocol, coding and validity")?;
        Ok(Self {
            alpha,
            destination: present(0).then_some(destination),
            service_centre,
            protocol: present(2).then_some(protocol),
            coding: present(3).then_some(coding),
            validity: present(4).then_some(validity),
        })
    }

    /// The record as bytes, as long as its alpha identifier and 28.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let absent = [
            self.destination.is_none(),
            self.service_centre.is_none(),
            self.protocol.is_none(),
            self.coding.is_none(),
            self.validity.is_none(),
            true,
            true,
            true,
        ];
        let indicators = absent
            .iter()
            .enumerate()
            .fold(0, |bits, (at, &set)| bits | u8::from(set) << at);
        let mut out = self.alpha.clone();
        out.push(indicators);
        out.extend(self.destination.unwrap_or([FILLER; 12]));
        out.extend(DialNumber::field(self.service_centre.as_ref()));
        out.extend([self.protocol, self.coding, self.validity].map(|byte| byte.unwrap_or(FILLER)));
        out
    }
}
