//! §9.2.2: the log of calls: who called what, from where, with which result. It is kept for at least six months and
//! searchable.
//!
//! Never store an identifier in full, a secret, a token or a parameter's value. An EID is searched for by its blind
//! index; the subject is masked.

use std::net::IpAddr;
use std::time::Duration;

use super::Context;
use domain::error::Error;
use domain::{ClientId, DAY_MS, Eid, TaskId, Timestamp};
use store::{
    Database,
    call_log::{self, CallQuery, CallRow, NewCallRow},
};
use vault::{BlindIndex, random_bytes};

/// Days for which calls are kept by default: six months and a few days.
pub const CALL_LOG_DAYS: u32 = 185;
/// Most rows of one page.
pub const MAX_CALLS_PER_PAGE: u32 = 200;
/// How far back a search goes that names no client, chip, task or beginning, in days. Such a search uses no index, so
/// the days bound the rows it reads.
const SIFTED_DAYS: i64 = 7;
/// Most keys that are tried for one row.
const MAX_KEYS: usize = 4;

/// One call, to be logged.
#[derive(Clone, Debug)]
pub struct CallRecord<'a> {
    /// When it came.
    pub at: Timestamp,
    /// The client, if it is known or was named.
    pub client_id: Option<&'a ClientId>,
    /// Name of the interface.
    pub interface: &'a str,
    /// HTTP status of the answer.
    pub code: u16,
    /// Reason of a refusal.
    pub reason: Option<&'a str>,
    /// True address of the caller.
    pub address: Option<IpAddr>,
    /// How long the answer took.
    pub duration: Duration,
    /// Identifier of the request.
    pub request_id: &'a str,
    /// Blind index of the EID it was about.
    pub eid_index: Option<BlindIndex>,
    /// The task it was about.
    pub task_id: Option<&'a str>,
    /// What it was about, masked.
    pub subject: Option<&'a str>,
}

/// Conditions of a search.
#[derive(Clone, Debug, Default)]
pub struct CallFilter<'a> {
    /// Of this client.
    pub client_id: Option<ClientId>,
    /// About this chip.
    pub eid: Option<Eid>,
    /// About this task.
    pub task_id: Option<TaskId>,
    /// Of this interface.
    pub interface: Option<&'a str>,
    /// Refused for this reason.
    pub reason: Option<&'a str>,
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

/// Adds a call to the call log.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn record_call<D: Database>(cx: &Context<'_, D>, call: &CallRecord<'_>) -> Result<(), Error> {
    for _ in 0..MAX_KEYS {
        let row = NewCallRow {
            at: call.at,
            salt: u32::from_be_bytes(random_bytes(cx.random)),
            client_id: call.client_id,
            interface: call.interface,
            code: call.code,
            reason: call.reason,
            address: call.address.map(|address| address.to_canonical().to_string()),
            duration_us: i64::try_from(call.duration.as_micros()).unwrap_or(i64::MAX),
            request_id: call.request_id,
            eid_index: call.eid_index,
            task_id: call.task_id,
            subject: call.subject,
        };
        if call_log::insert(cx.journal, &row).await? {
            return Ok(());
        }
    }
    Err(Error::internal("no free key in the call log"))
}

/// Finds calls, the latest first.
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
        eid_index: filter.eid.as_ref().map(|eid| cx.eid_index(eid)),
        client_id: filter.client_id.as_ref(),
        task_id: task_id.as_deref(),
        limit,
    };
    let calls = call_log::search(cx.db, &query).await?;
    let is_full = calls.len() == limit as usize;
    let next = calls.last().map(|call| call.id).filter(|_| is_full);
    Ok(CallPage { calls, next })
}
