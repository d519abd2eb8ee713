//! Corrections of K and OPc of a number that no chip was written with, by a file, while no session of its chip runs.
//!
//! Another K or OPc is also the evidence on which a number that its chip holds goes home: the operator's network now
//! knows other keys, so no network lets in a chip that has the number with the former ones.

use super::Context;
use super::act_note::ActNote;
use super::content;
use super::correct_chip::refuse_running;
use super::transition::guarded;
use domain::error::{Error, Reason};
use domain::mask_identifiers;
use store::{
    Database, Tx, chip, device_session, number,
    number_content::{self, NumberContent},
    task,
};

/// Changes K and OPc of a number; returns whether they changed. A number that its chip holds without a task is free
/// again, and the chip's history keeps the evidence. A card that is being written with it is written anew.
///
/// # Errors
/// [`Reason::UnknownNumber`]; [`Reason::ImportConflict`] for what no correction changes; [`Reason::NumberInUse`] when a
/// chip was written with it; [`Reason::SessionRunning`].
pub(super) async fn correct<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    new: &NumberContent,
    note: &ActNote<'_>,
) -> Result<bool, Error> {
    let index = &new.iccid_index;
    let stored = number_content::find(tx, index)
        .await?
        .ok_or(Reason::UnknownNumber)?;
    let mut given = new.clone();
    if given.client_id.is_none() {
        // It may have been allotted since.
        given.client_id.clone_from(&stored.client_id);
    }
    let (changes, others): (Vec<_>, Vec<_>) =
        content::differences(content::number(cx, &stored)?, content::number(cx, &given)?)
            .into_iter()
            .partition(|difference| content::NUMBER_KEYS.contains(&difference.column));
    if let Some(conflict) = content::conflict(&others) {
        return Err(conflict);
    }
    if changes.is_empty() {
        return Ok(false);
    }
    let number = number::by_iccid(tx, index).await?.ok_or(Reason::UnknownNumber)?;
    if number.is_written {
        return Err(Error::new(Reason::NumberInUse).with_detail("已写入芯片", "a chip was written with it"));
    }
    if let Some(chip) = &number.eid_index {
        refuse_running(cx, tx, chip).await?;
    }
    guarded(number_content::correct(tx, new, cx.now).await?)?;
    let Some(chip) = &number.eid_index else {
        return Ok(true);
    };
    device_session::supersede(tx, chip, cx.now).await?;
    let chip = chip::by_eid(tx, chip).await?.ok_or(Reason::UnknownChip)?;
    let reason = match number.task_id {
        Some(task) => {
            // What the card has may be the former keys.
            task::restart(tx, task, cx.now).await?;
            "number_keys_corrected"
        }
        None => {
            number::give_back_held(tx, &chip.eid_index, Some(*index), cx.now).await?;
            "number_released_by_new_keys"
        }
    };
    let iccid = cx
        .vault
        .open_identifier(number::ICCID, index.as_bytes(), &number.iccid_sealed)?;
    let text = format!("{}: {}", mask_identifiers(&iccid), note.text);
    let note = ActNote { text: &text, ..*note };
    note.record(cx, tx, &chip, reason).await?;
    Ok(true)
}
