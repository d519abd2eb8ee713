//! `/v1/write/cancel`, §7.2.2.4: withdraw an application while the card waits for power-up.

#![forbid(unsafe_code)]

use domain::error::Reason;
use serde::Serialize;
use utoipa::ToSchema;
use web::extract::permits::WriteCancel;
use web::extract::{Call, Caller, Query};
use web::parameters::TaskOrEid;
use web::values::Time;
use web::{Answer, Routes, Success, codes, routes};

/// The routes of this component.
#[must_use]
pub fn router() -> Routes {
    Routes::new().routes(routes!(cancel as "write.cancel", cancel_by_post as "write.cancel"))
}

/// Why this operation refuses, besides the reasons that every operation has.
const REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterNotApplicable,
    Reason::EidMalformed,
    Reason::ParameterMalformed,
    Reason::WrongState,
    Reason::UnknownChip,
    Reason::UnknownTask,
];

/// A withdrawn application.
#[derive(Serialize, ToSchema)]
struct Cancelled {
    /// 取消时间 / when it was withdrawn
    cancel_time: Time,
}

/// Withdraws an application while the card waits for power-up.
#[utoipa::path(
    get,
    path = "/v1/write/cancel",
    summary = "取消待开机上电的写卡申请 / Withdraw an application while the card waits for power-up (§7.2.2.4)",
    params(TaskOrEid),
    responses((status = 200, body = Success<Cancelled>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
async fn cancel(
    call: Call,
    caller: Caller<WriteCancel>,
    Query(which): Query<TaskOrEid>,
) -> Answer<Cancelled> {
    let task = which.task(&call, &caller).await?;
    let cancelled = operations::cancel(&call.context(), &caller, &task).await?;
    Ok(Success::new(Cancelled {
        cancel_time: call.time(cancelled.at),
    }))
}

/// The same by POST, with the parameters as a form or as JSON.
#[utoipa::path(
    post,
    path = "/v1/write/cancel",
    summary = "取消待开机上电的写卡申请 / Withdraw an application while the card waits for power-up (§7.2.2.4)",
    request_body(content((TaskOrEid = "application/x-www-form-urlencoded"), (TaskOrEid = "application/json"))),
    responses((status = 200, body = Success<Cancelled>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
async fn cancel_by_post(
    call: Call,
    caller: Caller<WriteCancel>,
    which: Query<TaskOrEid>,
) -> Answer<Cancelled> {
    cancel(call, caller, which).await
}
