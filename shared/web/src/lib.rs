//! The request layer: from a request to a call, and from a result to an answer. It has no host and no socket, so all
//! of it is tested natively.
//!
//! `interface` lists the interfaces, `serve.rs` takes a request through its checks, and the other modules are the
//! steps: address, credential, parameters, language, answer, the operator's log.
//!
//! Never decide anything about cards: `operations` does.

#![forbid(unsafe_code)]

mod address;
mod call;
mod credential;
mod exchange;
mod fields;
pub mod gateway;
pub mod interface;
mod language;
mod leases;
mod log;
mod params;
mod query;
mod receipt;
mod refusal;
mod reply;
mod serve;
mod settings;
#[cfg(test)]
mod tests;
mod text_fields;
mod trace;

pub use call::Call;
pub use exchange::Exchange;
pub use fields::{field, or_null, present};
pub use interface::Interface;
pub use leases::Leases;
pub use params::{Param, Params};
pub use query::MAX_PAIRS;
pub use receipt::{MAX_RECEIPT_BYTES, read_receipt, unread_receipt};
pub use refusal::Refusal;
pub use reply::{Reply, render};
pub use serve::{Admitted, Instance, MAX_QUERY_BYTES, Request, admit, serve};
pub use settings::{Settings, Variables};
pub use text_fields::TextFields;
pub use trace::Trace;
