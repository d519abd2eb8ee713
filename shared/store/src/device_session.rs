//! Table `device_session`: the sessions that chips opened, their work and their bytes. A chip has at most one open
//! session; a newer one supersedes it.

use super::{Database, DbError, Row, Run as _, Tx, Value, first};
use domain::{SessionId, TaskId, Timestamp, Work};
use vault::{BlindIndex, Column};

/// Sealed column: the name that the agent gives itself; it contains the EID.
pub const AGENT: Column = Column("device_session.agent");
/// Sealed column: the gateway's note to the operator.
pub const NOTE: Column = Column("device_session.note");

macro_rules! columns {
    () => {
        "id, eid_index, task_id, work, attempt, resume_step, state, allowance_at_open, last_seq, bytes_up, bytes_down, \
        charged"
    };
}

const SUPERSEDE: &str = "UPDATE device_session SET state = 'superseded', closed_at = $1 WHERE eid_index = $2 \
    AND state = 'open'";
const INSERT: &str = "INSERT INTO device_session (id, eid_index, task_id, work, attempt, resume_step, state, resumed, \
    peer, agent_sealed, allowance_at_open, last_seq, bytes_up, bytes_down, charged, opened_at) \
    VALUES ($1, $2, $3, $4, $5, $6, 'open', $7, $8, $9, $10, -1, 0, 0, $11, $12)";
const BY_ID: &str = concat!("SELECT ", columns!(), " FROM device_session WHERE id = $1");
const COUNT_BYTES: &str =
    "UPDATE device_session SET bytes_up = $1, bytes_down = $2, reported_at = $3 WHERE id = $4";
const SET_SEQ: &str = "UPDATE device_session SET last_seq = $1 WHERE id = $2 AND state = 'open' AND last_seq < $1 \
    RETURNING id";
const CHARGE: &str =
    "UPDATE device_session SET charged = 1 WHERE id = $1 AND charged = 0 RETURNING bytes_up, bytes_down";
// The first note stays: it says why the session failed, a later one only how the link ended.
const SET_NOTE: &str = "UPDATE device_session SET note_sealed = coalesce(note_sealed, $1) WHERE id = $2";
const CLOSE: &str = "UPDATE device_session SET state = 'closed', closed_at = $1 WHERE id = $2 AND state = 'open' \
    RETURNING id";

const PURGE: &str = "DELETE FROM device_session WHERE id IN (SELECT id FROM device_session \
    WHERE closed_at IS NOT NULL AND closed_at < $1 ORDER BY closed_at LIMIT $2) RETURNING id";

/// State of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// Under way.
    Open,
    /// The chip opened a newer one, or its task was ended.
    Superseded,
    /// Its link ended.
    Closed,
}

/// A session as stored.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// Identifier.
    pub id: SessionId,
    /// Blind index of the chip's EID.
    pub eid_index: BlindIndex,
    /// The task it works for.
    pub task_id: Option<TaskId>,
    /// The work of the session.
    pub work: Work,
    /// Attempt of the task when it was opened.
    pub attempt: u32,
    /// Step of the task when it was opened.
    pub resume_step: u32,
    /// State of the session.
    pub state: SessionState,
    /// Test allowance left when it was opened, in bytes.
    pub allowance_at_open: u64,
    /// Number of the last report; -1 before the first.
    pub last_seq: i64,
    /// Bytes from the card.
    pub bytes_up: i64,
    /// Bytes to the card.
    pub bytes_down: i64,
    /// Whether the test allowance pays for it; it does not pay for a session over the operator number.
    pub charged: bool,
}

/// The values of a new row.
pub struct NewSessionRow<'a> {
    /// Identifier.
    pub id: SessionId,
    /// Blind index of the chip's EID.
    pub eid_index: &'a BlindIndex,
    /// The task it works for.
    pub task_id: Option<TaskId>,
    /// The work of the session.
    pub work: Work,
    /// Attempt of the task.
    pub attempt: u32,
    /// Step of the task.
    pub resume_step: u32,
    /// True when the chip resumes a broken session.
    pub resumed: bool,
    /// Address and port of the device.
    pub peer: &'a str,
    /// Sealed name of the agent.
    pub agent_sealed: Option<Vec<u8>>,
    /// Test allowance left, in bytes.
    pub allowance_at_open: i64,
    /// Whether the test allowance pays for it.
    pub charged: bool,
}

