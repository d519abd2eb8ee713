//! Identifiers that several protocols share.

mod aid;
mod eid;

pub use aid::{Aid, MAX_AID_BYTES, RID_BYTES};
pub use eid::{EID_BYTES, EID_DIGITS, Eid, EidError};
