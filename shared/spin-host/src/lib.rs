//! The binding to Spin: its requests, SQLite, variables and clock. Used only in components.
//!
//! Never keep anything of a request in a static. An instance serves up to sixteen requests at once. Between requests
//! it keeps idle connections, settings, leases, and that the schema was checked.

#![forbid(unsafe_code)]

mod body;
mod chain;
mod clock;
mod database;
mod endpoint;
mod host;
mod job;
mod operator;
mod post;
mod problem;
mod variables;

pub use body::within;
pub use chain::call_component;
pub use clock::now;
pub use database::Connection;
pub use endpoint::serve;
pub use host::{answer, answer_and_send};
pub use job::finish_job;
pub use operator::{fresh_number, fresh_open_time};
pub use post::{POST_SECS, Posted, post};
pub use variables::RequiredVariables;
