//! The binding to Spin: its requests, databases, variables and clock. Used only in components.
//!
//! Never keep anything of a request in a static. An instance serves up to sixteen requests at once. Between requests
//! it keeps idle connections, settings, leases, rows of the call log that wait, and when schema and keys were checked.

#![forbid(unsafe_code)]

mod clock;
mod connection;
mod host;
mod limits;
mod postgres;
mod problem;
mod sqlite;
mod variables;

pub use host::{answer, answer_and_send};
pub use variables::RequiredVariables;
