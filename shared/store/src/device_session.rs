//! Table `device_session`: the sessions that chips opened, their work and their bytes. A chip has at most one open
//! session; a newer one supersedes it.

use super::destruction::purge as purge_rows;
use super::together::Read;
use super::{Database, DbError, Row, Run as _, Sql as _, Statement, Tx, Value, first};
use domain::{SessionId, TaskId, Timestamp, Work};
use vault::{BlindIndex, Column};

/// Sealed column: the name that the agent gives itself; it contains the EID.
pub const AGENT: Column = Column("device_session.agent");
/// Sealed column: the gateway's note to the operator.
pub const NOTE: Column = Column("device_session.note");

macro_rules! columns {
    () => {
        "device_session.id, device_session.eid_index, device_session.task_id, device_session.work, \
         device_session.attempt, device_session.resume_step, device_session.state, device_session.allowance_at_open, \
         device_session.last_seq, device_session.bytes_up, device_session.bytes_down, device_session.charged, \
         device_session.iccid_index, device_session.resumed"
    };
}
pub(super) use columns as session_columns;

const SUPERSEDE: Statement = Statement::new(
    "UPDATE device_session SET state = 'superseded', closed_at = $1 WHERE eid_index = $2 \
    AND state = 'open' RETURNING id",
    "SELECT device_session_supersede($1, $2)",
);
const INSERT: Statement = Statement::new(
    "INSERT INTO device_session (id, eid_index, task_id, work, attempt, resume_step, state, resumed, peer, \
    agent_sealed, allowance_at_open, last_seq, bytes_up, bytes_down, charged, opened_at, iccid_index) \
    SELECT $1, $2, $3, $4, $5, $6, 'open', $7, $8, $9, $10, -1, 0, 0, $11, $12, $13",
    "SELECT device_session_insert($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
);
// The first note stays: it says why the session failed, a later one only how the link ended.
const RECORD: Statement = Statement::new(
    "UPDATE device_session SET bytes_up = $1, bytes_down = $2, \
    reported_at = COALESCE($3, reported_at), last_seq = $4, note_sealed = COALESCE(note_sealed, $5), \
    end_reason = COALESCE($6, end_reason), state = CASE WHEN CAST($6 AS TEXT) IS NULL THEN state ELSE 'closed' END, \
    closed_at = CASE WHEN CAST($6 AS TEXT) IS NULL THEN closed_at ELSE $7 END \
    WHERE id = $8 AND state = $9 AND last_seq = $10 RETURNING id",
    "SELECT device_session_record($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
);
const SET_OTHER_IMSI: &str = "UPDATE device_session SET other_imsi = $1 WHERE id = $2";
const CHARGE_VERIFICATIONS: &str = "UPDATE device_session SET charged = 1 WHERE eid_index = $1 AND work = 'verify' \
    AND charged = 0 RETURNING bytes_up, bytes_down";
// Of two sessions that were opened in one millisecond the identifier decides.
const LAST_WRITING: &str = "SELECT COALESCE(closed_at, reported_at, opened_at), end_reason, power_up \
    FROM device_session WHERE eid_index = $1 AND work = 'write' AND ((id <> $2 AND power_up IS NOT NULL) OR $2 IS NULL) \
    ORDER BY opened_at DESC, id DESC LIMIT 1";
const SET_POWER_UP: &str = "UPDATE device_session SET power_up = $1 WHERE id = $2";
const COUNT_REQUESTS: &str = "SELECT COUNT(*) FROM device_session WHERE eid_index = $1 AND opened_at > $2 \
    AND task_id IS NOT NULL AND work <> 'verify' AND resumed = 0";
const SET_END_REASON: &str =
    "UPDATE device_session SET end_reason = coalesce(end_reason, $1) WHERE id = $2 AND state = 'superseded'";
const INSERT_UNOPENED: &str = "INSERT INTO device_session (id, eid_index, work, attempt, resume_step, state, resumed, \
    peer, allowance_at_open, last_seq, bytes_up, bytes_down, charged, opened_at, reported_at, closed_at, end_reason) \
    VALUES ($1, $2, 'none', 0, 0, 'closed', 0, $3, $4, $5, $6, $7, 0, $8, $8, $8, $9)";
