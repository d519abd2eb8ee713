//! `/v1/number`, §7.2.3.2: a number, the chip it is in, its province and its state.

#![forbid(unsafe_code)]

use operations::Topic;
use serde::Serialize;
use utoipa::ToSchema;
use web::extract::permits::NumberRead;
use web::extract::{Call, Caller, Query};
use web::outbound::fresh_number;
use web::parameters::MsisdnOrIccid;
use web::values::{self, NumberCode, NumberState, ProvinceName, Time};
use web::{Answer, Routes, Success, codes, routes};

/// The routes of this component.
#[must_use]
pub fn router() -> Routes {
    Routes::new().routes(routes!(number as "number.read"))
}

/// A number.
#[derive(Serialize, ToSchema)]
struct NumberInformation {
    /// 13 位物联网号码 / 13-digit IoT number
    #[schema(value_type = values::Msisdn)]
    msisdn: String,
    /// ICCID / ICCID
    #[schema(value_type = values::Iccid)]
    iccid: String,
    /// 芯片 EID，未预占则为空 / EID of the chip; null until a chip is given the number
    #[schema(value_type = Option<values::Eid>, required)]
    eid: Option<String>,
    /// 归属地省份 / province the number belongs to
    province: ProvinceName,
    /// 码号状态 / state of the number
    card_status: NumberState,
    /// 码号在本平台的状态 / state of the number in this platform
    number_status: NumberCode,
    /// 开卡时间，未知则为空 / when the operator opened it; null while unknown
    #[schema(required)]
    open_time: Option<Time>,
}

/// Shows a number.
#[utoipa::path(
    get,
    path = "/v1/number",
    summary = "查询码号信息 / A number (§7.2.3.2)",
    params(MsisdnOrIccid),
    responses((status = 200, body = Success<NumberInformation>)),
    extensions(("x-reasons" = json!(codes(MsisdnOrIccid::REASONS))))
)]
async fn number(
    call: Call,
    caller: Caller<NumberRead>,
    Query(which): Query<MsisdnOrIccid>,
) -> Answer<NumberInformation> {
    let topics = [Topic::Status, Topic::OpenTime];
    let number = fresh_number(&call, &caller, &which.number()?, &topics).await?;
    Ok(Success::new(NumberInformation {
        msisdn: number.msisdn,
        iccid: number.iccid,
        eid: number.eid,
        province: ProvinceName(number.province.zh()),
        card_status: NumberState(number.status.zh()),
        number_status: NumberCode(number.status.code()),
        open_time: number.open_time.map(|at| call.time(at)),
    }))
}
