//! Table `task`: applications and their execution. A chip has at most one open task.

use super::destruction::purge as purge_rows;
use super::incident::no_open_incident;
use super::together::Read;
use super::{Database, DbError, Row, Run as _, Sql as _, Statement, Tx, Value, first};
use domain::{ClientId, TaskFailure, TaskId, TaskState, Timestamp, Work, WriteType};
use vault::BlindIndex;

/// The name of the table among writes that wait for each other.
const TABLE: &str = "task";

macro_rules! columns {
    () => {
        "task.id, task.eid_index, task.client_id, task.write_type, task.province, task.iccid_index, task.state, \
         task.next_work, task.attempt, task.step, task.progress, task.failure, task.finished_at"
    };
}
pub(super) use columns as task_columns;

// A designated number brings its province.
const INSERT: Statement = Statement::new(
    "INSERT INTO task (id, eid_index, seq, client_id, write_type, province, iccid_index, state, \
    next_work, attempt, step, progress, created_at, changed_at) VALUES ($1, $2, \
    (SELECT COALESCE(MAX(seq), 0) + 1 FROM task WHERE eid_index = $2), $3, $4, \
    COALESCE($5, (SELECT n.province FROM number n WHERE n.iccid_index = $6)), $6, 'waiting', 'write', 1, 0, 0, $7, $7) ON CONFLICT DO NOTHING RETURNING id",
    "SELECT task_insert($1, $2, $3, $4, $5, $6, $7)",
);
const BY_ID: &str = concat!("SELECT ", columns!(), " FROM task WHERE id = $1");
const LATEST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM task WHERE eid_index = $1 ORDER BY seq DESC LIMIT 1"
);
const OPEN: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM task WHERE eid_index = $1 AND state IN ('waiting', 'writing')"
);
const CANCEL: &str = "UPDATE task SET state = 'cancelled', failure = $1, finished_at = $2, changed_at = $2 \
    WHERE id = $3 AND state = 'waiting' RETURNING id";
const START: Statement = Statement::new(
    "UPDATE task SET state = 'writing', started_at = $1, changed_at = $1, gateway = $2 WHERE id = $3 \
    AND state = 'waiting' RETURNING id",
    "SELECT task_start($1, $2, $3)",
);
const PROGRESS: Statement = Statement::new(
    "UPDATE task SET step = CASE WHEN step < $1 THEN $1 ELSE step END, \
    progress = CASE WHEN progress < $2 THEN $2 ELSE progress END, changed_at = $3 WHERE id = $4 AND state = 'writing' AND next_work = 'write'",
    "SELECT task_progress($1, $2, $3, $4)",
);
const SET_VERIFY: Statement = Statement::new(
    "UPDATE task SET next_work = 'verify', progress = $1, changed_at = $2 WHERE id = $3 \
    AND state = 'writing' AND next_work = 'write' RETURNING id",
    "SELECT task_set_verify($1, $2, $3)",
);
const REWRITE: &str = "UPDATE task SET next_work = 'write', attempt = attempt + 1, step = 0, progress = 0, \
    changed_at = $1 WHERE id = $2 AND state = 'writing' AND next_work = 'verify' RETURNING id";
// What a card has acknowledged no longer counts, whatever its work was.
const RESTART: &str = "UPDATE task SET next_work = 'write', attempt = attempt + 1, step = 0, progress = 0, \
    changed_at = $1 WHERE id = $2 AND state = 'writing' RETURNING id";
const SUCCEED: Statement = Statement::new(
    "UPDATE task SET state = 'succeeded', progress = 100, finished_at = $1, changed_at = $1 \
    WHERE id = $2 AND state = 'writing' AND next_work = 'verify' RETURNING id",
    "SELECT task_succeed($1, $2)",
);
const FAIL: &str = "UPDATE task SET state = 'failed', failure = $1, finished_at = $2, changed_at = $2 \
    WHERE id = $3 AND state = 'writing' RETURNING id";
