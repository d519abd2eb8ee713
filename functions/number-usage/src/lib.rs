//! `/v1/number/usage`, §7.2.3.3: the data of a number for this month, and what it has used.

use operations::Topic;
use spin_host::{self, Connection, RequiredVariables, fresh_number};
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
    spin_host::serve(&interface::NUMBER_USAGE, REQUIRED_VARIABLES, request, usage).await
}

async fn usage(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let number = fresh_number(call, &call.number_ref()?, &[Topic::Usage]).await?;
    let usage = number.usage;
    Ok(Reply::ok()
        .with("msisdn", number.msisdn)
        .with("iccid", number.iccid)
        .with("total_flow", usage.map(|usage| usage.total.json()))
        .with("used_flow", usage.map(|usage| usage.used.json()))
        .with("remaining_flow", usage.map(|usage| usage.remaining().json()))
        .with("update_time", usage.map(|usage| call.text_of(usage.as_of))))
}
