//! `/v1/chip`, §7.2.3.1: a chip, its temporary number, its state and what is left of its test allowance.

use domain::Eid;
use operations::{ChipView, chip_view};
use spin_host::{self, Connection, RequiredVariables};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;
use web::{Call, Param, Refusal, Reply, interface};

const REQUIRED_VARIABLES: RequiredVariables = RequiredVariables {
    sealing_keys: true,
    token_key: true,
    ..RequiredVariables::NONE
};

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    spin_host::serve(&interface::CHIP, REQUIRED_VARIABLES, request, chip).await
}

async fn chip(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let eid = call.params.required(Param::Eid, Eid::parse)?;
    Ok(reply(chip_view(call.cx, call.caller()?, &eid).await?))
}

fn reply(chip: ChipView) -> Reply {
    Reply::ok()
        .with("eid", chip.eid)
        .with("imei", chip.imei)
        .with("chip_model", chip.chip_model)
        .with("temp_msisdn", chip.temp_msisdn)
        .with("temp_iccid", chip.temp_iccid)
        .with("card_status", chip.card_status.zh())
        .with("remaining_flow", chip.remaining.json())
}
