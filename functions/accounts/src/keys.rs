//! One's own API keys.

use domain::error::Reason;
use operations::{ApiKeyView, CreatedApiKey, create_api_key, list_api_keys, revoke_api_key};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::extract::{Call, Json, Staff, rights};
use web::values::Time;
use web::{Answer, Success, codes};

use crate::values::{ApiKeyIdText, LabelText};

const CREATE_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::SessionNeeded,
    Reason::TooMany,
];

const REVOKE_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::SessionNeeded,
    Reason::UnknownApiKey,
];

/// A new API key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewApiKey {
    /// 用途 / what it is for
    name: LabelText,
    /// 有效天数 / for how many days it is valid
    days: u32,
}

/// A new API key.
#[derive(Serialize, ToSchema)]
pub(crate) struct ApiKeyCreated {
    /// API 密钥，仅在此显示 / the key; shown only here
    api_key: String,
    /// 截止时间 / its end
    ends_at: Time,
    /// 标识 / its identifier
    #[schema(value_type = ApiKeyIdText)]
    key_id: String,
}

/// Makes an API key of one's own account, in a session. A program that has it may do what the account may.
#[utoipa::path(
    post,
    path = "/admin/v1/api-keys",
    summary = "创建自己的 API 密钥 / Make an API key of one's own (§10.1)",
    request_body = NewApiKey,
    responses((status = 200, body = Success<ApiKeyCreated>)),
    extensions(("x-reasons" = json!(codes(CREATE_REASONS))))
)]
pub(crate) async fn create(
    call: Call,
    staff: Staff<rights::ApiKeysCreate>,
    Json(new): Json<NewApiKey>,
) -> Answer<ApiKeyCreated> {
    let days = (new.days, call.settings().sign_in.api_key_days);
    let created: CreatedApiKey = create_api_key(&call.context(), &staff, &new.name.0, days).await?;
    Ok(Success::new(ApiKeyCreated {
        api_key: created.key.as_str().to_owned(),
        ends_at: call.time(created.ends_at),
        key_id: created.id.text(),
    }))
}

/// An API key, without its value.
#[derive(Serialize, ToSchema)]
struct ApiKey {
    /// 创建时间 / when it was made
    created_at: Time,
    /// 截止时间 / its end
    ends_at: Time,
    /// 标识 / its identifier
    #[schema(value_type = ApiKeyIdText)]
    key_id: String,
    /// 是否有效 / whether it is valid
    live: bool,
    /// 用途 / what it is for
    name: String,
    /// 吊销时间 / when it was revoked
    #[schema(required)]
    revoked_at: Option<Time>,
    /// 最近使用时间，精确到分 / its last use, to a minute
    #[schema(required)]
    used_at: Option<Time>,
}

/// One's own API keys.
#[derive(Serialize, ToSchema)]
pub(crate) struct ApiKeys {
    /// API 密钥，最早的在前 / the keys, the oldest first
    keys: Vec<ApiKey>,
}

/// Returns one's own API keys, without their values.
#[utoipa::path(
    get,
    path = "/admin/v1/api-keys",
    summary = "查询自己的 API 密钥 / List one's own API keys (§10.1)",
    responses((status = 200, body = Success<ApiKeys>)),
    extensions(("x-reasons" = json!(codes(&[Reason::SessionNeeded]))))
)]
pub(crate) async fn list(call: Call, staff: Staff<rights::ApiKeysList>) -> Answer<ApiKeys> {
    let shown = |key: ApiKeyView| ApiKey {
        created_at: call.time(key.created_at),
        ends_at: call.time(key.ends_at),
        key_id: key.id.text(),
        live: key.live,
        name: key.label,
        revoked_at: key.revoked_at.map(|at| call.time(at)),
        used_at: key.used_at.map(|at| call.time(at)),
    };
    let keys = list_api_keys(&call.context(), &staff).await?;
    Ok(Success::new(ApiKeys {
        keys: keys.into_iter().map(shown).collect(),
    }))
}

/// Which API key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhichApiKey {
    /// 标识 / its identifier
    key_id: ApiKeyIdText,
}

/// An API key that has ended.
#[derive(Serialize, ToSchema)]
pub(crate) struct ApiKeyRevoked {
    /// 标识 / its identifier
    #[schema(value_type = ApiKeyIdText)]
    key_id: String,
}

/// Ends one of one's own API keys at once.
#[utoipa::path(
    post,
    path = "/admin/v1/api-keys:revoke",
    summary = "吊销自己的 API 密钥 / End an API key of one's own (§10.1)",
    request_body = WhichApiKey,
    responses((status = 200, body = Success<ApiKeyRevoked>)),
    extensions(("x-reasons" = json!(codes(REVOKE_REASONS))))
)]
pub(crate) async fn revoke(
    call: Call,
    staff: Staff<rights::ApiKeysRevoke>,
    Json(which): Json<WhichApiKey>,
) -> Answer<ApiKeyRevoked> {
    let id = which.key_id.get().0;
    revoke_api_key(&call.context(), &staff, id).await?;
    Ok(Success::new(ApiKeyRevoked { key_id: id.text() }))
}
