//! The call log (§9.2.2).

use domain::Malformed;
use domain::error::{Error, Reason};
use operations::{CallFilter, CallRow, MAX_CALLS_PER_PAGE, search_calls};
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::{IntoParams, ToSchema};
use web::extract::{Call, ExportOf, Exported, Query, Staff, rights};
use web::values::{self, Kind, PageLimit, Parsed, Rows, Time};
use web::{Answer, ExportFile, ExportPage, ExportSource, LocalFuture, Refusal, Success, codes};

const REASONS: &[Reason] = &[
    Reason::ParameterMalformed,
    Reason::CursorMismatch,
    Reason::EidMalformed,
];

/// A key of the call log.
struct CallKey(i64);

impl Kind for CallKey {
    const NAME: &'static str = "CallKey";

    fn parse(text: &str) -> Result<Self, Malformed> {
        let wrong = Malformed::new(domain::Kind::Value, "应为整数", "not a whole number");
        text.parse().map(Self).map_err(|_| wrong)
    }

    fn object() -> Object {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("调用日志中的位置 / a place in the call log"))
            .pattern(Some("^[0-9]+$"))
            .build()
    }
}

type CallCursor = Parsed<CallKey>;
type CallLimit = PageLimit<MAX_CALLS_PER_PAGE>;

/// Which calls.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallSearch {
    /// 该业务需求方的调用 / calls of this client
    #[param(inline)]
    client_id: Option<values::ClientId>,
    /// 涉及该芯片的调用 / calls about this chip
    #[param(inline)]
    eid: Option<values::Eid>,
    /// 涉及该写卡任务的调用 / calls about this task
    #[param(inline)]
    task_id: Option<values::TaskId>,
    /// 该接口的调用 / calls of this interface
    #[param(max_length = 64)]
    interface: Option<String>,
    /// 以该原因拒绝的调用 / calls refused for this reason
    #[param(max_length = 64)]
    reason: Option<String>,
    /// 该请求的调用 / the call of this request
    #[param(max_length = 64)]
    request_id: Option<String>,
    /// 自该时间起 / from this time on
    #[param(inline)]
    from: Option<values::Instant>,
    /// 早于该时间 / before this time
    #[param(inline)]
    to: Option<values::Instant>,
    /// 上一页应答的 next / the `next` of the page before
    #[param(inline, value_type = Option<values::Cursor>)]
    cursor: Option<CallCursor>,
    /// 每页行数 / rows of a page
    #[param(inline)]
    limit: Option<CallLimit>,
}

impl CallSearch {
    fn filter(&self) -> CallFilter<'_> {
        CallFilter {
            client_id: self.client_id.as_deref().cloned(),
            eid: self.eid.as_deref().copied(),
            task_id: self.task_id.as_deref().copied(),
            secret_generation: None,
            interface: self.interface.as_deref(),
            reason: self.reason.as_deref(),
            request_id: self.request_id.as_deref(),
            from: self.from.as_deref().copied(),
            to: self.to.as_deref().copied(),
            cursor: self.cursor.as_ref().map(|key| key.0),
            limit: Rows::of(self.limit.clone()),
        }
    }
}

/// A page of the call log.
#[derive(Serialize, ToSchema)]
pub(crate) struct LoggedCalls {
    /// 调用，最新在前；有多个条件时，一页可少于 limit 而仍有下一页 / the calls, the latest first; with several conditions a page may
    /// have fewer than limit although another one follows
    calls: Vec<LoggedCall>,
    /// 下一页的 cursor，无下一页时为 null / `cursor` of the next page; null if there is none
    #[schema(required, value_type = Option<values::Cursor>)]
    next: Option<String>,
}

