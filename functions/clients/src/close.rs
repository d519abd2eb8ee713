//! A client leaves.

use domain::error::Reason;
use operations::{ActNote, MAX_CLOSED_PER_CALL, close_client};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::extract::{Call, Json, Staff, rights};
use web::values::{self, ActReason, PageLimit, Person, Rows};
use web::{Answer, Success, codes};

use crate::freeze::UnderWay;

const REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::UnknownClient,
    Reason::ClientFrozen,
];

type CloseLimit = PageLimit<MAX_CLOSED_PER_CALL>;

/// A client that is closed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientClosing {
    /// 业务需求方标识 / identifier of the client
    client_id: values::ClientId,
    /// 操作人姓名 / name of the person who acts
    person: Person,
    /// 原因 / why
    reason: ActReason,
    /// 本次至多终止的任务数与收回的码号数 / most tasks that this call ends, and most numbers that it takes back
    limit: Option<CloseLimit>,
}

/// A closed client.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClientClosed {
    /// 业务需求方标识 / identifier of the client
    #[schema(value_type = values::ClientId)]
    client_id: String,
    /// 失效的接口密钥数 / how many secrets ended
    ended_secrets: usize,
    /// 终止的等待中的任务数 / how many tasks that waited for power-up ended
    ended_tasks: usize,
    /// 收回的已划拨码号数 / how many numbers that were allotted to it returned to the pool
    returned_numbers: usize,
    /// 其进行中的卡片与消息 / what it still has under way
    under_way: UnderWay,
    /// 是否还有待终止或待收回的；是则再次提交 / whether there is more to end or to take back: repeat the call then
    more: bool,
}

/// Closes a client for good: its secrets end, what waits for power-up ends, what is allotted to it returns to the pool. Cards that
/// are being written are finished, and the messages about them are sent.
#[utoipa::path(
    post,
    path = "/admin/v1/clients:close",
    summary = "业务需求方销户 / Close a client for good (§6.2.1.1)",
    request_body = ClientClosing,
    responses((status = 200, body = Success<ClientClosed>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn close(
    call: Call,
    _: Staff<rights::ClientsClose>,
    Json(closing): Json<ClientClosing>,
) -> Answer<ClientClosed> {
    let note = ActNote {
        person: &closing.person.0,
        text: &closing.reason.0,
    };
    let limit = Rows::of(closing.limit);
    let closed = close_client(&call.context(), &closing.client_id, &note, limit).await?;
    Ok(Success::new(ClientClosed {
        client_id: closing.client_id.as_str().to_owned(),
        ended_secrets: closed.ended_secrets,
        ended_tasks: closed.ended_tasks,
        returned_numbers: closed.returned_numbers,
        under_way: closed.work.into(),
        more: closed.more,
    }))
}