// 2: 待开机上电. A blocked chip keeps its number until the incident is settled.
const EXPIRED: &str = "SELECT t.id FROM chip c JOIN task t ON t.eid_index = c.eid_index \
    AND t.state IN ('waiting', 'writing') WHERE c.temp_next_at <= $1 AND c.temp_expires_at <= $1 AND c.status = 2 \
    AND c.reopened = 0 AND c.blocked = 0 ORDER BY c.temp_next_at LIMIT $2";
// What was read back equal is being verified, and no time limit ends that (§6.2.4.1).
const WRITING_SINCE: &str = "SELECT id FROM task WHERE state = 'writing' AND next_work = 'write' AND started_at <= $1 \
    ORDER BY started_at LIMIT $2";
const SET_RETURNED: &str =
    "UPDATE task SET returned_at = $1 WHERE id = $2 AND returned_at IS NULL RETURNING id";
// What names a task keeps it.
const PURGE: &str = concat!(
    "DELETE FROM task WHERE id IN (SELECT t.id FROM task t WHERE t.state IN ('failed', 'cancelled') \
     AND t.finished_at < $1 AND NOT EXISTS (SELECT 1 FROM number n WHERE n.task_id = t.id) \
     AND NOT EXISTS (SELECT 1 FROM device_session s WHERE s.task_id = t.id) \
     AND NOT EXISTS (SELECT 1 FROM message m WHERE m.task_id = t.id) AND ",
    no_open_incident!("t.eid_index"),
    " ORDER BY t.finished_at LIMIT $2) RETURNING id"
);
// A task in writing changes with each step that its card acknowledges.
const STUCK: &str = "SELECT t.id, t.eid_index, t.changed_at, t.client_id, n.province, t.gateway FROM task t \
    JOIN number n ON n.iccid_index = t.iccid_index WHERE t.state = 'writing' AND t.stuck = 0 AND t.changed_at <= $1 \
    ORDER BY t.changed_at LIMIT $2";
const MOVED: &str =
    "SELECT id, eid_index FROM task WHERE state = 'writing' AND stuck = 1 AND changed_at > $1 LIMIT $2";
const UNMARK_STUCK: &str = "UPDATE task SET stuck = 0 WHERE id = $1 AND stuck = 1 RETURNING id";
macro_rules! count_started {
    ($and:literal) => {
        concat!(
            "SELECT COUNT(*) FROM task t JOIN number n ON n.iccid_index = t.iccid_index WHERE t.state <> 'waiting' \
             AND t.started_at > $1 \
             AND t.started_at <= $2 AND (t.client_id = $3 OR $3 IS NULL) AND (n.province = $4 OR $4 IS NULL) \
             AND (t.gateway = $5 OR $5 IS NULL)",
            $and
        )
    };
}
const COUNT_STARTED: &str = count_started!("");
const COUNT_STUCK: &str = count_started!(" AND t.state = 'writing' AND t.stuck = 1");
const MARK_STUCK: &str =
    "UPDATE task SET stuck = 1 WHERE id = $1 AND state = 'writing' AND stuck = 0 RETURNING id";
// Identifiers begin with the time.
const COUNT: &str = "SELECT COUNT(*) FROM task WHERE id >= $1 AND id < $2";

