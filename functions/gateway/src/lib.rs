//! `/internal/gateway/…`: what the OTA gateways ask and report, so that they hold no state of their own.
//!
//! Private to the gateways: opened by `gateway_secret`, and to be kept off the public listener by the operator's
//! proxy as well.

use operations::{chip_keys, open_session, report};
use spin_host::{self, Connection, Needs};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;
use web::link::{KeysDocument, ReportDocument, SessionDocument, keys_reply, report_reply, session_reply};
use web::{Call, Interface, Refusal, Reply, interface};

const NEEDS: Needs = Needs {
    sealing_keys: true,
    link_key: true,
    secret: Some("gateway_secret"),
    migrate: None,
    ..Needs::NONE
};

/// What this component answers.
const INTERFACES: &[&Interface] = &[
    &interface::GATEWAY_KEYS,
    &interface::GATEWAY_SESSIONS,
    &interface::GATEWAY_REPORT,
];

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let interface = interface::route(INTERFACES, request.method(), request.uri().path());
    spin_host::serve(interface, NEEDS, request, async |call| match interface.name {
        "gateway.keys" => keys(call).await,
        "gateway.sessions" => session(call).await,
        "gateway.report" => session_report(call).await,
        _ => Err(call.nowhere()),
    })
    .await
}

/// A chip opens a TLS session: which keys has it?
async fn keys(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let asked: KeysDocument = call.json()?;
    let keys = chip_keys(call.cx, &asked.psk_identity()?, asked.eid().as_ref()).await?;
    Ok(keys_reply(&keys))
}

/// §6.2.3.1: a card powered up and opened its channel; what is to be done?
async fn session(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let announced: SessionDocument = call.json()?;
    let work = open_session(call.cx, &announced.read()?).await?;
    Ok(session_reply(&work))
}

/// §6.2.3.3, §6.2.4.1: what happened in the session; may it go on?
async fn session_report(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let told: ReportDocument = call.json()?;
    let answer = report(call.cx, &told.read()?).await?;
    Ok(report_reply(&answer))
}
