//! `/v1/token`, §7.2.1: exchange `client_id` and `client_secret` for an access token.

#![forbid(unsafe_code)]

use domain::Timestamp;
use domain::error::{Lang, Reason};
use operations::issue_token;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::{Anyone, Call, Query};
use web::{Answer, Routes, Success, codes, routes};

/// The routes of this component.
#[must_use]
pub fn router() -> Routes {
    Routes::new().routes(routes!(token as "token", token_by_post as "token"))
}

/// The name of the operation in limits.
const OPERATION: &str = "token";

/// Why this operation refuses, besides the reasons that every operation has.
const REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ClientUnknownOrSecretWrong,
    Reason::ClientDisabled,
    Reason::IpNotAllowed,
];

// Texts: a malformed identifier is refused like an unknown one.
/// The credentials of a client.
#[derive(Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Credentials {
    /// 业务需求方标识 / identifier of the client
    #[param(max_length = 64, pattern = r"\S", example = "cl_0123456789abcdef0123")]
    #[schema(max_length = 64, pattern = r"\S", examples("cl_0123456789abcdef0123"))]
    client_id: String,
    /// 业务需求方密钥 / secret of the client
    #[param(max_length = 256, pattern = r"\S", example = "xks_…")]
    #[schema(max_length = 256, pattern = r"\S", examples("xks_…"))]
    client_secret: String,
}

/// An access token.
#[derive(Serialize, ToSchema)]
struct AccessToken {
    /// 认证令牌 / access token
    #[schema(max_length = 256, examples("v1.cl_0123456789abcdef0123.1.1783036800000.…"))]
    token: String,
    /// 有效期，秒 / validity in seconds
    #[schema(minimum = 1, examples(86_400))]
    expire_time: i64,
    /// 给业务需求方的提示，仅当回调已停止推送时出现 / a notice for the client; only while its callbacks are stopped
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<String>,
}

/// Exchanges the credentials of a client for an access token.
#[utoipa::path(
    get,
    path = "/v1/token",
    summary = "获取认证令牌 / Take an access token (§7.2.1)",
    params(Credentials),
    responses((status = 200, body = Success<AccessToken>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
async fn token(call: Call, _: Anyone, Query(credentials): Query<Credentials>) -> Answer<AccessToken> {
    let Credentials {
        client_id,
        client_secret,
    } = credentials;
    let issued = issue_token(&call.context(), &client_id, &client_secret, call.from).await?;
    let answer = Success::new(AccessToken {
        token: issued.token,
        expire_time: issued.expire_time,
        // Every client takes tokens regularly, so this answer reports that its callbacks are stopped.
        notice: issued.callbacks_stopped_at.map(|at| stopped(&call, at)),
    });
    Ok(answer.with_budget(OPERATION, issued.budget))
}

/// The notice that callbacks were stopped.
fn stopped(call: &Call, at: Timestamp) -> String {
    let at = call.time(at).text();
    match call.lang {
        Lang::Zh => format!("回调地址自 {at} 起已停止推送，请联系运营方重新登记"),
        Lang::En => {
            format!("callbacks to your address were stopped at {at}, have the operator enter it again")
        }
    }
}

/// The same by POST, with the parameters as a form or as JSON.
#[utoipa::path(
    post,
    path = "/v1/token",
    summary = "获取认证令牌 / Take an access token (§7.2.1)",
    request_body(content((Credentials = "application/x-www-form-urlencoded"), (Credentials = "application/json"))),
    responses((status = 200, body = Success<AccessToken>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
async fn token_by_post(call: Call, anyone: Anyone, credentials: Query<Credentials>) -> Answer<AccessToken> {
    token(call, anyone, credentials).await
}