// The open session, the one it superseded, and the one that this superseded. An address stands before its port.
const ALTERNATES: &str = "SELECT a.id FROM device_session a JOIN device_session b ON b.eid_index = a.eid_index \
    AND b.state = 'superseded' AND b.closed_at = a.opened_at JOIN device_session c ON c.eid_index = a.eid_index \
    AND c.state = 'superseded' AND c.closed_at = b.opened_at WHERE a.eid_index = $1 AND a.state = 'open' \
    AND b.opened_at >= $2 AND c.opened_at >= $2 AND rtrim(a.peer, '0123456789') <> rtrim($3, '0123456789') \
    AND rtrim(b.peer, '0123456789') = rtrim($3, '0123456789') \
    AND rtrim(c.peer, '0123456789') = rtrim(a.peer, '0123456789') LIMIT 1";
const RUNNING: &str = "SELECT id FROM device_session WHERE eid_index = $1 AND state = 'open' \
    AND coalesce(reported_at, opened_at) >= $2";
const LAST_END: &str = "SELECT end_reason FROM device_session WHERE eid_index = $1 AND end_reason IS NOT NULL \
    ORDER BY opened_at DESC, id DESC LIMIT 1";

const PURGE: &str = "DELETE FROM device_session WHERE id IN (SELECT id FROM device_session \
    WHERE closed_at IS NOT NULL AND closed_at < $1 ORDER BY closed_at LIMIT $2) RETURNING id";
// One that was left open ended when it was last heard of.
const CLOSE_LEFT_OPEN: &str = "UPDATE device_session SET state = 'closed', closed_at = coalesce(reported_at, opened_at), \
    end_reason = coalesce(end_reason, 'left_open') WHERE id IN (SELECT id FROM device_session WHERE state = 'open' \
    AND coalesce(reported_at, opened_at) < $1 LIMIT $2) RETURNING id";

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

impl SessionState {
    /// Its stable name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Superseded => "superseded",
            Self::Closed => "closed",
        }
    }

    pub(super) fn from_code(code: &str) -> Option<Self> {
        [Self::Open, Self::Superseded, Self::Closed]
            .into_iter()
            .find(|state| state.code() == code)
    }
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
    /// The number without a task that it looks for on the card.
    pub iccid_index: Option<BlindIndex>,
    /// True when the chip resumed a broken session.
    pub resumed: bool,
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
    /// The number without a task that it looks for on the card.
    pub iccid_index: Option<BlindIndex>,
}

/// Supersedes the open session of a chip, if there is one. Its gateway learns of it with its next report.
pub async fn supersede<D: Database>(
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
    now: Timestamp,
) -> Result<(), DbError> {
    // It may be the session that another write has changed.
    tx.write_of_others("device_session", &Value::Null).await?;
    tx.later("superseded", SUPERSEDE, vec![now.into(), eid_index.into()])
        .await
}

/// Reads a row if a session of the chip from `peer` would be the fourth that alternate between two addresses, each of
/// which takes the place of one that is still open: A, B, A, and `peer` at B, all opened from `since` on.
pub(super) fn alternates(eid_index: &BlindIndex, since: Timestamp, peer: &str) -> Read {
    Read {
        sql: ALTERNATES.statement(),
        columns: 1,
        params: vec![eid_index.into(), since.into(), peer.into()],
    }
}

/// Whether the chip has an open session that was opened or reported from `since` on.
pub async fn is_running<D: Database>(
    db: &D,
    eid_index: &BlindIndex,
    since: Timestamp,
) -> Result<bool, DbError> {
    let params = [eid_index.into(), since.into()];
    Ok(!db.run(RUNNING, &params).await?.is_empty())
}

