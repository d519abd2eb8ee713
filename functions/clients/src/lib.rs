//! `/admin/v1/clients…` and `/admin/v1/calls`, §6.2.1.1, §9.2: clients and their secrets, and the call log.
//!
//! Never shows a secret after the call that made it, nor key material at all.

#![forbid(unsafe_code)]

mod calls;
mod clients;
mod secrets;

use utoipa_axum::router::OpenApiRouter;
use web::{App, routes};

/// The routes of this component.
#[must_use]
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(clients::list, clients::create))
        .routes(routes!(clients::update))
        .routes(routes!(secrets::rotate))
        .routes(routes!(secrets::revoke))
        .routes(routes!(secrets::revoke_tokens))
        .routes(routes!(calls::search))
}
