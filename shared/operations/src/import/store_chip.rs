//! Stores a row of a file of chips: a new chip, one that is there, or a correction of it.

use std::collections::BTreeSet;

use super::{ImportChoices, KnownClients, Stored};
use crate::Context;
use crate::act_note::ActNote;
use crate::announced::{Announced, GatewayWarning};
use crate::content::{self, CHIP_KEYS, held_error};
use crate::correct_chip::correct;
use crate::incidents::block;
use crate::transition::guarded;
use domain::error::{Error, Reason};
use domain::{Actor, ImportId};
use store::{
    Database, Tx, card_history, chip,
    chip_content::{self, ChipContent, NewChipRow},
    temporary_number::{self, UniqueValues},
};
use vault::BlindIndex;

/// Why a new chip has its state.
const IMPORTED: &str = "imported";

/// A row as it is stored.
pub(super) struct SealedChip {
    pub(super) row: NewChipRow,
    /// Whether the file states the day of opening.
    pub(super) is_opening_stated: bool,
}

impl SealedChip {
    /// What the row says beside what is stored: without a day of opening it says nothing about it.
    fn beside(&self, stored: &ChipContent) -> ChipContent {
        let mut given = self.row.content.clone();
        if !self.is_opening_stated {
            given.temp_opened_on.clone_from(&stored.temp_opened_on);
        }
        given
    }
}

/// What the rows of a file are stored with.
pub(super) struct Batch<'a> {
    pub(super) import: ImportId,
    pub(super) choices: &'a ImportChoices<'a>,
    pub(super) announced: Announced,
    /// The clients that were looked up.
    pub(super) known: KnownClients,
    /// The chips that [`add`] has added.
    pub(super) added: BTreeSet<BlindIndex>,
}

/// What became of a row, and what is not as usual about it.
pub(super) type StoredRow = (Stored, Vec<GatewayWarning>);

fn refused(error: Error) -> StoredRow {
    (Stored::Refused(error.into()), Vec::new())
}

/// Adds the new chips among good rows, together. Those of which something is there already are left to [`store`].
pub(super) async fn add<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    chips: &[(u64, SealedChip)],
    batch: &mut Batch<'_>,
) -> Result<(), Error> {
    if batch.choices.correct.is_some() {
        return Ok(());
    }
    let mut new = Vec::with_capacity(chips.len());
    for (_, SealedChip { row, .. }) in chips {
        if super::refusal_for(tx, &row.content.client_id, &mut batch.known)
            .await?
            .is_none()
            && batch.announced.judge(&row.content, None).is_ok()
        {
            new.push(row);
        }
    }
    if new.is_empty() {
        return Ok(());
    }
    batch.added = chip_content::insert(tx, &new, batch.import, cx.now).await?;
    new.retain(|chip| batch.added.contains(&chip.content.eid_index));
    let cards: Vec<_> = new
        .iter()
        .map(|chip| (chip.content.eid_index, chip.status))
        .collect();
    Ok(card_history::insert_first(tx, &cards, &Actor::Admin, IMPORTED, cx.now).await?)
}

/// Stores a good row. What is there already stays, even if no gateway could write it.
pub(super) async fn store<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    chip: &SealedChip,
    batch: &mut Batch<'_>,
) -> Result<StoredRow, Error> {
    let new = &chip.row;
    let index = &new.content.eid_index;
    if let Some(refusal) = super::refusal_for(tx, &new.content.client_id, &mut batch.known).await? {
        return Ok(refused(Error::from(refusal).with_field("client_id")));
    }
    if let Some(note) = &batch.choices.correct {
        return store_correction(cx, tx, chip, &batch.announced, note).await;
    }
    let judged = batch.announced.judge(&new.content, None);
    if batch.added.contains(index) {
        return Ok((Stored::New, judged?));
    }
    let Some(there) = chip_content::find(tx, index).await? else {
        return match judged {
            Err(error) => Ok(refused(error)),
            Ok(warned) => Ok((insert_over_dead(cx, tx, new, batch.import).await?, warned)),
        };
    };
    let stored = compare(cx, tx, chip, &there).await?;
    Ok((stored, Vec::new()))
}

/// Corrects a chip that is there.
async fn store_correction<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    chip: &SealedChip,
    announced: &Announced,
    note: &ActNote<'_>,
) -> Result<StoredRow, Error> {
    let Some(there) = chip_content::find(tx, &chip.row.content.eid_index).await? else {
        return Ok(refused(Error::from(Reason::UnknownChip).with_field("eid")));
    };
    let mut warned = Vec::new();
    let corrected = correct(cx, tx, announced, &there, &chip.beside(&there), note).await;
    let corrected = corrected.map(|corrected| {
        warned = corrected.warnings;
        !corrected.changed.is_empty()
    });
    Ok((Stored::corrected(corrected)?, warned))
}

/// Compares a row with the chip that is there. Another key is a second chip under its EID.
async fn compare<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    chip: &SealedChip,
    there: &ChipContent,
) -> Result<Stored, Error> {
    let (new, index) = (&chip.row, &there.eid_index);
    let stored = chip::by_eid(tx, index).await?;
    if stored.is_some_and(|chip| chip.imported_digest == new.imported_digest) {
        return Ok(Stored::Unchanged);
    }
    let differences =
        content::differences(content::chip(cx, there)?, content::chip(cx, &chip.beside(there))?);
    let Some(conflict) = content::conflict(&differences) else {
        return Ok(Stored::Unchanged);
    };
    if differences.iter().any(|one| CHIP_KEYS.contains(&one.column)) {
        block(cx, tx, index).await?;
    }
    Ok(Stored::Refused(conflict.into()))
}

/// Adds a chip of which something is there already: with another chip that needs it, or with one that needs it no more.
async fn insert_over_dead<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    new: &NewChipRow,
    import: ImportId,
) -> Result<Stored, Error> {
    let index = new.content.eid_index;
    let values = UniqueValues {
        eid_index: index,
        msisdn: new.temp_msisdn_index,
        iccid: new.temp_iccid_index,
        imsi: new.temp_imsi_index,
        psk_identity: new.content.psk_identity.as_ref().map(|(index, _)| *index),
    };
    if let Some(held) = temporary_number::held(tx, &values).await? {
        let own = cx
            .vault
            .open_identifier(chip::EID, index.as_bytes(), &new.eid_sealed)?;
        return Ok(Stored::Refused(held_error(cx, &held, chip::EID, &own)?.into()));
    }
    temporary_number::release(tx, &values, cx.now).await?;
    let added = chip_content::insert(tx, &[new], import, cx.now).await?;
    guarded(added.contains(&index))?;
    card_history::insert_first(tx, &[(index, new.status)], &Actor::Admin, IMPORTED, cx.now).await?;
    Ok(Stored::New)
}
