//! What is read of several tables at once, one statement each: a statement is a call from the component into the host,
//! and a join costs less than two calls.

use super::{Database, DbError, Row, Run as _, Statement, first};
use domain::{
    CardStatus, ClientId, NumberStatus, Province, TaskFailure, TaskId, TaskState, Timestamp, Volume,
};
use vault::BlindIndex;

macro_rules! status_columns {
    ($latest:literal) => {
        concat!(
            "c.eid_index, c.eid_sealed, c.client_id, c.status, t.id, t.client_id, t.state, t.progress, t.failure, \
             t.finished_at, ",
            $latest
        )
    };
}
const STATUS_BY_EID: Statement = Statement::new(
    concat!(
        "SELECT ",
        status_columns!("t.id"),
        " FROM chip c LEFT JOIN task t ON t.eid_index = c.eid_index \
         AND t.seq = (SELECT MAX(seq) FROM task WHERE eid_index = c.eid_index) WHERE c.eid_index = $1"
    ),
    "SELECT * FROM status_by_eid($1)",
);
const STATUS_BY_TASK: Statement = Statement::new(
    concat!(
        "SELECT ",
        status_columns!(
            "(SELECT l.id FROM task l WHERE l.eid_index = t.eid_index AND l.client_id = t.client_id \
             ORDER BY l.seq DESC LIMIT 1)"
        ),
        " FROM task t JOIN chip c ON c.eid_index = t.eid_index WHERE t.id = $1"
    ),
    "SELECT * FROM status_by_task($1)",
);

const IS_LAST: &str = "SELECT c.eid_index FROM chip c WHERE c.eid_index = $1 AND c.changed_at = $2 \
    AND (SELECT h.task_id FROM card_history h WHERE h.eid_index = c.eid_index ORDER BY h.seq DESC LIMIT 1) = $3";

macro_rules! chip_facts {
    ($by:literal) => {
        concat!(
            "SELECT c.eid_index, c.eid_sealed, c.client_id, c.imei_sealed, c.chip_model, c.temp_msisdn_index, \
             c.temp_msisdn_sealed, c.temp_iccid_sealed, c.temp_opened_on, c.temp_expires_at, c.status, \
             c.allowance_bytes, c.used_bytes, n.iccid_index FROM chip c LEFT JOIN number n \
             ON n.eid_index = c.eid_index AND n.written_at IS NOT NULL WHERE ",
            $by
        )
    };
}
// The state of the card, if no later task has changed it.
const TASKS_WITH_CARDS: &str = "SELECT t.id, t.state, CASE WHEN t.seq = (SELECT MAX(l.seq) FROM task l \
    WHERE l.eid_index = t.eid_index) THEN c.status END FROM task t JOIN chip c ON c.eid_index = t.eid_index \
    WHERE t.id IN (SELECT value FROM json_each($1))";
const CHIP_BY_EID: &str = chip_facts!("c.eid_index = $1");
const CHIP_BY_TEMP_MSISDN: &str = chip_facts!("c.temp_msisdn_index = $1");

macro_rules! number_facts {
    ($by:literal) => {
        concat!(
            "SELECT n.iccid_index, n.iccid_sealed, n.msisdn_index, n.msisdn_sealed, n.province, n.status, n.client_id, \
             n.open_time, c.eid_index, c.eid_sealed, c.client_id, u.total_bytes, u.used_bytes, u.as_of, l.city, l.as_of, \
             n.status_as_of, n.open_time_as_of \
             FROM number n LEFT JOIN chip c ON c.eid_index = n.eid_index \
             LEFT JOIN number_usage u ON u.iccid_index = n.iccid_index \
             LEFT JOIN number_location l ON l.iccid_index = n.iccid_index WHERE ",
            $by
        )
    };
}
const NUMBER_BY_ICCID: &str = number_facts!("n.iccid_index = $1");
const NUMBER_BY_MSISDN: &str = number_facts!("n.msisdn_index = $1");

// One step into the index from one province to the next: as many steps as provinces, however many numbers there are.
const PROVINCES: &str = "WITH RECURSIVE p (code) AS (SELECT MIN(province) FROM number WHERE status = 'available' AND quarantined = 0 \
    UNION ALL SELECT (SELECT MIN(n.province) FROM number n WHERE n.status = 'available' AND n.quarantined = 0 AND n.province > p.code) \
    FROM p WHERE p.code IS NOT NULL) SELECT code FROM p WHERE code IS NOT NULL";

/// A chip and a task of it.
#[derive(Clone, Debug)]
pub struct StatusRow {
    /// Blind index of the EID.
    pub eid_index: BlindIndex,
    /// Sealed EID.
    pub eid_sealed: Vec<u8>,
    /// The client it belongs to.
    pub client_id: ClientId,
    /// State of the card.
    pub status: CardStatus,
    /// The task, if there is one.
    pub task: Option<StatusTask>,
}

