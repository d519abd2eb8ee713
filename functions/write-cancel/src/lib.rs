//! `/v1/write/cancel`, §7.2.2.4: withdraw an application while the card waits for power-up.

use operations::cancel;
use spin_host::{self, Connection, RequiredVariables};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;
use web::{Call, Refusal, Reply, interface};

const REQUIRED_VARIABLES: RequiredVariables = RequiredVariables {
    sealing_keys: true,
    token_key: true,
    ..RequiredVariables::NONE
};

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    spin_host::serve(&interface::WRITE_CANCEL, REQUIRED_VARIABLES, request, withdrawal).await
}

async fn withdrawal(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let task = call.task_ref().await?;
    let cancelled = cancel(call.cx, call.caller()?, &task).await?;
    Ok(Reply::ok().with("cancel_time", call.text_of(cancelled.at)))
}
