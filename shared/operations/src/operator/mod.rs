//! An operator's own HTTP interface, asked on demand for what it has not reported by itself.
//!
//! Operators differ in addresses, names, units and words; all of that is configuration (`config.rs`). What comes back
//! is somebody else's text: it is read by pointer, checked like any input, and what does not fit is no answer
//! (`answer.rs`). No I/O here; components bring their own.
//!
//! Never: show a credential, repeat an answer in an error, or make a value up.

mod answer;
mod config;

pub use config::{Inquiry, MAX_HEADERS, OperatorApi};

/// Largest answer that is read, in bytes.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// How long an operator may take to answer, in seconds; a business system waits for it.
pub const ANSWER_SECS: u64 = 5;
