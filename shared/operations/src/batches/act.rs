//! A person stops a batch, or lets it go on.

use super::create::may;
use super::list::{BatchView, view};
use super::run::next_state;
use crate::{Context, StaffMember, transaction};
use domain::error::{Error, Reason};
use domain::{BatchId, BatchState};
use store::{Database, batch};

/// Stops a batch. What is carried out stays so, and the other rows stay as they are; it can go on later. Repeating the call
/// changes nothing.
///
/// # Errors
/// [`Reason::UnknownBatch`]; [`Reason::BatchState`] when it is done.
pub async fn stop_batch<D: Database>(cx: &Context<'_, D>, id: BatchId) -> Result<BatchView, Error> {
    change(cx, id, BatchState::Stopped, None).await
}

/// Lets a batch go on that was stopped, or that is paused: a paused one tries at once. Repeating the call changes nothing.
///
/// # Errors
/// [`Reason::UnknownBatch`]; [`Reason::RightMissing`] without the right to do the same to one row;
/// [`Reason::BatchState`] when it is done.
pub async fn resume_batch<D: Database>(
    cx: &Context<'_, D>,
    member: &StaffMember,
    id: BatchId,
) -> Result<BatchView, Error> {
    change(cx, id, BatchState::Running, Some(member)).await
}

async fn change<D: Database>(
    cx: &Context<'_, D>,
    id: BatchId,
    to: BatchState,
    member: Option<&StaffMember>,
) -> Result<BatchView, Error> {
    transaction(cx, async |tx| {
        let batch = batch::to_change(tx, id).await?.ok_or(Reason::UnknownBatch)?;
        if let Some(member) = member {
            may(member, batch.kind)?;
        }
        if batch.state == BatchState::Done {
            return Err(Reason::BatchState.into());
        }
        if batch.state != to {
            let next_at = (to == BatchState::Running).then_some(cx.now);
            let is_changed = batch::set_state(tx, id, batch.state, next_state(to, next_at), cx.now).await?;
            if !is_changed {
                return Err(Reason::Conflict.into());
            }
            cx.note_change("state", batch.state.code(), to.code());
        }
        let after = batch::by_id(tx, id).await?.ok_or(Reason::UnknownBatch)?;
        Ok(view(cx, after))
    })
    .await
}
