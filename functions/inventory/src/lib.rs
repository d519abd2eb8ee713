//! `/admin/v1/chips:…` and `/admin/v1/numbers:…`, §5.3.1.1: the chips and operator numbers there are.
//!
//! Opened by `admin_secret`. Never shows key material.

mod document;
mod import;
mod pool;
mod reprovision;

use shared::operations::NumberAct;
use shared::spin::{self, Needs};
use shared::web::{Interface, interface};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

const NEEDS: Needs = Needs {
    sealing_keys: true,
    transport_keys: true,
    secret: Some("admin_secret"),
    ..Needs::NONE
};

/// What this component answers.
const INTERFACES: &[&Interface] = &[
    &interface::ADMIN_CHIPS_IMPORT,
    &interface::ADMIN_CHIPS_FAULT,
    &interface::ADMIN_CHIPS_REPROVISION,
    &interface::ADMIN_NUMBERS_IMPORT,
    &interface::ADMIN_NUMBERS_ALLOT,
    &interface::ADMIN_NUMBERS_RELEASE,
    &interface::ADMIN_NUMBERS_SUSPEND,
    &interface::ADMIN_NUMBERS_RESUME,
    &interface::ADMIN_NUMBERS_RETIRE,
];

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let interface = interface::route(INTERFACES, request.method(), request.uri().path());
    spin::serve(interface, NEEDS, request, async |call| match interface.name {
        "admin.chips.import" => import::chip_file(call).await,
        "admin.chips.fault" => pool::fault(call).await,
        "admin.chips.reprovision" => reprovision::reprovision(call).await,
        "admin.numbers.import" => import::number_file(call).await,
        "admin.numbers.allot" => pool::allot(call).await,
        "admin.numbers.release" => pool::release(call).await,
        "admin.numbers.suspend" => pool::act(call, NumberAct::Suspend).await,
        "admin.numbers.resume" => pool::act(call, NumberAct::Resume).await,
        "admin.numbers.retire" => pool::act(call, NumberAct::Retire).await,
        _ => Err(call.nowhere()),
    })
    .await
}
