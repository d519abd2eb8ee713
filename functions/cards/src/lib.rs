//! `/admin/v1/tasks:end`, `/admin/v1/chips:…`, `/admin/v1/chips/…` and `/admin/v1/sessions`, §6.3 and §8.2: what
//! administrators do to the card of a chip, its steps and its sessions, and the register of faulty chips.

#![forbid(unsafe_code)]

mod acts;
mod end;
mod faults;
mod history;
mod register;
mod sessions;
mod values;

use web::{Routes, routes};

/// The routes of this component.
#[must_use]
pub fn router() -> Routes {
    Routes::new()
        .routes(routes!(end::end as "admin.tasks.end"))
        .routes(routes!(acts::reopen as "admin.chips.reopen"))
        .routes(routes!(acts::destroy as "admin.chips.destroy"))
        .routes(routes!(acts::replace as "admin.chips.replace"))
        .routes(routes!(faults::register as "admin.chips.fault"))
        .routes(routes!(register::faulty as "admin.chips.faulty"))
        .routes(routes!(history::history as "admin.chips.history"))
        .routes(routes!(sessions::list as "admin.sessions.list"))
        .routes(routes!(sessions::export as "admin.sessions.export"))
}
