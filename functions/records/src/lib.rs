//! `/admin/v1/tasks`, `/admin/v1/chips`, `/admin/v1/numbers`, `/admin/v1/applications/refused` and `/v1/write/tasks`,
//! §5.3.1.1: what is on the platform, found by people and by clients. Reads only; never shows key material.

#![forbid(unsafe_code)]

mod chips;
mod numbers;
mod refusals;
mod tasks;
mod values;

use web::{Routes, routes};

/// The routes of this component.
#[must_use]
pub fn router() -> Routes {
    Routes::new()
        .routes(routes!(tasks::list as "admin.tasks.list"))
        .routes(routes!(tasks::own as "write.tasks"))
        .routes(routes!(refusals::list as "admin.applications.refused"))
        .routes(routes!(chips::list as "admin.chips.list"))
        .routes(routes!(numbers::list as "admin.numbers.list"))
        .routes(routes!(tasks::export as "admin.tasks.export"))
        .routes(routes!(refusals::export as "admin.applications.refused.export"))
        .routes(routes!(chips::export as "admin.chips.export"))
        .routes(routes!(numbers::export as "admin.numbers.export"))
}
