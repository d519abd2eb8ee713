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

use web::{Routes, routes};

/// The routes of this component.
#[must_use]
pub fn router() -> Routes {
    Routes::new()
        .routes(routes!(messages::find as "admin.callbacks"))
        .routes(routes!(resend::send_again as "admin.callbacks.resend"))
        .routes(routes!(probe::try_out as "admin.callbacks.probe"))
        .routes(routes!(receivers::show as "admin.receivers"))
        .routes(routes!(receivers::update as "admin.receivers.update"))
        .routes(routes!(receivers::rotate_secret as "admin.receivers.rotate_secret"))
        .routes(routes!(messages::export as "admin.callbacks.export"))
}
