//! §9.2.2: the log of calls: who called what, from where, with which result. It is kept for at least six months and
//! searchable.
//!
//! Never store an identifier in full, a secret, a token or a parameter's value. An EID is searched for by its blind
//! index; the subject is masked.

use super::Context;
use domain::error::Error;
use domain::{ClientId, DAY_MS, Eid, TaskId, Timestamp};
use store::{
    Database,
    call_log::{self, CallQuery, CallRow, NewCallRow, Sums},
};
use vault::random_bytes;

/// Most rows of one page.
pub const MAX_CALLS_PER_PAGE: u32 = 200;
/// How far back a search goes that names no client, chip, task or beginning, in days. Such a search uses no index, so
/// the days bound the rows it reads.
const SIFTED_DAYS: i64 = 7;
/// How often rows are tried with other keys.
const MAX_TRIES: usize = 4;

/// Conditions of a search.
#[derive(Clone, Debug, Default)]
pub struct CallFilter<'a> {
    /// Of this client.
    pub client_id: Option<ClientId>,
    /// About this chip.
    pub eid: Option<Eid>,
    /// About this task.
    pub task_id: Option<TaskId>,
    /// With this generation of a client's secret.
    pub secret_generation: Option<i64>,
    /// Of this interface.
    pub interface: Option<&'a str>,
    /// Refused for this reason.
    pub reason: Option<&'a str>,
    /// Of this request.
    pub request_id: Option<&'a str>,
    /// From this time on.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub to: Option<Timestamp>,
    /// The `next` of the page before.
    pub cursor: Option<i64>,
    /// Most rows; at most [`MAX_CALLS_PER_PAGE`].
    pub limit: u32,
}

/// A page of calls, the latest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallPage {
    /// The calls.
    pub calls: Vec<CallRow>,
    /// Where the next page begins, if there may be one.
    pub next: Option<i64>,
}

/// Adds calls to the call log in one statement, in more only where keys are taken.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn record_calls<D: Database>(cx: &Context<'_, D>, calls: &[NewCallRow]) -> Result<(), Error> {
    let mut left: Vec<&NewCallRow> = calls.iter().collect();
    for _ in 0..MAX_TRIES {
        let salt = u32::from_be_bytes(random_bytes(cx.random));
        // Numbered, so that no two of them have the same key.
        let keyed = (salt..=u32::MAX).chain(0..salt).zip(left);
        let keyed: Vec<_> = keyed
            .map(|(salt, row)| (call_log::key(row.at, salt), row))
            .collect();
        let added = call_log::insert(cx.calls, &keyed).await?;
        left = keyed
            .into_iter()
            .filter(|(key, _)| !added.contains(key))
            .map(|(_, row)| row)
            .collect();
        if left.is_empty() {
            return Ok(());
        }
    }
    Err(Error::internal("no free key in the call log"))
}

/// Adds refused calls of a minute to the rows that stand for them: one for each caller, and for at most
/// [`call_log::MAX_SUMMED_ADDRESSES`] addresses.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn sum_up_refusals<D: Database>(
    cx: &Context<'_, D>,
    minute: Timestamp,
    refused: &Sums,
) -> Result<(), Error> {
    store::transaction(cx.calls, async |tx| {
        call_log::sum_up(tx, minute, refused).await.map_err(Error::from)
    })
    .await
}

/// Finds calls, the latest first. A page with several conditions may have fewer calls than its limit although another one
/// follows.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn search_calls<D: Database>(
    cx: &Context<'_, D>,
    filter: &CallFilter<'_>,
) -> Result<CallPage, Error> {
    let below_id = match (filter.to, filter.cursor) {
        (Some(to), Some(cursor)) => cursor.min(call_log::first_id(to)),
        (Some(to), None) => call_log::first_id(to),
        (None, Some(cursor)) => cursor,
        (None, None) => i64::MAX,
    };
    let is_selective = filter.client_id.is_some() || filter.eid.is_some() || filter.task_id.is_some();
    let from = match filter.from {
        Some(from) => from,
        None if is_selective => Timestamp(0),
        None => filter.to.unwrap_or(cx.now).plus(-SIFTED_DAYS * DAY_MS),
    };
    let task_id = filter.task_id.map(|id| id.text());
    let limit = filter.limit.clamp(1, MAX_CALLS_PER_PAGE);
    let query = CallQuery {
        from_id: call_log::first_id(from),
        below_id,
        interface: filter.interface,
        reason: filter.reason,
        request_id: filter.request_id,
        eid_index: filter.eid.as_ref().map(|eid| cx.eid_index(eid)),
        client_id: filter.client_id.as_ref(),
        task_id: task_id.as_deref(),
        secret_generation: filter.secret_generation,
        limit,
    };
    let found = call_log::search(cx.calls, &query).await?;
    let former = call_log::search_former(cx.db, &query).await?;
    // Below it, not every row was looked at.
    let floor = found.floor.max(former.floor);
    let mut calls = found.rows;
    calls.extend(former.rows);
    calls.retain(|call| floor.is_none_or(|floor| call.id >= floor));
    calls.sort_by_key(|call| std::cmp::Reverse(call.id));
    calls.dedup_by_key(|call| call.id);
    calls.truncate(limit as usize);
    let is_full = calls.len() == limit as usize;
    let last = calls.last().map(|call| call.id).filter(|_| is_full);
    let next = last.or(floor);
    Ok(CallPage { calls, next })
}
