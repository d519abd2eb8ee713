//! §7.2.3.1: a chip as its client sees it.

use super::{Caller, Context};
use domain::error::Error;
use domain::{CardStatus, Eid, Volume, unknown_chip};
use store::{
    Database, chip,
    views::{self, ChipFacts},
};

/// A chip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChipView {
    /// Its EID.
    pub eid: String,
    /// IMEI of its module, if it is known.
    pub imei: Option<String>,
    /// Model of the chip.
    pub chip_model: String,
    /// Its temporary number.
    pub temp_msisdn: String,
    /// ICCID of that number.
    pub temp_iccid: String,
    /// State of the card.
    pub card_status: CardStatus,
    /// Test allowance left.
    pub remaining: Volume,
}

/// Shows a chip.
///
/// [`domain::error::Reason::UnknownChip`], also for a chip of another client.
/// [`domain::error::Reason::UnknownChip`], also when it is another client's.
pub async fn chip_view<D: Database>(
    cx: &Context<'_, D>,
    caller: &Caller,
    eid: &Eid,
) -> Result<ChipView, Error> {
    let facts = own_chip(cx, caller, eid).await?;
    let row = facts.eid_index.as_bytes();
    let open = |column, sealed: &[u8]| cx.vault.open_identifier(column, row, sealed);
    Ok(ChipView {
        eid: eid.as_str().to_owned(),
        imei: facts
            .imei_sealed
            .as_ref()
            .map(|sealed| open(chip::IMEI, sealed))
            .transpose()?,
        temp_msisdn: open(chip::TEMP_MSISDN, &facts.temp_msisdn_sealed)?,
        temp_iccid: open(chip::TEMP_ICCID, &facts.temp_iccid_sealed)?,
        card_status: facts.status,
        remaining: Volume::from_bytes(facts.allowance_bytes.saturating_sub(facts.used_bytes)),
        chip_model: facts.chip_model,
    })
}

/// A chip that belongs to the caller; otherwise [`domain::error::Reason::UnknownChip`].
pub(super) async fn own_chip<D: Database>(
    cx: &Context<'_, D>,
    caller: &Caller,
    eid: &Eid,
) -> Result<ChipFacts, Error> {
    let index = cx.eid_index(eid);
    let chip = views::chip_by_eid(cx.db, &index).await?;
    let own = chip.filter(|chip| chip.client_id == caller.id);
    own.ok_or_else(|| unknown_chip("eid", eid))
}
