//! `/admin/v1/incidents…`, `/admin/v1/chips/faulty`, `/admin/v1/alerts…` and `/admin/v1/health`, §8: incidents and
//! their monthly review, faulty chips, alerts, and the health of the periodic jobs.
//!
//! Requires `admin_secret`.

mod acts;
mod alerts;
mod health;
mod incidents;
mod review;

use spin_host::{self, Connection, RequiredVariables};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;
use web::{Call, Interface, Refusal, Reply, interface};

const REQUIRED_VARIABLES: RequiredVariables = RequiredVariables {
    sealing_keys: true,
    secret: Some("admin_secret"),
    ..RequiredVariables::NONE
};

/// The interfaces of this component.
const INTERFACES: &[&Interface] = &[
    &interface::ADMIN_INCIDENTS,
    &interface::ADMIN_INCIDENTS_KINDS,
    &interface::ADMIN_INCIDENTS_OPEN,
    &interface::ADMIN_INCIDENTS_CLOSE,
    &interface::ADMIN_INCIDENTS_ESCALATE,
    &interface::ADMIN_INCIDENTS_REPORT,
    &interface::ADMIN_INCIDENTS_FINAL_REPORT,
    &interface::ADMIN_INCIDENTS_REVIEW,
    &interface::ADMIN_CHIPS_FAULTY,
    &interface::ADMIN_ALERTS,
    &interface::ADMIN_ALERTS_NOTE,
    &interface::ADMIN_HEALTH,
];

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let interface = interface::route(INTERFACES, request.method(), request.uri().path());
    spin_host::serve(interface, REQUIRED_VARIABLES, request, async |call| {
        handler(interface.name, call).await
    })
    .await
}

async fn handler(name: &str, call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    match name {
        "admin.incidents" => incidents::list(call).await,
        "admin.incidents.kinds" => Ok(incidents::kinds(call)),
        "admin.incidents.open" => acts::open(call).await,
        "admin.incidents.review" => review::show(call).await,
        "admin.chips.faulty" => review::faulty(call).await,
        "admin.alerts" => alerts::list(call).await,
        "admin.alerts.note" => alerts::note(call).await,
        "admin.health" => health::show(call).await,
        name => acts::act(name, call).await,
    }
}
