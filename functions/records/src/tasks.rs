//! Tasks, for administrators and for the clients that applied.

use domain::error::{Error, Lang, Reason};
use operations::{MAX_TASKS_PER_PAGE, TaskFilter, TaskListPage, TaskListing, list_tasks, own_tasks};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::permits::WriteTasks;
use web::extract::{Call, Caller, ExportOf, Exported, Query, Staff, rights};
use web::values::{
    CardState, ClientId, Cursor, Eid, Iccid, Instant, ListOrder, Msisdn, PageLimit, ProvinceCode, Rows,
    TaskFailure, TaskId, TaskStatus, Time,
};
use web::{Answer, ExportFile, ExportPage, ExportSource, LocalFuture, Refusal, Success, codes};

/// Why administrators are refused, besides the reasons that every operation has.
const REASONS: &[Reason] = &[
    Reason::ParameterMalformed,
    Reason::CursorMismatch,
    Reason::EidMalformed,
    Reason::IccidMalformed,
    Reason::MsisdnMalformed,
    Reason::ProvinceMalformed,
];

/// Why clients are.
const OWN_REASONS: &[Reason] = &[
    Reason::ParameterMalformed,
    Reason::CursorMismatch,
    Reason::EidMalformed,
    Reason::IccidMalformed,
    Reason::MsisdnMalformed,
    Reason::ProvinceMalformed,
    Reason::UnknownTask,
];

type Limit = PageLimit<MAX_TASKS_PER_PAGE>;

/// Conditions of a search, for callers who name a client and for clients.
macro_rules! searches {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ident)? } $(of $client:expr)?;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Deserialize, IntoParams)]
        #[into_params(parameter_in = Query)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            $($(#[$field_doc])* #[param(inline)] $field: Option<$kind>,)?
            /// 写卡任务 ID / identifier of the task
            #[param(inline)]
            task_id: Option<TaskId>,
            /// 芯片 EID / EID of the chip
            #[param(inline)]
            eid: Option<Eid>,
            /// 码号的 ICCID / ICCID of the number
            #[param(inline)]
            iccid: Option<Iccid>,
            /// 13 位物联网号码 / 13-digit IoT number
            #[param(inline)]
            msisdn: Option<Msisdn>,
            /// 任务状态 / state of the task
            #[param(inline)]
            status: Option<TaskStatus>,
            /// 码号所属省份 / province of the number
            #[param(inline)]
            province_code: Option<ProvinceCode>,
            /// 未成功的原因 / why it ended without a written card
            #[param(inline)]
            failure: Option<TaskFailure>,
            /// 申请时间起（含） / applied for from this time on
            #[param(inline)]
            from: Option<Instant>,
            /// 申请时间止（不含） / applied for before this time
            #[param(inline)]
            to: Option<Instant>,
            /// 次序 / the order
            #[param(inline)]
            order: Option<ListOrder>,
            /// 上一页的 next / the next of the page before
            #[param(inline, value_type = Option<Cursor>)]
            cursor: Option<TaskId>,
            /// 每页行数 / rows of a page
            #[param(inline)]
            limit: Option<Limit>,
        }

        impl From<$name> for TaskFilter {
            fn from(search: $name) -> Self {
                Self {
                    $($field: search.$field.map($kind::get),)?
                    $(client_id: $client,)?
                    task_id: search.task_id.map(TaskId::get),
                    eid: search.eid.map(Eid::get),
                    iccid: search.iccid.map(Iccid::get),
                    msisdn: search.msisdn.map(Msisdn::get),
                    status: search.status.map(TaskStatus::get),
                    province: search.province_code.map(ProvinceCode::get),
                    failure: search.failure.map(TaskFailure::get),
                    from: search.from.map(Instant::get),
                    to: search.to.map(Instant::get),
                    order: search.order.map(ListOrder::get).unwrap_or_default(),
                    cursor: search.cursor.map(TaskId::get),
                    limit: Rows::of(search.limit),
                }
            }
        }
    )+};
}

searches! {
    /// Conditions of a search among the tasks of all clients.
    Search {
        /// 业务需求方标识 / identifier of the client
        client_id: ClientId
    };
    /// Conditions of a search among the tasks of the caller.
    OwnSearch {} of None;
}

