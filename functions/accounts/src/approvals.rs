//! Acts that wait for a second person.

use domain::error::Reason;
use operations::{ApprovalView, MAX_APPROVALS_PER_PAGE, list_approvals, refuse_approval};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::{Call, Json, Query, Staff, rights};
use web::values::{ActReason, ApprovalId, Cursor, PageLimit, Rows, Time};
use web::{Answer, Success, codes};

const REFUSE_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::UnknownApproval,
    Reason::RightNotHeld,
    Reason::ApprovalEnded,
];

type ApprovalLimit = PageLimit<MAX_APPROVALS_PER_PAGE>;

/// Which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApprovalList {
    /// 上一页应答的 next / the `next` of the page before
    #[param(inline, value_type = Option<Cursor>)]
    cursor: Option<ApprovalId>,
    /// 每页行数 / rows of a page
    #[param(inline)]
    limit: Option<ApprovalLimit>,
}

/// A page of acts that wait for a second person.
#[derive(Serialize, ToSchema)]
pub(crate) struct Approvals {
    /// 等待第二人的操作，最早的在前 / the acts, the oldest first
    approvals: Vec<Approval>,
    /// 下一页的 cursor，无下一页时为 null / `cursor` of the next page; null if there is none
    #[schema(required, value_type = Option<Cursor>)]
    next: Option<String>,
}

/// An act that waits for a second person.
#[derive(Serialize, ToSchema)]
struct Approval {
    /// 标识，第二人以请求头 x-approval 提交 / its identifier, which the second person sends as the header x-approval
    #[schema(value_type = ApprovalId)]
    approval_id: String,
    /// 操作权限 / the right of the operation
    right: String,
    /// 何人提出 / who asks for it
    asked_by: String,
    /// 对象，掩码 / on what, masked
    object: String,
    /// 提出时间 / when it was asked for
    asked_at: Time,
    /// 自何时起可由第二人执行 / from when on a second person can carry it out
    begins_at: Time,
    /// 到期时间 / until when
    ends_at: Time,
}

impl Approval {
    fn new(call: &Call, view: ApprovalView) -> Self {
        Self {
            approval_id: view.id.text(),
            right: view.what,
            asked_by: view.who,
            object: view.object,
            asked_at: call.time(view.created_at),
            begins_at: call.time(view.begins_at),
            ends_at: call.time(view.ends_at),
        }
    }
}

/// Lists the acts that wait for a second person.
#[utoipa::path(
    get,
    path = "/admin/v1/approvals",
    summary = "查询等待第二人的操作 / List the acts that wait for a second person (§10.1)",
    params(ApprovalList),
    responses((status = 200, body = Success<Approvals>)),
    extensions(("x-reasons" = json!(codes(&[Reason::ParameterMalformed, Reason::CursorMismatch]))))
)]
pub(crate) async fn list(
    call: Call,
    _: Staff<rights::ApprovalsList>,
    Query(which): Query<ApprovalList>,
) -> Answer<Approvals> {
    let after = which.cursor.map(ApprovalId::get);
    let (approvals, next) = list_approvals(&call.context(), after, Rows::of(which.limit)).await?;
    let approvals = approvals.into_iter().map(|view| Approval::new(&call, view));
    Ok(Success::new(Approvals {
        approvals: approvals.collect(),
        next: call.next(next.map(|id| id.text())),
    }))
}

/// An act that is refused.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApprovalRefusal {
    /// 标识 / its identifier
    approval_id: ApprovalId,
    /// 原因，记入审计记录 / why; kept in the audit trail
    #[serde(rename = "reason")]
    _reason: ActReason,
}

/// A refused act.
#[derive(Serialize, ToSchema)]
pub(crate) struct ApprovalRefused {
    /// 标识 / its identifier
    #[schema(value_type = ApprovalId)]
    approval_id: String,
}

/// Refuses an act that somebody else asks for and that one may do, or takes back one's own.
#[utoipa::path(
    post,
    path = "/admin/v1/approvals:refuse",
    summary = "拒绝或撤回等待第二人的操作 / Refuse or take back an act that waits for a second person (§10.1)",
    request_body = ApprovalRefusal,
    responses((status = 200, body = Success<ApprovalRefused>)),
    extensions(("x-reasons" = json!(codes(REFUSE_REASONS))))
)]
pub(crate) async fn refuse(
    call: Call,
    staff: Staff<rights::ApprovalsRefuse>,
    Json(refusal): Json<ApprovalRefusal>,
) -> Answer<ApprovalRefused> {
    let id = refusal.approval_id.get();
    refuse_approval(&call.context(), &staff, id).await?;
    Ok(Success::new(ApprovalRefused {
        approval_id: id.text(),
    }))
}