/// A task as stored.
#[derive(Clone, Debug)]
pub struct TaskRow {
    /// Identifier.
    pub id: TaskId,
    /// Its chip.
    pub eid_index: BlindIndex,
    /// Who applied.
    pub client_id: ClientId,
    /// How the number is found.
    pub write_type: WriteType,
    /// Province of its number, which an automatic application asked for.
    pub province: Option<String>,
    /// Blind index of the ICCID of its number.
    pub iccid_index: BlindIndex,
    /// State of the task.
    pub state: TaskState,
    /// The work of the next device session.
    pub next_work: Work,
    /// Number of the write attempt, from 1.
    pub attempt: u32,
    /// Steps acknowledged in this attempt.
    pub step: u32,
    /// Progress in percent.
    pub progress: u8,
    /// Why it ended without a written card, unless its client withdrew it.
    pub failure: Option<TaskFailure>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// The values of a new row.
pub struct NewTaskRow<'a> {
    /// Identifier.
    pub id: TaskId,
    /// Its chip.
    pub eid_index: &'a BlindIndex,
    /// Who applied.
    pub client_id: &'a ClientId,
    /// How the number was found.
    pub write_type: WriteType,
    /// The requested province; automatic only.
    pub province: Option<&'a str>,
    /// Blind index of the ICCID of its number.
    pub iccid_index: &'a BlindIndex,
}

/// Adds a task; [`DbError::Missed`] when the chip has an open one.
pub async fn insert<D: Database>(
    tx: &Tx<'_, D>,
    new: &NewTaskRow<'_>,
    now: Timestamp,
) -> Result<(), DbError> {
    let params = vec![
        new.id.into(),
        new.eid_index.into(),
        new.client_id.into(),
        new.write_type.code().into(),
        new.province.into(),
        new.iccid_index.into(),
        now.into(),
    ];
    tx.later_guarded(TABLE, INSERT, params).await
}

/// Finds a task.
pub async fn by_id<D: Database>(db: &D, id: TaskId) -> Result<Option<TaskRow>, DbError> {
    first(&db.run(BY_ID, &[id.into()]).await?, read)
}

/// The chip's latest task.
pub async fn latest<D: Database>(db: &D, eid_index: &BlindIndex) -> Result<Option<TaskRow>, DbError> {
    first(&db.run(LATEST, &[eid_index.into()]).await?, read)
}

/// Reads the chip's latest task.
pub(super) fn read_latest(eid_index: &BlindIndex) -> Read {
    Read {
        sql: LATEST.statement(),
        columns: COLUMNS,
        params: vec![eid_index.into()],
    }
}

/// The chip's open task.
pub async fn open<D: Database>(db: &D, eid_index: &BlindIndex) -> Result<Option<TaskRow>, DbError> {
    first(&db.run(OPEN, &[eid_index.into()]).await?, read)
}

/// Ends a waiting task, withdrawn by its client or for a failure. False when it is not waiting.
pub async fn cancel<D: Database>(
    tx: &Tx<'_, D>,
    id: TaskId,
    failure: Option<TaskFailure>,
    now: Timestamp,
) -> Result<bool, DbError> {
    let failure = failure.map(TaskFailure::code);
    changed(tx, CANCEL, &[failure.into(), now.into(), id.into()]).await
}

/// Starts a waiting task, at the gateway of this name; [`DbError::Missed`] when it is not waiting.
pub async fn start<D: Database>(
    tx: &Tx<'_, D>,
    id: TaskId,
    gateway: Option<&str>,
    now: Timestamp,
) -> Result<(), DbError> {
    let params = vec![now.into(), gateway.into(), id.into()];
    tx.later_guarded(TABLE, START, params).await
}

/// Records acknowledged steps, if the task is being written; neither steps nor percent go down.
pub async fn progress<D: Database>(
    tx: &Tx<'_, D>,
    id: TaskId,
    step: u32,
    percent: u8,
    now: Timestamp,
) -> Result<(), DbError> {
    let params = vec![
        i64::from(step).into(),
        i64::from(percent).into(),
        now.into(),
        id.into(),
    ];
    tx.later(TABLE, PROGRESS, params).await
}

/// Marks the task as written; the next session verifies it. [`DbError::Missed`] when the task is not being written.
pub async fn set_verify<D: Database>(
    tx: &Tx<'_, D>,
    id: TaskId,
    percent: u8,
    now: Timestamp,
) -> Result<(), DbError> {
    let params = vec![i64::from(percent).into(), now.into(), id.into()];
    tx.later_guarded(TABLE, SET_VERIFY, params).await
}

