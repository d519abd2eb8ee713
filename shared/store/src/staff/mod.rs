//! The tables of staff: accounts, roles, and the credentials with which they call.

pub mod account;
pub mod credential;
pub mod role;
