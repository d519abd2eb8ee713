//! `/admin/v1/tasks:end`, `/admin/v1/chips:fault` and `/admin/v1/chips/history`, §6.3 and §8.2.2: what administrators do
//! to the card of a chip, and its steps.
//!
//! Never adds a step to Table 2.

#![forbid(unsafe_code)]

mod end;
mod faults;
mod history;
mod values;

use web::{Routes, routes};

/// The routes of this component.
#[must_use]
pub fn router() -> Routes {
    Routes::new()
        .routes(routes!(end::end as "admin.tasks.end"))
        .routes(routes!(faults::register as "admin.chips.fault"))
        .routes(routes!(history::history as "admin.chips.history"))
}
