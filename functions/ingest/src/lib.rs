//! `/ingest/v1/…`: reports of operators on their numbers, as lines of JSON; the source of §7.2.3.2 to §7.2.3.5.
//!
//! Requires `ingest_secret`. Never shows the content of a record: errors name lines and fields.

use operations::{RecordError, Topic, ingest};
use spin_host::{self, Connection, RequiredVariables};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;
use web::{Call, Interface, Refusal, Reply, interface};

const REQUIRED_VARIABLES: RequiredVariables = RequiredVariables {
    secret: Some("ingest_secret"),
    ..RequiredVariables::NONE
};

/// The interfaces of this component.
const INTERFACES: &[&Interface] = &[
    &interface::INGEST_USAGE,
    &interface::INGEST_LOCATION,
    &interface::INGEST_NUMBER_STATUS,
    &interface::INGEST_OPEN_TIME,
];

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let interface = interface::route(INTERFACES, request.method(), request.uri().path());
    spin_host::serve(
        interface,
        REQUIRED_VARIABLES,
        request,
        async |call| match interface.name {
            "ingest.usage" => take(call, Topic::Usage).await,
            "ingest.location" => take(call, Topic::Location).await,
            "ingest.number_status" => take(call, Topic::Status).await,
            "ingest.open_time" => take(call, Topic::OpenTime).await,
            _ => Err(call.nowhere()),
        },
    )
    .await
}

async fn take(call: &Call<'_, Connection>, topic: Topic) -> Result<Reply, Refusal> {
    let report = ingest(call.cx, topic, call.body).await?;
    let entry = |wrong: &RecordError| {
        let reason = wrong.error.reason();
        serde_json::json!({
            "line": wrong.line,
            "field": wrong.field,
            "reason": reason.code(),
            "message": wrong.error.message(call.lang),
            "remedy": reason.remedy(call.lang),
        })
    };
    Ok(Reply::ok()
        .with("rows", report.rows)
        .with("accepted", report.accepted)
        .with("unchanged", report.unchanged)
        .with("stale", report.stale)
        .with("rejected", report.rejected)
        .with("errors", report.errors.iter().map(entry).collect::<Vec<_>>()))
}
