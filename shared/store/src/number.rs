//! Table `number`: the pool of operator numbers, keyed by the blind index of the ICCID.
//!
//! A number is free (`available`, or `allotted` to one client), reserved for one chip, or written. A reserved number
//! belongs to a task, or is held without a task because part of it may have reached its chip. A held number goes to no
//! other chip. A quarantined number, of whatever state, is neither taken nor written: see [`super::quarantine`].

use super::destruction::purge_all;
use super::together::Read;
use super::{Database, DbError, Row, Run as _, Sql as _, Statement, Tx, first};
use domain::{ClientId, IncidentKind, NumberStatus, Province, SessionId, TaskId, Timestamp};
use vault::{BlindIndex, Column};

/// Sealed column: ICCID.
pub const ICCID: Column = Column("number.iccid");
/// Sealed column: MSISDN.
pub const MSISDN: Column = Column("number.msisdn");
/// Sealed column: IMSI.
pub const IMSI: Column = Column("number.imsi");
/// Sealed column: K.
pub const K: Column = Column("number.k");
/// Sealed column: OPc.
pub const OPC: Column = Column("number.opc");

/// The name of the table among writes that wait for each other.
const TABLE: &str = "number";

macro_rules! columns {
    () => {
        "iccid_index, iccid_sealed, msisdn_index, msisdn_sealed, imsi_sealed, smsc, client_id, k_sealed, \
         opc_sealed, status, eid_index, task_id, exposed, imported_digest, written_at, replaces_index, \
         keys_destroyed_at, quarantined"
    };
}

// The state of a number that no chip needs: its client's if it was allotted, else that of its province's pool.
macro_rules! free {
    () => {
        "CASE WHEN client_id IS NULL THEN 'available' ELSE 'allotted' END"
    };
}

const BY_ICCID: &str = concat!("SELECT ", columns!(), " FROM number WHERE iccid_index = $1");
const BY_ICCIDS: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM number WHERE iccid_index IN (SELECT unhex(value) FROM json_each($1))"
);
// Where there are several writers, a number whose state decides is kept as it is read.
macro_rules! select_to_change {
    ($where:literal) => {
        Statement::new(
            concat!("SELECT ", columns!(), " FROM number WHERE ", $where),
            concat!(
                "SELECT ",
                columns!(),
                " FROM number WHERE ",
                $where,
                " FOR NO KEY UPDATE"
            ),
        )
    };
}
const BY_ICCID_TO_CHANGE: Statement = select_to_change!("iccid_index = $1");
const BY_TASK_TO_CHANGE: Statement = select_to_change!("task_id = $1");
const BY_SESSION_TO_CHANGE: Statement =
    select_to_change!("task_id = (SELECT task_id FROM device_session WHERE id = $1)");
const BY_MSISDN: &str = concat!("SELECT ", columns!(), " FROM number WHERE msisdn_index = $1");
const ALLOT: &str = "UPDATE number SET client_id = $1, status = CASE WHEN CAST($1 AS TEXT) IS NULL THEN 'available' \
    ELSE 'allotted' END, changed_at = $2 WHERE status IN ('available', 'allotted') AND eid_index IS NULL AND replaces_index IS NULL \
    AND iccid_index IN (SELECT unhex(value) FROM json_each($3)) RETURNING iccid_index";
const BY_TASK: &str = concat!("SELECT ", columns!(), " FROM number WHERE task_id = $1");
const RETIRED_IN_TASKS: &str = "SELECT task_id FROM number WHERE status = 'retired' AND task_id IS NOT NULL \
    AND written_at IS NULL ORDER BY task_id LIMIT $1";
