//! What an account, or whoever had a secret of a client, did since a time, and what can be undone (§9.2).

use domain::Undo;
use domain::error::{Error, Reason};
use operations::{ActFilter, MAX_AUDIT_ROWS_PER_PAGE, ReportedAct, account_report, secret_report};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::{Call, Query, Staff, rights};
use web::values::{self, Cursor, Instant, PageLimit, Rows, Time};
use web::{Answer, Success, codes};

use crate::audit::{AuditCursor, AuditDetail};

const REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::ParameterNotApplicable,
    Reason::CursorMismatch,
    Reason::UnknownAccount,
    Reason::UnknownSecret,
];

type ActLimit = PageLimit<MAX_AUDIT_ROWS_PER_PAGE>;

/// Whose acts.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActSearch {
    /// 该人员账号所为；与 client_id 填其一 / of this account; either it or client_id
    #[param(inline)]
    account_id: Option<values::AccountId>,
    /// 用该业务需求方的密钥所为，须填 generation / with a secret of this client, of which generation says which
    #[param(inline)]
    client_id: Option<values::ClientId>,
    /// 密钥序号 / number of the secret
    #[param(minimum = 1, example = 1)]
    generation: Option<u32>,
    /// 自该时间起 / from this time on
    #[param(inline)]
    from: Instant,
    /// 早于该时间 / before this time
    #[param(inline)]
    to: Option<Instant>,
    /// 仅该操作权限（账号）或该接口（密钥） / only of this right, or with a secret only of this interface
    #[param(max_length = 64, example = "clients.update")]
    what: Option<String>,
    /// 上一页的 next / the next of the page before
    #[param(inline, value_type = Option<Cursor>)]
    cursor: Option<AuditCursor>,
    /// 每页行数 / rows of a page
    #[param(inline)]
    limit: Option<ActLimit>,
}

/// 所为之事 / what was done
#[derive(Serialize, ToSchema)]
pub(crate) struct ActReport {
    /// 所为之事，最近的在前；一页可少于 limit 而仍有下一页 / what was done, the latest first; a page may have fewer than limit
    /// although another one follows
    acts: Vec<Act>,
    /// 下一页的 cursor，没有下一页时为 null / `cursor` of the next page; null if there is none
    #[schema(required, value_type = Option<Cursor>)]
    next: Option<String>,
}

/// 一项操作或调用 / an act of staff, or a call of a client
#[derive(Serialize, ToSchema)]
struct Act {
    /// 时间 / when
    at: Time,
    /// 操作权限，或接口 / the right of the operation, or the interface
    what: String,
    /// 结果：done、refused、failed / what became of it: done, refused or failed
    outcome: &'static str,
    /// 拒绝或失败的原因代码 / stable name of the reason of a refusal or failure
    #[schema(required)]
    reason: Option<String>,
    /// 来源地址 / from where
    address: String,
    /// 请求标识 / identifier of the request
    request_id: String,
    /// 对象，掩码 / on what, masked
    #[schema(required)]
    object: Option<String>,
    /// 写卡任务 ID / the task that a call was about
    #[schema(required, value_type = Option<values::TaskId>)]
    task_id: Option<String>,
    /// 详情，仅人员的操作 / the details of an act of staff
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<AuditDetail>,
    /// 如何撤销；不能或无须撤销时为 null / how it can be undone; null where it cannot, or need not
    #[schema(required)]
    undo: Option<ActUndo>,
    /// 无法解密的字段，仅在有时出现 / the fields whose values cannot be opened; only if there are any
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<&'static str>,
}

/// 撤销的办法 / how something is undone
#[derive(Serialize, ToSchema)]
struct ActUndo {
    /// 所用操作的权限 / the right of the operation that undoes it
    right: &'static str,
    /// 办法（中文） / how, in Chinese
    how_zh: &'static str,
    /// 办法（英文） / how, in English
    how_en: &'static str,
}

impl From<Undo> for ActUndo {
    fn from(undo: Undo) -> Self {
        Self {
            right: undo.right.code(),
            how_zh: undo.zh,
            how_en: undo.en,
        }
    }
}

impl Act {
    fn new(call: &Call, act: ReportedAct) -> Self {
        Self {
            at: call.time(act.at),
            what: act.what,
            outcome: act.outcome.code(),
            reason: act.reason,
            address: act.address,
            request_id: act.request_id,
            object: act.object,
            task_id: act.task_id,
            detail: act.detail.map(Into::into),
            undo: act.undo.map(Into::into),
            unreadable: act.unreadable,
        }
    }
}

/// Reports what an account, or whoever had a secret of a client, did since a time, and how each act can be undone.
#[utoipa::path(
    get,
    path = "/admin/v1/audit:report",
    summary = "查询账号或密钥自某时起的全部作为 / Report what an account or a secret did since a time (§9.2)",
    params(ActSearch),
    responses((status = 200, body = Success<ActReport>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn report(
    call: Call,
    _: Staff<rights::AuditReport>,
    Query(search): Query<ActSearch>,
) -> Answer<ActReport> {
    let filter = ActFilter {
        from: search.from.get(),
        to: search.to.map(Instant::get),
        what: search.what.as_deref(),
        cursor: search.cursor.map(|key| key.get().0),
        limit: Rows::of(search.limit),
    };
    let (acts, next) = match (search.account_id, search.client_id, search.generation) {
        (Some(account), None, None) => account_report(&call.context(), account.get(), filter).await?,
        (None, Some(client), Some(generation)) => {
            secret_report(&call.context(), (&client, generation.into()), filter).await?
        }
        (None, Some(_), None) => return Err(refused(Reason::ParameterMissing, "generation").into()),
        (None, None, None) => return Err(refused(Reason::ParameterMissing, "account_id").into()),
        (None, None, Some(_)) => return Err(refused(Reason::ParameterMissing, "client_id").into()),
        (Some(_), ..) => return Err(Reason::ParameterNotApplicable.into()),
    };
    let acts = acts.into_iter().map(|act| Act::new(&call, act));
    Ok(Success::new(ActReport {
        acts: acts.collect(),
        next: call.next(next.map(|key| key.to_string())),
    }))
}

fn refused(reason: Reason, field: &'static str) -> Error {
    Error::new(reason).with_field(field)
}
