//! `/v1/token`, §7.2.1: exchange `client_id` and `client_secret` for an access token.

use operations::{IssuedToken, issue_token};
use spin_host::{self, Connection, RequiredVariables};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;
use web::{Call, Param, Refusal, Reply, interface};

const REQUIRED_VARIABLES: RequiredVariables = RequiredVariables {
    token_key: true,
    ..RequiredVariables::NONE
};

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    spin_host::serve(&interface::TOKEN, REQUIRED_VARIABLES, request, token).await
}

async fn token(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    call.params.require_all(interface::TOKEN.params)?;
    let client_id = call.params.required_text(Param::ClientId)?;
    let client_secret = call.params.required_text(Param::ClientSecret)?;
    let issued = issue_token(call.cx, client_id, client_secret, call.from).await?;
    Ok(reply(call, issued))
}

fn reply(call: &Call<'_, Connection>, issued: IssuedToken) -> Reply {
    let reply = Reply::ok()
        .with("token", issued.token)
        .with("expire_time", issued.expire_time)
        .with_budget(issued.budget);
    // Every client takes tokens regularly, so this answer reports that its callbacks are stopped.
    match issued.callbacks_stopped_at {
        Some(at) => {
            let at = call.text_of(at);
            reply.with_note(
                format!("回调地址自 {at} 起已停止推送，请联系运营方重新登记"),
                format!("callbacks to your address were stopped at {at}, have the operator enter it again"),
            )
        }
        None => reply,
    }
}
