//! `/admin/v1/callbacks…` and `/admin/v1/receivers…`, §7.3, §8.2.3, §9.2.2: the platform's messages, sending them
//! again, and the addresses of receivers.
//!
//! Sends only messages that test an address. Never shows the content of a message, nor a secret after the call that
//! made it.

#![forbid(unsafe_code)]

mod messages;
mod probe;
mod receivers;
mod resend;

use utoipa_axum::router::OpenApiRouter;
use web::{App, routes};

/// The routes of this component.
#[must_use]
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(messages::find))
        .routes(routes!(resend::send_again))
        .routes(routes!(probe::try_out))
        .routes(routes!(receivers::show))
        .routes(routes!(receivers::update))
        .routes(routes!(receivers::rotate_secret))
}
