//! Sessions as administrators search them: table `device_session` with the chips. Reads only.

use super::device_session::SessionState;
use super::list::{Asked, ListedBy, Order, after, find_page, listed_by, take};
use super::{Database, DbError, ListKey, Row, Value};
use domain::{SessionId, TaskId, Timestamp, Work};
use vault::BlindIndex;

// The engine numbers parameters as they first occur.
macro_rules! listed {
    ($by:literal) => {
        listed_by!(
            "s.opened_at, s.id" and ", s.eid_index, c.eid_sealed, s.task_id, s.work, s.state, s.end_reason, s.note_sealed, s.peer, \
             s.resumed, s.bytes_up, s.bytes_down, s.closed_at, s.other_imsi",
            "device_session s" " JOIN chip c ON c.eid_index = s.eid_index",
            by $by and "",
            "(s.opened_at, s.id)" from "($2, $3)" to "($4, $5)",
            "(s.eid_index = $6 OR $6 IS NULL) AND (s.end_reason = $7 OR $7 IS NULL)",
            "s.opened_at DESC, s.id DESC" or "s.opened_at, s.id",
            "$6",
            "$8"
        )
    };
}
const ALL: ListedBy = listed!("CAST($1 AS TEXT) IS NULL");
const OF_ID: ListedBy = listed!("s.id = $1");
const OF_TASK: ListedBy = listed!("s.task_id = $1");
const OF_CHIP: ListedBy = listed!("s.eid_index = $1");
const OF_REASON: ListedBy = listed!("s.end_reason = $1");

/// Conditions of a search for sessions.
#[derive(Clone, Copy, Debug)]
pub struct SessionQuery<'a> {
    /// Opened from this time on.
    pub from: Timestamp,
    /// Opened before this time.
    pub to: Timestamp,
    /// Behind the session with this key.
    pub cursor: Option<&'a ListKey>,
    /// The order of times.
    pub order: Order,
    /// This session.
    pub id: Option<SessionId>,
    /// For this task.
    pub task_id: Option<TaskId>,
    /// Of this chip.
    pub eid_index: Option<&'a BlindIndex>,
    /// Ended for this reason.
    pub reason: Option<&'a str>,
    /// Most rows.
    pub limit: u32,
}

/// A session as administrators see it.
#[derive(Clone, Debug)]
pub struct SessionFacts {
    /// Identifier.
    pub id: SessionId,
    /// Blind index of the chip's EID.
    pub eid_index: BlindIndex,
    /// Sealed EID.
    pub eid_sealed: Vec<u8>,
    /// The task it worked for.
    pub task_id: Option<TaskId>,
    /// The work of the session.
    pub work: Work,
    /// State of the session.
    pub state: SessionState,
    /// Why it ended, as a stable word.
    pub end_reason: Option<String>,
    /// Sealed note of the gateway.
    pub note_sealed: Option<Vec<u8>>,
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
}

/// A page of sessions in the order of time, and the key after which the next one begins.
pub async fn search<D: Database>(
    db: &D,
    query: &SessionQuery<'_>,
) -> Result<(Vec<SessionFacts>, Option<ListKey>), DbError> {
    let mut others: Vec<Value> = vec![query.eid_index.copied().into(), query.reason.into()];
    let (list, by) = match (query.id, query.task_id) {
        (Some(id), _) => (OF_ID, id.text().into()),
        (None, Some(task)) => (OF_TASK, task.text().into()),
        (None, None) if query.eid_index.is_some() => (OF_CHIP, take(&mut others, Some(0))),
        (None, None) if query.reason.is_some() => (OF_REASON, take(&mut others, Some(1))),
        (None, None) => (ALL, Value::Null),
    };
    let asked = Asked {
        by,
        span: span(query),
        order: query.order,
        others,
        limit: query.limit,
    };
    let (rows, next) = find_page(db, list, asked).await?;
    let sessions = rows.iter().map(read_facts).collect::<Result<_, _>>()?;
    Ok((sessions, next.as_ref().map(read_key).transpose()?))
}

/// The keys at which the page begins and ends.
fn span(query: &SessionQuery<'_>) -> [Vec<Value>; 2] {
    let key = |at: Timestamp, id: String| vec![at.into(), id.into()];
    let (first, end) = (key(query.from, String::new()), key(query.to, String::new()));
    let cursor = query.cursor.map(|cursor| (cursor.at, cursor.index_text()));
    match (query.order, cursor) {
        (Order::Descending, Some((at, id))) if at < query.to => [key(at, id), first],
        (Order::Descending, _) => [end, first],
        (Order::Ascending, Some((at, id))) if at >= query.from => [after(key(at, id)), end],
        (Order::Ascending, _) => [first, end],
    }
}

fn read_key(row: &Row) -> Result<ListKey, DbError> {
    Ok(ListKey {
        at: row.time(0)?,
        index: read_id(row)?.text().into_bytes(),
        seq: 0,
    })
}

fn read_id(row: &Row) -> Result<SessionId, DbError> {
    row.code(1, |text| SessionId::parse(text).ok())
}

fn read_facts(row: &Row) -> Result<SessionFacts, DbError> {
    Ok(SessionFacts {
        opened_at: row.time(0)?,
        id: read_id(row)?,
        eid_index: row.index(2)?,
        eid_sealed: row.blob(3)?.to_owned(),
        task_id: row.optional(4, Row::task_id)?,
        work: row.code(5, Work::from_code)?,
        state: row.code(6, SessionState::from_code)?,
        end_reason: row.optional(7, Row::text)?.map(str::to_owned),
        note_sealed: row.optional(8, Row::blob)?.map(<[u8]>::to_owned),
        peer: row.text(9)?.to_owned(),
        resumed: row.integer(10)? != 0,
        bytes_up: row.unsigned(11)?,
        bytes_down: row.unsigned(12)?,
        closed_at: row.optional(13, Row::time)?,
        other_imsi: row.optional(14, Row::flag)?,
    })
}
