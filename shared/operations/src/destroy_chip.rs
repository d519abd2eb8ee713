//! The record that a chip was destroyed: the evidence on which a number that may be on it goes to another chip.
//!
//! A chip that is only lost, or said to be gone, is not destroyed: its numbers are retired, and whoever holds it holds
//! them.

use jiff::civil::Date;

use super::Context;
use super::act_note::ActNote;
use super::end_task::end_open_task;
use super::transition::guarded;
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{Actor, Eid, TaskFailure, Timestamp, unknown_chip};
use store::{
    Database, chip,
    chip_destruction::{self, NewDestructionRow},
    chip_fault::{self, Fault},
    lock, number, temporary_number,
};

/// Records that a chip was destroyed on `day`: who says so, and under which reference. Its open task ends
/// (`chip_destroyed`), it is entered in the register of faulty chips, and the numbers that it holds are free. A number
/// that was written to it stays bound to it until it is retired. Repeating the call changes nothing. Nothing undoes it.
/// Returns the recorded day, `YYYY-MM-DD`, and when it was recorded.
///
/// # Errors
/// [`Reason::UnknownChip`]; [`Reason::ChipBlocked`]; [`Reason::ParameterMalformed`] for a day to come.
pub async fn destroy_chip<D: Database>(
    cx: &Context<'_, D>,
    eid: &Eid,
    day: Date,
    note: &ActNote<'_>,
) -> Result<(String, Timestamp), Error> {
    if day > cx.now.date_in(cx.zone) {
        return Err(Error::new(Reason::ParameterMalformed)
            .with_detail("destroyed_on，晚于当天", "destroyed_on, later than today"));
    }
    let index = cx.eid_index(eid);
    transaction(cx, async |tx| {
        lock::chip(tx, &index).await?;
        let chip = chip::by_eid(tx, &index)
            .await?
            .ok_or_else(|| unknown_chip("eid", eid))?;
        if let Some(known) = chip_destruction::find(tx, &index).await? {
            return Ok((known.destroyed_on, known.recorded_at));
        }
        if chip.blocked {
            // Of two chips with one EID, the other one may have the number.
            return Err(Reason::ChipBlocked.into());
        }
        let seal = |column, text: &str| {
            cx.vault
                .seal(cx.random, column, index.as_bytes(), text.as_bytes())
        };
        let destroyed_on = day.to_string();
        let new = NewDestructionRow {
            eid_index: &index,
            destroyed_on: destroyed_on.clone(),
            person_sealed: seal(chip_destruction::PERSON, note.person)?,
            reference_sealed: seal(chip_destruction::REFERENCE, note.text)?,
        };
        chip_destruction::insert(tx, new, cx.now).await?;
        end_open_task(cx, tx, &chip, TaskFailure::ChipDestroyed, &Actor::Admin).await?;
        let fault = Fault::named(TaskFailure::ChipDestroyed.code());
        guarded(chip_fault::enter(tx, &index, fault, cx.now).await?)?;
        number::give_back_held(tx, &index, None, cx.now).await?;
        temporary_number::forget(tx, &index).await?;
        Ok((destroyed_on, cx.now))
    })
    .await
}
