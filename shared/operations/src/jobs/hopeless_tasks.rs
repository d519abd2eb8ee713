//! Ends tasks that cannot succeed any more: those whose number the operator has retired, applications of cards that did
//! not power up within the test period of their temporary number (§5.3.1.3), and, if the platform is configured with a
//! limit, those whose card is being written for too long. What was read back equal is never ended by time (§6.2.4.1).
//!
//! Each ends in a transaction of its own, so that one that cannot be ended does not keep the others.

use super::MaintenanceSettings;
use crate::Context;
use crate::end_task::end_open_task;
use crate::job_run::Done;
use crate::transaction;
use domain::error::Error;
use domain::{Actor, HOUR_MS, NumberStatus, TaskFailure, TaskId, TaskState, Work};
use store::{Database, chip, lock, number, task};

/// Most tasks of each kind that one run ends.
const MAX_ENDED_TASKS: u32 = 100;

/// Ends what is found. When some cannot be ended the first reason is the error, and the others have ended.
pub(super) async fn end<D: Database>(
    cx: &Context<'_, D>,
    maintenance: &MaintenanceSettings,
) -> Result<Done, Error> {
    // These checks take no lock.
    let retired = number::retired_in_tasks(cx.db, MAX_ENDED_TASKS).await?;
    let expired = match maintenance.clock_held {
        true => Vec::new(),
        false => task::expired(cx.db, cx.now, MAX_ENDED_TASKS).await?,
    };
    let overdue = match i64::from(maintenance.writing_limit_hours) {
        _ if maintenance.clock_held => Vec::new(),
        0 => Vec::new(),
        hours => task::writing_since(cx.db, cx.now.plus(-hours * HOUR_MS), MAX_ENDED_TASKS).await?,
    };
    let most = MAX_ENDED_TASKS as usize;
    let mut done = Done {
        count: 0,
        more: [retired.len(), expired.len(), overdue.len()].contains(&most),
    };
    let mut first_error = None;
    let retired = retired.into_iter().map(|id| (id, TaskFailure::NumberRetired));
    let expired = expired.into_iter().map(|id| (id, TaskFailure::NotPoweredUp));
    let overdue = overdue.into_iter().map(|id| (id, TaskFailure::NotWrittenInTime));
    for (id, failure) in retired.chain(expired).chain(overdue) {
        match end_one(cx, id, failure).await {
            Ok(ended) => done.count += usize::from(ended),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    first_error.map_or(Ok(done), Err)
}

/// Ends one task, if it is still open and the failure still holds.
async fn end_one<D: Database>(cx: &Context<'_, D>, id: TaskId, failure: TaskFailure) -> Result<bool, Error> {
    transaction(cx, async |tx| {
        lock::chip_of_task(tx, id).await?;
        let Some(task) = task::by_id(tx, id).await?.filter(|task| task.state.is_open()) else {
            return Ok(false);
        };
        let chip = chip::by_eid(tx, &task.eid_index).await?;
        let chip = chip.ok_or_else(|| Error::internal("a task without its chip"))?;
        let (holds, actor) = match failure {
            TaskFailure::NumberRetired => {
                let number = number::by_task(tx, id).await?;
                let is_retired = number.is_some_and(|number| number.status == NumberStatus::Retired);
                (is_retired, Actor::Operator)
            }
            TaskFailure::NotWrittenInTime => {
                let is_writing = task.state == TaskState::Writing && task.next_work == Work::Write;
                (is_writing, Actor::Platform)
            }
            _ => {
                let is_over = task.state == TaskState::Waiting && chip.temp_expires_at <= cx.now;
                (is_over, Actor::Platform)
            }
        };
        if holds {
            end_open_task(cx, tx, &chip, failure, &actor).await?;
        }
        Ok(holds)
    })
    .await
}
