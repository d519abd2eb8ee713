//! The sessions that chips opened, and why they ended, for administrators. Reads only, a bounded number of rows.

use super::Context;
use super::unreadable::RowOpener;
use domain::error::Error;
use domain::{Eid, SessionId, TaskId, Timestamp, Work};
use store::device_session;
use store::session_search::{self, SessionFacts, SessionQuery};
use store::{Database, ListKey, Order, chip};

/// Most sessions of one page.
pub const MAX_SESSIONS_PER_PAGE: u32 = 200;

/// Conditions of a search.
#[derive(Clone, Debug, Default)]
pub struct SessionFilter {
    /// Of this chip.
    pub eid: Option<Eid>,
    /// Ended for this reason.
    pub reason: Option<String>,
    /// Opened from this time on.
    pub from: Option<Timestamp>,
    /// Opened before this time.
    pub to: Option<Timestamp>,
    /// This session.
    pub id: Option<SessionId>,
    /// For this task.
    pub task_id: Option<TaskId>,
    /// The order of times.
    pub order: Order,
    /// The `next` of the page before.
    pub cursor: Option<ListKey>,
    /// Most rows; at most [`MAX_SESSIONS_PER_PAGE`].
    pub limit: u32,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// Identifier.
    pub id: SessionId,
    /// EID of the chip; none if it cannot be opened.
    pub eid: Option<String>,
    /// The task it worked for.
    pub task_id: Option<TaskId>,
    /// The work of the session.
    pub work: Work,
    /// `open`, `superseded` or `closed`.
    pub state: &'static str,
    /// Why it ended, as a stable word.
    pub end_reason: Option<String>,
    /// What the gateway noted; none if nothing, or if it cannot be opened.
    pub note: Option<String>,
    /// Address and port of the device.
    pub peer: String,
    /// Whether the chip resumed a broken session.
    pub resumed: bool,
    /// Bytes from the card.
    pub bytes_up: u64,
    /// Bytes to the card.
    pub bytes_down: u64,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it ended.
    pub closed_at: Option<Timestamp>,
    /// Whether the card held another IMSI than that of the number it looked for; none when it looked for none.
    pub other_imsi: Option<bool>,
    /// The fields whose values cannot be opened.
    pub unreadable: Vec<&'static str>,
}

/// A page of sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionPage {
    /// The sessions.
    pub sessions: Vec<SessionView>,
    /// Where the next page begins, if there may be one.
    pub next: Option<ListKey>,
}

/// Finds sessions in the order of time. A value that cannot be opened is named in its session and hides no other.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn list_sessions<D: Database>(
    cx: &Context<'_, D>,
    filter: &SessionFilter,
) -> Result<SessionPage, Error> {
    let eid_index = filter.eid.as_ref().map(|eid| cx.eid_index(eid));
    let query = SessionQuery {
        from: filter.from.unwrap_or(Timestamp(0)),
        to: filter.to.unwrap_or(Timestamp(i64::MAX)),
        cursor: filter.cursor.as_ref(),
        order: filter.order,
        id: filter.id,
        task_id: filter.task_id,
        eid_index: eid_index.as_ref(),
        reason: filter.reason.as_deref(),
        limit: filter.limit.clamp(1, MAX_SESSIONS_PER_PAGE),
    };
    let (rows, next) = session_search::search(cx.db, &query).await?;
    Ok(SessionPage {
        next,
        sessions: rows.into_iter().map(|row| view(cx, row)).collect(),
    })
}

fn view<D>(cx: &Context<'_, D>, row: SessionFacts) -> SessionView {
    let mut opener = RowOpener::new(cx, row.eid_index.as_bytes());
    let eid = opener.identifier("eid", chip::EID, Some(&row.eid_sealed));
    let mut unreadable = opener.unreadable;
    let id = row.id.text();
    let mut opener = RowOpener::new(cx, id.as_bytes());
    let note = opener.text("note", device_session::NOTE, row.note_sealed.as_deref());
    unreadable.extend(opener.unreadable);
    SessionView {
        id: row.id,
        eid,
        task_id: row.task_id,
        work: row.work,
        state: row.state.code(),
        end_reason: row.end_reason,
        note,
        peer: row.peer,
        resumed: row.resumed,
        bytes_up: row.bytes_up,
        bytes_down: row.bytes_down,
        opened_at: row.opened_at,
        closed_at: row.closed_at,
        other_imsi: row.other_imsi,
        unreadable,
    }
}
