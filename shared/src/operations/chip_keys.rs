//! Which keys a chip that opens a TLS session has.

use super::Context;
use crate::domain::Eid;
use crate::error::{Error, Reason};
use crate::store::Database;

/// Keys of a chip, wrapped under the link key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChipKeys {
    /// The chip.
    pub eid: Eid,
    /// Key version number (KVN).
    pub key_version: u8,
    /// Its PSK; none when the gateway diversifies it.
    pub psk_wrapped: Option<Vec<u8>>,
    /// Its DEK; none when the gateway diversifies it.
    pub dek_wrapped: Option<Vec<u8>>,
}

/// Finds the chip by the PSK identity it was registered with, or else by the EID the identity carries.
///
/// # Errors
/// [`Reason::UnknownChip`].
pub async fn chip_keys<D: Database>(
    cx: &Context<'_, D>,
    psk_identity: &[u8],
    eid: Option<&Eid>,
) -> Result<ChipKeys, Error> {
    let _ = (cx, psk_identity, eid);
    Err(Reason::Unavailable.into())
}
