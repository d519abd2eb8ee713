//! Accounts, roles and sign-ins through their routes (§10.1).

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where it goes wrong, helpers included"
)]

mod accounts;
mod approvals;
mod frozen;
mod keys;
mod platform;
mod sign_in;
