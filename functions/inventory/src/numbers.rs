//! Acts of administrators on operator numbers (§5.3.1.1).

use domain::error::Reason;
use operations::{NumberAct, act_on_number, allot_numbers, release_numbers};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::extract::{Call, Json, Staff, rights};
use web::parameters::MsisdnOrIccid;
use web::values::{ClientId, Iccid, NumberCode};
use web::{Answer, Success, codes};

/// Why numbers are not allotted, besides the reasons that every operation has.
const ALLOT_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::IccidMalformed,
    Reason::BodyTooLarge,
    Reason::UnknownClient,
    Reason::ClientClosed,
    Reason::UnknownNumber,
    Reason::NumberInUse,
];

/// Why numbers are not put back.
const RELEASE_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::IccidMalformed,
    Reason::BodyTooLarge,
    Reason::UnknownNumber,
    Reason::NumberInUse,
];

/// Why a number is not suspended, resumed or retired.
const ACT_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterNotApplicable,
    Reason::MsisdnMalformed,
    Reason::IccidMalformed,
    Reason::UnknownNumber,
    Reason::NumberInUse,
];

/// Numbers to allot to a client.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NumberAllotment {
    /// 业务需求方标识 / identifier of the client
    client_id: ClientId,
    /// 码号的 ICCID，至多 1,000 个 / ICCIDs of the numbers, up to 1,000
    #[schema(max_items = 1000)]
    iccids: Vec<Iccid>,
}

/// Numbers to put back into the pool.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NumberRelease {
    /// 码号的 ICCID，至多 1,000 个 / ICCIDs of the numbers, up to 1,000
    #[schema(max_items = 1000)]
    iccids: Vec<Iccid>,
}

/// How many numbers changed.
#[derive(Serialize, ToSchema)]
pub(crate) struct NumbersChanged {
    /// 发生变更的码号数量 / how many numbers changed
    changed: usize,
}

/// The state of a number after an act.
#[derive(Serialize, ToSchema)]
pub(crate) struct NumberActed {
    /// 操作后的码号状态 / state of the number afterwards
    status: NumberCode,
}

/// Allots numbers of the pool to a client (划拨): all of them or none.
#[utoipa::path(
    post,
    path = "/admin/v1/numbers:allot",
    summary = "将码号划拨给业务需求方 / Allot numbers to a client (§5.3.1.1)",
    request_body = NumberAllotment,
    responses((status = 200, body = Success<NumbersChanged>)),
    extensions(("x-reasons" = json!(codes(ALLOT_REASONS))))
)]
pub(crate) async fn allot(
    call: Call,
    _: Staff<rights::NumbersAllot>,
    Json(request): Json<NumberAllotment>,
) -> Answer<NumbersChanged> {
    let iccids = domain_values(request.iccids);
    let changed = allot_numbers(&call.context(), &request.client_id, &iccids).await?;
    Ok(Success::new(NumbersChanged { changed }))
}

/// Puts allotted numbers back into the pool: all of them or none.
#[utoipa::path(
    post,
    path = "/admin/v1/numbers:release",
    summary = "将已划拨的码号退回码号池 / Put allotted numbers back into the pool (§5.3.1.1)",
    request_body = NumberRelease,
    responses((status = 200, body = Success<NumbersChanged>)),
    extensions(("x-reasons" = json!(codes(RELEASE_REASONS))))
)]
pub(crate) async fn release(
    call: Call,
    _: Staff<rights::NumbersRelease>,
    Json(request): Json<NumberRelease>,
) -> Answer<NumbersChanged> {
    let changed = release_numbers(&call.context(), &domain_values(request.iccids)).await?;
    Ok(Success::new(NumbersChanged { changed }))
}

fn domain_values(iccids: Vec<Iccid>) -> Vec<domain::Iccid> {
    iccids.into_iter().map(Iccid::get).collect()
}

/// Suspends a number.
#[utoipa::path(
    post,
    path = "/admin/v1/numbers:suspend",
    summary = "码号停机 / Suspend a number (§5.3.1.1)",
    request_body = MsisdnOrIccid,
    responses((status = 200, body = Success<NumberActed>)),
    extensions(("x-reasons" = json!(codes(ACT_REASONS))))
)]
pub(crate) async fn suspend(
    call: Call,
    _: Staff<rights::NumbersSuspend>,
    Json(number): Json<MsisdnOrIccid>,
) -> Answer<NumberActed> {
    acted(&call, number, NumberAct::Suspend).await
}

/// Resumes a suspended number.
#[utoipa::path(
    post,
    path = "/admin/v1/numbers:resume",
    summary = "码号复机 / Resume a suspended number (§5.3.1.1)",
    request_body = MsisdnOrIccid,
    responses((status = 200, body = Success<NumberActed>)),
    extensions(("x-reasons" = json!(codes(ACT_REASONS))))
)]
pub(crate) async fn resume(
    call: Call,
    _: Staff<rights::NumbersResume>,
    Json(number): Json<MsisdnOrIccid>,
) -> Answer<NumberActed> {
    acted(&call, number, NumberAct::Resume).await
}

/// Retires a number for ever.
#[utoipa::path(
    post,
    path = "/admin/v1/numbers:retire",
    summary = "码号销户 / Retire a number for ever (§5.3.1.1)",
    request_body = MsisdnOrIccid,
    responses((status = 200, body = Success<NumberActed>)),
    extensions(("x-reasons" = json!(codes(ACT_REASONS))))
)]
pub(crate) async fn retire(
    call: Call,
    _: Staff<rights::NumbersRetire>,
    Json(number): Json<MsisdnOrIccid>,
) -> Answer<NumberActed> {
    acted(&call, number, NumberAct::Retire).await
}

async fn acted(call: &Call, number: MsisdnOrIccid, act: NumberAct) -> Answer<NumberActed> {
    let status = act_on_number(&call.context(), &number.number()?, act).await?;
    Ok(Success::new(NumberActed {
        status: NumberCode(status.code()),
    }))
}