/// Starts another write attempt. False when the task is not being verified.
pub async fn rewrite<D: Database>(tx: &Tx<'_, D>, id: TaskId, now: Timestamp) -> Result<bool, DbError> {
    changed(tx, REWRITE, &[now.into(), id.into()]).await
}

/// Starts another write attempt of a task whose card has begun to be written, also while it is being verified.
pub async fn restart<D: Database>(tx: &Tx<'_, D>, id: TaskId, now: Timestamp) -> Result<bool, DbError> {
    changed(tx, RESTART, &[now.into(), id.into()]).await
}

/// Ends a task with success; [`DbError::Missed`] when it is not being verified.
pub async fn succeed<D: Database>(tx: &Tx<'_, D>, id: TaskId, now: Timestamp) -> Result<(), DbError> {
    tx.later_guarded(TABLE, SUCCEED, vec![now.into(), id.into()])
        .await
}

/// Ends a task without success. False when it is not in writing.
pub async fn fail<D: Database>(
    tx: &Tx<'_, D>,
    id: TaskId,
    failure: TaskFailure,
    now: Timestamp,
) -> Result<bool, DbError> {
    changed(tx, FAIL, &[failure.code().into(), now.into(), id.into()]).await
}

/// Up to `limit` tasks whose card waits for power-up although its temporary number has expired by `now`.
pub async fn expired<D: Database>(db: &D, now: Timestamp, limit: u32) -> Result<Vec<TaskId>, DbError> {
    let rows = db.run(EXPIRED, &[now.into(), i64::from(limit).into()]).await?;
    rows.iter().map(|row| row.task_id(0)).collect()
}

/// A task in writing whose card has acknowledged no step for too long.
#[derive(Clone, Debug)]
pub struct StuckRow {
    /// Identifier.
    pub id: TaskId,
    /// Its chip.
    pub eid_index: BlindIndex,
    /// When its card last acknowledged a step, or writing began.
    pub acknowledged_at: Timestamp,
    /// Who applied.
    pub client_id: ClientId,
    /// Province of its number.
    pub province: String,
    /// The gateway at which it began.
    pub gateway: Option<String>,
}

/// Up to `limit` tasks in writing that are not marked as stuck and whose card has acknowledged nothing since `before`,
/// the longest first.
pub async fn stuck<D: Database>(db: &D, before: Timestamp, limit: u32) -> Result<Vec<StuckRow>, DbError> {
    let rows = db.run(STUCK, &[before.into(), i64::from(limit).into()]).await?;
    let read = |row: &Row| {
        Ok(StuckRow {
            id: row.task_id(0)?,
            eid_index: row.index(1)?,
            acknowledged_at: row.time(2)?,
            client_id: row.client_id(3)?,
            province: row.text(4)?.to_owned(),
            gateway: row.optional(5, Row::text)?.map(str::to_owned),
        })
    };
    rows.iter().map(read).collect()
}

/// Up to `limit` tasks that are marked as stuck, with their chips, whose card has acknowledged a step since `before`.
pub async fn moved<D: Database>(
    db: &D,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<(TaskId, BlindIndex)>, DbError> {
    let rows = db.run(MOVED, &[before.into(), i64::from(limit).into()]).await?;
    let read = |row: &Row| Ok((row.task_id(0)?, row.index(1)?));
    rows.iter().map(read).collect()
}

/// Takes the mark from a task whose card goes on. False when it has none.
pub async fn unmark_stuck<D: Database>(tx: &Tx<'_, D>, id: TaskId) -> Result<bool, DbError> {
    changed(tx, UNMARK_STUCK, &[id.into()]).await
}

/// Which tasks are counted together: those with each value that is given.
#[derive(Clone, Copy, Debug, Default)]
pub struct TaskGroup<'a> {
    /// Who applied.
    pub client: Option<&'a str>,
    /// Province of the number.
    pub province: Option<&'a str>,
    /// The gateway at which writing began.
    pub gateway: Option<&'a str>,
}

