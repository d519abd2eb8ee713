//! `/v1/number/city`, §7.2.3.5: the city in which a number was last online, and its province.

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
    spin_host::serve(&interface::NUMBER_CITY, REQUIRED_VARIABLES, request, city).await
}

async fn city(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let number = fresh_number(call, &call.number_ref()?, &[Topic::Location]).await?;
    let (city, time) = number.location.unzip();
    Ok(Reply::ok()
        .with("msisdn", number.msisdn)
        .with("city", city)
        .with("province", number.province.zh())
        .with("location_time", time.map(|time| call.text_of(time))))
}
