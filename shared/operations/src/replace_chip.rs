//! §8.2.2 Table 4 更换故障芯片: another chip takes over the application of one that was never written.
//!
//! A number that may be on the old chip goes to no other before the old one is recorded as destroyed.

use super::Context;
use super::act_note::ActNote;
use super::apply::{Applied, NumberChoice, apply_for, examine};
use super::end_task::end;
use super::transition::{Cause, guarded};
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{Actor, CardStatus, Eid, Province, TaskFailure, TaskState, WriteType};
use store::{
    Database, Tx,
    chip::{self, ChipRow},
    chip_fault::{self, Fault},
    number,
    task::{self, TaskRow},
    views,
};

/// Replaces a chip that is not written. Its open task ends (`chip_replaced`, with a message to the client), it is
/// entered in the register of faulty chips, and `new` is applied for as the latest application of the old chip said:
/// with the same data card, or with a number of the same province. All or nothing. Repeating the call changes nothing.
///
/// # Errors
/// [`Reason::UnknownChip`] when one of them does not exist, or they belong to different clients;
/// [`Reason::UnknownTask`] when the old chip was never applied for; [`Reason::WrongState`] when it is written, or its
/// client withdrew the application; [`Reason::NumberTaken`] when its data card may be on it; and everything for which
/// an application for `new` is refused.
pub async fn replace_chip<D: Database>(
    cx: &Context<'_, D>,
    old: &Eid,
    new: &Eid,
    note: &ActNote<'_>,
) -> Result<Applied, Error> {
    let (old, new) = (cx.eid_index(old), cx.eid_index(new));
    transaction(cx, async |tx| {
        let chip = chip::by_eid(tx, &old).await?.ok_or(Reason::UnknownChip)?;
        let (next, pending, selection) = views::chip_and_open_task(tx, &new)
            .await?
            .filter(|(next, ..)| next.client_id == chip.client_id && new != old)
            .ok_or(Reason::UnknownChip)?;
        let task = task::latest(tx, &old)
            .await?
            .filter(|task| task.client_id == chip.client_id)
            .ok_or(Reason::UnknownTask)?;
        let is_withdrawn = task.state == TaskState::Cancelled && task.failure.is_none();
        if chip.status == CardStatus::Written || chip.reopened || is_withdrawn {
            return Err(Error::new(Reason::WrongState).with_detail(chip.status.zh(), chip.status.en()));
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
        let choice = choice(tx, &task).await?;
        examine(cx, &next)?;
        let cause = Cause {
            reason: "chip_replaced",
            task: None,
            sealed_note: Some(note.sealed(cx, &next)?),
            ..cause
        };
        // A refusal changes nothing, also where it would be a step of the card for an application.
        apply_for(cx, tx, (&next, &selection), &choice, &cause).await?
    })
    .await
}

/// The new chip has an open task already: that of this replacement, or another.
fn repeated(chip: &ChipRow, task: &TaskRow, next: &ChipRow, pending: &TaskRow) -> Result<Applied, Error> {
    let is_same = match pending.write_type {
        WriteType::Designated => pending.iccid_index == task.iccid_index,
        WriteType::Automatic => pending.province == task.province,
    };
    if is_same && pending.write_type == task.write_type && chip.faulty {
        Ok(Applied {
            task_id: pending.id,
            card_status: next.status,
            repeated: true,
        })
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
