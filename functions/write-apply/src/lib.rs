//! `/v1/write/apply`, §7.2.2.2: apply for a card to be written, with a designated number or one of a province.
//!
//! The operation validates the parameters itself, because a refused application changes the state of the card (§6.3
//! Table 2, 申请失败).

use operations::{ApplyRequest, apply};
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
    spin_host::serve(&interface::WRITE_APPLY, REQUIRED_VARIABLES, request, application).await
}

async fn application(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let text = |param| call.params.text(param).unwrap_or_default();
    let request = ApplyRequest {
        eid: text(Param::Eid),
        write_type: text(Param::WriteType),
        province_code: text(Param::ProvinceCode),
        iccid: text(Param::Iccid),
        msisdn: text(Param::Msisdn),
    };
    let applied = apply(call.cx, call.caller()?, &request).await?;
    Ok(Reply::ok()
        .with("task_id", applied.task_id.text())
        .with("card_status", applied.card_status.zh()))
}
