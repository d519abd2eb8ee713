//! Freezing a client whose secret may have leaked (§9.2.1).

use domain::error::Reason;
use operations::{ClientWork, FrozenClient, freeze_client, unfreeze_client};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::extract::{Call, Json, Staff, rights};
use web::values::{self, ActReason};
use web::{Answer, Success, codes};

const FREEZE_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::UnknownClient,
];

const UNFREEZE_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::UnknownClient,
    Reason::ClientNotFrozen,
];

/// What a client has under way when it is disabled or frozen: it goes on.
#[derive(Serialize, ToSchema)]
pub(crate) struct UnderWay {
    /// 待开机上电的卡片数，至多计 100000 / cards that wait for power-up, 100,000 at most
    cards_waiting: u32,
    /// 写卡中的卡片数，至多计 100000 / cards that are being written, 100,000 at most
    cards_writing: u32,
    /// 尚未送达的消息数，至多计 100000 / messages that are not delivered yet, 100,000 at most
    messages_pending: u32,
}

impl From<ClientWork> for UnderWay {
    fn from(work: ClientWork) -> Self {
        Self {
            cards_waiting: work.cards_waiting,
            cards_writing: work.cards_writing,
            messages_pending: work.messages_pending,
        }
    }
}

/// A client that is frozen, or no longer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientFreeze {
    /// 业务需求方标识 / identifier of the client
    client_id: values::ClientId,
    /// 原因，记入审计记录 / why; kept in the audit trail
    #[serde(rename = "reason")]
    _reason: ActReason,
}

/// A frozen client.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClientFrozen {
    /// 业务需求方标识 / identifier of the client
    #[schema(value_type = values::ClientId)]
    client_id: String,
    /// 失效的接口密钥数 / how many secrets ended
    ended_secrets: usize,
    /// 其进行中的卡片与消息 / what it has under way
    under_way: UnderWay,
}

/// Freezes a client: it is disabled, its secrets and tokens end for good, and nothing is sent to it. What it has applied for
/// stays as it is, and its cards go on.
#[utoipa::path(
    post,
    path = "/admin/v1/clients:freeze",
    summary = "冻结业务需求方 / Freeze a client (§9.2.1)",
    request_body = ClientFreeze,
    responses((status = 200, body = Success<ClientFrozen>)),
    extensions(("x-reasons" = json!(codes(FREEZE_REASONS))))
)]
pub(crate) async fn freeze(
    call: Call,
    _: Staff<rights::ClientsFreeze>,
    Json(request): Json<ClientFreeze>,
) -> Answer<ClientFrozen> {
    let FrozenClient { ended_secrets, work } = freeze_client(&call.context(), &request.client_id).await?;
    Ok(Success::new(ClientFrozen {
        client_id: request.client_id.as_str().to_owned(),
        ended_secrets,
        under_way: work.into(),
    }))
}

/// A client that is no longer frozen.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClientUnfrozen {
    /// 业务需求方标识 / identifier of the client
    #[schema(value_type = values::ClientId)]
    client_id: String,
}

/// Ends the freezing of a client: it is enabled, and the messages that waited are sent. It needs a new secret.
#[utoipa::path(
    post,
    path = "/admin/v1/clients:unfreeze",
    summary = "解除业务需求方的冻结 / Unfreeze a client (§9.2.1)",
    request_body = ClientFreeze,
    responses((status = 200, body = Success<ClientUnfrozen>)),
    extensions(("x-reasons" = json!(codes(UNFREEZE_REASONS))))
)]
pub(crate) async fn unfreeze(
    call: Call,
    _: Staff<rights::ClientsUnfreeze>,
    Json(request): Json<ClientFreeze>,
) -> Answer<ClientUnfrozen> {
    unfreeze_client(&call.context(), &request.client_id).await?;
    Ok(Success::new(ClientUnfrozen {
        client_id: request.client_id.as_str().to_owned(),
    }))
}
