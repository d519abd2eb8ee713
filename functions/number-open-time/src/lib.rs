//! `/v1/number/open-time`, §7.2.3.4: when the number of a card was opened, its state, and when a temporary one expires.

use spin_host::{self, Connection, RequiredVariables, fresh_open_time};
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
    spin_host::serve(&interface::NUMBER_OPEN_TIME, REQUIRED_VARIABLES, request, opening).await
}

async fn opening(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let opened = fresh_open_time(call, &call.open_time_ref()?).await?;
    Ok(Reply::ok()
        .with("eid", opened.eid)
        .with("msisdn", opened.msisdn)
        .with("open_time", opened.open_time.map(|time| call.text_of(time)))
        .with("card_status", opened.status.zh())
        .with("expire_time", opened.expire_time.map(|time| call.text_of(time))))
}
