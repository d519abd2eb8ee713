//! Tasks as people search them: table `task` with the chips, their numbers and sessions. Reads only.

use super::list::{Asked, ListedBy, Order, find_page, in_order, listed_by, names, take};
use super::{Database, DbError, Row, Run as _, Value};
use domain::{CardStatus, ClientId, TaskFailure, TaskId, TaskState, TaskStatus, Timestamp, Work, WriteType};
use vault::BlindIndex;

// The engine numbers parameters as they first occur.
macro_rules! listed {
    ($by:literal) => {
        listed_by!(
            "t.id" and "",
            "task t" "", by $by and "",
            "t.id" from "$2" to "$3",
            "(t.client_id = $4 OR $4 IS NULL) AND (t.state = $5 OR $5 IS NULL) AND (t.province = $6 OR $6 IS NULL) \
             AND (t.failure = $7 OR $7 IS NULL) AND (CAST($8 AS BIGINT) IS NULL \
             OR CASE WHEN t.failure IS NULL THEN 0 ELSE 1 END = CAST($8 AS BIGINT)) \
             AND (t.eid_index = $9 OR $9 IS NULL) AND (t.iccid_index = $10 OR $10 IS NULL)",
            "t.id DESC" or "t.id",
            "$4",
            "$11"
        )
    };
}
const ALL: ListedBy = listed!("CAST($1 AS TEXT) IS NULL");
const OF_CHIP: ListedBy = listed!("t.eid_index = $1");
const OF_NUMBER: ListedBy = listed!("t.iccid_index = $1");
const OF_FAILURE: ListedBy = listed!("t.failure = $1");
const OF_CLIENT: ListedBy = listed!("t.client_id = $1");
const WAITING: ListedBy = listed!("t.state = 'waiting' AND t.state = $1");
const WRITING: ListedBy = listed!("t.state = 'writing' AND t.state = $1");
const FAILED: ListedBy = listed!("t.state = 'failed' AND t.state = $1");
const CANCELLED: ListedBy = listed!("t.state = 'cancelled' AND t.state = $1");

const ROWS: &str = "SELECT t.id, t.client_id, t.eid_index, c.eid_sealed, t.iccid_index, n.iccid_sealed, n.msisdn_sealed, \
    t.write_type, t.province, t.state, t.next_work, t.attempt, t.progress, t.failure, t.created_at, t.started_at, \
    t.changed_at, t.finished_at, t.gateway, c.status, \
    (SELECT COUNT(*) FROM device_session s WHERE s.task_id = t.id) AS sessions, \
    (SELECT COUNT(*) FROM device_session s WHERE s.task_id = t.id AND s.state = 'open') AS open_sessions, \
    (SELECT CAST(COALESCE(SUM(s.bytes_up + s.bytes_down), 0) AS BIGINT) FROM device_session s WHERE s.task_id = t.id) AS bytes, \
    (SELECT s.end_reason FROM device_session s WHERE s.task_id = t.id AND s.closed_at IS NOT NULL \
    ORDER BY s.opened_at DESC, s.id DESC LIMIT 1) AS last_end_reason \
    FROM task t JOIN chip c ON c.eid_index = t.eid_index JOIN number n ON n.iccid_index = t.iccid_index \
    WHERE t.id IN (SELECT value FROM json_each($1)) ORDER BY t.id DESC";

/// Conditions of a search for tasks.
#[derive(Clone, Debug, Default)]
pub struct TaskQuery<'a> {
    /// Identifiers from this one on.
    pub from: Option<TaskId>,
    /// Identifiers below this one.
    pub below: Option<TaskId>,
    /// The order of identifiers, which is that of the applications.
    pub order: Order,
    /// Who applied.
    pub client_id: Option<&'a ClientId>,
    /// State as its client sees it.
    pub status: Option<TaskStatus>,
    /// Province of its number.
    pub province: Option<&'static str>,
    /// Why it ended without a written card.
    pub failure: Option<TaskFailure>,
    /// Its chip.
    pub eid_index: Option<BlindIndex>,
    /// Its number.
    pub iccid_index: Option<BlindIndex>,
    /// Most rows.
    pub limit: u32,
}

/// A task with what shows where its card stands.
#[derive(Clone, Debug)]
pub struct ListedTask {
    /// Identifier.
    pub id: TaskId,
    /// Who applied.
    pub client_id: ClientId,
    /// Blind index and sealed EID of its chip.
    pub chip: (BlindIndex, Vec<u8>),
    /// Blind index of the ICCID of its number.
    pub iccid_index: BlindIndex,
    /// Sealed ICCID and MSISDN of its number.
    pub number: [Vec<u8>; 2],
    /// How the number was found.
    pub write_type: WriteType,
    /// Province of its number.
    pub province: Option<String>,
    /// State of the task.
    pub state: TaskState,
    /// The work of the next device session.
    pub next_work: Work,
    /// Number of the write attempt, from 1.
    pub attempt: u32,
    /// Progress in percent.
    pub progress: u8,
    /// Why it ended without a written card, unless its client withdrew it.
    pub failure: Option<TaskFailure>,
    /// When it was applied for.
    pub created_at: Timestamp,
    /// When writing began.
    pub started_at: Option<Timestamp>,
    /// When it last changed.
    pub changed_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The gateway at which writing began.
    pub gateway: Option<String>,
    /// Present state of the card.
    pub card_status: CardStatus,
    /// How many sessions worked for it, of those that are kept.
    pub sessions: u32,
    /// Whether one of them is open.
    pub is_session_open: bool,
    /// What its sessions cost, in bytes.
    pub bytes: u64,
    /// Why its last session that ended did, as a stable word.
    pub last_end_reason: Option<String>,
}

