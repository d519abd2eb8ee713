//! The batches as a list.

use domain::error::Reason;
use operations::{BatchView, MAX_BATCHES_PER_PAGE, list_batches};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::{Call, Query, Staff, rights};
use web::values::{BatchId, BatchKind, BatchState, ClientId, Cursor, PageLimit, Rows, Time};
use web::{Answer, Success, codes};

const REASONS: &[Reason] = &[
    Reason::ParameterMalformed,
    Reason::CursorMismatch,
    Reason::UnknownBatch,
];

type Limit = PageLimit<MAX_BATCHES_PER_PAGE>;

/// A page of batches.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    /// 仅查询该批量任务 / this batch alone
    #[param(inline)]
    batch_id: Option<BatchId>,
    /// 上一页的 next / the next of the page before
    #[param(inline, value_type = Option<Cursor>)]
    cursor: Option<BatchId>,
    /// 每页行数 / rows of a page
    #[param(inline)]
    limit: Option<Limit>,
}

/// 一页批量任务 / a page of batches
#[derive(Serialize, ToSchema)]
pub(crate) struct BatchList {
    /// 批量任务，最新在前 / the batches, the latest first
    batches: Vec<BatchSummary>,
    /// 下一页的位置，没有下一页时为 null / where the next page begins; null if there is none
    #[schema(required, value_type = Option<Cursor>)]
    next: Option<String>,
}

/// 批量任务 / a batch
#[derive(Serialize, ToSchema)]
pub(crate) struct BatchSummary {
    /// 批量任务标识 / identifier of the batch
    #[schema(value_type = BatchId)]
    batch_id: String,
    /// 提交时的键 / the key that was sent
    key: String,
    /// 操作 / what is done to each row
    kind: BatchKind,
    /// 业务需求方标识 / the client
    #[schema(required, value_type = Option<ClientId>)]
    client_id: Option<String>,
    /// 码号池无可用码号时是否拒绝 / whether a row for which the pool has no number is refused
    fail_when_exhausted: bool,
    /// 创建者：账号标识或 admin_secret / who made it: an account, or admin_secret
    who: String,
    /// 操作人，仅限 end / the person who acts, for end alone
    #[schema(required)]
    person: Option<String>,
    /// 原因，仅限 end / why, for end alone
    #[schema(required)]
    note: Option<String>,
    /// 状态 / what it does now
    state: BatchState,
    /// 暂停的原因代码 / code of the reason why it is paused
    #[schema(required, example = "province_without_number")]
    reason: Option<&'static str>,
    /// 暂停的原因 / why it is paused
    #[schema(required)]
    description: Option<&'static str>,
    /// 处理办法 / what to do
    #[schema(required)]
    remedy: Option<&'static str>,
    /// 等待补充码号的省份编码 / codes of the provinces that it waits for numbers of
    province_codes: Vec<String>,
    /// 行数 / its rows
    rows: u64,
    /// 尚未执行的行数 / rows that are to be carried out
    open: u64,
    /// 已执行的行数 / rows that were carried out
    done: u64,
    /// 此前已是该状态的行数 / rows that were so already
    unchanged: u64,
    /// 被拒绝的行数 / rows that were refused
    refused: u64,
    /// 创建时间 / when it was made
    created_at: Time,
    /// 最近一次处理或变更的时间 / when it was last worked on, or changed
    changed_at: Time,
    /// 完成或停止的时间 / when it was done or stopped
    #[schema(required)]
    ended_at: Option<Time>,
    /// 无法解密的字段，仅在有时出现 / the fields whose values cannot be opened; only if there are any
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<&'static str>,
}

impl BatchSummary {
    pub(crate) fn new(call: &Call, batch: BatchView) -> Self {
        let closed = batch.done + batch.unchanged + batch.refused;
        Self {
            batch_id: batch.id.text(),
            key: batch.key,
            kind: batch.kind.into(),
            client_id: batch.client_id.map(|id| id.as_str().to_owned()),
            fail_when_exhausted: batch.fail_when_exhausted,
            who: batch.who,
            person: batch.person,
            note: batch.note,
            state: batch.state.into(),
            reason: batch.reason.map(Reason::code),
            description: batch.reason.map(|reason| reason.message(call.lang)),
            remedy: batch.reason.map(|reason| reason.remedy(call.lang)),
            province_codes: batch.provinces,
            rows: batch.rows,
            open: batch.rows.saturating_sub(closed),
            done: batch.done,
            unchanged: batch.unchanged,
            refused: batch.refused,
            created_at: call.time(batch.created_at),
            changed_at: call.time(batch.changed_at),
            ended_at: batch.ended_at.map(|at| call.time(at)),
            unreadable: batch.unreadable,
        }
    }
}

/// Lists the batches, the latest first, with how far each has come.
#[utoipa::path(
    get,
    path = "/admin/v1/batches",
    summary = "查询批量任务 / List the batches (§5.3.1.1)",
    params(Page),
    responses((status = 200, body = Success<BatchList>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn list(
    call: Call,
    _: Staff<rights::BatchesList>,
    Query(page): Query<Page>,
) -> Answer<BatchList> {
    let (id, cursor) = (page.batch_id.map(BatchId::get), page.cursor.map(BatchId::get));
    let (found, next) = list_batches(&call.context(), id, cursor, Rows::of(page.limit)).await?;
    let batches = found.into_iter();
    Ok(Success::new(BatchList {
        batches: batches.map(|batch| BatchSummary::new(&call, batch)).collect(),
        next: call.next(next.map(|id| id.text())),
    }))
}
