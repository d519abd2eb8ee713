//! `/admin/v1/chips:import` and `/admin/v1/numbers:import`, §5.3.1.1: imports of chips and operator numbers.
//!
//! Requires `admin_secret`. Never shows key material.

mod import;

use spin_host::{self, RequiredVariables};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;
use web::{Interface, interface};

const REQUIRED_VARIABLES: RequiredVariables = RequiredVariables {
    sealing_keys: true,
    transport_keys: true,
    secret: Some("admin_secret"),
    ..RequiredVariables::NONE
};

/// The interfaces of this component.
const INTERFACES: &[&Interface] = &[&interface::ADMIN_CHIPS_IMPORT, &interface::ADMIN_NUMBERS_IMPORT];

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let interface = interface::route(INTERFACES, request.method(), request.uri().path());
    spin_host::serve(
        interface,
        REQUIRED_VARIABLES,
        request,
        async |call| match interface.name {
            "admin.chips.import" => import::chip_file(call).await,
            "admin.numbers.import" => import::number_file(call).await,
            _ => Err(call.nowhere()),
        },
    )
    .await
}
