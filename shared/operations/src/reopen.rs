//! §8.2.1 Table 3: the special procedure for a written card that needs another number (更换运营号).
//!
//! It adds the one step that Table 2 does not have: 写卡成功 becomes 待写卡. The sessions of a reopened card go over the
//! number that it has, so neither the period of its temporary number nor its test allowance matters. That number stays
//! written until the next one is verified.

use super::Context;
use super::act_note::ActNote;
use super::messages::{ChangeEvent, StateChange, enqueue};
use super::transition::{Cause, move_card};
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{Actor, CardEvent, CardStatus, Eid, unknown_chip};
use store::{Database, chip, lock};

/// Reopens a written card, and returns its state: 待写卡. The next application writes another number. Repeating the
/// call before that changes nothing.
///
/// # Errors
/// [`Reason::UnknownChip`]; [`Reason::ChipFaulty`]; [`Reason::WrongState`] when the card is not written.
pub async fn reopen<D: Database>(
    cx: &Context<'_, D>,
    eid: &Eid,
    note: &ActNote<'_>,
) -> Result<CardStatus, Error> {
    let index = cx.eid_index(eid);
    transaction(cx, async |tx| {
        lock::chip(tx, &index).await?;
        let chip = chip::by_eid(tx, &index)
            .await?
            .ok_or_else(|| unknown_chip("eid", eid))?;
        if chip.reopened && chip.status == CardStatus::ToWrite {
            return Ok(chip.status);
        }
        if chip.faulty {
            return Err(Reason::ChipFaulty.into());
        }
        let cause = Cause {
            actor: &Actor::Admin,
            reason: "reopened",
            task: None,
            sealed_note: Some(note.sealed(cx, &chip)?),
        };
        let status = move_card(cx, tx, &chip, CardEvent::Reopened, &cause).await?;
        chip::set_reopened(tx, &index, true, cx.now).await?;
        let change = StateChange {
            chip: &chip,
            status,
            task: None,
            event: ChangeEvent::Reopened,
        };
        enqueue(cx, tx, &change).await?;
        Ok(status)
    })
    .await
}