// A number of this province that the chip holds from an earlier task, which no other chip can have; else the oldest of
// the pool. A held number is exposed, one of the pool is not.
// Where there are several writers, each takes a number for which no other is reaching: FOR UPDATE SKIP LOCKED.
const TAKE_OF_PROVINCE: Statement = Statement::new(
    "UPDATE number SET status = 'reserved', eid_index = $1, task_id = $2, changed_at = $3 \
    WHERE status IN ('available', 'reserved') AND task_id IS NULL AND iccid_index = COALESCE( \
    (SELECT iccid_index FROM number WHERE eid_index = $1 AND status = 'reserved' AND task_id IS NULL \
    AND client_id IS NULL AND quarantined = 0 AND province = $4 ORDER BY changed_at DESC, iccid_index LIMIT 1), \
    (SELECT iccid_index FROM number WHERE status = 'available' AND quarantined = 0 AND province = $4 \
    ORDER BY imported_at, iccid_index LIMIT 1)) RETURNING iccid_index, \
    CASE WHEN exposed = 0 AND (EXISTS (SELECT 1 FROM pool_level WHERE province = $4 AND state = 'empty') \
    OR EXISTS (SELECT 1 FROM incident WHERE kind = $5 AND subject = 'province:' || $4 AND closed_at IS NULL)) \
    THEN 1 ELSE 0 END",
    "SELECT * FROM number_take_of_province($1, $2, $3, $4, $5)",
);
// What others reach for may come back: there is none only when they have all got theirs. The same FOR UPDATE alone.
const TAKE_AFTER_OTHERS: Statement =
    Statement::of_postgres("SELECT * FROM number_take_after_others($1, $2, $3, $4, $5)");
// The task that is added with the number takes the province from it.
const TAKE_ALLOTTED: Statement = Statement::new(
    "UPDATE number SET status = 'reserved', eid_index = $1, task_id = $2, changed_at = $3 \
     WHERE status = 'allotted' AND quarantined = 0 AND iccid_index = $4 AND client_id = $5 RETURNING iccid_index, province",
    "SELECT number_take_allotted($1, $2, $3, $4, $5)",
);
const TAKE_HELD: Statement = Statement::new(
    "UPDATE number SET task_id = $1, changed_at = $2 WHERE status = 'reserved' \
     AND quarantined = 0 AND iccid_index = $3 AND eid_index = $4 AND task_id IS NULL RETURNING iccid_index, province",
    "SELECT number_take_held($1, $2, $3, $4)",
);
const EXPOSE: Statement = Statement::new(
    "UPDATE number SET exposed = 1, changed_at = $1, \
    sole_session = CASE exposed WHEN 0 THEN $2 END WHERE task_id = $3 AND status = 'reserved' AND quarantined = 0 \
    RETURNING iccid_index",
    "SELECT number_expose($1, $2, $3)",
);
const SET_UNSENT: &str = "UPDATE number SET sole_session = NULL, exposed = 0, changed_at = $1 WHERE task_id = $2 \
    AND sole_session = $3 AND exposed = 1 AND written_at IS NULL";
// A suspended or retired number stays so, but a chip holds it.
const SET_WRITTEN: Statement = Statement::new(
    "UPDATE number SET status = CASE status WHEN 'reserved' THEN 'written' ELSE status END, \
    written_at = $1, changed_at = $1 WHERE task_id = $2 AND written_at IS NULL RETURNING iccid_index",
    "SELECT number_set_written($1, $2)",
);
// The card holds another number now. Out of use until a person puts it back: it was in service, and its operator may
// report it as active without knowing of the change.
const LEAVE_REWRITTEN: &str = concat!(
    "UPDATE number SET status = CASE status WHEN 'written' THEN 'suspended' ELSE status END, eid_index = NULL, \
     task_id = NULL, exposed = 0, written_at = NULL, replaced = 1, changed_at = $1 \
     WHERE eid_index = $2 AND written_at IS NOT NULL AND task_id <> $3 RETURNING ",
    columns!()
);
const PUT_BACK: &str =
    "UPDATE number SET replaced = 0, changed_at = $1 WHERE iccid_index = $2 AND replaced = 1";
