//! The sessions that chips opened, and why they ended (§6.2.3).

use domain::error::{Error, Reason};
use operations::{MAX_SESSIONS_PER_PAGE, SessionFilter, SessionView, list_sessions};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::{Call, ExportOf, Exported, Query, Staff, rights};
use web::values::{Cursor, Eid, Instant, ListOrder, PageLimit, RowCursor, Rows, SessionId, TaskId, Time};
use web::{Answer, ExportFile, ExportPage, ExportSource, LocalFuture, Refusal, Success, codes};

use crate::values::EndReason;

/// Why this operation refuses, besides the reasons that every operation has.
const REASONS: &[Reason] = &[
    Reason::ParameterMalformed,
    Reason::CursorMismatch,
    Reason::EidMalformed,
];

type Limit = PageLimit<MAX_SESSIONS_PER_PAGE>;

/// Conditions of a search.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Search {
    /// 芯片 EID / EID of the chip
    #[param(inline)]
    eid: Option<Eid>,
    /// 会话标识 / identifier of the session
    #[param(inline)]
    id: Option<SessionId>,
    /// 所属写卡任务 / the task it worked for
    #[param(inline)]
    task_id: Option<TaskId>,
    /// 结束原因代码 / stable name of the reason for which it ended
    #[param(inline)]
    reason: Option<EndReason>,
    /// 建立时间起（含） / opened from this time on
    #[param(inline)]
    from: Option<Instant>,
    /// 建立时间止（不含） / opened before this time
    #[param(inline)]
    to: Option<Instant>,
    /// 次序 / the order
    #[param(inline)]
    order: Option<ListOrder>,
    /// 上一页的 next / the next of the page before
    #[param(inline, value_type = Option<Cursor>)]
    cursor: Option<RowCursor>,
    /// 每页行数 / rows of a page
    #[param(inline)]
    limit: Option<Limit>,
}

impl From<Search> for SessionFilter {
    fn from(search: Search) -> Self {
        Self {
            eid: search.eid.map(Eid::get),
            id: search.id.map(SessionId::get),
            task_id: search.task_id.map(TaskId::get),
            order: search.order.map(ListOrder::get).unwrap_or_default(),
            reason: search.reason.map(|reason| reason.get().0),
            from: search.from.map(Instant::get),
            to: search.to.map(Instant::get),
            cursor: search.cursor.map(RowCursor::get),
            limit: Rows::of(search.limit),
        }
    }
}

/// 一页会话 / a page of sessions
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionPage {
    /// 会话，默认最新在前；有 task_id 等多个条件时，一页可少于 limit 而仍有下一页 / the sessions, by default the latest first; with
    /// several conditions a page may have fewer than limit although another one follows
    sessions: Vec<DeviceSession>,
    /// 下一页的位置，没有下一页时为 null / where the next page begins; null if there is none
    #[schema(required, value_type = Option<Cursor>)]
    next: Option<String>,
}

