//! `/admin/v1/…`, §6.2.1.1 and §9.2: clients and their secrets, and the call log. Inventory, messages and incidents
//! have components of their own.
//!
//! Requires `admin_secret`. Never shows a secret after the call that made it, nor key material at all.

mod calls;
mod clients;

use spin_host::{self, Connection, RequiredVariables};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;
use web::{Call, Interface, Refusal, Reply, interface};

const REQUIRED_VARIABLES: RequiredVariables = RequiredVariables {
    sealing_keys: true,
    callback_allow_http: true,
    secret: Some("admin_secret"),
    ..RequiredVariables::NONE
};

/// The interfaces of this component. One path may have an interface for each method.
const INTERFACES: &[&Interface] = &[
    &interface::ADMIN_CLIENTS,
    &interface::ADMIN_CLIENTS_LIST,
    &interface::ADMIN_CLIENTS_UPDATE,
    &interface::ADMIN_CLIENTS_ROTATE_SECRET,
    &interface::ADMIN_CLIENTS_REVOKE_SECRET,
    &interface::ADMIN_CLIENTS_REVOKE_TOKENS,
    &interface::ADMIN_CALLS,
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
        "admin.clients" => clients::create(call).await,
        "admin.clients.list" => clients::list(call).await,
        "admin.clients.update" => clients::update(call).await,
        "admin.clients.rotate_secret" => clients::rotate_secret(call).await,
        "admin.clients.revoke_secret" => clients::revoke_secret(call).await,
        "admin.clients.revoke_tokens" => clients::revoke_tokens(call).await,
        "admin.calls" => calls::search(call).await,
        _ => Err(call.nowhere()),
    }
}