/// 一页写卡任务 / a page of tasks
#[derive(Serialize, ToSchema)]
pub(crate) struct TaskPage {
    /// 写卡任务，默认最近申请的在前；有多个条件时，一页可少于 limit 而仍有下一页 / the tasks, by default the latest application first; with several
    /// conditions a page may have fewer than limit although another one follows
    tasks: Vec<ListedTask>,
    /// 下一页的位置，没有下一页时为 null / where the next page begins; null if there is none
    #[schema(required, value_type = Option<Cursor>)]
    next: Option<String>,
}

/// 写卡任务 / a task
#[derive(Serialize, ToSchema)]
pub(crate) struct ListedTask {
    /// 写卡任务 ID / identifier of the task
    #[schema(value_type = TaskId)]
    task_id: String,
    /// 业务需求方标识 / the client that applied
    #[schema(value_type = ClientId)]
    client_id: String,
    /// 芯片 EID；无法解密时为 null / EID of the chip; null if it cannot be opened
    #[schema(required, value_type = Option<Eid>)]
    eid: Option<String>,
    /// 码号的 ICCID；无法解密时为 null / ICCID of the number; null if it cannot be opened
    #[schema(required, value_type = Option<Iccid>)]
    iccid: Option<String>,
    /// 码号；无法解密时为 null / the number; null if it cannot be opened
    #[schema(required, value_type = Option<Msisdn>)]
    msisdn: Option<String>,
    /// 写卡方式：0 指定，1 自动 / 0 designated, 1 automatic
    write_type: i64,
    /// 码号所属省份 / province of the number
    #[schema(required, value_type = Option<ProvinceCode>)]
    province_code: Option<String>,
    /// 任务状态 / state of the task
    task_status: TaskStatus,
    /// 卡片当前状态 / present state of the card
    card_status: CardState,
    /// 下一次会话的工作：`write`（写入）或 `verify`（已写入并回读一致，待验证通信） / what its next session is for: `write`, or `verify`: it
    /// was written and read back equal
    next_work: &'static str,
    /// 任务进度，百分比 / progress of the task in percent
    progress: u8,
    /// 第几次写入，自 1 起 / which attempt to write it is, from 1
    attempts: u32,
    /// 申请时间 / when it was applied for
    applied_at: Time,
    /// 开始写卡的时间 / when writing began
    #[schema(required)]
    started_at: Option<Time>,
    /// 最近变化的时间，写卡中为卡片最近确认一步的时间 / when it last changed; while it is written, when its card last acknowledged a step
    changed_at: Time,
    /// 任务结束时间 / when it ended, however
    #[schema(required)]
    finished_at: Option<Time>,
    /// 未成功的原因 / why it ended without a written card
    #[schema(required)]
    failure: Option<TaskFailure>,
    /// 任务状态描述 / what became of it
    description: &'static str,
    /// 未成功时的处理办法 / what to do where it failed
    #[schema(required)]
    remedy: Option<&'static str>,
    /// 设备会话次数，以留存期内为限 / how many sessions worked for it, of those that are kept
    sessions: u32,
    /// 是否有进行中的会话 / whether one of them is open
    session_open: bool,
    /// 各次会话的流量，字节 / what its sessions cost, in bytes
    bytes_used: u64,
    /// 最近一次已结束会话的结束原因代码 / stable name of the reason for which its last session that ended did
    #[schema(required, example = "link_lost")]
    last_end_reason: Option<String>,
    /// 开始写卡的网关 / the gateway at which writing began
    #[schema(required)]
    gateway: Option<String>,
    /// 无法解密的字段，仅在有时出现 / the fields whose values cannot be opened; only if there are any
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<&'static str>,
}

