//! Contents of the elementary files that make up an operator identity, and where they are.
//!
//! Each file has a struct with `parse` and `encode`; [`mod@file`] holds identifiers, structures and sizes.
//! These modules must never show a whole number or a key in `Debug` output, nor check what only an issuer
//! can know (province codes, Luhn digits).

mod access;
pub mod file;
mod iccid;
mod imsi;
mod keys;
mod location;
mod number;
mod path;
mod plmn;
mod short_message;
mod spn;

pub use access::{Acc, Ad, MncDigits};
pub use file::{FileSpec, Parent, Structure};
pub use iccid::Iccid;
pub use imsi::Imsi;
pub use keys::Keys;
pub use location::{EpsLoci, Loci, PsLoci, UpdateStatus};
pub use number::{DialNumber, MsisdnRecord};
pub use path::FilePath;
pub use plmn::{AccessTechnology, Fplmn, Plmn, PlmnWithAct, PlmnWithActList};
pub use short_message::SmspRecord;
pub use spn::Spn;