/// Opens a session in place of an earlier one of the chip.
pub async fn insert<D: Database>(
    tx: &Tx<'_, D>,
    new: NewSessionRow<'_>,
    now: Timestamp,
) -> Result<(), DbError> {
    supersede(tx, new.eid_index, now).await?;
    let params = vec![
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
        new.iccid_index.into(),
    ];
    tx.later("device_session", INSERT, params).await
}

/// What a report changes of a session.
#[derive(Clone, Debug)]
pub struct Progress<'a> {
    /// Bytes from the card.
    pub bytes_up: i64,
    /// Bytes to the card.
    pub bytes_down: i64,
    /// When they were reported, if they are more than before.
    pub reported_at: Option<Timestamp>,
    /// Number of the last report.
    pub last_seq: i64,
    /// The gateway's note to the operator, sealed; the first one stays.
    pub note_sealed: Option<Vec<u8>>,
    /// Why the session ended, as one stable word, if it did.
    pub end_reason: Option<&'a str>,
}

/// Records a report of a session; [`DbError::Missed`] when the session is not in the state in which it was read.
pub async fn record<D: Database>(
    tx: &Tx<'_, D>,
    read: &SessionRow,
    new: Progress<'_>,
    now: Timestamp,
) -> Result<(), DbError> {
    let params = vec![
        new.bytes_up.into(),
        new.bytes_down.into(),
        new.reported_at.into(),
        new.last_seq.into(),
        new.note_sealed.into(),
        new.end_reason.into(),
        now.into(),
        read.id.text().into(),
        read.state.code().into(),
        read.last_seq.into(),
    ];
    tx.later_guarded("device_session", RECORD, params).await
}

/// Charges the verifications of a chip that were set aside to the test allowance. Returns their bytes so far, up and
/// down together.
pub async fn charge_verifications<D: Database>(
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
) -> Result<i64, DbError> {
    let rows = tx.run(CHARGE_VERIFICATIONS, &[eid_index.into()]).await?;
    rows.iter().try_fold(0_i64, |sum, row| {
        Ok(sum
            .saturating_add(row.integer(0)?)
            .saturating_add(row.integer(1)?))
    })
}

/// The end of a chip's latest session that was to write.
#[derive(Clone, Debug)]
pub struct LastWriting {
    /// Why it ended, if the gateway said so.
    pub end_reason: Option<String>,
    /// When it ended, or its gateway was last heard of it.
    pub at: Timestamp,
    /// By which power-up of the card, as the card shows it.
    pub power_up: Option<String>,
}

impl LastWriting {
    pub(super) fn read(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            at: row.time(0)?,
            end_reason: row.optional(1, Row::text)?.map(str::to_owned),
            power_up: row.optional(2, Row::text)?.map(str::to_owned),
        })
    }
}

/// Reads the end of a chip's latest session that was to write; beside the session `other_than` only one whose card shows
/// its power-up.
pub(super) fn latest_writing(eid_index: &BlindIndex, other_than: Option<SessionId>) -> Read {
    Read {
        sql: LAST_WRITING.statement(),
        columns: 3,
        params: vec![eid_index.into(), other_than.map(|id| id.text()).into()],
    }
}

/// The end of a chip's latest session that was to write and whose card shows its power-up, beside one.
pub async fn last_writing<D: Database>(
    db: &D,
    eid_index: &BlindIndex,
    other_than: SessionId,
) -> Result<Option<LastWriting>, DbError> {
    let read = latest_writing(eid_index, Some(other_than));
    first(&db.run(read.sql, &read.params).await?, LastWriting::read)
}

/// Stores by which power-up of the card a session came.
pub async fn set_power_up<D: Database>(tx: &Tx<'_, D>, id: SessionId, power_up: &str) -> Result<(), DbError> {
    tx.run(SET_POWER_UP, &[power_up.into(), id.text().into()])
        .await
        .map(drop)
}

/// Reads how many sessions a chip has begun anew since `after` to be written, those that were held back too.
pub(super) fn count_requests(eid_index: &BlindIndex, after: Timestamp) -> Read {
    Read {
        sql: COUNT_REQUESTS.statement(),
        columns: 1,
        params: vec![eid_index.into(), after.into()],
    }
}

