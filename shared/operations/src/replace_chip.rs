//! §8.2.2 Table 4: another chip takes over from one. 更换故障芯片: the application of one that was never written. 补换卡: the
//! MSISDN of a written one, which moves to a new data card.
//!
//! A number that may be on an unwritten chip goes to no other before there is evidence that it is not. A written chip
//! stays in use until the new one is verified.

use super::Context;
use super::act_note::ActNote;
use super::apply::{Applied, NumberChoice, apply_for, examine};
use super::end_task::end;
use super::transition::{Cause, guarded};
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{Actor, CardStatus, Eid, Province, TaskFailure, TaskState, WriteType, unknown_chip};
use store::{
    Database, Tx, card_facts,
    chip::{self, ChipRow},
    chip_fault::{self, Fault},
    lock, number, number_content,
    receiver::Selection,
    task::{self, TaskRow},
};

/// Why the card of the new chip moves, in its history.
const REPLACES: &str = "chip_replaced";

/// Replaces a chip that is not written. Its open task ends (`chip_replaced`, with a message to the client), it is
/// entered in the register of faulty chips, and `new` is applied for as the latest application of the old chip said:
/// with the same data card, or with a number of the same province. All or nothing. Repeating the call changes nothing.
///
/// A written chip keeps its number until `new` is verified with the data card that was imported with `replaces_iccid`.
/// Then the MSISDN belongs to that card, the old card is retired, and the old chip is taken out of use.
///
/// # Errors
/// [`Reason::UnknownChip`] when one of them does not exist, or they belong to different clients;
/// [`Reason::UnknownTask`] when the old chip was never applied for; [`Reason::WrongState`] when it was reopened, or its
/// client withdrew the application; [`Reason::UnknownNumber`] when no data card takes over from that of a written chip; [`Reason::NumberTaken`] when its data card may be on it; and everything for which
/// an application for `new` is refused.
pub async fn replace_chip<D: Database>(
    cx: &Context<'_, D>,
    old: &Eid,
    new: &Eid,
    note: &ActNote<'_>,
) -> Result<Applied, Error> {
    let (old_eid, new_eid) = (old, new);
    let (old, new) = (cx.eid_index(old), cx.eid_index(new));
    transaction(cx, async |tx| {
        // In one order, so that two calls do not wait for each other.
        for index in [(&old).min(&new), (&old).max(&new)] {
            lock::chip(tx, index).await?;
        }
        let chip = chip::by_eid(tx, &old)
            .await?
            .ok_or_else(|| unknown_chip("eid", old_eid))?;
        let (next, pending, selection) = card_facts::to_apply(tx, &new)
            .await?
            .filter(|(next, ..)| next.client_id == chip.client_id && new != old)
            .ok_or_else(|| unknown_chip("new_eid", new_eid))?;
        let task = task::latest(tx, &old)
            .await?
            .filter(|task| task.client_id == chip.client_id)
            .ok_or(Reason::UnknownTask)?;
        let is_withdrawn = task.state == TaskState::Cancelled && task.failure.is_none();
        if chip.reopened || is_withdrawn {
            return Err(Error::new(Reason::WrongState).with_detail(chip.status.zh(), chip.status.en()));
        }
        if chip.status == CardStatus::Written {
            return move_number(cx, tx, &chip, (&next, &selection), pending.as_ref(), note).await;
        }
        if let Some(pending) = pending {
            return repeated(&chip, &task, &next, &pending);
        }
        let cause = Cause {
            actor: &Actor::Admin,
            reason: TaskFailure::ChipReplaced.code(),
            task: Some(task.id),
            sealed_note: Some(note.sealed(cx, &chip)?),
        };
        if task.state.is_open() {
            end(cx, tx, &chip, &task, TaskFailure::ChipReplaced, &cause).await?;
        }
        let fault = Fault::named(TaskFailure::ChipReplaced.code());
        guarded(chip_fault::enter(tx, &old, fault, cx.now).await?)?;
        chip::set_replaced(tx, &old).await?;
        let choice = choice(tx, &task).await?;
        examine(cx, &next)?;
        let cause = Cause {
            reason: REPLACES,
            task: None,
            sealed_note: Some(note.sealed(cx, &next)?),
            ..cause
        };
        // A refusal changes nothing, also where it would be a step of the card for an application.
        apply_for(cx, tx, (&next, &selection), &choice, &cause).await?
    })
    .await
}

/// Applies for the new chip with the data card that takes over the MSISDN of the old one. What follows for the old one
/// comes with the verification.
async fn move_number<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    chip: &ChipRow,
    (next, selection): (&ChipRow, &Selection),
    pending: Option<&TaskRow>,
    note: &ActNote<'_>,
) -> Result<Applied, Error> {
    let (iccid, msisdn) = number_content::replacement(tx, &chip.eid_index)
        .await?
        .ok_or_else(|| {
            Error::new(Reason::UnknownNumber).with_detail(
                "请先导入以 replaces_iccid 指明原卡的新数据卡",
                "first import the new data card, with replaces_iccid naming the old one",
            )
        })?;
    match pending {
        Some(pending) if pending.iccid_index == iccid => Ok(again(next, pending)),
        Some(_) => Err(Reason::ApplicationPending.into()),
        None => {
            examine(cx, next)?;
            let cause = Cause {
                actor: &Actor::Admin,
                reason: REPLACES,
                task: None,
                sealed_note: Some(note.sealed(cx, next)?),
            };
            let choice = NumberChoice::Designated { iccid, msisdn };
            apply_for(cx, tx, (next, selection), &choice, &cause).await?
        }
    }
}

/// The answer to a replacement that was asked for before.
fn again(next: &ChipRow, pending: &TaskRow) -> Applied {
    Applied {
        task_id: pending.id,
        card_status: next.status,
        repeated: true,
    }
}

/// The new chip has an open task already: that of this replacement, or another.
fn repeated(chip: &ChipRow, task: &TaskRow, next: &ChipRow, pending: &TaskRow) -> Result<Applied, Error> {
    let is_same = match pending.write_type {
        WriteType::Designated => pending.iccid_index == task.iccid_index,
        WriteType::Automatic => pending.province == task.province,
    };
    if is_same && pending.write_type == task.write_type && chip.faulty {
        Ok(again(next, pending))
    } else {
        Err(Reason::ApplicationPending.into())
    }
}

/// What the application of the old chip asked for.
async fn choice<D: Database>(tx: &Tx<'_, D>, task: &TaskRow) -> Result<NumberChoice, Error> {
    match task.write_type {
        WriteType::Automatic => {
            let province = task.province.as_deref().unwrap_or_default();
            Ok(NumberChoice::Automatic {
                province: Province::parse(province).map_err(Error::internal)?,
            })
        }
        WriteType::Designated => {
            let number = number::by_iccid(tx, &task.iccid_index).await?;
            let number = number.ok_or(Reason::UnknownNumber)?;
            if number.exposed && !number.is_written && number.eid_index == Some(task.eid_index) {
                return Err(Error::new(Reason::NumberTaken).with_detail(
                    "码号可能已写入原芯片；先登记原芯片的销毁",
                    "it may be on the old chip; record the destruction of that chip first",
                ));
            }
            Ok(NumberChoice::Designated {
                iccid: number.iccid_index,
                msisdn: number.msisdn_index,
            })
        }
    }
}