/// A task as its client sees it.
#[derive(Clone, Debug)]
pub struct StatusTask {
    /// Identifier.
    pub id: TaskId,
    /// Who applied.
    pub client_id: ClientId,
    /// State of the task.
    pub state: TaskState,
    /// Progress in percent.
    pub progress: u8,
    /// Why it failed.
    pub failure: Option<TaskFailure>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The latest task of the same client for the chip.
    pub latest_id: TaskId,
}

/// A chip as its client sees it.
#[derive(Clone, Debug)]
pub struct ChipFacts {
    /// Blind index of the EID.
    pub eid_index: BlindIndex,
    /// Sealed EID.
    pub eid_sealed: Vec<u8>,
    /// The client it belongs to.
    pub client_id: ClientId,
    /// Sealed IMEI of its module.
    pub imei_sealed: Option<Vec<u8>>,
    /// Model of the chip.
    pub chip_model: String,
    /// Blind index of the temporary number.
    pub temp_msisdn_index: BlindIndex,
    /// Sealed temporary number.
    pub temp_msisdn_sealed: Vec<u8>,
    /// Sealed ICCID of the temporary number.
    pub temp_iccid_sealed: Vec<u8>,
    /// Day the temporary number was opened, `YYYY-MM-DD`.
    pub temp_opened_on: String,
    /// When it expires.
    pub temp_expires_at: Timestamp,
    /// State of the card.
    pub status: CardStatus,
    /// Test allowance it was given, in bytes.
    pub allowance_bytes: u64,
    /// Bytes of it that are used.
    pub used_bytes: u64,
    /// The operator number that was written to it.
    pub written: Option<BlindIndex>,
}

/// A number as clients see it.
#[derive(Clone, Debug)]
pub struct NumberFacts {
    /// Blind index of the ICCID.
    pub iccid_index: BlindIndex,
    /// Sealed ICCID.
    pub iccid_sealed: Vec<u8>,
    /// Blind index of the MSISDN.
    pub msisdn_index: BlindIndex,
    /// Sealed MSISDN.
    pub msisdn_sealed: Vec<u8>,
    /// Province it belongs to.
    pub province: Province,
    /// State of the number.
    pub status: NumberStatus,
    /// The client it is allotted to.
    pub client_id: Option<ClientId>,
    /// When the operator opened it.
    pub open_time: Option<Timestamp>,
    /// The chip it is reserved for or written to: blind index and sealed EID, and the client it belongs to.
    pub chip: Option<(BlindIndex, Vec<u8>, ClientId)>,
    /// Data of the month of the latest report: total, used, and the time of the report.
    pub usage: Option<(Volume, Volume, Timestamp)>,
    /// City in which it was last online, and when.
    pub location: Option<(String, Timestamp)>,
    /// When its operator last reported its state.
    pub status_as_of: Option<Timestamp>,
    /// When its operator last reported when it was opened.
    pub open_time_as_of: Option<Timestamp>,
}

/// A chip with its latest task.
pub async fn status_by_eid<D: Database>(
    db: &D,
    eid_index: &BlindIndex,
) -> Result<Option<StatusRow>, DbError> {
    first(&db.run(STATUS_BY_EID, &[eid_index.into()]).await?, read_status)
}

/// A task with its chip.
pub async fn status_by_task<D: Database>(db: &D, task: TaskId) -> Result<Option<StatusRow>, DbError> {
    first(&db.run(STATUS_BY_TASK, &[task.into()]).await?, read_status)
}

/// Whether the end of a task at `ended_at` is the last that happened to its card: the latest step is one of this task,
/// and nothing of the card has changed since.
pub async fn is_last<D: Database>(
    db: &D,
    eid_index: &BlindIndex,
    task: TaskId,
    ended_at: Timestamp,
) -> Result<bool, DbError> {
    let params = [eid_index.into(), ended_at.into(), task.into()];
    Ok(!db.run(IS_LAST, &params).await?.is_empty())
}

/// Of these tasks, as far as they are there, the state, and that of the card if the task is its latest.
pub async fn tasks_with_cards<D: Database>(
    db: &D,
    tasks: &[String],
) -> Result<Vec<(TaskId, TaskState, Option<CardStatus>)>, DbError> {
    let list = serde_json::to_string(tasks).map_err(|_| DbError::Shape("a list of tasks".to_owned()))?;
    let read = |row: &Row| {
        Ok((
            row.task_id(0)?,
            row.code(1, TaskState::from_code)?,
            row.optional(2, |row, at| row.number_code(at, CardStatus::from_code))?,
        ))
    };
    let rows = db.run(TASKS_WITH_CARDS, &[list.into()]).await?;
    rows.iter().map(read).collect()
}

