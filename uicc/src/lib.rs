//! Codecs of the messages of a UICC: bytes in, bytes out.
//!
//! | module | messages | specification |
//! | --- | --- | --- |
//! | [`tlv`] | BER-TLV and COMPREHENSION-TLV | ISO/IEC 8825-1, ETSI TS 101 220 §7 |
//! | [`apdu`] | command and response APDUs, status words | ETSI TS 102 221 §10–11 |
//! | [`script`] | remote command and response scripts, expanded format | ETSI TS 102 226 §5.2 |
//! | [`ef`] | contents of elementary files | ETSI TS 102 221 §13, 3GPP TS 31.102 §4 |
//! | [`cat`] | proactive commands, terminal responses, envelopes | ETSI TS 102 223 |
//! | [`scp81`] | remote administration over HTTPS | GlobalPlatform Amendment B, GSMA SGP.02 |
//! | [`scp80`] | secured packets | ETSI TS 102 225, 3GPP TS 31.115 |
//! | [`bcd`], [`ident`] | digits, EID and AID | |
//!
//! Every message is a struct with `parse` and `encode`; `parse` returns an [`Error`] that names the byte
//! offset and what was expected there, and `encode` cannot fail because what could not be encoded cannot
//! be constructed.
//!
//! This crate must never open a socket or a file, read a clock, draw random numbers, keep state between
//! calls, panic on input, or show key material or a whole identifier in `Debug` output.
#![forbid(unsafe_code)]

pub mod apdu;
pub mod bcd;
mod byte_enum;
pub mod cat;
pub mod ef;
mod error;
mod hex_digits;
pub mod ident;
mod mask;
mod reader;
pub mod scp80;
pub mod scp81;
pub mod script;
pub mod tlv;

pub use error::{Error, Result};
pub use ident::{Eid, EidError};
pub use mask::{mask_identifiers, masked};
