//! What crosses the interface of a UICC: command APDUs, response APDUs, status words (TS 102 221 §10).
//!
//! Short lengths only, as UICC files and the toolkit use. These modules must never print the data field:
//! it may carry keys or identifiers.

pub mod build;
mod command;
mod response;
mod status_word;

pub use command::{CommandApdu, MAX_DATA_BYTES, ins};
pub use response::ResponseApdu;
pub use status_word::{StatusWord, SwClass};
