//! `/admin/v1/callbacks…` and `/admin/v1/receivers…`, §7.3, §8.2.3, §9.2.2: the platform's messages, sending them
//! again, and the addresses of receivers.
//!
//! Requires `admin_secret`. Sends only messages that test an address. Never shows the content of a message, nor a
//! secret after the call that made it.

mod messages;
mod receivers;

use spin_host::{self, RequiredVariables};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;
use web::{Interface, interface};

const REQUIRED_VARIABLES: RequiredVariables = RequiredVariables {
    sealing_keys: true,
    callback_allow_http: true,
    secret: Some("admin_secret"),
    ..RequiredVariables::NONE
};

/// The interfaces of this component.
const INTERFACES: &[&Interface] = &[
    &interface::ADMIN_CALLBACKS,
    &interface::ADMIN_CALLBACKS_RESEND,
    &interface::ADMIN_CALLBACKS_PROBE,
    &interface::ADMIN_RECEIVERS,
    &interface::ADMIN_RECEIVERS_UPDATE,
    &interface::ADMIN_RECEIVERS_ROTATE_SECRET,
];

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let interface = interface::route(INTERFACES, request.method(), request.uri().path());
    spin_host::serve(
        interface,
        REQUIRED_VARIABLES,
        request,
        async |call| match interface.name {
            "admin.callbacks" => messages::find(call).await,
            "admin.callbacks.resend" => messages::send_again(call).await,
            "admin.callbacks.probe" => messages::try_out(call).await,
            "admin.receivers" => receivers::show(call).await,
            "admin.receivers.update" => receivers::update(call).await,
            "admin.receivers.rotate_secret" => receivers::rotate_secret(call).await,
            _ => Err(call.nowhere()),
        },
    )
    .await
}
