//! `/v1/number/usage`, §7.2.3.3: the data of a number for this month, and what it has used.

#![forbid(unsafe_code)]

use operations::Topic;
use serde::Serialize;
use utoipa::ToSchema;
use web::extract::permits::NumberUsage;
use web::extract::{Call, Caller, Query};
use web::outbound::fresh_number;
use web::parameters::MsisdnOrIccid;
use web::values::{self, Megabytes, Time};
use web::{Answer, Routes, Success, codes, routes};

/// The routes of this component.
#[must_use]
pub fn router() -> Routes {
    Routes::new().routes(routes!(usage as "number.usage"))
}

/// The data of a number for this month. The operator reports all of it or nothing.
#[derive(Serialize, ToSchema)]
struct UsedThisMonth {
    /// 13 位物联网号码 / 13-digit IoT number
    #[schema(value_type = values::Msisdn)]
    msisdn: String,
    /// ICCID / ICCID
    #[schema(value_type = values::Iccid)]
    iccid: String,
    /// 本月套餐总量，MB；未知则为空 / data of this month, in MB; null while unknown
    #[schema(required)]
    total_flow: Option<Megabytes>,
    /// 已使用流量，MB；未知则为空 / used of it, in MB; null while unknown
    #[schema(required)]
    used_flow: Option<Megabytes>,
    /// 剩余流量，MB；未知则为空 / left of it, in MB; null while unknown
    #[schema(required)]
    remaining_flow: Option<Megabytes>,
    /// 更新时间，未知则为空 / when the operator counted; null while unknown
    #[schema(required)]
    update_time: Option<Time>,
}

/// Shows the data a number used this month.
#[utoipa::path(
    get,
    path = "/v1/number/usage",
    summary = "查询码号本月流量；未知时为空 / Data a number used this month; null while unknown (§7.2.3.3)",
    params(MsisdnOrIccid),
    responses((status = 200, body = Success<UsedThisMonth>)),
    extensions(("x-reasons" = json!(codes(MsisdnOrIccid::REASONS))))
)]
async fn usage(
    call: Call,
    caller: Caller<NumberUsage>,
    Query(which): Query<MsisdnOrIccid>,
) -> Answer<UsedThisMonth> {
    let number = fresh_number(&call, &caller, &which.number()?, &[Topic::Usage]).await?;
    let usage = number.usage;
    Ok(Success::new(UsedThisMonth {
        msisdn: number.msisdn,
        iccid: number.iccid,
        total_flow: usage.map(|usage| Megabytes(usage.total)),
        used_flow: usage.map(|usage| Megabytes(usage.used)),
        remaining_flow: usage.map(|usage| Megabytes(usage.remaining())),
        update_time: usage.map(|usage| call.time(usage.as_of)),
    }))
}
