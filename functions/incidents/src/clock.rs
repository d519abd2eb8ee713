//! The confirmation of the time after a gap, without which nothing is destroyed and nothing expires.

use domain::error::Reason;
use operations::confirm_clock;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::extract::{Call, Json, Staff, rights};
use web::values::{ActReason, Instant, Person, Time};
use web::{Answer, Success, codes};

/// Why the time is not confirmed.
const REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::ClockDiffers,
];

/// 时间确认 / a confirmation of the time
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirmation {
    /// 操作人从可信来源读取的当前时间，与平台时钟相差不超过 10 分钟 / the present time, as the person reads it from a source
    /// that he trusts; not more than 10 minutes from the platform's clock
    time: Instant,
    /// 操作人 / the person who confirms it
    person: Person,
    /// 中断或跳变的原因 / why there was a gap
    reason: ActReason,
}

/// 确认结果 / what was confirmed
#[derive(Serialize, ToSchema)]
pub(crate) struct Confirmed {
    /// 平台的当前时间 / the present time of the platform
    time: Time,
    /// 此前是否因时钟而暂停；为 false 时未解除任何暂停 / whether anything was held because of the clock; if not, nothing was
    /// released
    was_held: bool,
}

/// Confirms the time after the clock jumped or the platform stood still; what destroys or expires goes on.
#[utoipa::path(
    post,
    path = "/admin/v1/clock:confirm",
    summary = "确认当前时间，恢复数据销毁与到期处理 / Confirm the time, so that data is destroyed and expires again (§9.1.2)",
    request_body = Confirmation,
    responses((status = 200, body = Success<Confirmed>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn confirm(
    call: Call,
    _: Staff<rights::ClockConfirm>,
    Json(entry): Json<Confirmation>,
) -> Answer<Confirmed> {
    let context = call.context();
    let was_held = confirm_clock(&context, *entry.time, &entry.person.0, &entry.reason.0).await?;
    Ok(Success::new(Confirmed {
        time: call.time(context.now),
        was_held,
    }))
}
