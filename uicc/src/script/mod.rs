//! Remote command and response scripts in the expanded format, definite and indefinite length
//! (TS 102 226 §5.2; tags in TS 101 220 tables 7.18 to 7.20).
//!
//! Both directions: a server builds [`CommandScript`]s and reads [`ResponseScript`]s, a card does the
//! opposite. These modules must never execute anything.

mod action;
mod chaining;
mod command;
mod response;

pub use action::{ErrorAction, ImmediateAction};
pub use chaining::{Chaining, ChainingResult};
pub use command::{CommandScript, Form, MAX_COMMANDS, ScriptCommand};
pub use response::{BadFormat, ImmediateActionResult, ResponseForm, ResponseScript, ScriptResult};

/// Media types of scripts over HTTPS (TS 102 226 §7.4) are in [`crate::scp81::ContentType`].
pub mod tag {
    #![expect(missing_docs, reason = "the names are those of the specification")]
    pub const COMMAND_SCRIPT: u16 = 0xAA;
    pub const COMMAND_SCRIPT_INDEFINITE: u16 = 0xAE;
    pub const RESPONSE_SCRIPT: u16 = 0xAB;
    pub const RESPONSE_SCRIPT_INDEFINITE: u16 = 0xAF;
    pub const C_APDU: u16 = 0x22;
    pub const R_APDU: u16 = 0x23;
    pub const NUMBER_EXECUTED: u16 = 0x80;
    pub const IMMEDIATE_ACTION: u16 = 0x81;
    pub const ERROR_ACTION: u16 = 0x82;
    pub const SCRIPT_CHAINING: u16 = 0x83;
    pub const BAD_FORMAT: u16 = 0x90;
}
