//! Finding messages.

use domain::error::{Error, Reason};
use operations::{MAX_MESSAGES_PER_PAGE, MessageFilter, MessageRow, find_messages};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::{Call, ExportOf, Exported, Query, Staff, rights};
use web::values::{self, PageLimit, Parsed, Rows, Time};
use web::{Answer, ExportFile, ExportPage, ExportSource, LocalFuture, Refusal, Success, codes};

const REASONS: &[Reason] = &[
    Reason::ParameterMalformed,
    Reason::CursorMismatch,
    Reason::EidMalformed,
];

type MessageLimit = PageLimit<MAX_MESSAGES_PER_PAGE>;

/// Which messages.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct MessageSearch {
    /// 发给该接收方的消息 / messages to this receiver
    #[param(inline)]
    receiver: Option<values::Receiver>,
    /// 处于该状态的消息 / messages in this state
    #[param(inline)]
    state: Option<values::MessageState>,
    /// 该消息 / this message
    #[param(inline)]
    id: Option<values::MessageId>,
    /// 关于该写卡任务的消息 / messages about this task
    #[param(inline)]
    task_id: Option<values::TaskId>,
    /// 关于该芯片状态变更的消息 / messages about changes of state of this chip
    #[param(inline)]
    eid: Option<values::Eid>,
    /// 自该时间起产生 / created from this time on
    #[param(inline)]
    from: Option<values::Instant>,
    /// 早于该时间产生 / created before this time
    #[param(inline)]
    to: Option<values::Instant>,
    /// 次序 / the order
    #[param(inline)]
    order: Option<values::ListOrder>,
    /// 上一页应答的 next / the `next` of the page before
    #[param(inline, value_type = Option<values::Cursor>)]
    cursor: Option<values::MessageId>,
    /// 每页行数 / rows of a page
    #[param(inline)]
    limit: Option<MessageLimit>,
}

impl From<MessageSearch> for MessageFilter {
    fn from(search: MessageSearch) -> Self {
        Self {
            receiver: search.receiver.map(Parsed::get),
            state: search.state.map(Parsed::get),
            id: search.id.map(Parsed::get),
            task_id: search.task_id.map(Parsed::get),
            eid: search.eid.map(Parsed::get),
            order: search.order.map(Parsed::get).unwrap_or_default(),
            from: search.from.map(Parsed::get),
            to: search.to.map(Parsed::get),
            cursor: search.cursor.map(Parsed::get),
            limit: Rows::of(search.limit),
        }
    }
}

/// A page of messages.
#[derive(Serialize, ToSchema)]
pub(crate) struct Messages {
    /// 消息，默认最新在前；有 state 时，一页可少于 limit 而仍有下一页 / the messages, by default the latest first; with a state a page
    /// may have fewer than limit although another one follows
    callbacks: Vec<Message>,
    /// 下一页的 cursor，无下一页时为 null / `cursor` of the next page; null if there is none
    #[schema(required, value_type = Option<values::Cursor>)]
    next: Option<String>,
}

/// A message, without its content.
#[derive(Serialize, ToSchema)]
struct Message {
    /// 已开始的推送次数 / attempts begun
    attempts: u32,
    /// 产生时间 / when it was created
    created_at: Time,
    /// 最近一次推送失败的原因 / why the last attempt failed, if it failed
    #[schema(required)]
    error: Option<String>,
    /// 送达或放弃的时间 / when it was delivered or given up; null before, and of one without an address
    #[schema(required)]
    finished_at: Option<Time>,
    /// 最近一次推送应答的 HTTP 状态码 / HTTP status of the last attempt, if there was an answer
    #[schema(required)]
    http_status: Option<u32>,
    /// 消息标识 / identifier of the message
    #[schema(value_type = values::MessageId)]
    id: String,
    /// 下次推送的时间 / when the next attempt is due
    next_at: Time,
    /// 接收方 / whom it goes to
    #[schema(value_type = values::Receiver)]
    receiver: String,
    /// 推送状态 / state of the message
    state: values::MessageState,
    /// 写卡任务 ID / the task it is about
    #[schema(required, value_type = Option<values::TaskId>)]
    task_id: Option<String>,
    /// 主题 / what it is about
    topic: String,
}

impl Message {
    fn new(call: &Call, row: MessageRow) -> Self {
        Self {
            attempts: row.attempts,
            created_at: call.time(row.created_at),
            error: row.error,
            finished_at: row.finished_at.map(|at| call.time(at)),
            http_status: row.http_status,
            id: row.id.text(),
            next_at: call.time(row.next_at),
            receiver: row.receiver.code().to_owned(),
            state: row.state.into(),
            task_id: row.task_id.map(|id| id.text()),
            topic: row.topic,
        }
    }
}

/// The messages of a receiver, a task, a chip, or of all, without their content. Without any of these, identifier or
/// `from` only the seven days before `to` are searched.
#[utoipa::path(
    get,
    path = "/admin/v1/callbacks",
    summary = "查询消息及其推送 / Find messages and their delivery (§7.3)",
    params(MessageSearch),
    responses((status = 200, body = Success<Messages>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn find(
    call: Call,
    _: Staff<rights::CallbacksList>,
    Query(search): Query<MessageSearch>,
) -> Answer<Messages> {
    let (messages, next) = find_messages(&call.context(), &search.into()).await?;
    let callbacks = messages.into_iter().map(|row| Message::new(&call, row));
    Ok(Success::new(Messages {
        callbacks: callbacks.collect(),
        next: call.next(next.map(|id| id.text())),
    }))
}

/// An export of the list.
struct MessageExport(MessageFilter);

impl ExportSource for MessageExport {
    const NAME: &'static str = "callbacks";
    const COLUMNS: &'static [&'static str] = &[
        "attempts",
        "created_at",
        "error",
        "finished_at",
        "http_status",
        "id",
        "next_at",
        "receiver",
        "state",
        "task_id",
        "topic",
    ];

    fn page<'a>(&'a mut self, call: &'a Call) -> LocalFuture<'a, Result<ExportPage, Error>> {
        Box::pin(async move {
            let (messages, next) = find_messages(&call.context(), &self.0).await?;
            self.0.cursor = next;
            let rows = messages.into_iter().map(|row| Message::new(call, row));
            ExportPage::new(rows, next.map(|id| id.text()))
        })
    }
}

/// Exports what the list finds, page by page, identifiers masked.
#[utoipa::path(
    get,
    path = "/admin/v1/callbacks:export",
    summary = "导出消息及其推送 / Export messages and their delivery (§7.3)",
    params(ExportOf<MessageSearch>),
    responses((status = 200, content((String = "text/csv"), (String = "application/x-ndjson")))),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn export(
    call: Call,
    _: Staff<rights::CallbacksExport>,
    Exported { search, format }: Exported<MessageSearch>,
) -> Result<ExportFile, Refusal> {
    web::export(call, format, MessageExport(search.into())).await
}
