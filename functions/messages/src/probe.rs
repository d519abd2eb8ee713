//! Testing an address.

use std::time::Instant;

use domain::error::Reason;
use operations::{AttemptResult, Probe, probe};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::extract::{Call, Json, Staff, rights};
use web::outbound::{Guard, Posted, post};
use web::{Answer, Success, codes, values};

/// Most characters of a receiver's answer that are shown.
const SHOWN_CHARS: usize = 2_000;

const REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::UnknownReceiver,
    Reason::ClientFrozen,
    Reason::NoAddress,
    Reason::GuardMissing,
];

/// A receiver whose address is tested.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReceiverProbe {
    /// 接收方 / the receiver
    receiver: values::Receiver,
}

/// The result of a test message.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReceiverProbed {
    /// 回调地址 / where the message went
    url: String,
    /// 是否接收 / whether the receiver accepted it
    accepted: bool,
    /// 应答的 HTTP 状态码 / HTTP status of the answer, if there was one
    #[schema(required)]
    http_status: Option<u16>,
    /// 未接收的原因 / why it was not accepted
    #[schema(required)]
    error: Option<String>,
    /// 耗时，毫秒 / how long it took, in milliseconds
    duration_ms: u64,
    /// 应答内容的开头 / the beginning of the answer
    answer: String,
}

/// Sends a signed test message to an address, and shows the answer.
#[utoipa::path(
    post,
    path = "/admin/v1/callbacks:probe",
    summary = "测试回调地址 / Test an address (§7.3)",
    request_body = ReceiverProbe,
    responses((status = 200, body = Success<ReceiverProbed>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn try_out(
    call: Call,
    _: Staff<rights::CallbacksProbe>,
    Json(request): Json<ReceiverProbe>,
) -> Answer<ReceiverProbed> {
    let Probe { url, body, headers } = probe(&call.context(), &request.receiver).await?;
    let started = Instant::now();
    let guard = Guard::of(&call).await?;
    let posted = post(call.host(), guard, &url, &headers, body).await;
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Success::new(probed(url, posted, duration_ms)))
}

fn probed(url: String, posted: Posted, duration_ms: u64) -> ReceiverProbed {
    let (accepted, http_status, error) = match posted.result {
        AttemptResult::Accepted { status } => (true, Some(status), None),
        AttemptResult::Refused { status, error, .. } => (false, status, Some(error)),
    };
    let answer = String::from_utf8_lossy(&posted.answer);
    ReceiverProbed {
        url,
        accepted,
        http_status,
        error,
        duration_ms,
        answer: answer.chars().take(SHOWN_CHARS).collect(),
    }
}
