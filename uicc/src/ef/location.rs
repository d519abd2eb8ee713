//! EF_LOCI, EF_PSLOCI and EF_EPSLOCI: where the terminal last registered (TS 31.102 §4.2.17, §4.2.23,
//! §4.2.91; reset values in annex E).
//!
//! The status byte is what proves a registration: a file reset to "not updated" that says "updated" later
//! was written by a terminal which the network accepted. These codecs must never call a reserved status
//! updated.

use core::fmt;

use super::Plmn;
use crate::byte_enum::byte_enum;
use crate::reader::Reader;
use crate::{Error, Result};

byte_enum! {
    /// Update status. Values 2 and 3 differ in meaning between the files; a registration they all deny.
    pub enum UpdateStatus {
        /// Registered.
        Updated = 0x00,
        /// Not registered yet.
        NotUpdated = 0x01,
        /// PLMN not allowed (EPS: roaming not allowed).
        PlmnNotAllowed = 0x02,
        /// Location or routing area not allowed (EPS: reserved).
        AreaNotAllowed = 0x03,
    }
}

impl UpdateStatus {
    /// The status of a byte of which only the lowest three bits are defined.
    const fn of(byte: u8) -> Self {
        Self::from_byte(byte & 0x07)
    }
}

/// EF_LOCI, 11 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Loci {
    /// Temporary identity.
    pub tmsi: [u8; 4],
    /// Network of the location area; `None` when blank.
    pub plmn: Option<Plmn>,
    /// Location area code.
    pub area: u16,
    /// Reserved byte, once the TMSI time.
    pub reserved: u8,
    /// Status.
    pub status: UpdateStatus,
}

impl Loci {
    /// Bytes of the file.
    pub const BYTES: usize = 11;

    /// What a card holds before its first registration in its home network.
    #[must_use]
    pub const fn reset(home: Plmn) -> Self {
        Self {
            tmsi: [0xFF; 4],
            plmn: Some(home),
            area: 0,
            reserved: 0xFF,
            status: UpdateStatus::NotUpdated,
        }
    }

    /// Parses the eleven bytes of the file.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut reader = sized::<{ Self::BYTES }>(bytes, "location information of eleven bytes")?;
        Ok(Self {
            tmsi: reader.array("a TMSI")?,
            plmn: Plmn::read(&mut reader)?,
            area: reader.u16("a location area code")?,
            reserved: reader.u8("a reserved byte")?,
            status: UpdateStatus::of(reader.u8("an update status")?),
        })
    }

    /// The eleven bytes of the file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.tmsi.to_vec();
        Plmn::put(self.plmn, &mut out);
        out.extend(self.area.to_be_bytes());
        out.extend([self.reserved, self.status.byte()]);
        out
    }
}

/// EF_PSLOCI, 14 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct PsLoci {
    /// Temporary identity of the packet domain.
    pub ptmsi: [u8; 4],
    /// Signature of the P-TMSI.
    pub signature: [u8; 3],
    /// Network of the routing area; `None` when blank.
    pub plmn: Option<Plmn>,
    /// Location area code.
    pub area: u16,
    /// Routing area code.
    pub routing_area: u8,
    /// Status.
    pub status: UpdateStatus,
}

impl PsLoci {
    /// Bytes of the file.
    pub const BYTES: usize = 14;

    /// What a card holds before its first registration in its home network.
    #[must_use]
    pub const fn reset(home: Plmn) -> Self {
        Self {
            ptmsi: [0xFF; 4],
            signature: [0xFF; 3],
            plmn: Some(home),
            area: 0,
            routing_area: 0xFF,
            status: UpdateStatus::NotUpdated,
        }
    }

    /// Parses the fourteen bytes of the file.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut reader = sized::<{ Self::BYTES }>(bytes, "packet location information of fourteen bytes")?;
        Ok(Self {
            ptmsi: reader.array("a P-TMSI")?,
            signature: reader.array("a P-TMSI signature")?,
            plmn: Plmn::read(&mut reader)?,
            area: reader.u16("a location area code")?,
            routing_area: reader.u8("a routing area code")?,
            status: UpdateStatus::of(reader.u8("an update status")?),
        })
    }

    /// The fourteen bytes of the file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.ptmsi.to_vec();
        out.extend(self.signature);
        Plmn::put(self.plmn, &mut out);
        out.extend(self.area.to_be_bytes());
        out.extend([self.routing_area, self.status.byte()]);
        out
    }
}

/// EF_EPSLOCI, 18 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct EpsLoci {
    /// Globally unique temporary identity, with its type and length bytes.
    pub guti: [u8; 12],
    /// Network of the last visited tracking area; `None` when blank.
    pub plmn: Option<Plmn>,
    /// Tracking area code.
    pub tracking_area: u16,
    /// Status.
    pub status: UpdateStatus,
}

impl EpsLoci {
    /// Bytes of the file.
    pub const BYTES: usize = 18;

    /// What a card holds before its first registration in its home network.
    #[must_use]
    pub const fn reset(home: Plmn) -> Self {
        Self {
            guti: [0xFF; 12],
            plmn: Some(home),
            tracking_area: 0,
            status: UpdateStatus::NotUpdated,
        }
    }

    /// Parses the eighteen bytes of the file.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut reader = sized::<{ Self::BYTES }>(bytes, "EPS location information of eighteen bytes")?;
        Ok(Self {
            guti: reader.array("a GUTI")?,
            plmn: Plmn::read(&mut reader)?,
            tracking_area: reader.u16("a tracking area code")?,
            status: UpdateStatus::of(reader.u8("an update status")?),
        })
    }

    /// The eighteen bytes of the file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.guti.to_vec();
        Plmn::put(self.plmn, &mut out);
        out.extend(self.tracking_area.to_be_bytes());
        out.push(self.status.byte());
        out
    }
}

fn sized<'a, const N: usize>(bytes: &'a [u8], expected: &'static str) -> Result<Reader<'a>> {
    if bytes.len() == N {
        Ok(Reader::new(bytes))
    } else {
        Err(Error::new(bytes.len().min(N), expected))
    }
}

/// Temporary identities stand for a subscriber: shown are only network, area and status.
macro_rules! debug_without_identity {
    ($($name:ident: $area:ident),+) => {
        $(impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:?}, {:04X}, {:?})"), self.plmn, self.$area, self.status)
            }
        })+
    };
}

debug_without_identity!(Loci: area, PsLoci: area, EpsLoci: tracking_area);
