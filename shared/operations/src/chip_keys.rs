//! The keys of a chip that opens a TLS session.

use super::Context;
use domain::Eid;
use domain::error::{Error, Reason};
use store::{
    Database,
    chip::{self, ChipRow},
};
use vault::{Column, IndexKind};

/// Keys of a chip, wrapped under the link key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChipKeys {
    /// EID of the chip.
    pub eid: Eid,
    /// Its home: the last byte of the identifiers of its sessions.
    pub home: u8,
    /// Key version number (KVN).
    pub key_version: u8,
    /// Its PSK; none when the gateway diversifies it.
    pub psk_wrapped: Option<Vec<u8>>,
    /// Its DEK; none when the gateway diversifies it.
    pub dek_wrapped: Option<Vec<u8>>,
}

/// Finds the chip by the PSK identity it was registered with, or else by the EID in the identity. A chip that is
/// registered with an identity of its own is found by that identity alone.
///
/// # Errors
/// [`Reason::UnknownChip`].
pub async fn chip_keys<D: Database>(
    cx: &Context<'_, D>,
    psk_identity: &[u8],
    eid: Option<&Eid>,
) -> Result<ChipKeys, Error> {
    let chip = find(cx, psk_identity, eid).await?.ok_or(Reason::UnknownChip)?;
    Ok(ChipKeys {
        eid: chip.eid(cx.vault)?,
        home: cx.home(&chip)?,
        key_version: u8::try_from(chip.key_version).map_err(Error::internal)?,
        psk_wrapped: rewrap(cx, &chip, chip::PSK, chip.psk_sealed.as_deref())?,
        dek_wrapped: rewrap(cx, &chip, chip::DEK, chip.dek_sealed.as_deref())?,
    })
}

async fn find<D: Database>(
    cx: &Context<'_, D>,
    psk_identity: &[u8],
    eid: Option<&Eid>,
) -> Result<Option<ChipRow>, Error> {
    let index = cx.vault.blind_index(IndexKind::PskIdentity, psk_identity);
    if let Some(chip) = chip::by_psk_identity(cx.db, &index).await? {
        return Ok(Some(chip));
    }
    let Some(eid) = eid else { return Ok(None) };
    let index = cx.eid_index(eid);
    Ok(chip::by_eid(cx.db, &index)
        .await?
        .filter(|chip| !chip.has_psk_identity))
}

fn rewrap<D>(
    cx: &Context<'_, D>,
    chip: &ChipRow,
    column: Column,
    sealed: Option<&[u8]>,
) -> Result<Option<Vec<u8>>, Error> {
    let Some(sealed) = sealed else { return Ok(None) };
    let plain = cx.vault.open(column, chip.eid_index.as_bytes(), sealed)?;
    Ok(Some(cx.vault.wrap_for_link(&plain)?))
}
