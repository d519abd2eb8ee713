//! Secrets of clients, and the tokens taken with them (§9.2.1).

use domain::error::Reason;
use operations::OVERLAP_SECS;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::extract::{Call, Json, Staff, rights};
use web::values::{self, Time};
use web::{Answer, Success, codes};

const ROTATE_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::UnknownClient,
    Reason::ClientClosed,
    Reason::SecretsInRotation,
];

const REVOKE_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::UnknownSecret,
];

const TOKENS_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::UnknownClient,
];

/// A client that gets a new secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientSecretRotation {
    /// 业务需求方标识 / identifier of the client
    client_id: values::ClientId,
    /// 原密钥继续有效的秒数，默认 86400，0 表示立即失效 / seconds for which the present one stays valid, by default 86400
    overlap_secs: Option<u32>,
}

/// A new secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClientSecretRotated {
    /// 新接口密钥，仅在此显示 / the new secret; shown only here
    client_secret: String,
    /// 序号，自 1 起 / number among the client's secrets, from 1
    generation: i64,
    /// 原密钥的失效时间 / when the previous secret ends, if there is one
    #[schema(required)]
    previous_expires_at: Option<Time>,
}

/// Gives a client a new secret beside its present one. It is shown only in this answer.
#[utoipa::path(
    post,
    path = "/admin/v1/clients:rotate-secret",
    summary = "更换接口密钥 / Give a client a new secret beside its present one (§9.2.1)",
    request_body = ClientSecretRotation,
    responses((status = 200, body = Success<ClientSecretRotated>)),
    extensions(("x-reasons" = json!(codes(ROTATE_REASONS))))
)]
pub(crate) async fn rotate(
    call: Call,
    _: Staff<rights::ClientsRotateSecret>,
    Json(rotation): Json<ClientSecretRotation>,
) -> Answer<ClientSecretRotated> {
    let overlap = rotation.overlap_secs.unwrap_or(OVERLAP_SECS);
    let rotated = operations::rotate_secret(&call.context(), &rotation.client_id, overlap).await?;
    Ok(Success::new(ClientSecretRotated {
        client_secret: rotated.client_secret.as_str().to_owned(),
        generation: rotated.generation,
        previous_expires_at: rotated.previous_expires_at.map(|at| call.time(at)),
    }))
}

/// A secret to revoke.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientSecretRevocation {
    /// 业务需求方标识 / identifier of the client
    client_id: values::ClientId,
    /// 密钥序号 / number of the secret
    generation: i64,
}

/// Nothing but the success.
#[derive(Serialize, ToSchema)]
pub(crate) struct Revoked {}

/// Revokes one secret and the tokens taken with it.
#[utoipa::path(
    post,
    path = "/admin/v1/clients:revoke-secret",
    summary = "吊销一个接口密钥及其令牌 / Revoke one secret and the tokens taken with it (§9.2.1)",
    request_body = ClientSecretRevocation,
    responses((status = 200, body = Success<Revoked>)),
    extensions(("x-reasons" = json!(codes(REVOKE_REASONS))))
)]
pub(crate) async fn revoke(
    call: Call,
    _: Staff<rights::ClientsRevokeSecret>,
    Json(secret): Json<ClientSecretRevocation>,
) -> Answer<Revoked> {
    operations::revoke_secret(&call.context(), &secret.client_id, secret.generation).await?;
    Ok(Success::new(Revoked {}))
}

/// A client whose tokens are revoked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenRevocation {
    /// 业务需求方标识 / identifier of the client
    client_id: values::ClientId,
}

/// Revokes every token of a client.
#[utoipa::path(
    post,
    path = "/admin/v1/clients:revoke-tokens",
    summary = "吊销业务需求方的全部令牌 / Revoke every token of a client (§9.2.1)",
    request_body = TokenRevocation,
    responses((status = 200, body = Success<Revoked>)),
    extensions(("x-reasons" = json!(codes(TOKENS_REASONS))))
)]
pub(crate) async fn revoke_tokens(
    call: Call,
    _: Staff<rights::ClientsRevokeTokens>,
    Json(revocation): Json<TokenRevocation>,
) -> Answer<Revoked> {
    operations::revoke_tokens(&call.context(), &revocation.client_id).await?;
    Ok(Success::new(Revoked {}))
}