/// 一次设备会话 / a session of a chip
#[derive(Serialize, ToSchema)]
pub(crate) struct DeviceSession {
    /// 会话标识 / identifier of the session
    #[schema(value_type = SessionId)]
    id: String,
    /// 芯片 EID；无法解密时为 null / EID of the chip; null if it cannot be opened
    #[schema(required, value_type = Option<Eid>)]
    eid: Option<String>,
    /// 所属写卡任务 / the task it worked for
    #[schema(required, value_type = Option<TaskId>)]
    task_id: Option<String>,
    /// 本次会话的工作：`write`、`verify` 或 `none` / what it was for: `write`, `verify` or `none`
    work: &'static str,
    /// `open`（进行中）、`superseded`（被更新的会话取代，或任务已终止）或 `closed`（已结束） / `open`, `superseded` (by a newer
    /// session or the end of its task) or `closed`
    state: &'static str,
    /// 结束原因代码，未知时为 null / stable name of the reason for which it ended; null if not known
    #[schema(required, example = "work_not_understood")]
    end_reason: Option<String>,
    /// 网关的说明 / what the gateway noted
    #[schema(required)]
    note: Option<String>,
    /// 设备的地址与端口 / address and port of the device
    peer: String,
    /// 是否恢复中断的会话 / whether the chip resumed a broken session
    resumed: bool,
    /// 上行字节数 / bytes from the card
    bytes_up: u64,
    /// 下行字节数 / bytes to the card
    bytes_down: u64,
    /// 建立时间 / when it was opened
    opened_at: Time,
    /// 结束时间 / when it ended
    #[schema(required)]
    closed_at: Option<Time>,
    /// 无任务而核对芯片所占码号时，卡中 IMSI 是否为另一个（该码号随即释放）；未核对时为 null / without a task, for a number
    /// that the chip holds: whether the card had another IMSI, which frees that number; null if it was not looked for
    #[schema(required)]
    other_imsi: Option<bool>,
    /// 无法解密的字段，仅在有时出现 / the fields whose values cannot be opened; only if there are any
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<&'static str>,
}

impl DeviceSession {
    fn new(call: &Call, session: SessionView) -> Self {
        Self {
            id: session.id.text(),
            eid: session.eid,
            task_id: session.task_id.map(|id| id.text()),
            work: session.work.code(),
            state: session.state,
            end_reason: session.end_reason,
            note: session.note,
            peer: session.peer,
            resumed: session.resumed,
            bytes_up: session.bytes_up,
            bytes_down: session.bytes_down,
            opened_at: call.time(session.opened_at),
            closed_at: session.closed_at.map(|at| call.time(at)),
            other_imsi: session.other_imsi,
            unreadable: session.unreadable,
        }
    }
}

/// Finds sessions, the latest first.
#[utoipa::path(
    get,
    path = "/admin/v1/sessions",
    summary = "查询设备会话及其结束原因 / Find device sessions and why they ended (§6.2.3)",
    params(Search),
    responses((status = 200, body = Success<SessionPage>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn list(
    call: Call,
    _: Staff<rights::SessionsList>,
    Query(search): Query<Search>,
) -> Answer<SessionPage> {
    let page = list_sessions(&call.context(), &search.into()).await?;
    let sessions = page.sessions.into_iter();
    Ok(Success::new(SessionPage {
        sessions: sessions
            .map(|session| DeviceSession::new(&call, session))
            .collect(),
        next: call.next(page.next.map(|key| key.text())),
    }))
}

/// An export of the list.
struct SessionExport(SessionFilter);

impl ExportSource for SessionExport {
    const NAME: &'static str = "sessions";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "eid",
        "task_id",
        "work",
        "state",
        "end_reason",
        "note",
        "peer",
        "resumed",
        "bytes_up",
        "bytes_down",
        "opened_at",
        "closed_at",
        "other_imsi",
        "unreadable",
    ];

    fn page<'a>(&'a mut self, call: &'a Call) -> LocalFuture<'a, Result<ExportPage, Error>> {
        Box::pin(async move {
            let page = list_sessions(&call.context(), &self.0).await?;
            self.0.cursor.clone_from(&page.next);
            let rows = page.sessions.into_iter();
            let rows = rows.map(|session| DeviceSession::new(call, session));
            ExportPage::new(rows, page.next.map(|key| key.text()))
        })
    }
}

/// Exports what the list finds, page by page, identifiers masked.
#[utoipa::path(
    get,
    path = "/admin/v1/sessions:export",
    summary = "导出设备会话 / Export device sessions (§6.2.3)",
    params(ExportOf<Search>),
    responses((status = 200, content((String = "text/csv"), (String = "application/x-ndjson")))),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn export(
    call: Call,
    _: Staff<rights::SessionsExport>,
    Exported { search, format }: Exported<Search>,
) -> Result<ExportFile, Refusal> {
    web::export(call, format, SessionExport(search.into())).await
}
