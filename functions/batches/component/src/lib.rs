//! Batches of `/admin/v1/` as a Spin component.

use spin_host::RequiredVariables;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

const REQUIRED_VARIABLES: RequiredVariables = RequiredVariables {
    sealing_keys: true,
    served_provinces: true,
    staff: true,
    secret: Some("admin_secret"),
    ..RequiredVariables::NONE
};

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    spin_host::answer_and_send(router::router, REQUIRED_VARIABLES, request).await
}