const FORGET_REPORTS: [&str; 3] = [
    "DELETE FROM number_usage WHERE iccid_index = $1",
    "DELETE FROM number_location WHERE iccid_index = $1",
    "DELETE FROM operator_inquiry WHERE iccid_index = $1",
];
// A chip that lives keeps the number that it has; of the tasks, those that wrote the number end with it.
const PURGED: &str = "SELECT n.iccid_index FROM number n WHERE n.iccid_index IN (SELECT iccid_index FROM number \
    WHERE status = 'retired' AND eid_index IS NULL AND changed_at < $1 UNION ALL SELECT iccid_index FROM number \
    WHERE status = 'retired' AND changed_at < $1 AND eid_index IN (SELECT eid_index FROM chip WHERE replaced = 1 \
    UNION ALL SELECT eid_index FROM chip_destruction)) \
    AND NOT EXISTS (SELECT 1 FROM number r WHERE r.replaces_index = n.iccid_index) \
    AND NOT EXISTS (SELECT 1 FROM task t WHERE t.iccid_index = n.iccid_index AND (t.state <> 'succeeded' \
    OR EXISTS (SELECT 1 FROM device_session s WHERE s.task_id = t.id) \
    OR EXISTS (SELECT 1 FROM message m WHERE m.task_id = t.id))) ORDER BY n.iccid_index LIMIT $2";
const PURGE: [&str; 5] = [
    "DELETE FROM number_usage WHERE iccid_index IN (SELECT unhex(value) FROM json_each($1))",
    "DELETE FROM number_location WHERE iccid_index IN (SELECT unhex(value) FROM json_each($1))",
    "DELETE FROM operator_inquiry WHERE iccid_index IN (SELECT unhex(value) FROM json_each($1))",
    "DELETE FROM task WHERE iccid_index IN (SELECT unhex(value) FROM json_each($1))",
    "DELETE FROM number WHERE iccid_index IN (SELECT unhex(value) FROM json_each($1))",
];
const WITH_SPENT_KEYS: &str = "SELECT iccid_index FROM number WHERE written_at IS NOT NULL \
    AND keys_destroyed_at IS NULL AND written_at < $1 ORDER BY written_at LIMIT $2";
const DESTROY_KEYS: &str = "UPDATE number SET k_sealed = $1, opc_sealed = $2, keys_destroyed_at = $3 \
    WHERE iccid_index = $4 AND written_at IS NOT NULL AND keys_destroyed_at IS NULL RETURNING iccid_index";
const LEAVE_TASK: &str = concat!(
    "UPDATE number SET status = CASE WHEN exposed = 0 AND status = 'reserved' THEN ",
    free!(),
    " ELSE status END, eid_index = CASE exposed WHEN 0 THEN NULL ELSE eid_index END, task_id = NULL, \
     changed_at = $1 WHERE task_id = $2 AND written_at IS NULL"
);
// One verdict about a number is enough, until its chip is being written with it again.
const HELD_WITHOUT_VERDICT: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM number WHERE eid_index = $1 AND exposed = 1 AND task_id IS NULL AND written_at IS NULL AND NOT EXISTS \
     (SELECT 1 FROM device_session s WHERE s.eid_index = $1 AND s.iccid_index = number.iccid_index \
     AND s.other_imsi IS NOT NULL AND s.opened_at >= (SELECT COALESCE(MAX(t.finished_at), 0) FROM task t \
     WHERE t.eid_index = $1 AND t.iccid_index = number.iccid_index)) ORDER BY changed_at, iccid_index LIMIT 1"
);
const GIVE_BACK_HELD: &str = concat!(
    "UPDATE number SET status = CASE status WHEN 'reserved' THEN ",
    free!(),
    " ELSE status END, eid_index = NULL, exposed = 0, changed_at = $1 \
     WHERE eid_index = $2 AND written_at IS NULL AND task_id IS NULL \
     AND (iccid_index = $3 OR $3 IS NULL) RETURNING iccid_index"
);

