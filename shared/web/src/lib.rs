//! The request layer: from a request to a call, and from a result to an answer. It has no host and no socket, so all
//! of it is tested natively.
//!
//! `interface` lists the interfaces, `serve.rs` takes a request through its checks, and the other modules are the
//! steps: address, credential, parameters, language, answer, the operator's log.
//!
//! Never decide anything about cards: `operations` does.

#![forbid(unsafe_code)]

mod address;
mod answer;
pub mod as_sent;
mod call;
mod connections;
mod credential;
mod exchange;
pub mod extract;
mod fields;
pub mod gateway;
mod handler;
mod host;
pub mod interface;
pub mod jobs;
mod language;
mod layers;
mod leases;
mod log;
mod operation;
pub mod outbound;
pub mod parameters;
mod params;
mod query;
mod read;
mod receipt;
mod refusal;
mod reply;
mod routes;
mod serve;
mod settings;
#[cfg(test)]
mod tests;
mod text_fields;
mod trace;
pub mod values;

pub use answer::{Answer, CsvFile, Success};
pub use call::Call;
pub use connections::{Connection, Db};
pub use exchange::Exchange;
pub use fields::{field, or_null, present};
pub use handler::LocalHandler;
pub use host::{App, Durability, Host, LocalFuture, within};
pub use interface::Interface;
pub use leases::Leases;
pub use operation::{Access, Content, Operation, Role};
pub use outbound::Received;
pub use params::{Param, Params};
#[doc(hidden)]
pub use pastey::paste;
pub use query::{MAX_PAIRS, MAX_QUERY_BYTES};
pub use receipt::{MAX_RECEIPT_BYTES, read_receipt, unread_receipt};
pub use refusal::Refusal;
pub use reply::{Reply, render};
pub use routes::{BEARER, Route, TOKEN, codes, on_one_path, service};
pub use serve::{Admitted, Instance, Request, admit, serve};
pub use settings::{Settings, Variables};
pub use text_fields::TextFields;
pub use trace::Trace;
