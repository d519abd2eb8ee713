//! `/v1/write/status`, §7.2.2.3: state and progress of a card, by `eid` (its latest task) or by `task_id`.

use operations::{StatusView, status};
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
    spin_host::serve(
        &interface::WRITE_STATUS,
        REQUIRED_VARIABLES,
        request,
        write_status,
    )
    .await
}

async fn write_status(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let task = call.task_ref().await?;
    let view = status(call.cx, call.caller()?, &task).await?;
    Ok(reply(call, &view))
}

fn reply(call: &Call<'_, Connection>, view: &StatusView) -> Reply {
    Reply::ok()
        .with("eid", view.eid.as_str())
        .with("task_id", view.task_id.map(|id| id.text()))
        .with("card_status", view.card_status.zh())
        .with("progress", format!("{}%", view.progress))
        .with("write_time", view.write_time.map(|time| call.text_of(time)))
}
