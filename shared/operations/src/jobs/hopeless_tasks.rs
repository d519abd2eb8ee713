//! Ends tasks that cannot succeed any more: those whose number the operator has retired, and applications of cards that
//! did not power up within the test period of their temporary number (§5.3.1.3).
//!
//! Each ends in a transaction of its own, so that one that cannot be ended does not keep the others.

use crate::Context;
use crate::end_task::end_open_task;
use crate::job_run::Done;
use crate::transaction;
use domain::error::Error;
use domain::{Actor, NumberStatus, TaskFailure, TaskId, TaskState};
use store::{Database, chip, number, task};

/// Most tasks of each kind that one run ends.
const MAX_ENDED_TASKS: u32 = 100;

/// Ends what is found. When some cannot be ended the first reason is the error, and the others have ended.
pub(super) async fn end<D: Database>(cx: &Context<'_, D>) -> Result<Done, Error> {
    // These checks take no lock.
    let retired = number::retired_in_tasks(cx.db, MAX_ENDED_TASKS).await?;
    let expired = task::expired(cx.db, cx.now, MAX_ENDED_TASKS).await?;
    let most = MAX_ENDED_TASKS as usize;
    let mut done = Done {
        count: 0,
        more: retired.len() == most || expired.len() == most,
    };
    let mut first_error = None;
    let retired = retired.into_iter().map(|id| (id, TaskFailure::NumberRetired));
    let expired = expired.into_iter().map(|id| (id, TaskFailure::NotPoweredUp));
    for (id, failure) in retired.chain(expired) {
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
        let Some(task) = task::by_id(tx, id).await?.filter(|task| task.state.is_open()) else {
            return Ok(false);
        };
        let chip = chip::by_eid(tx, &task.eid_index).await?;
        let chip = chip.ok_or_else(|| Error::internal("a task without its chip"))?;
        let (holds, actor) = if failure == TaskFailure::NumberRetired {
            let number = number::by_task(tx, id).await?;
            let is_retired = number.is_some_and(|number| number.status == NumberStatus::Retired);
            (is_retired, Actor::Operator)
        } else {
            let is_over = task.state == TaskState::Waiting && chip.temp_expires_at <= cx.now;
            (is_over, Actor::Platform)
        };
        if holds {
            end_open_task(cx, tx, &chip, failure, &actor).await?;
        }
        Ok(holds)
    })
    .await
}
