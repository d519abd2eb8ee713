//! The request layer: from a request to a handler, and from its answer to a response. It has no host and no socket, so
//! all of it is tested natively.
//!
//! `routes` makes routers of annotated handlers, `layers` has what every request passes, `extract` what handlers take,
//! `answer` what they give, `values` the kinds of texts and numbers in both. `host` is what a program offers to them.
//!
//! Never decide anything about cards: `operations` does.

#![forbid(unsafe_code)]

mod address;
mod answer;
pub mod as_sent;
mod budget;
mod connection;
mod connections;
mod credential;
mod cursor;
#[cfg(feature = "openapi")]
mod documented;
mod export;
pub mod extract;
mod fields;
pub mod gateway;
mod handler;
mod host;
mod ignored;
pub mod jobs;
mod language;
mod layers;
mod leases;
mod log;
mod operation;
pub mod outbound;
pub mod parameters;
mod query;
mod read;
mod receipt;
mod refusal;
mod routes;
mod settings;
#[cfg(test)]
mod tests;
pub mod values;
mod waiting_calls;

pub use answer::{Answer, CsvFile, Success};
pub use connection::{Connection, LocalFuture, Purpose};
pub use connections::Db;
#[cfg(feature = "openapi")]
pub use documented::{BEARER, TOKEN};
pub use export::{ExportFile, ExportPage, ExportSource, export};
pub use fields::{or_null, present};
pub use handler::LocalHandler;
pub use host::{App, Host, read_bounded, within};
pub use operation::{Access, Content, Operation, Role, STAFF, WORKBOOK};
pub use outbound::Received;
#[doc(hidden)]
pub use pastey::paste;
pub use query::{MAX_PAIRS, MAX_QUERY_BYTES};
pub use refusal::Refusal;
pub use routes::{OnePath, Route, Routes, codes, on_one_path, service};
pub use settings::{Settings, Variables};
