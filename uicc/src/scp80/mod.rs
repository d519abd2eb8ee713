//! Secured packets, SCP80: ETSI TS 102 225 with the SMS-PP dialect of 3GPP TS 31.115 and the dialect of
//! CAT_TP and TCP/IP.
//!
//! Keys come from the caller, and so do counters: these modules must never decide whether a counter is
//! fresh, nor accept a packet whose checksum they could not verify.

mod command;
mod compact;
mod crypto;
mod dialect;
mod integrity;
mod protection;
mod response;
mod spi;

pub use command::{CommandHeader, CommandPacket};
pub use compact::CompactResponse;
pub use crypto::{Algorithm, Key};
pub use dialect::{Dialect, IdentificationPacket};
pub use integrity::{KeySet, MacLength};
pub use response::{PorStatus, ResponsePacket};
pub use spi::{CounterMode, Integrity, Por, Spi};

use crate::Error;

/// Highest counter; a card blocks the key set that reached it.
pub const MAX_COUNTER: u64 = 0xFF_FFFF_FFFF;

/// Why a packet could not be made or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecurityError {
    /// The bytes are no secured packet.
    #[error(transparent)]
    Format(#[from] Error),
    /// The checksum is wrong: another key, or other data than were sent.
    #[error("the RC, CC or DS does not verify")]
    Integrity,
    /// The packet needs a key that is missing, or one of another algorithm.
    #[error("no key of the algorithm the packet names")]
    NoKey,
    /// A digital signature, ECB or a proprietary algorithm.
    #[error("an algorithm that is not supported")]
    Unsupported,
    /// The counter is above 40 bits.
    #[error("a counter above 40 bits")]
    Counter,
    /// The packet would be longer than its length field can express.
    #[error("a packet longer than its length field can say")]
    TooLong,
}

impl SecurityError {
    /// The response status of a card for this error.
    #[must_use]
    pub const fn por_status(self) -> PorStatus {
        match self {
            Self::Integrity => PorStatus::IntegrityFailed,
            Self::NoKey | Self::Unsupported => PorStatus::InsufficientSecurity,
            Self::Format(_) => PorStatus::CipheringError,
            Self::Counter | Self::TooLong => PorStatus::UnidentifiedSecurityError,
        }
    }
}
