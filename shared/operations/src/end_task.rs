//! §6.3 Table 2: tasks that end without a written card. An administrator, the gateway, a report of the operator or a
//! fault of the chip ends them.
//!
//! Never adds a step to Table 2: a card that waits for power-up becomes 待写卡, one that is being written 写卡失败.

use super::act_note::ActNote;
use super::incidents::close_incident;
use super::messages::{ChangeEvent, StateChange, enqueue};
use super::transition::{Cause, guarded, move_card};
use super::{Context, TaskRef};
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{
    Actor, CardEvent, CardStatus, Eid, IncidentKind, TaskFailure, TaskId, TaskState, Timestamp, unknown_chip,
};
use store::{
    Database, Subject, Tx,
    chip::{self, ChipRow},
    device_session, lock, number,
    task::{self, TaskRow},
};

/// A task that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedTask {
    /// EID of the chip.
    pub eid: Eid,
    /// The task.
    pub task_id: TaskId,
    /// State of the card now.
    pub card_status: CardStatus,
    /// When the task ended.
    pub at: Timestamp,
}

/// Ends an open task by hand: 待开机上电 becomes 待写卡, 写卡中 becomes 写卡失败. A session that is under way is
/// superseded: its next report is refused, and its gateway stops; and what it reports then changes only byte counts.
/// The client gets a message with the failure `ended_by_operator`. Repeating the call changes nothing and returns the
/// same time; by EID only as long as the chip has no newer task.
///
/// # Errors
/// [`Reason::UnknownChip`], [`Reason::UnknownTask`]; [`Reason::WrongState`] when the task, or the latest of the chip, has
/// ended otherwise.
pub async fn end_task<D: Database>(
    cx: &Context<'_, D>,
    what: &TaskRef,
    note: &ActNote<'_>,
) -> Result<EndedTask, Error> {
    transaction(cx, async |tx| end_task_in(cx, tx, what, note).await).await
}

/// The same in an open transaction. An error changes nothing.
pub(super) async fn end_task_in<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    what: &TaskRef,
    note: &ActNote<'_>,
) -> Result<EndedTask, Error> {
    let (chip, task) = find(cx, tx, what).await?;
    cx.note_sealed_object("eid", chip.eid(cx.vault)?.as_str(), chip.eid_index);
    let ended = |card_status, at| {
        Ok(EndedTask {
            eid: chip.eid(cx.vault)?,
            task_id: task.id,
            card_status,
            at,
        })
    };
    if task.failure == Some(TaskFailure::EndedByOperator) {
        return ended(chip.status, task.finished_at.unwrap_or(cx.now));
    }
    if !task.state.is_open() {
        return Err(Error::new(Reason::WrongState).with_detail(chip.status.zh(), chip.status.en()));
    }
    let cause = Cause {
        actor: &Actor::Admin,
        reason: TaskFailure::EndedByOperator.code(),
        task: Some(task.id),
        sealed_note: Some(note.sealed(cx, &chip)?),
    };
    let status = end(cx, tx, &chip, &task, TaskFailure::EndedByOperator, &cause).await?;
    ended(status, cx.now)
}

async fn find<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    what: &TaskRef,
) -> Result<(ChipRow, TaskRow), Error> {
    let (eid_index, task) = match what {
        TaskRef::Eid(eid) => {
            let index = cx.eid_index(eid);
            lock::chip(tx, &index).await?;
            (index, task::latest(tx, &index).await?)
        }
        TaskRef::Task(id) => {
            lock::chip_of_task(tx, *id).await?;
            let task = task::by_id(tx, *id).await?.ok_or(Reason::UnknownTask)?;
            (task.eid_index, Some(task))
        }
    };
    let chip = chip::by_eid(tx, &eid_index).await?.ok_or_else(|| match what {
        TaskRef::Eid(eid) => unknown_chip("eid", eid),
        TaskRef::Task(_) => Reason::UnknownTask.into(),
    })?;
    Ok((chip, task.ok_or(Reason::UnknownTask)?))
}

/// Ends the open task of a chip, if it has one, for `failure`.
pub(super) async fn end_open_task<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    chip: &ChipRow,
    failure: TaskFailure,
    actor: &Actor,
) -> Result<(), Error> {
    let Some(task) = task::open(tx, &chip.eid_index).await? else {
        return Ok(());
    };
    let cause = Cause::of_task(actor, failure.code(), task.id);
    end(cx, tx, chip, &task, failure, &cause).await.map(drop)
}

/// Ends an open task and returns the state of its card. Its number is free at once, unless part of it may have reached
/// the chip.
pub(super) async fn end<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    chip: &ChipRow,
    task: &TaskRow,
    failure: TaskFailure,
    cause: &Cause<'_>,
) -> Result<CardStatus, Error> {
    let number = number::by_task(tx, task.id)
        .await?
        .ok_or_else(|| Error::internal("a task without its number"))?;
    let (step, event) = match task.state {
        TaskState::Waiting => {
            guarded(task::cancel(tx, task.id, Some(failure), cx.now).await?)?;
            (
                CardEvent::ApplicationCancelled,
                ChangeEvent::Ended(failure, &number),
            )
        }
        _ => {
            guarded(task::fail(tx, task.id, failure, cx.now).await?)?;
            (CardEvent::WriteFailed, ChangeEvent::Failed(failure, &number))
        }
    };
    number::leave_task(tx, task.id, cx.now).await?;
    let status = move_card(cx, tx, chip, step, cause).await?;
    if cause.actor != &Actor::Gateway {
        device_session::supersede(tx, &chip.eid_index, cx.now).await?;
    }
    let subject = Subject::chip(&chip.eid_index);
    close_incident(cx, tx, IncidentKind::StuckWriting, &subject).await?;
    let change = StateChange {
        chip,
        status,
        task: Some(task.id),
        event,
    };
    enqueue(cx, tx, &change).await?;
    Ok(status)
}
