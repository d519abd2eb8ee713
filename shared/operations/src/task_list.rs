//! §5.3.1.1: tasks with what shows where their cards stand. Reads only, a bounded number of rows.

use super::Context;
use super::unreadable::RowOpener;
use domain::error::Error;
use domain::{
    CardStatus, ClientId, Eid, Iccid, Msisdn, Province, TaskFailure, TaskId, TaskStatus, Timestamp, Work,
    WriteType,
};
use store::task_list::{self, ListedTask, TaskQuery};
use store::{Database, Order, chip, number};
use vault::{BlindIndex, IndexKind};

/// Most tasks of one page.
pub const MAX_TASKS_PER_PAGE: u32 = 200;

/// Conditions of a search.
#[derive(Clone, Debug, Default)]
pub struct TaskFilter {
    /// This task.
    pub task_id: Option<TaskId>,
    /// Of this client.
    pub client_id: Option<ClientId>,
    /// Of this chip.
    pub eid: Option<Eid>,
    /// Of the number with this ICCID.
    pub iccid: Option<Iccid>,
    /// Of the number with this MSISDN.
    pub msisdn: Option<Msisdn>,
    /// In this state.
    pub status: Option<TaskStatus>,
    /// With a number of this province.
    pub province: Option<Province>,
    /// Ended for this reason.
    pub failure: Option<TaskFailure>,
    /// Applied for from this time on.
    pub from: Option<Timestamp>,
    /// Applied for before this time.
    pub to: Option<Timestamp>,
    /// The order of applications.
    pub order: Order,
    /// The `next` of the page before.
    pub cursor: Option<TaskId>,
    /// Most rows; at most [`MAX_TASKS_PER_PAGE`].
    pub limit: u32,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskListing {
    /// Identifier.
    pub id: TaskId,
    /// Who applied.
    pub client_id: ClientId,
    /// EID of the chip; none if it cannot be opened.
    pub eid: Option<String>,
    /// ICCID of the number; none if it cannot be opened.
    pub iccid: Option<String>,
    /// MSISDN of the number; none if it cannot be opened.
    pub msisdn: Option<String>,
    /// How the number was found.
    pub write_type: WriteType,
    /// Code of the province of its number.
    pub province: Option<String>,
    /// State of the task.
    pub status: TaskStatus,
    /// Present state of the card.
    pub card_status: CardStatus,
    /// The work of the next session.
    pub next_work: Work,
    /// Number of the write attempt, from 1.
    pub attempt: u32,
    /// Progress in percent.
    pub progress: u8,
    /// Why it ended without a written card, unless its client withdrew it.
    pub failure: Option<TaskFailure>,
    /// When it was applied for.
    pub applied_at: Timestamp,
    /// When writing began.
    pub started_at: Option<Timestamp>,
    /// When it last changed: with each step that the card acknowledged.
    pub changed_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The gateway at which writing began.
    pub gateway: Option<String>,
    /// How many sessions worked for it, of those that are kept.
    pub sessions: u32,
    /// Whether one of them is open.
    pub is_session_open: bool,
    /// What its sessions cost, in bytes.
    pub bytes: u64,
    /// Why the last one that ended did, as a stable word.
    pub last_end_reason: Option<String>,
    /// The fields whose values cannot be opened.
    pub unreadable: Vec<&'static str>,
}

/// A page of tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskListPage {
    /// The tasks.
    pub tasks: Vec<TaskListing>,
    /// Where the next page begins, if there may be one.
    pub next: Option<TaskId>,
}

/// Finds tasks in the order of their applications. A value that cannot be opened is named in its task and hides no other. A page with
/// several conditions may have fewer tasks than its limit although another one follows.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn list_tasks<D: Database>(
    cx: &Context<'_, D>,
    filter: &TaskFilter,
) -> Result<TaskListPage, Error> {
    let Some(iccid_index) = number_of(cx, filter).await? else {
        return Ok(TaskListPage {
            tasks: Vec::new(),
            next: None,
        });
    };
    let (above, below) = match filter.order {
        Order::Descending => (None, filter.cursor),
        Order::Ascending => (filter.cursor.map(TaskId::next), None),
    };
    let first = [filter.from.map(TaskId::first), filter.task_id, above];
    let end = [
        filter.to.map(TaskId::first),
        filter.task_id.map(TaskId::next),
        below,
    ];
    let query = TaskQuery {
        from: first.into_iter().flatten().max(),
        below: end.into_iter().flatten().min(),
        client_id: filter.client_id.as_ref(),
        status: filter.status,
        province: filter.province.map(Province::code),
        failure: filter.failure,
        eid_index: filter.eid.as_ref().map(|eid| cx.eid_index(eid)),
        iccid_index,
        order: filter.order,
        limit: filter.limit.clamp(1, MAX_TASKS_PER_PAGE),
    };
    let (tasks, next) = task_list::page(cx.db, &query).await?;
    let tasks = tasks.into_iter().map(|task| listing(cx, task)).collect();
    Ok(TaskListPage { tasks, next })
}

/// The number that a search names, if it names one; none when there is no such number.
async fn number_of<D: Database>(
    cx: &Context<'_, D>,
    filter: &TaskFilter,
) -> Result<Option<Option<BlindIndex>>, Error> {
    let named = filter
        .iccid
        .as_ref()
        .map(|iccid| cx.vault.blind_index(IndexKind::Iccid, iccid.as_str().as_bytes()));
    let Some(msisdn) = &filter.msisdn else {
        return Ok(Some(named));
    };
    let msisdn = cx
        .vault
        .blind_index(IndexKind::Msisdn, msisdn.as_str().as_bytes());
    let found = number::by_msisdn(cx.db, &msisdn).await?;
    let found = found.map(|number| number.iccid_index);
    Ok(found
        .filter(|found| named.is_none_or(|named| named == *found))
        .map(Some))
}

fn listing<D>(cx: &Context<'_, D>, task: ListedTask) -> TaskListing {
    let (eid_index, eid_sealed) = &task.chip;
    let mut opener = RowOpener::new(cx, eid_index.as_bytes());
    let eid = opener.identifier("eid", chip::EID, Some(eid_sealed));
    let mut unreadable = opener.unreadable;
    let [iccid_sealed, msisdn_sealed] = &task.number;
    let mut opener = RowOpener::new(cx, task.iccid_index.as_bytes());
    let iccid = opener.identifier("iccid", number::ICCID, Some(iccid_sealed));
    let msisdn = opener.identifier("msisdn", number::MSISDN, Some(msisdn_sealed));
    unreadable.extend(opener.unreadable);
    TaskListing {
        id: task.id,
        client_id: task.client_id,
        eid,
        iccid,
        msisdn,
        write_type: task.write_type,
        province: task.province,
        status: TaskStatus::of(task.state, task.failure),
        card_status: task.card_status,
        next_work: task.next_work,
        attempt: task.attempt,
        progress: task.progress,
        failure: task.failure,
        applied_at: task.created_at,
        started_at: task.started_at,
        changed_at: task.changed_at,
        finished_at: task.finished_at,
        gateway: task.gateway,
        sessions: task.sessions,
        is_session_open: task.is_session_open,
        bytes: task.bytes,
        last_end_reason: task.last_end_reason,
        unreadable,
    }
}
