//! Corrections of what was imported about a chip, while no session of it runs: owner, model, profile and IMEI by hand;
//! these and PSK, DEK, PSK identity and key version by a file.

use super::Context;
use super::act_note::ActNote;
use super::announced::{Announced, GatewayWarning};
use super::clients::receives;
use super::content::{self, held_error};
use super::transition::guarded;
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{ClientId, Eid, HOUR_MS};
use store::{
    Database, Tx,
    chip::{self, ChipRow},
    chip_content::{self, ChipContent},
    device_session, lock, task,
    temporary_number::{self, UniqueValues},
};
use vault::BlindIndex;

/// An open session of which nothing was heard for this time, in milliseconds, does not run any more: its gateway
/// stopped without a word.
const RUNNING_MS: i64 = HOUR_MS;

/// The columns that a correction can change.
const CORRECTABLE: [&str; 8] = [
    "client_id",
    "chip_model",
    "profile",
    "imei",
    "psk_identity",
    "key_version",
    "psk_wrapped",
    "dek_wrapped",
];

/// What is corrected of a chip; what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChipCorrection {
    /// The client it belongs to.
    pub client_id: Option<ClientId>,
    /// Model of the chip.
    pub chip_model: Option<String>,
    /// Name of its card profile.
    pub profile: Option<String>,
    /// IMEI of its module; `Some(None)` removes it.
    pub imei: Option<Option<String>>,
}

/// What a correction did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Corrected {
    /// The names of what changed.
    pub changed: Vec<&'static str>,
    /// What is not as usual about it.
    pub warnings: Vec<GatewayWarning>,
}

/// Corrects a chip by hand, and enters it in the card's history with person and reason. Repeating the call changes
/// nothing.
///
/// # Errors
/// [`Reason::UnknownChip`], [`Reason::UnknownClient`], [`Reason::ClientClosed`]; [`Reason::UnknownToGateways`]; [`Reason::SessionRunning`];
/// [`Reason::TaskOpen`] for another owner.
pub async fn correct_chip<D: Database>(
    cx: &Context<'_, D>,
    eid: &Eid,
    correction: &ChipCorrection,
    note: &ActNote<'_>,
) -> Result<Corrected, Error> {
    let index = cx.eid_index(eid);
    transaction(cx, async |tx| {
        lock::chip(tx, &index).await?;
        let stored = chip_content::find(tx, &index).await?.ok_or(Reason::UnknownChip)?;
        let mut new = stored.clone();
        if let Some(owner) = &correction.client_id {
            receives(tx, owner).await?;
            new.client_id = owner.clone();
        }
        for (column, given) in [
            (&mut new.chip_model, &correction.chip_model),
            (&mut new.profile, &correction.profile),
        ] {
            if let Some(given) = given {
                column.clone_from(given);
            }
        }
        if let Some(imei) = &correction.imei {
            let seal = |imei: &String| {
                cx.vault
                    .seal(cx.random, chip::IMEI, index.as_bytes(), imei.as_bytes())
            };
            new.imei_sealed = imei.as_ref().map(seal).transpose()?;
        }
        correct(cx, tx, &Announced::read(tx).await?, &stored, &new, note).await
    })
    .await
}

/// Changes what is stored of a chip to `new`. PSK and DEK of a chip that is blocked can be corrected; it stays blocked.
///
/// # Errors
/// [`Reason::ImportConflict`] for what no correction changes, and for a PSK identity that another chip has;
/// [`Reason::UnknownToGateways`] for another profile or key version that no gateway announced;
/// [`Reason::SessionRunning`]; [`Reason::TaskOpen`] for another owner.
pub(super) async fn correct<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    announced: &Announced,
    stored: &ChipContent,
    new: &ChipContent,
    note: &ActNote<'_>,
) -> Result<Corrected, Error> {
    let (changes, others): (Vec<_>, Vec<_>) =
        content::differences(content::chip(cx, stored)?, content::chip(cx, new)?)
            .into_iter()
            .partition(|difference| CORRECTABLE.contains(&difference.column));
    if let Some(conflict) = content::conflict(&others) {
        return Err(conflict);
    }
    let names: Vec<_> = changes.iter().map(|change| change.column).collect();
    if names.is_empty() {
        return Ok(Corrected::default());
    }
    let warnings = announced.judge(new, Some(stored))?;
    let index = &new.eid_index;
    let chip = chip::by_eid(tx, index).await?.ok_or(Reason::UnknownChip)?;
    refuse_running(cx, tx, index).await?;
    if names.contains(&"client_id") && task::open(tx, index).await?.is_some() {
        return Err(Error::from(Reason::TaskOpen).with_field("client_id"));
    }
    refuse_held_identity(cx, tx, &chip, new).await?;
    guarded(chip_content::correct(tx, new, cx.now).await?)?;
    // One that its gateway left without a word.
    device_session::supersede(tx, index, cx.now).await?;
    for change in &changes {
        cx.note_change(change.column, change.stored.as_str(), change.given.as_str());
    }
    let text = format!("{}: {}", names.join(", "), note.text);
    let note = ActNote { text: &text, ..*note };
    note.record(cx, tx, &chip, "corrected").await?;
    Ok(Corrected {
        changed: names,
        warnings,
    })
}

/// Refuses while a session of the chip runs.
pub(super) async fn refuse_running<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
) -> Result<(), Error> {
    if device_session::is_running(tx, eid_index, cx.now.plus(-RUNNING_MS)).await? {
        return Err(Reason::SessionRunning.into());
    }
    Ok(())
}

async fn refuse_held_identity<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    chip: &ChipRow,
    new: &ChipContent,
) -> Result<(), Error> {
    // Of its temporary number nothing changes, and no other chip has the index of its EID.
    let own = new.eid_index;
    let values = UniqueValues {
        eid_index: own,
        msisdn: own,
        iccid: own,
        imsi: own,
        psk_identity: new.psk_identity.as_ref().map(|(index, _)| *index),
    };
    match temporary_number::held(tx, &values).await? {
        Some(held) => Err(held_error(cx, &held, chip::EID, chip.eid(cx.vault)?.as_str())?),
        None => Ok(()),
    }
}