/// How many tasks of a group began to be written after `from` and by `to`; only those that are stuck, or all.
pub async fn count_started<D: Database>(
    db: &D,
    group: TaskGroup<'_>,
    (from, to): (Timestamp, Timestamp),
    only_stuck: bool,
) -> Result<i64, DbError> {
    let sql = if only_stuck { COUNT_STUCK } else { COUNT_STARTED };
    let params = [
        from.into(),
        to.into(),
        group.client.into(),
        group.province.into(),
        group.gateway.into(),
    ];
    Ok(first(&db.run(sql, &params).await?, |row| row.integer(0))?.unwrap_or(0))
}

/// Up to `limit` tasks whose card has been in writing since `before` or longer and was not read back equal.
pub async fn writing_since<D: Database>(
    db: &D,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<TaskId>, DbError> {
    let rows = db
        .run(WRITING_SINCE, &[before.into(), i64::from(limit).into()])
        .await?;
    rows.iter().map(|row| row.task_id(0)).collect()
}

/// Records that the chip came back after the task had ended. False when that is recorded already.
pub async fn set_returned<D: Database>(tx: &Tx<'_, D>, id: TaskId, now: Timestamp) -> Result<bool, DbError> {
    changed(tx, SET_RETURNED, &[now.into(), id.into()]).await
}

/// Marks a task as stuck in writing. False when it is marked already or not in writing any more.
pub async fn mark_stuck<D: Database>(tx: &Tx<'_, D>, id: TaskId) -> Result<bool, DbError> {
    changed(tx, MARK_STUCK, &[id.into()]).await
}

/// How many tasks have an identifier from `from` until before `to`.
pub async fn count<D: Database>(db: &D, from: TaskId, to: TaskId) -> Result<i64, DbError> {
    let rows = db.run(COUNT, &[from.into(), to.into()]).await?;
    Ok(first(&rows, |row| row.integer(0))?.unwrap_or(0))
}

async fn changed<D: Database>(tx: &Tx<'_, D>, sql: &'static str, params: &[Value]) -> Result<bool, DbError> {
    Ok(!tx.run(sql, params).await?.is_empty())
}

pub(super) fn read(row: &Row) -> Result<TaskRow, DbError> {
    read_from(row, 0)
}

/// How many columns [`task_columns`] has.
pub(super) const COLUMNS: usize = 13;

/// Reads the columns of [`task_columns`], of which the first is column `first` of the row.
pub(super) fn read_from(row: &Row, first: usize) -> Result<TaskRow, DbError> {
    Ok(TaskRow {
        id: row.task_id(first)?,
        eid_index: row.index(first + 1)?,
        client_id: row.client_id(first + 2)?,
        write_type: row.number_code(first + 3, WriteType::from_code)?,
        province: row.optional(first + 4, Row::text)?.map(str::to_owned),
        iccid_index: row.index(first + 5)?,
        state: row.code(first + 6, TaskState::from_code)?,
        next_work: row.code(first + 7, Work::from_code)?,
        attempt: row.count(first + 8)?,
        step: row.count(first + 9)?,
        progress: row.number_code(first + 10, |percent| u8::try_from(percent).ok())?,
        failure: row.optional(first + 11, |row, at| row.code(at, TaskFailure::from_code))?,
        finished_at: row.optional(first + 12, Row::time)?,
    })
}

/// Deletes up to `limit` tasks that ended without a written card before `before`; returns how many.
pub async fn purge<D: Database>(tx: &Tx<'_, D>, before: Timestamp, limit: u32) -> Result<usize, DbError> {
    purge_rows(tx, PURGE, before, limit).await
}
