//! `/admin/v1/accounts…`, `/admin/v1/roles…`, `/admin/v1/api-keys…`, `/admin/v1/approvals…` and `/admin/v1/sign-in…`, §10.1:
//! who may do what, what waits for a second person, and how people sign in.
//!
//! Never shows a code, a session or a key after the call that made it, nor a password at all.

#![forbid(unsafe_code)]

mod accounts;
mod approvals;
mod keys;
mod roles;
mod sign_in;
mod values;

use web::{Routes, routes};

/// The routes of this component.
#[must_use]
pub fn router() -> Routes {
    Routes::new()
        .routes(routes!(accounts::list as "admin.accounts.list", accounts::create as "admin.accounts"))
        .routes(routes!(accounts::update as "admin.accounts.update"))
        .routes(routes!(accounts::revoke as "admin.accounts.revoke"))
        .routes(routes!(accounts::freeze as "admin.accounts.freeze"))
        .routes(routes!(accounts::enrol as "admin.accounts.enrol"))
        .routes(routes!(roles::list as "admin.roles.list", roles::create as "admin.roles"))
        .routes(routes!(roles::update as "admin.roles.update"))
        .routes(routes!(roles::delete as "admin.roles.delete"))
        .routes(routes!(approvals::list as "admin.approvals.list"))
        .routes(routes!(approvals::refuse as "admin.approvals.refuse"))
        .routes(routes!(keys::list as "admin.api_keys.list", keys::create as "admin.api_keys"))
        .routes(routes!(keys::revoke as "admin.api_keys.revoke"))
        .routes(routes!(sign_in::sign_in as "sign_in"))
        .routes(routes!(sign_in::enrol as "sign_in.enrol"))
        .routes(routes!(sign_in::end as "sign_in.end"))
}
