//! `/v1/number/city`, §7.2.3.5: the city in which a number was last online, and its province.

#![forbid(unsafe_code)]

use operations::Topic;
use serde::Serialize;
use utoipa::ToSchema;
use web::extract::permits::NumberCity;
use web::extract::{Call, Caller, Query};
use web::outbound::fresh_number;
use web::parameters::MsisdnOrIccid;
use web::values::{self, ProvinceName, Time};
use web::{Answer, Routes, Success, codes, routes};

/// The routes of this component.
#[must_use]
pub fn router() -> Routes {
    Routes::new().routes(routes!(city as "number.city"))
}

/// Where a number was last online.
#[derive(Serialize, ToSchema)]
struct LastOnline {
    /// 13 位物联网号码 / 13-digit IoT number
    #[schema(value_type = values::Msisdn)]
    msisdn: String,
    /// 实时上网城市，未知则为空 / city it is online in; null while unknown
    #[schema(required, max_length = 64, examples("济南"))]
    city: Option<String>,
    /// 归属地省份 / province the number belongs to
    province: ProvinceName,
    /// 定位时间，未知则为空 / when it was located; null while unknown
    #[schema(required)]
    location_time: Option<Time>,
}

/// Shows the city a number is online in.
#[utoipa::path(
    get,
    path = "/v1/number/city",
    summary = "查询码号实时上网城市；未知时为空 / City a number is online in; null while unknown (§7.2.3.5)",
    params(MsisdnOrIccid),
    responses((status = 200, body = Success<LastOnline>)),
    extensions(("x-reasons" = json!(codes(MsisdnOrIccid::REASONS))))
)]
async fn city(
    call: Call,
    caller: Caller<NumberCity>,
    Query(which): Query<MsisdnOrIccid>,
) -> Answer<LastOnline> {
    let number = fresh_number(&call, &caller, &which.number()?, &[Topic::Location]).await?;
    let (city, located_at) = number.location.unzip();
    Ok(Success::new(LastOnline {
        msisdn: number.msisdn,
        city,
        province: ProvinceName(number.province.zh()),
        location_time: located_at.map(|at| call.time(at)),
    }))
}
