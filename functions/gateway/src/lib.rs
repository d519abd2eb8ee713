//! `/internal/gateway/…`: the requests and reports of OTA gateways.
//!
//! Requires `gateway_secret`. The operator's proxy must also keep these paths off the public listener.

use gateway_protocol::{KeysRequest, ReportRequest, SessionRequest};
use operations::{chip_keys, open_session, report};
use spin_host::{self, Connection, RequiredVariables};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;
use web::gateway::{
    eid_of_identity, keys_reply, psk_identity, report_of, report_reply, session_reply, session_to_open,
};
use web::{Call, Interface, Refusal, Reply, interface};

const REQUIRED_VARIABLES: RequiredVariables = RequiredVariables {
    sealing_keys: true,
    link_key: true,
    secret: Some("gateway_secret"),
    ..RequiredVariables::NONE
};

/// The interfaces of this component.
const INTERFACES: &[&Interface] = &[
    &interface::GATEWAY_KEYS,
    &interface::GATEWAY_SESSIONS,
    &interface::GATEWAY_REPORT,
];

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let interface = interface::route(INTERFACES, request.method(), request.uri().path());
    spin_host::serve(
        interface,
        REQUIRED_VARIABLES,
        request,
        async |call| match interface.name {
            "gateway.keys" => keys(call).await,
            "gateway.sessions" => session(call).await,
            "gateway.report" => session_report(call).await,
            _ => Err(call.nowhere()),
        },
    )
    .await
}

/// Returns the keys of a chip that opens a TLS session.
async fn keys(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let request: KeysRequest = call.json()?;
    let eid = eid_of_identity(&request);
    let keys = chip_keys(call.cx, &psk_identity(&request)?, eid.as_ref()).await?;
    Ok(keys_reply(&keys))
}

/// §6.2.3.1: a card powered up and opened its channel; returns the work of the session.
async fn session(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let request: SessionRequest = call.json()?;
    let work = open_session(call.cx, &session_to_open(&request)?).await?;
    Ok(session_reply(&work))
}

/// §6.2.3.3, §6.2.4.1: processes the report of an event; returns whether the session may go on.
async fn session_report(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let request: ReportRequest = call.json()?;
    let answer = report(call.cx, &report_of(request)?).await?;
    Ok(report_reply(&answer))
}
