//! `/admin/v1/…`, §6.2.1.1 and §5.3.1.1: the administrators' interfaces: clients, inventory, and a view of what the
//! platform is doing.
//!
//! Opened by `admin_secret`. Never shows a secret after the call that made it, nor key material at all.

mod clients;
mod inventory;
mod overview;

use shared::spin::{self, Needs};
use shared::web::interface;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

const NEEDS: Needs = Needs {
    sealing_keys: true,
    transport_keys: true,
    callback_allow_http: true,
    secret: Some("admin_secret"),
    ..Needs::NONE
};

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let path = request.uri().path();
    if path == interface::ADMIN_CLIENTS.path {
        spin::serve(&interface::ADMIN_CLIENTS, NEEDS, request, clients::create).await
    } else if path == interface::ADMIN_CHIPS_IMPORT.path {
        spin::serve(
            &interface::ADMIN_CHIPS_IMPORT,
            NEEDS,
            request,
            inventory::import_chip_file,
        )
        .await
    } else if path == interface::ADMIN_NUMBERS_IMPORT.path {
        spin::serve(
            &interface::ADMIN_NUMBERS_IMPORT,
            NEEDS,
            request,
            inventory::import_number_file,
        )
        .await
    } else if path == interface::ADMIN_CHIP_HISTORY.path {
        spin::serve(&interface::ADMIN_CHIP_HISTORY, NEEDS, request, overview::history).await
    } else if path == interface::ADMIN_CALLBACKS.path {
        spin::serve(&interface::ADMIN_CALLBACKS, NEEDS, request, overview::outbox).await
    } else if path == interface::ADMIN_INCIDENTS.path {
        spin::serve(
            &interface::ADMIN_INCIDENTS,
            NEEDS,
            request,
            overview::open_and_settled,
        )
        .await
    } else {
        spin::not_found(NEEDS, request).await
    }
}
