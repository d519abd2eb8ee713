//! An operator's own HTTP interface, asked on demand for what it has not reported.
//!
//! Operators differ in addresses, names, units and codes; all of that is configuration (`config.rs`). An answer is
//! untrusted input: it is read by JSON pointer and checked, and what does not fit is ignored (`answer.rs`). This
//! module does no I/O; components do.
//!
//! Never show a credential, quote an answer in an error, or invent a value.

mod answer;
mod config;

pub use config::{Inquiry, MAX_HEADERS, OperatorApi};

/// Largest answer that is read, in bytes.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// How long an operator may take to answer, in seconds; a business system waits meanwhile.
pub const ANSWER_SECS: u64 = 5;
