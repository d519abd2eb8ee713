//! `/v1/number/open-time`, §7.2.3.4: when the number of a card was opened, its state, and when a temporary one expires.

#![forbid(unsafe_code)]

use domain::error::Reason;
use operations::OpenTimeRef;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::permits::NumberOpenTime;
use web::extract::{Call, Caller, Query};
use web::outbound::fresh_open_time;
use web::parameters::either;
use web::values::{self, OpenedCode, OpenedState, Time};
use web::{Answer, Refusal, Routes, Success, codes, routes};

/// The routes of this component.
#[must_use]
pub fn router() -> Routes {
    Routes::new().routes(routes!(open_time as "number.open_time"))
}

/// Why this operation refuses, besides the reasons that every operation has.
const REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterNotApplicable,
    Reason::EidMalformed,
    Reason::MsisdnMalformed,
    Reason::UnknownChip,
    Reason::UnknownNumber,
];

/// A card or a number.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct EidOrMsisdn {
    /// 芯片 EID，与 msisdn 二选一 / EID of the chip; this or msisdn
    #[param(inline)]
    eid: Option<values::Eid>,
    /// 13 位物联网号码，与 eid 二选一 / 13-digit IoT number; this or eid
    #[param(inline)]
    msisdn: Option<values::Msisdn>,
}

impl EidOrMsisdn {
    /// The card or number.
    ///
    /// # Errors
    /// [`Reason::ParameterMissing`].
    fn opened(self) -> Result<OpenTimeRef, Refusal> {
        match (self.eid, self.msisdn) {
            (Some(eid), Some(msisdn)) => Ok(OpenTimeRef::Both(eid.get(), msisdn.get())),
            (Some(eid), None) => Ok(OpenTimeRef::Eid(eid.get())),
            (None, Some(msisdn)) => Ok(OpenTimeRef::Msisdn(msisdn.get())),
            (None, None) => Err(either("eid", "msisdn")),
        }
    }
}

/// When a number was opened, and its state.
#[derive(Serialize, ToSchema)]
struct OpenedNumber {
    /// 芯片 EID，无则为空 / EID of the chip that uses it; null if none does
    #[schema(value_type = Option<values::Eid>, required)]
    eid: Option<String>,
    /// 13 位物联网号码 / 13-digit IoT number
    #[schema(value_type = values::Msisdn)]
    msisdn: String,
    /// 开卡时间，未知则为空 / when the number was opened; null while unknown
    #[schema(required)]
    open_time: Option<Time>,
    /// 码号状态，含临时号码 / state of the number, temporary ones included
    card_status: OpenedState,
    /// 码号在本平台的状态，含临时号码 / state of the number in this platform, temporary ones included
    number_status: OpenedCode,
    /// 临时号码过期时间，若有 / when a temporary number expires; null for others
    #[schema(required)]
    expire_time: Option<Time>,
}

/// Shows when a card's number was opened, and its state.
#[utoipa::path(
    get,
    path = "/v1/number/open-time",
    summary = "查询开卡时间与码号状态 / When a card's number was opened, and its state (§7.2.3.4)",
    params(EidOrMsisdn),
    responses((status = 200, body = Success<OpenedNumber>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
async fn open_time(
    call: Call,
    caller: Caller<NumberOpenTime>,
    Query(which): Query<EidOrMsisdn>,
) -> Answer<OpenedNumber> {
    let opened = fresh_open_time(&call, &caller, &which.opened()?).await?;
    Ok(Success::new(OpenedNumber {
        eid: opened.eid,
        msisdn: opened.msisdn,
        open_time: opened.open_time.map(|at| call.time(at)),
        card_status: OpenedState(opened.status.zh()),
        number_status: OpenedCode(opened.status.code()),
        expire_time: opened.expire_time.map(|at| call.time(at)),
    }))
}