/// A number as stored.
#[derive(Clone, Debug)]
pub struct NumberRow {
    /// Blind index of the ICCID.
    pub iccid_index: BlindIndex,
    /// Sealed ICCID.
    pub iccid_sealed: Vec<u8>,
    /// Blind index of the MSISDN.
    pub msisdn_index: BlindIndex,
    /// Sealed MSISDN.
    pub msisdn_sealed: Vec<u8>,
    /// Sealed IMSI.
    pub imsi_sealed: Vec<u8>,
    /// Address of the short message service centre.
    pub smsc: Option<String>,
    /// The client it is allotted to.
    pub client_id: Option<ClientId>,
    /// Sealed K.
    pub k_sealed: Vec<u8>,
    /// Sealed OPc.
    pub opc_sealed: Vec<u8>,
    /// State of the number.
    pub status: NumberStatus,
    /// The chip it is reserved for or written to.
    pub eid_index: Option<BlindIndex>,
    /// The task that reserved it or wrote it.
    pub task_id: Option<TaskId>,
    /// True when part of it may have reached its chip.
    pub exposed: bool,
    /// Digest of the row it was imported from.
    pub imported_digest: BlindIndex,
    /// True when a chip holds it.
    pub is_written: bool,
    /// The number whose MSISDN it takes over once it is verified.
    pub replaces: Option<BlindIndex>,
    /// Whether K and OPc are there: they are destroyed some time after the number was written.
    pub has_keys: bool,
    /// True when it may be on a card of which this database knows nothing, since a backup was restored.
    pub is_quarantined: bool,
}

/// Finds a number by its ICCID.
pub async fn by_iccid<D: Database>(db: &D, iccid_index: &BlindIndex) -> Result<Option<NumberRow>, DbError> {
    first(&db.run(BY_ICCID, &[iccid_index.into()]).await?, read)
}

/// Finds numbers by their ICCIDs, in no order. `iccids` is a JSON list of blind indexes in hexadecimal.
pub async fn by_iccids<D: Database>(db: &D, iccids: String) -> Result<Vec<NumberRow>, DbError> {
    db.run(BY_ICCIDS, &[iccids.into()])
        .await?
        .iter()
        .map(read)
        .collect()
}

/// Finds a number by its ICCID, to reserve it.
pub async fn by_iccid_to_change<D: Database>(
    tx: &Tx<'_, D>,
    iccid_index: &BlindIndex,
) -> Result<Option<NumberRow>, DbError> {
    first(&tx.run(BY_ICCID_TO_CHANGE, &[iccid_index.into()]).await?, read)
}

/// Reads the number that a task has, to change it.
pub(super) fn of_task(task: TaskId) -> Read {
    Read {
        sql: BY_TASK_TO_CHANGE,
        columns: COLUMNS,
        params: vec![task.into()],
    }
}

/// Reads the number of the task of a session, to change it.
pub(super) fn of_session(session: SessionId) -> Read {
    Read {
        sql: BY_SESSION_TO_CHANGE,
        columns: COLUMNS,
        params: vec![session.text().into()],
    }
}

/// Finds a number by its MSISDN.
pub async fn by_msisdn<D: Database>(db: &D, msisdn_index: &BlindIndex) -> Result<Option<NumberRow>, DbError> {
    first(&db.run(BY_MSISDN, &[msisdn_index.into()]).await?, read)
}

/// Allots free numbers to a client, or with none puts them back into the pool; returns how many. `iccids` is a JSON
/// list of blind indexes in hexadecimal.
pub async fn allot<D: Database>(
    tx: &Tx<'_, D>,
    client: Option<&ClientId>,
    iccids: String,
    now: Timestamp,
) -> Result<usize, DbError> {
    let params = [client.into(), now.into(), iccids.into()];
    Ok(tx.run(ALLOT, &params).await?.len())
}

/// Finds the number that a task reserved or wrote.
pub async fn by_task<D: Database>(db: &D, task: TaskId) -> Result<Option<NumberRow>, DbError> {
    first(&db.run(BY_TASK, &[task.into()]).await?, read)
}

/// Up to `limit` tasks that wait for a retired number or write it.
pub async fn retired_in_tasks<D: Database>(db: &D, limit: u32) -> Result<Vec<TaskId>, DbError> {
    let rows = db.run(RETIRED_IN_TASKS, &[i64::from(limit).into()]).await?;
    rows.iter().map(|row| row.task_id(0)).collect()
}

