//! `/admin/v1/pools…`, `/admin/v1/numbers:…` and `/admin/v1/chips:…` except the imports, §5.3.1.1: acts of
//! administrators on operator numbers and chips.
//!
//! Requires `admin_secret`. Has no transport key and handles no key material.

mod document;
mod levels;
mod numbers;
mod reprovision;

use operations::NumberAct;
use spin_host::{self, RequiredVariables};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;
use web::{Interface, interface};

const REQUIRED_VARIABLES: RequiredVariables = RequiredVariables {
    sealing_keys: true,
    pool_low_water: true,
    secret: Some("admin_secret"),
    ..RequiredVariables::NONE
};

/// The interfaces of this component.
const INTERFACES: &[&Interface] = &[
    &interface::ADMIN_POOLS,
    &interface::ADMIN_POOLS_UPDATE,
    &interface::ADMIN_CHIPS_FAULT,
    &interface::ADMIN_CHIPS_REPROVISION,
    &interface::ADMIN_NUMBERS_ALLOT,
    &interface::ADMIN_NUMBERS_RELEASE,
    &interface::ADMIN_NUMBERS_SUSPEND,
    &interface::ADMIN_NUMBERS_RESUME,
    &interface::ADMIN_NUMBERS_RETIRE,
];

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let interface = interface::route(INTERFACES, request.method(), request.uri().path());
    spin_host::serve(
        interface,
        REQUIRED_VARIABLES,
        request,
        async |call| match interface.name {
            "admin.pools" => levels::list(call).await,
            "admin.pools.update" => levels::update(call).await,
            "admin.chips.fault" => numbers::fault(call).await,
            "admin.chips.reprovision" => reprovision::reprovision(call).await,
            "admin.numbers.allot" => numbers::allot(call).await,
            "admin.numbers.release" => numbers::release(call).await,
            "admin.numbers.suspend" => numbers::act(call, NumberAct::Suspend).await,
            "admin.numbers.resume" => numbers::act(call, NumberAct::Resume).await,
            "admin.numbers.retire" => numbers::act(call, NumberAct::Retire).await,
            _ => Err(call.nowhere()),
        },
    )
    .await
}