impl ListedTask {
    fn new(call: &Call, task: TaskListing) -> Self {
        let (description, remedy) = match (task.failure, call.lang) {
            (Some(failure), Lang::Zh) => (failure.zh(), Some(failure.remedy_zh())),
            (Some(failure), Lang::En) => (failure.en(), Some(failure.remedy_en())),
            (None, Lang::Zh) => (task.status.zh(), None),
            (None, Lang::En) => (task.status.en(), None),
        };
        Self {
            task_id: task.id.text(),
            client_id: task.client_id.as_str().to_owned(),
            eid: task.eid,
            iccid: task.iccid,
            msisdn: task.msisdn,
            write_type: task.write_type.code(),
            province_code: task.province,
            task_status: task.status.into(),
            card_status: CardState(task.card_status.zh()),
            next_work: task.next_work.code(),
            progress: task.progress,
            attempts: task.attempt,
            applied_at: call.time(task.applied_at),
            started_at: task.started_at.map(|at| call.time(at)),
            changed_at: call.time(task.changed_at),
            finished_at: task.finished_at.map(|at| call.time(at)),
            failure: task.failure.map(Into::into),
            description,
            remedy,
            sessions: task.sessions,
            session_open: task.is_session_open,
            bytes_used: task.bytes,
            last_end_reason: task.last_end_reason,
            gateway: task.gateway,
            unreadable: task.unreadable,
        }
    }
}

fn answer(call: &Call, page: TaskListPage) -> Success<TaskPage> {
    let tasks = page.tasks.into_iter();
    Success::new(TaskPage {
        tasks: tasks.map(|task| ListedTask::new(call, task)).collect(),
        next: call.next(page.next.map(|id| id.text())),
    })
}

/// Finds tasks, the latest application first.
#[utoipa::path(
    get,
    path = "/admin/v1/tasks",
    summary = "查询写卡任务 / Find tasks (§5.3.1.1)",
    params(Search),
    responses((status = 200, body = Success<TaskPage>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn list(
    call: Call,
    _: Staff<rights::TasksList>,
    Query(search): Query<Search>,
) -> Answer<TaskPage> {
    let page = list_tasks(&call.context(), &search.into()).await?;
    Ok(answer(&call, page))
}

/// Finds tasks of the caller, the latest application first. Chips and numbers of others have none.
#[utoipa::path(
    get,
    path = "/v1/write/tasks",
    summary = "查询本方的写卡任务与记录 / Find the caller's own tasks (§5.3.1.1)",
    params(OwnSearch),
    responses((status = 200, body = Success<TaskPage>)),
    extensions(("x-reasons" = json!(codes(OWN_REASONS))))
)]
pub(crate) async fn own(
    call: Call,
    caller: Caller<WriteTasks>,
    Query(search): Query<OwnSearch>,
) -> Answer<TaskPage> {
    let page = own_tasks(&call.context(), &caller, search.into()).await?;
    Ok(answer(&call, page))
}

/// An export of the list.
struct TaskExport(TaskFilter);

impl ExportSource for TaskExport {
    const NAME: &'static str = "tasks";
    const COLUMNS: &'static [&'static str] = &[
        "task_id",
        "client_id",
        "eid",
        "iccid",
        "msisdn",
        "write_type",
        "province_code",
        "task_status",
        "card_status",
        "next_work",
        "progress",
        "attempts",
        "applied_at",
        "started_at",
        "changed_at",
        "finished_at",
        "failure",
        "description",
        "remedy",
        "sessions",
        "session_open",
        "bytes_used",
        "last_end_reason",
        "gateway",
        "unreadable",
    ];

    fn page<'a>(&'a mut self, call: &'a Call) -> LocalFuture<'a, Result<ExportPage, Error>> {
        Box::pin(async move {
            let page = list_tasks(&call.context(), &self.0).await?;
            self.0.cursor = page.next;
            let rows = page.tasks.into_iter().map(|task| ListedTask::new(call, task));
            ExportPage::new(rows, page.next.map(|id| id.text()))
        })
    }
}

/// Exports what the list finds, page by page, identifiers masked.
#[utoipa::path(
    get,
    path = "/admin/v1/tasks:export",
    summary = "导出写卡任务 / Export tasks (§5.3.1.1)",
    params(ExportOf<Search>),
    responses((status = 200, content((String = "text/csv"), (String = "application/x-ndjson")))),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn export(
    call: Call,
    _: Staff<rights::TasksExport>,
    Exported { search, format }: Exported<Search>,
) -> Result<ExportFile, Refusal> {
    web::export(call, format, TaskExport(search.into())).await
}