/// Reserves a number of the province: the one that the chip holds from an earlier task, else the oldest free one;
/// `None` when there is neither. With the blind index of its ICCID comes true when it is from a pool that is recorded
/// as empty, or that an open incident reports as empty.
pub async fn take_of_province<D: Database>(
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
    task: TaskId,
    province: Province,
    now: Timestamp,
) -> Result<Option<(BlindIndex, bool)>, DbError> {
    let params = [
        eid_index.into(),
        task.into(),
        now.into(),
        province.code().into(),
        IncidentKind::ProvinceWithoutNumber.code().into(),
    ];
    let mut taken = tx.run(TAKE_OF_PROVINCE, &params).await?;
    if taken.is_empty() {
        taken = tx.run(TAKE_AFTER_OTHERS, &params).await?;
    }
    first(&taken, |row| Ok((row.index(0)?, row.flag(1)?)))
}

/// Reserves a number that is allotted to `client`; [`DbError::Missed`] when it is not free.
pub async fn take_allotted<D: Database>(
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
    task: TaskId,
    iccid_index: &BlindIndex,
    client: &ClientId,
    now: Timestamp,
) -> Result<(), DbError> {
    let params = vec![
        eid_index.into(),
        task.into(),
        now.into(),
        iccid_index.into(),
        client.into(),
    ];
    tx.later_guarded(TABLE, TAKE_ALLOTTED, params).await
}

/// Gives a held number to a new task of the chip that holds it; [`DbError::Missed`] when that chip does not hold it.
pub async fn take_held<D: Database>(
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
    task: TaskId,
    iccid_index: &BlindIndex,
    now: Timestamp,
) -> Result<(), DbError> {
    let params = vec![task.into(), now.into(), iccid_index.into(), eid_index.into()];
    tx.later_guarded(TABLE, TAKE_HELD, params).await
}

/// Marks the task's number as exposed: part of it is about to reach its chip in `session`. [`DbError::Missed`] when it
/// is not reserved any more.
pub async fn expose<D: Database>(
    tx: &Tx<'_, D>,
    task: TaskId,
    session: SessionId,
    now: Timestamp,
) -> Result<(), DbError> {
    let params = vec![now.into(), session.text().into(), task.into()];
    tx.later_guarded(TABLE, EXPOSE, params).await
}

/// Marks the task's number as not exposed: `session`, which sent nothing of it, is the only one that was given it.
/// Changes nothing when another one was given it too, for this task or before.
pub async fn set_unsent<D: Database>(
    tx: &Tx<'_, D>,
    task: TaskId,
    session: SessionId,
    now: Timestamp,
) -> Result<(), DbError> {
    let params = [now.into(), task.into(), session.text().into()];
    tx.run(SET_UNSENT, &params).await.map(drop)
}

/// Records that the chip holds the task's number. A suspended or retired one stays so. [`DbError::Missed`] when the task
/// has none, or is recorded already.
pub async fn set_written<D: Database>(tx: &Tx<'_, D>, task: TaskId, now: Timestamp) -> Result<(), DbError> {
    tx.later_guarded(TABLE, SET_WRITTEN, vec![now.into(), task.into()])
        .await
}

/// Takes the number that a card held before `task` rewrote it away from the chip: a number in use becomes suspended.
pub async fn leave_rewritten<D: Database>(
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
    task: TaskId,
    now: Timestamp,
) -> Result<Option<NumberRow>, DbError> {
    let params = [now.into(), eid_index.into(), task.into()];
    first(&tx.run(LEAVE_REWRITTEN, &params).await?, read)
}

/// Deletes what was reported about a number that its chip no longer has: whoever gets it next must not see it.
pub async fn forget_reports<D: Database>(tx: &Tx<'_, D>, iccid_index: &BlindIndex) -> Result<(), DbError> {
    for sql in FORGET_REPORTS {
        tx.run(sql, &[iccid_index.into()]).await?;
    }
    Ok(())
}

