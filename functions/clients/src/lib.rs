//! `/admin/v1/clients…`, `/admin/v1/calls` and `/admin/v1/audit`, §6.2.1.1, §9.2: clients and their secrets, the call log,
//! and the audit trail.
//!
//! Never shows a secret after the call that made it, nor key material at all.

#![forbid(unsafe_code)]

mod audit;
mod calls;
mod clients;
mod close;
mod freeze;
mod report;
mod secrets;

use web::{Routes, routes};

/// The routes of this component.
#[must_use]
pub fn router() -> Routes {
    Routes::new()
        .routes(routes!(clients::list as "admin.clients.list", clients::create as "admin.clients"))
        .routes(routes!(clients::update as "admin.clients.update"))
        .routes(routes!(close::close as "admin.clients.close"))
        .routes(routes!(freeze::freeze as "admin.clients.freeze"))
        .routes(routes!(freeze::unfreeze as "admin.clients.unfreeze"))
        .routes(routes!(secrets::rotate as "admin.clients.rotate_secret"))
        .routes(routes!(secrets::revoke as "admin.clients.revoke_secret"))
        .routes(routes!(secrets::revoke_tokens as "admin.clients.revoke_tokens"))
        .routes(routes!(calls::search as "admin.calls"))
        .routes(routes!(calls::export as "admin.calls.export"))
        .routes(routes!(audit::search as "admin.audit"))
        .routes(routes!(report::report as "admin.audit.report"))
}