/// Records whether the card of a session holds another IMSI than that of the number that the session looked for.
pub async fn set_other_imsi<D: Database>(
    tx: &Tx<'_, D>,
    id: SessionId,
    other_imsi: bool,
) -> Result<(), DbError> {
    tx.run(SET_OTHER_IMSI, &[other_imsi.into(), id.text().into()])
        .await
        .map(drop)
}

/// Stores why the link of a superseded session ended; the first reason stays.
pub async fn set_end_reason<D: Database>(tx: &Tx<'_, D>, id: SessionId, reason: &str) -> Result<(), DbError> {
    tx.run(SET_END_REASON, &[reason.into(), id.text().into()])
        .await
        .map(drop)
}

/// A session that ended before it asked for work.
#[derive(Clone, Copy, Debug)]
pub struct UnopenedSession<'a> {
    /// Identifier.
    pub id: SessionId,
    /// Blind index of the chip's EID.
    pub eid_index: &'a BlindIndex,
    /// Address and port of the device.
    pub peer: &'a str,
    /// Number of its only report.
    pub seq: i64,
    /// Bytes from the card.
    pub bytes_up: i64,
    /// Bytes to the card.
    pub bytes_down: i64,
    /// Why it ended, as a stable word.
    pub reason: &'a str,
}

/// Keeps a session that ended before it asked for work. `allowance`: test allowance left, in bytes.
pub async fn insert_unopened<D: Database>(
    tx: &Tx<'_, D>,
    session: &UnopenedSession<'_>,
    allowance: i64,
    now: Timestamp,
) -> Result<(), DbError> {
    let params: [Value; 9] = [
        session.id.text().into(),
        session.eid_index.into(),
        session.peer.into(),
        allowance.into(),
        session.seq.into(),
        session.bytes_up.into(),
        session.bytes_down.into(),
        now.into(),
        session.reason.into(),
    ];
    tx.run(INSERT_UNOPENED, &params).await.map(drop)
}

/// Why the latest session of a chip that has ended did.
pub async fn last_end<D: Database>(db: &D, eid_index: &BlindIndex) -> Result<Option<String>, DbError> {
    first(&db.run(LAST_END, &[eid_index.into()]).await?, |row| {
        row.text(0).map(str::to_owned)
    })
}

/// How many columns [`session_columns`] has.
pub(super) const COLUMNS: usize = 14;

/// Reads the columns of [`session_columns`], of which the first is column `first` of the row.
pub(super) fn read_from(row: &Row, first: usize) -> Result<SessionRow, DbError> {
    Ok(SessionRow {
        id: row.code(first, |text| SessionId::parse(text).ok())?,
        eid_index: row.index(first + 1)?,
        task_id: row.optional(first + 2, Row::task_id)?,
        work: row.code(first + 3, Work::from_code)?,
        attempt: row.count(first + 4)?,
        resume_step: row.count(first + 5)?,
        state: row.code(first + 6, SessionState::from_code)?,
        allowance_at_open: row.unsigned(first + 7)?,
        last_seq: row.integer(first + 8)?,
        bytes_up: row.integer(first + 9)?,
        bytes_down: row.integer(first + 10)?,
        charged: row.integer(first + 11)? != 0,
        iccid_index: row.optional(first + 12, Row::index)?,
        resumed: row.flag(first + 13)?,
    })
}

/// Deletes up to `limit` sessions that ended before `before`; returns how many.
pub async fn purge<D: Database>(tx: &Tx<'_, D>, before: Timestamp, limit: u32) -> Result<usize, DbError> {
    purge_rows(tx, PURGE, before, limit).await
}

/// Closes up to `limit` open sessions of which nothing was heard since `before`; returns how many.
pub async fn close_left_open<D: Database>(
    tx: &Tx<'_, D>,
    before: Timestamp,
    limit: u32,
) -> Result<usize, DbError> {
    purge_rows(tx, CLOSE_LEFT_OPEN, before, limit).await
}