/// Lets a number that its card no longer has be used again.
pub async fn put_back<D: Database>(
    tx: &Tx<'_, D>,
    iccid_index: &BlindIndex,
    now: Timestamp,
) -> Result<(), DbError> {
    tx.run(PUT_BACK, &[now.into(), iccid_index.into()])
        .await
        .map(drop)
}

/// Takes the number of a task that ends without a written card away from the task, whatever its state. It is free at
/// once, unless part of it may have reached the chip: then the chip holds it. A suspended or retired number stays so.
pub async fn leave_task<D: Database>(tx: &Tx<'_, D>, task: TaskId, now: Timestamp) -> Result<(), DbError> {
    tx.run(LEAVE_TASK, &[now.into(), task.into()]).await.map(drop)
}

/// Reads a number that the chip holds without a task, and of which no session has read whether it is on the card.
pub(super) fn held_without_verdict(eid_index: &BlindIndex) -> Read {
    Read {
        sql: HELD_WITHOUT_VERDICT.statement(),
        columns: COLUMNS,
        params: vec![eid_index.into()],
    }
}

/// Releases the numbers that the chip holds without a task, also suspended ones, or only one of them: it is known that
/// no network lets the chip in with them. Returns how many.
pub async fn give_back_held<D: Database>(
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
    only: Option<BlindIndex>,
    now: Timestamp,
) -> Result<usize, DbError> {
    let params = [now.into(), eid_index.into(), only.into()];
    Ok(tx.run(GIVE_BACK_HELD, &params).await?.len())
}

/// How many columns [`read`] reads.
const COLUMNS: usize = 18;

pub(super) fn read(row: &Row) -> Result<NumberRow, DbError> {
    Ok(NumberRow {
        iccid_index: row.index(0)?,
        iccid_sealed: row.blob(1)?.to_owned(),
        msisdn_index: row.index(2)?,
        msisdn_sealed: row.blob(3)?.to_owned(),
        imsi_sealed: row.blob(4)?.to_owned(),
        smsc: row.optional(5, Row::text)?.map(str::to_owned),
        client_id: row.optional(6, Row::client_id)?,
        k_sealed: row.blob(7)?.to_owned(),
        opc_sealed: row.blob(8)?.to_owned(),
        status: row.code(9, NumberStatus::from_code)?,
        eid_index: row.optional(10, Row::index)?,
        task_id: row.optional(11, Row::task_id)?,
        exposed: row.flag(12)?,
        imported_digest: row.index(13)?,
        is_written: row.optional(14, Row::time)?.is_some(),
        replaces: row.optional(15, Row::index)?,
        has_keys: row.optional(16, Row::time)?.is_none(),
        is_quarantined: row.flag(17)?,
    })
}

/// Deletes up to `limit` numbers that were retired before `before` and that no living chip has; returns how many.
pub async fn purge<D: Database>(tx: &Tx<'_, D>, before: Timestamp, limit: u32) -> Result<usize, DbError> {
    purge_all(
        tx,
        (PURGED, |row| row.index(0).map(|index| index.hex())),
        &PURGE,
        before,
        limit,
    )
    .await
}

/// Up to `limit` numbers that were proven to be written before `before`, and whose K and OPc are still there.
pub async fn with_spent_keys<D: Database>(
    db: &D,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<BlindIndex>, DbError> {
    let params = [before.into(), i64::from(limit).into()];
    let rows = db.run(WITH_SPENT_KEYS, &params).await?;
    rows.iter().map(|row| row.index(0)).collect()
}

/// Puts sealed nothing in the place of K and OPc of a written number. False when another node has done it, or the
/// number is not written any more.
pub async fn destroy_keys<D: Database>(
    tx: &Tx<'_, D>,
    iccid_index: &BlindIndex,
    [k, opc]: [Vec<u8>; 2],
    now: Timestamp,
) -> Result<bool, DbError> {
    let params = [k.into(), opc.into(), now.into(), iccid_index.into()];
    Ok(!tx.run(DESTROY_KEYS, &params).await?.is_empty())
}
