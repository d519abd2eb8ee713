//! A client leaves: its access ends for good, what it waits for ends, and what was allotted to it returns. What is being written
//! is finished, and the messages about it are sent.

use super::super::Context;
use super::super::act_note::ActNote;
use super::super::end_task::end;
use super::super::transition::Cause;
use super::freeze::{not_frozen, set_active, under_way};
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{Actor, ClientId, TaskFailure, TaskState};
use store::client_work::{self, ClientWork};
use store::{Database, Tx, chip, client, client_secret, lock, number, pool_level, task};

/// Most tasks, and most numbers, that one call deals with: it keeps others waiting meanwhile.
pub const MAX_CLOSED_PER_CALL: u32 = 200;
/// Why a card moves, as its history shows it.
const CAUSE: &str = "client_closed";

/// A client that is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClosedClient {
    /// How many secrets ended.
    pub ended_secrets: usize,
    /// How many tasks that waited for power-up ended.
    pub ended_tasks: usize,
    /// How many numbers returned to the pool.
    pub returned_numbers: usize,
    /// What it still has under way.
    pub work: ClientWork,
    /// True when there is more to end or to return: the call is to be repeated.
    pub more: bool,
}

/// Closes a client for good: it is disabled, its secrets end, up to `limit` of its tasks that wait end (待开机上电 becomes
/// 待写卡), and up to `limit` numbers that are allotted to it return to the pool. Cards that are being written go on, and messages
/// to it are sent. To be repeated as long as there is more; repeating it after that changes nothing.
///
/// # Errors
/// [`Reason::UnknownClient`]; [`Reason::ClientFrozen`]: messages to it would never be sent.
pub async fn close_client<D: Database>(
    cx: &Context<'_, D>,
    client: &ClientId,
    note: &ActNote<'_>,
    limit: u32,
) -> Result<ClosedClient, Error> {
    let limit = limit.clamp(1, MAX_CLOSED_PER_CALL);
    transaction(cx, async |tx| {
        not_frozen(tx, client).await?;
        let row = client::by_id(tx, client).await?.ok_or(Reason::UnknownClient)?;
        if client::is_closed(tx, client).await? == Some(false) {
            set_active(cx, tx, client, false).await?;
            client::close(tx, client, cx.now).await?;
            cx.note_change("active", row.active, false);
            cx.note_change("closed", false, true);
        }
        let ended_secrets = client_secret::revoke_all(tx, client, cx.now).await?;
        let waiting = client_work::waiting_tasks(tx, client, limit + 1).await?;
        let (mut ended_tasks, most) = (0, limit as usize);
        for id in waiting.iter().take(most) {
            lock::chip_of_task(tx, *id).await?;
            ended_tasks += usize::from(end_waiting(cx, tx, *id, note).await?);
        }
        // Also those that the tasks had.
        let mut numbers = client_work::allotted_numbers(tx, client, limit + 1).await?;
        let more = waiting.len() > most || numbers.len() > most;
        numbers.truncate(most);
        let list = serde_json::to_string(&numbers).map_err(Error::internal)?;
        let returned_numbers = number::allot(tx, None, list.clone(), cx.now).await?;
        pool_level::add_of(tx, list, cx.now).await?;
        for (name, count) in [
            ("ended_secrets", ended_secrets),
            ("ended_tasks", ended_tasks),
            ("returned_numbers", returned_numbers),
        ] {
            cx.note_result(name, count as u64);
        }
        Ok(ClosedClient {
            ended_secrets,
            ended_tasks,
            returned_numbers,
            work: under_way(cx, tx, client).await?,
            more,
        })
    })
    .await
}

/// Ends a task that waits. False when its card has powered up since.
async fn end_waiting<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    id: domain::TaskId,
    note: &ActNote<'_>,
) -> Result<bool, Error> {
    let task = task::by_id(tx, id).await?;
    let Some(task) = task.filter(|task| task.state == TaskState::Waiting) else {
        return Ok(false);
    };
    let chip = chip::by_eid(tx, &task.eid_index).await?;
    let chip = chip.ok_or_else(|| Error::internal("a task without its chip"))?;
    let cause = Cause {
        actor: &Actor::Admin,
        reason: CAUSE,
        task: Some(id),
        sealed_note: Some(note.sealed(cx, &chip)?),
    };
    end(cx, tx, &chip, &task, TaskFailure::EndedByOperator, &cause).await?;
    Ok(true)
}