/// A call.
#[derive(Serialize, ToSchema)]
struct LoggedCall {
    /// 调用方地址 / address of the caller
    #[schema(required)]
    address: Option<String>,
    /// 调用时间 / when it came
    at: Time,
    /// 业务需求方标识，已知时也包括被拒绝的调用 / the client, if it is known, also of a refused call
    #[schema(required, value_type = Option<values::ClientId>)]
    client_id: Option<String>,
    /// HTTP 状态码 / HTTP status of the answer
    code: i64,
    /// 处理时长，微秒 / how long the answer took, in microseconds
    duration_us: i64,
    /// 接口 / name of the interface
    interface: String,
    /// 拒绝原因 / reason of a refusal
    #[schema(required)]
    reason: Option<String>,
    /// 请求标识 / identifier of the request
    request_id: String,
    /// 业务需求方所用密钥的序号 / generation of the secret that the client presented, or took its token with
    #[schema(required)]
    secret_generation: Option<i64>,
    /// 涉及的标识，掩码 / what it was about, masked
    #[schema(required)]
    subject: Option<String>,
    /// 该行所代表的多次被拒绝的调用，仅在一行代表多次调用时出现 / the refused calls that the row stands for; only where it is not
    /// one call
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<RefusedCalls>,
    /// 写卡任务 ID / the task it was about
    #[schema(required, value_type = Option<values::TaskId>)]
    task_id: Option<String>,
}

/// Refused calls of one minute and caller.
#[derive(Serialize, ToSchema)]
struct RefusedCalls {
    /// 次数 / how many
    calls: i64,
    /// 第一次调用的时间 / when the first came
    first_at: Time,
    /// 最后一次调用的时间 / when the last came
    last_at: Time,
    /// 拒绝原因 / why they were refused
    reasons: Vec<String>,
    /// 两次调用间的最短间隔，毫秒 / the shortest time between two of them, in milliseconds
    #[schema(required)]
    shortest_gap_ms: Option<i64>,
}

impl LoggedCall {
    fn new(call: &Call, row: CallRow) -> Self {
        Self {
            at: call.time(row.at()),
            address: row.address,
            client_id: row.client_id,
            code: row.code,
            duration_us: row.duration_us,
            interface: row.interface,
            reason: row.reason,
            request_id: row.request_id,
            secret_generation: row.secret_generation,
            subject: row.subject,
            summary: row.summary.map(|summary| RefusedCalls {
                calls: summary.calls,
                first_at: call.time(summary.first),
                last_at: call.time(summary.last),
                reasons: summary.reasons,
                shortest_gap_ms: summary.gap_ms,
            }),
            task_id: row.task_id,
        }
    }
}

/// Finds calls by client, chip, task, interface, reason and time, the latest first. Without client, chip, task or
/// `from` only the seven days before `to` are searched.
#[utoipa::path(
    get,
    path = "/admin/v1/calls",
    summary = "查询调用日志 / Search the call log (§9.2.2)",
    params(CallSearch),
    responses((status = 200, body = Success<LoggedCalls>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn search(
    call: Call,
    _: Staff<rights::CallsList>,
    Query(search): Query<CallSearch>,
) -> Answer<LoggedCalls> {
    let page = search_calls(&call.context(), &search.filter()).await?;
    let calls = page.calls.into_iter().map(|row| LoggedCall::new(&call, row));
    Ok(Success::new(LoggedCalls {
        calls: calls.collect(),
        next: call.next(page.next.map(|key| key.to_string())),
    }))
}

/// An export of the list.
struct CallExport(CallSearch);

impl ExportSource for CallExport {
    const NAME: &'static str = "calls";
    const COLUMNS: &'static [&'static str] = &[
        "address",
        "at",
        "client_id",
        "code",
        "duration_us",
        "interface",
        "reason",
        "request_id",
        "secret_generation",
        "subject",
        "summary",
        "task_id",
    ];

    fn page<'a>(&'a mut self, call: &'a Call) -> LocalFuture<'a, Result<ExportPage, Error>> {
        Box::pin(async move {
            let page = search_calls(&call.context(), &self.0.filter()).await?;
            self.0.cursor = page.next.map(|key| CallKey(key).into());
            let rows = page.calls.into_iter().map(|row| LoggedCall::new(call, row));
            ExportPage::new(rows, page.next.map(|key| key.to_string()))
        })
    }
}

/// Exports what the list finds, page by page, identifiers masked.
#[utoipa::path(
    get,
    path = "/admin/v1/calls:export",
    summary = "导出调用日志 / Export the call log (§9.2.2)",
    params(ExportOf<CallSearch>),
    responses((status = 200, content((String = "text/csv"), (String = "application/x-ndjson")))),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn export(
    call: Call,
    _: Staff<rights::CallsExport>,
    Exported { search, format }: Exported<CallSearch>,
) -> Result<ExportFile, Refusal> {
    web::export(call, format, CallExport(search)).await
}