/// State and, of a cancelled task, whether it has a failure.
fn state(status: TaskStatus) -> (TaskState, Option<bool>) {
    match status {
        TaskStatus::Waiting => (TaskState::Waiting, None),
        TaskStatus::Writing => (TaskState::Writing, None),
        TaskStatus::Succeeded => (TaskState::Succeeded, None),
        TaskStatus::Failed => (TaskState::Failed, None),
        TaskStatus::Cancelled => (TaskState::Cancelled, Some(false)),
        TaskStatus::Ended => (TaskState::Cancelled, Some(true)),
    }
}

/// The list that looks at the fewest rows, with the position of its condition among the others.
fn list_of(query: &TaskQuery<'_>, state: Option<TaskState>) -> (ListedBy, Option<usize>) {
    let of_state = match state {
        Some(TaskState::Waiting) => Some(WAITING),
        Some(TaskState::Writing) => Some(WRITING),
        Some(TaskState::Failed) => Some(FAILED),
        Some(TaskState::Cancelled) => Some(CANCELLED),
        Some(TaskState::Succeeded) | None => None,
    };
    if query.eid_index.is_some() {
        (OF_CHIP, Some(5))
    } else if query.iccid_index.is_some() {
        (OF_NUMBER, Some(6))
    } else if query.failure.is_some() {
        (OF_FAILURE, Some(3))
    } else if let (Some(list), true) = (of_state, state.is_some_and(TaskState::is_open)) {
        (list, Some(1))
    } else if query.client_id.is_some() {
        (OF_CLIENT, Some(0))
    } else if let Some(list) = of_state {
        (list, Some(1))
    } else {
        (ALL, None)
    }
}

/// A page of tasks in the order of their applications, and the identifier after which the next one begins.
pub async fn page<D: Database>(
    db: &D,
    query: &TaskQuery<'_>,
) -> Result<(Vec<ListedTask>, Option<TaskId>), DbError> {
    let (state, has_failure) = query.status.map(state).unzip();
    let (list, at) = list_of(query, state);
    let mut others: Vec<Value> = vec![
        query.client_id.into(),
        state.map(TaskState::code).into(),
        query.province.into(),
        query.failure.map(TaskFailure::code).into(),
        has_failure.flatten().into(),
        query.eid_index.into(),
        query.iccid_index.into(),
    ];
    let below = vec![query.below.unwrap_or_else(TaskId::last).into()];
    let from = vec![query.from.map_or_else(String::new, |id| id.text()).into()];
    let asked = Asked {
        by: take(&mut others, at),
        span: match query.order {
            Order::Descending => [below, from],
            Order::Ascending => [from, below],
        },
        order: query.order,
        others,
        limit: query.limit,
    };
    let (found, next) = find_page(db, list, asked).await?;
    let rows = db.run(ROWS, &[names(&found, 0)?]).await?;
    let tasks = in_order(query.order, rows.iter().map(read))?;
    Ok((tasks, next.map(|row| row.task_id(0)).transpose()?))
}

fn read(row: &Row) -> Result<ListedTask, DbError> {
    let text = |at| Ok::<_, DbError>(row.optional(at, Row::text)?.map(str::to_owned));
    Ok(ListedTask {
        id: row.task_id(0)?,
        client_id: row.client_id(1)?,
        chip: (row.index(2)?, row.blob(3)?.to_owned()),
        iccid_index: row.index(4)?,
        number: [row.blob(5)?.to_owned(), row.blob(6)?.to_owned()],
        write_type: row.number_code(7, WriteType::from_code)?,
        province: text(8)?,
        state: row.code(9, TaskState::from_code)?,
        next_work: row.code(10, Work::from_code)?,
        attempt: row.count(11)?,
        progress: row.number_code(12, |percent| u8::try_from(percent).ok())?,
        failure: row.optional(13, |row, at| row.code(at, TaskFailure::from_code))?,
        created_at: row.time(14)?,
        started_at: row.optional(15, Row::time)?,
        changed_at: row.time(16)?,
        finished_at: row.optional(17, Row::time)?,
        gateway: text(18)?,
        card_status: row.number_code(19, CardStatus::from_code)?,
        sessions: row.count(20)?,
        is_session_open: row.integer(21)? > 0,
        bytes: row.unsigned(22)?,
        last_end_reason: text(23)?,
    })
}
