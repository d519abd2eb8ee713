//! `/internal/gateway/…`: the requests and reports of OTA gateways.
//!
//! Requires `gateway_secret`. The operator's proxy must also keep these paths off the public listener.

#![forbid(unsafe_code)]

use domain::error::Reason;
use gateway_protocol::{
    ANNOUNCE_PATH, AnnounceAnswer, AnnounceRequest, KEYS_PATH, KeysAnswer, KeysRequest, REPORT_PATH,
    ReportAnswer, ReportRequest, SESSIONS_PATH, SessionAnswer, SessionRequest,
};
use operations::{announce_gateway, chip_keys, open_session, report};
use web::extract::{Call, Gateway, Json};
use web::gateway::{
    address, announcement_of, eid_of_identity, keys_answer, psk_identity, report_answer, report_of,
    session_answer, session_to_open,
};
use web::{Answer, Refusal, Routes, Success, codes, routes};

/// The routes of this component.
#[must_use]
pub fn router() -> Routes {
    Routes::new()
        .routes(routes!(keys as "gateway.keys"))
        .routes(routes!(session as "gateway.sessions"))
        .routes(routes!(session_report as "gateway.report"))
        .routes(routes!(announce as "gateway.announce"))
}

/// Why the keys of a chip are refused, besides the reasons that every operation has.
const KEYS_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::UnknownChip,
];

/// Why a session is refused, besides the reasons that every operation has.
const SESSION_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::EidMalformed,
    Reason::UnknownChip,
    Reason::ChipFaulty,
    Reason::ChipBlocked,
    Reason::AllowanceExhausted,
    Reason::NumberSuspended,
    Reason::SessionConflict,
    Reason::SessionSuperseded,
    Reason::SessionClosed,
];

/// Why a report is refused, besides the reasons that every operation has.
const REPORT_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::ReportMalformed,
    Reason::UnknownSession,
    Reason::SessionSuperseded,
    Reason::SessionClosed,
    Reason::ReportOutOfOrder,
    Reason::NumberSuspended,
];

/// Why an announcement is refused, besides the reasons that every operation has.
const ANNOUNCE_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::EidMalformed,
];

/// Returns the keys of a chip that opens a TLS session.
#[utoipa::path(
    post,
    path = KEYS_PATH,
    summary = "获取芯片密钥 / The keys of a chip that opens a TLS session",
    request_body = KeysRequest,
    responses((status = 200, body = Success<KeysAnswer>)),
    extensions(("x-reasons" = json!(codes(KEYS_REASONS))))
)]
async fn keys(call: Call, _: Gateway, Json(request): Json<KeysRequest>) -> Answer<KeysAnswer> {
    let eid = eid_of_identity(&request);
    let keys = chip_keys(&call.context(), &psk_identity(&request)?, eid.as_ref()).await;
    // Whoever connects to the gateway can name any identity.
    let keys = keys.map_err(|error| Refusal::from(error).in_the_name_of(address(&request)))?;
    Ok(Success::new(keys_answer(&keys)))
}

/// Returns the work of a session: a card powered up and opened its channel (§6.2.3.1).
#[utoipa::path(
    post,
    path = SESSIONS_PATH,
    summary = "建立设备会话并领取工作 / Open a device session and take its work",
    request_body = SessionRequest,
    responses((status = 200, body = Success<SessionAnswer>)),
    extensions(("x-reasons" = json!(codes(SESSION_REASONS))))
)]
async fn session(call: Call, _: Gateway, Json(request): Json<SessionRequest>) -> Answer<SessionAnswer> {
    let work = open_session(
        &call.context(),
        &session_to_open(&request)?,
        call.settings().sessions,
    )
    .await?;
    Ok(Success::new(session_answer(&work)))
}

/// Processes the report of an event and returns whether the session may go on (§6.2.3.3, §6.2.4.1).
#[utoipa::path(
    post,
    path = REPORT_PATH,
    summary = "上报设备会话中的事件 / Report an event of a device session",
    request_body = ReportRequest,
    responses((status = 200, body = Success<ReportAnswer>)),
    extensions(("x-reasons" = json!(codes(REPORT_REASONS))))
)]
async fn session_report(call: Call, _: Gateway, Json(request): Json<ReportRequest>) -> Answer<ReportAnswer> {
    let answer = report(&call.context(), &report_of(request)?).await?;
    Ok(Success::new(report_answer(&answer)))
}

/// Stores what a gateway announces, and counts the failed handshakes of chips.
#[utoipa::path(
    post,
    path = ANNOUNCE_PATH,
    summary = "公布网关的卡片模板、主密钥版本与失败的握手 / Announce card profiles, master keys and failed handshakes",
    request_body = AnnounceRequest,
    responses((status = 200, body = Success<AnnounceAnswer>)),
    extensions(("x-reasons" = json!(codes(ANNOUNCE_REASONS))))
)]
async fn announce(call: Call, _: Gateway, Json(request): Json<AnnounceRequest>) -> Answer<AnnounceAnswer> {
    let repeated = announce_gateway(&call.context(), &announcement_of(request)?).await?;
    Ok(Success::new(AnnounceAnswer { repeated }))
}

#[cfg(test)]
mod tests {
    use gateway_protocol::MAX_REQUEST_BYTES;
    use web::Content;

    use super::router;

    #[test]
    fn the_routes_and_limits_are_those_of_the_protocol() {
        let paths: Vec<String> = router().into_openapi().paths.paths.into_keys().collect();
        let mut expected = [
            "/internal/gateway/keys",
            "/internal/gateway/sessions",
            "/internal/gateway/report",
            "/internal/gateway/announce",
        ];
        expected.sort_unstable();
        assert_eq!(paths, expected);
        assert_eq!(Content::Json.max_bytes(), MAX_REQUEST_BYTES);
    }
}