/// Supersedes the open session of a chip, if there is one. Its gateway learns of it with its next report.
pub async fn supersede<D: Database>(
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
    now: Timestamp,
) -> Result<(), DbError> {
    tx.run(SUPERSEDE, &[now.into(), eid_index.into()]).await.map(drop)
}

/// Opens a session in place of an earlier one of the chip.
pub async fn insert<D: Database>(
    tx: &Tx<'_, D>,
    new: NewSessionRow<'_>,
    now: Timestamp,
) -> Result<(), DbError> {
    supersede(tx, new.eid_index, now).await?;
    let params: [Value; 12] = [
        new.id.text().into(),
        new.eid_index.into(),
        new.task_id.into(),
        new.work.code().into(),
        i64::from(new.attempt).into(),
        i64::from(new.resume_step).into(),
        new.resumed.into(),
        new.peer.into(),
        new.agent_sealed.into(),
        new.allowance_at_open.into(),
        new.charged.into(),
        now.into(),
    ];
    tx.run(INSERT, &params).await.map(drop)
}

/// Finds a session.
pub async fn by_id<D: Database>(db: &D, id: SessionId) -> Result<Option<SessionRow>, DbError> {
    first(&db.run(BY_ID, &[id.text().into()]).await?, read)
}

/// Records the bytes of the session so far.
pub async fn count_bytes<D: Database>(
    tx: &Tx<'_, D>,
    id: SessionId,
    up: i64,
    down: i64,
    now: Timestamp,
) -> Result<(), DbError> {
    tx.run(
        COUNT_BYTES,
        &[up.into(), down.into(), now.into(), id.text().into()],
    )
    .await
    .map(drop)
}

/// Charges a session to the test allowance. Returns its bytes so far, up and down together; 0 when it was charged
/// already.
pub async fn charge<D: Database>(tx: &Tx<'_, D>, id: SessionId) -> Result<i64, DbError> {
    let bytes = first(&tx.run(CHARGE, &[id.text().into()]).await?, |row| {
        Ok(row.integer(0)?.saturating_add(row.integer(1)?))
    })?;
    Ok(bytes.unwrap_or(0))
}

/// Records the number of a report. False when this number or a later one was recorded before.
pub async fn set_seq<D: Database>(tx: &Tx<'_, D>, id: SessionId, seq: i64) -> Result<bool, DbError> {
    Ok(!tx.run(SET_SEQ, &[seq.into(), id.text().into()]).await?.is_empty())
}

/// Stores the gateway's note to the operator.
pub async fn set_note<D: Database>(
    tx: &Tx<'_, D>,
    id: SessionId,
    note_sealed: Vec<u8>,
) -> Result<(), DbError> {
    tx.run(SET_NOTE, &[note_sealed.into(), id.text().into()])
        .await
        .map(drop)
}

/// Ends an open session.
pub async fn close<D: Database>(tx: &Tx<'_, D>, id: SessionId, now: Timestamp) -> Result<bool, DbError> {
    Ok(!tx.run(CLOSE, &[now.into(), id.text().into()]).await?.is_empty())
}

fn read(row: &Row) -> Result<SessionRow, DbError> {
    let state = |code: &str| match code {
        "open" => Some(SessionState::Open),
        "superseded" => Some(SessionState::Superseded),
        "closed" => Some(SessionState::Closed),
        _ => None,
    };
    Ok(SessionRow {
        id: row.code(0, |text| SessionId::parse(text).ok())?,
        eid_index: row.index(1)?,
        task_id: row.optional(2, Row::task_id)?,
        work: row.code(3, Work::from_code)?,
        attempt: row.count(4)?,
        resume_step: row.count(5)?,
        state: row.code(6, state)?,
        allowance_at_open: row.unsigned(7)?,
        last_seq: row.integer(8)?,
        bytes_up: row.integer(9)?,
        bytes_down: row.integer(10)?,
        charged: row.integer(11)? != 0,
    })
}

/// Deletes up to `limit` sessions that ended before `before`; returns how many.
pub async fn purge<D: Database>(tx: &Tx<'_, D>, before: Timestamp, limit: u32) -> Result<usize, DbError> {
    Ok(tx
        .run(PURGE, &[before.into(), i64::from(limit).into()])
        .await?
        .len())
}
