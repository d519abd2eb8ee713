//! `/v1/write/provinces`, §7.2.2.1: the provinces for which automatic writing has a number now.

use operations::provinces;
use serde_json::json;
use spin_host::{self, Connection, RequiredVariables};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;
use web::{Call, Refusal, Reply, interface};

const REQUIRED_VARIABLES: RequiredVariables = RequiredVariables {
    token_key: true,
    ..RequiredVariables::NONE
};

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    spin_host::serve(&interface::WRITE_PROVINCES, REQUIRED_VARIABLES, request, writable).await
}

async fn writable(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let provinces = provinces(call.cx).await?;
    let provinces: Vec<_> = provinces
        .iter()
        .map(|province| json!({"name": province.zh(), "code": province.code()}))
        .collect();
    Ok(Reply::ok().with("provinces", provinces))
}