/// A chip by its EID.
pub async fn chip_by_eid<D: Database>(db: &D, eid_index: &BlindIndex) -> Result<Option<ChipFacts>, DbError> {
    first(&db.run(CHIP_BY_EID, &[eid_index.into()]).await?, read_chip)
}

/// A chip by its temporary number.
pub async fn chip_by_temp_msisdn<D: Database>(
    db: &D,
    msisdn_index: &BlindIndex,
) -> Result<Option<ChipFacts>, DbError> {
    first(
        &db.run(CHIP_BY_TEMP_MSISDN, &[msisdn_index.into()]).await?,
        read_chip,
    )
}

/// A number by its ICCID.
pub async fn number_by_iccid<D: Database>(
    db: &D,
    iccid_index: &BlindIndex,
) -> Result<Option<NumberFacts>, DbError> {
    first(
        &db.run(NUMBER_BY_ICCID, &[iccid_index.into()]).await?,
        read_number,
    )
}

/// A number by its MSISDN.
pub async fn number_by_msisdn<D: Database>(
    db: &D,
    msisdn_index: &BlindIndex,
) -> Result<Option<NumberFacts>, DbError> {
    first(
        &db.run(NUMBER_BY_MSISDN, &[msisdn_index.into()]).await?,
        read_number,
    )
}

/// The provinces that have a free number, by code.
pub async fn provinces_with_numbers<D: Database>(db: &D) -> Result<Vec<Province>, DbError> {
    let rows = db.run(PROVINCES, &[]).await?;
    rows.iter().map(|row| province(row, 0)).collect()
}

fn province(row: &Row, at: usize) -> Result<Province, DbError> {
    row.code(at, |code| Province::parse(code).ok())
}

fn read_status(row: &Row) -> Result<StatusRow, DbError> {
    let task = match row.optional(4, Row::task_id)? {
        None => None,
        Some(id) => Some(StatusTask {
            id,
            client_id: row.client_id(5)?,
            state: row.code(6, TaskState::from_code)?,
            progress: row.number_code(7, |percent| u8::try_from(percent).ok())?,
            failure: row.optional(8, |row, at| row.code(at, TaskFailure::from_code))?,
            finished_at: row.optional(9, Row::time)?,
            latest_id: row.task_id(10)?,
        }),
    };
    Ok(StatusRow {
        eid_index: row.index(0)?,
        eid_sealed: row.blob(1)?.to_owned(),
        client_id: row.client_id(2)?,
        status: row.number_code(3, CardStatus::from_code)?,
        task,
    })
}

fn read_chip(row: &Row) -> Result<ChipFacts, DbError> {
    Ok(ChipFacts {
        eid_index: row.index(0)?,
        eid_sealed: row.blob(1)?.to_owned(),
        client_id: row.client_id(2)?,
        imei_sealed: row.optional(3, Row::blob)?.map(<[u8]>::to_owned),
        chip_model: row.text(4)?.to_owned(),
        temp_msisdn_index: row.index(5)?,
        temp_msisdn_sealed: row.blob(6)?.to_owned(),
        temp_iccid_sealed: row.blob(7)?.to_owned(),
        temp_opened_on: row.text(8)?.to_owned(),
        temp_expires_at: row.time(9)?,
        status: row.number_code(10, CardStatus::from_code)?,
        allowance_bytes: row.unsigned(11)?,
        used_bytes: row.unsigned(12)?,
        written: row.optional(13, Row::index)?,
    })
}

fn read_number(row: &Row) -> Result<NumberFacts, DbError> {
    let volume = |at| Ok::<_, DbError>(Volume::from_bytes(row.unsigned(at)?));
    let chip = match row.optional(8, Row::index)? {
        None => None,
        Some(eid) => Some((eid, row.blob(9)?.to_owned(), row.client_id(10)?)),
    };
    let usage = match row.optional(13, Row::time)? {
        None => None,
        Some(as_of) => Some((volume(11)?, volume(12)?, as_of)),
    };
    let location = match row.optional(15, Row::time)? {
        None => None,
        Some(as_of) => Some((row.text(14)?.to_owned(), as_of)),
    };
    Ok(NumberFacts {
        iccid_index: row.index(0)?,
        iccid_sealed: row.blob(1)?.to_owned(),
        msisdn_index: row.index(2)?,
        msisdn_sealed: row.blob(3)?.to_owned(),
        province: province(row, 4)?,
        status: row.code(5, NumberStatus::from_code)?,
        client_id: row.optional(6, Row::client_id)?,
        open_time: row.optional(7, Row::time)?,
        chip,
        usage,
        location,
        status_as_of: row.optional(16, Row::time)?,
        open_time_as_of: row.optional(17, Row::time)?,
    })
}
