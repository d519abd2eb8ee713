//! A virtual chip behind a virtual module: what a card-writing gateway talks to when no hardware is near.
//!
//! * [`chip`] — the chip: USIM file system, toolkit, admin agent with TLS inside, APDUs in and out.
//! * [`module`] — the device around it: fetches proactive commands, owns the TCP socket, attaches.
//! * [`network`] — who may attach.
//! * [`faults`] — what shall go wrong, and exactly when.
//! * [`fleet`] — thousands of modules in one process.
//! * [`observer`] — everything that happens, as events.
//!
//! Chip and module speak ETSI TS 102 221 and TS 102 223 to each other, and the chip speaks GlobalPlatform
//! Amendment B to its server; all of it is written from the specifications. It must never share protocol
//! logic with a gateway, so that each checks the other.

pub mod chip;
pub mod faults;
pub mod fleet;
pub mod inventory;
pub mod module;
pub mod network;
pub mod observer;
pub mod personalisation;

pub use chip::{Agreed, Chip, Identity, NoPower};
pub use faults::{ApduIndex, ChipFault, Faults, PowerLoss, Side};
pub use fleet::power_all;
pub use module::{Destination, Module, ModuleSettings, Outcome, PowerCycleReport};
pub use network::VirtualNetwork;
pub use observer::{Event, Observer, Reset, SessionEnd};
pub use personalisation::{ChipId, Personalisation};
