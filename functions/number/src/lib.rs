//! `/v1/number`, §7.2.3.2: a number, the chip it is in, its province and its state.

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
    spin_host::serve(&interface::NUMBER, REQUIRED_VARIABLES, request, number).await
}

async fn number(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let number = fresh_number(call, &call.number_ref()?, &[Topic::Status, Topic::OpenTime]).await?;
    Ok(Reply::ok()
        .with("msisdn", number.msisdn)
        .with("iccid", number.iccid)
        .with("eid", number.eid)
        .with("province", number.province.zh())
        .with("card_status", number.status.zh())
        .with("open_time", number.open_time.map(|time| call.text_of(time))))
}
