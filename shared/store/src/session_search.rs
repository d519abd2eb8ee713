//! Sessions as administrators search them: table `device_session` with the chips. Reads only.

use super::device_session::SessionState;
use super::{Database, DbError, Row, Run as _, Value};
use domain::{SessionId, TaskId, Timestamp, Work};
use vault::BlindIndex;

// The engine numbers parameters as they first occur.
macro_rules! search {
    ($by:literal, $limit:literal) => {
        concat!(
            "SELECT s.id, s.eid_index, c.eid_sealed, s.task_id, s.work, s.state, s.end_reason, s.note_sealed, s.peer, \
             s.resumed, s.bytes_up, s.bytes_down, s.opened_at, s.closed_at, s.other_imsi FROM device_session s \
             JOIN chip c ON c.eid_index = s.eid_index WHERE s.opened_at >= $1 AND s.opened_at < $2 \
             AND ((s.opened_at, s.id) < \
             (SELECT opened_at, id FROM device_session WHERE id = $3) OR $3 IS NULL) ",
            $by,
            " ORDER BY s.opened_at DESC, s.id DESC LIMIT ",
            $limit
        )
    };
}
const ALL: &str = search!("", "$4");
const OF_CHIP: &str = search!("AND s.eid_index = $4", "$5");
const OF_REASON: &str = search!("AND s.end_reason = $4", "$5");
const OF_CHIP_AND_REASON: &str = search!("AND s.eid_index = $4 AND s.end_reason = $5", "$6");

/// Conditions of a search for sessions.
#[derive(Clone, Copy, Debug)]
pub struct SessionQuery<'a> {
    /// Opened from this time on.
    pub from: Timestamp,
    /// Opened before this time.
    pub to: Timestamp,
    /// Earlier than this session.
    pub before: Option<SessionId>,
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

/// Sessions, the latest first.
pub async fn search<D: Database>(db: &D, query: &SessionQuery<'_>) -> Result<Vec<SessionFacts>, DbError> {
    let mut params: Vec<Value> = vec![
        query.from.into(),
        query.to.into(),
        query.before.map(|id| id.text()).into(),
    ];
    let sql = match (query.eid_index, query.reason) {
        (None, None) => ALL,
        (Some(_), None) => OF_CHIP,
        (None, Some(_)) => OF_REASON,
        (Some(_), Some(_)) => OF_CHIP_AND_REASON,
    };
    params.extend(query.eid_index.map(Value::from));
    params.extend(query.reason.map(Value::from));
    params.push(i64::from(query.limit).into());
    db.run(sql, &params).await?.iter().map(read_facts).collect()
}

fn read_facts(row: &Row) -> Result<SessionFacts, DbError> {
    Ok(SessionFacts {
        id: row.code(0, |text| SessionId::parse(text).ok())?,
        eid_index: row.index(1)?,
        eid_sealed: row.blob(2)?.to_owned(),
        task_id: row.optional(3, Row::task_id)?,
        work: row.code(4, Work::from_code)?,
        state: row.code(5, SessionState::from_code)?,
        end_reason: row.optional(6, Row::text)?.map(str::to_owned),
        note_sealed: row.optional(7, Row::blob)?.map(<[u8]>::to_owned),
        peer: row.text(8)?.to_owned(),
        resumed: row.integer(9)? != 0,
        bytes_up: row.unsigned(10)?,
        bytes_down: row.unsigned(11)?,
        opened_at: row.time(12)?,
        closed_at: row.optional(13, Row::time)?,
        other_imsi: row.optional(14, Row::flag)?,
    })
}
