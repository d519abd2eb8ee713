//! §6.2.3.3: what follows when a card is verified: it is 写卡成功, and what it held before, or what it replaces, is over.

use super::Context;
use super::alerts::{NewAlert, raise};
use super::end_task::end_open_task;
use super::incidents::close_incidents;
use super::messages::{ChangeEvent, StateChange, enqueue_selected};
use super::transition::{Cause, guarded, move_card};
use domain::error::Error;
use domain::{Actor, AlertKind, CardEvent, IncidentKind, NumberStatus, TaskFailure};
use store::{
    Database, Subject, Tx,
    card_facts::{Reported, ToEnd},
    chip::{self, ChipRow},
    chip_fault::{self, Fault},
    number::{self, NumberRow},
    number_content,
    task::{self, TaskRow},
};
use vault::BlindIndex;

/// Kinds of incidents of a chip that are over when its card is verified.
pub(super) const ENDED_BY_SUCCESS: [IncidentKind; 2] =
    [IncidentKind::StuckWriting, IncidentKind::NumberSilent];

/// Completes a task that is being verified: its card is written, and has registered with its number.
pub(super) async fn succeed<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    found: &Reported,
    task: &TaskRow,
) -> Result<(), Error> {
    let chip = &found.chip;
    let Some(ToEnd {
        number,
        holds_another,
        has_incident,
    }) = &found.to_end
    else {
        return Err(Error::internal("a task without its number"));
    };
    let mut number = number.clone();
    if number.status == NumberStatus::Reserved {
        number.status = NumberStatus::Written;
    }
    task::succeed(tx, task.id, cx.now).await?;
    number::set_written(tx, task.id, cx.now).await?;
    if chip.reopened {
        replace_number(cx, tx, chip, task).await?;
    }
    if let Some(old) = number.replaces {
        take_over(cx, tx, &old, &number).await?;
    }
    if *holds_another {
        // The chip now holds only this number; earlier ones are overwritten.
        number::give_back_held(tx, &chip.eid_index, None, cx.now).await?;
    }
    let cause = Cause::of_task(&Actor::Gateway, "verified", task.id);
    let status = move_card(cx, tx, chip, CardEvent::WriteVerified, &cause).await?;
    let change = StateChange {
        chip,
        status,
        task: Some(task.id),
        event: ChangeEvent::Written(&number),
    };
    enqueue_selected(cx, tx, &found.selection, &change).await?;
    if *has_incident {
        close_incidents(cx, tx, &ENDED_BY_SUCCESS, &Subject::chip(&chip.eid_index)).await?;
    }
    if number.status == NumberStatus::Written {
        return Ok(());
    }
    let alert = NewAlert {
        kind: AlertKind::WrittenNumberOutOfUse,
        subject: &Subject::chip(&chip.eid_index),
        fields: vec![
            ("eid", chip.eid(cx.vault)?.as_str().to_owned()),
            ("number_status", number.status.code().to_owned()),
        ],
    };
    raise(cx, tx, alert).await
}

/// What follows for the number that a reopened card held before.
async fn replace_number<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    chip: &ChipRow,
    task: &TaskRow,
) -> Result<(), Error> {
    chip::set_reopened(tx, &chip.eid_index, false, cx.now).await?;
    let Some(old) = number::leave_rewritten(tx, &chip.eid_index, task.id, cx.now).await? else {
        return Ok(());
    };
    number::forget_reports(tx, &old.iccid_index).await?;
    raise_replaced(cx, tx, chip, &old).await
}

/// 补换卡: the data card that is verified takes over the MSISDN of `old`, which is retired. A chip that was written with that
/// is out of use, and its open task ends.
async fn take_over<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    old: &BlindIndex,
    new: &NumberRow,
) -> Result<(), Error> {
    let old = number::by_iccid(tx, old).await?;
    let old = old.ok_or_else(|| Error::internal("a data card without the one it replaces"))?;
    if old.msisdn_index == old.iccid_index {
        // It gave its MSISDN up before.
        return Ok(());
    }
    number_content::pass_on(tx, &old, &new.iccid_index, cx.now).await?;
    // Since it was replaced its chip may have been written with another number, and it may be meant for another chip.
    let Some(eid_index) = old.eid_index.as_ref().filter(|_| old.is_written) else {
        return Ok(());
    };
    let chip = chip::by_eid(tx, eid_index).await?;
    let chip = chip.ok_or_else(|| Error::internal("a number without its chip"))?;
    let failure = TaskFailure::ChipReplaced;
    end_open_task(cx, tx, &chip, failure, &Actor::Platform).await?;
    let fault = Fault::named(failure.code());
    guarded(chip_fault::enter(tx, &chip.eid_index, fault, cx.now).await?)?;
    chip::set_replaced(tx, &chip.eid_index).await?;
    let old = NumberRow {
        status: NumberStatus::Retired,
        ..old
    };
    raise_replaced(cx, tx, &chip, &old).await
}

/// Shows the operator that the number of a chip is on no card any more.
async fn raise_replaced<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    chip: &ChipRow,
    old: &NumberRow,
) -> Result<(), Error> {
    let iccid = cx
        .vault
        .open_identifier(number::ICCID, old.iccid_index.as_bytes(), &old.iccid_sealed)?;
    let alert = NewAlert {
        kind: AlertKind::NumberReplaced,
        subject: &Subject::chip(&chip.eid_index),
        fields: vec![
            ("eid", chip.eid(cx.vault)?.as_str().to_owned()),
            ("iccid", iccid.as_str().to_owned()),
            ("number_status", old.status.code().to_owned()),
        ],
    };
    raise(cx, tx, alert).await
}
