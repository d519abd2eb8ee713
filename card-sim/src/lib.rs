//! A virtual chip in a virtual module, to test a card-writing gateway without hardware.
//!
//! * [`chip`] — the chip: USIM file system, toolkit, admin agent with TLS inside, APDUs in and out.
//! * [`module`] — the device: fetches proactive commands, owns the TCP socket, attaches to the network.
//! * [`network`] — the mobile network: which IMSIs may attach, and with which keys.
//! * [`faults`] — planned faults.
//! * [`fleet`] — thousands of modules in one process.
//! * [`observer`] — the events of modules and chips.
//!
//! Chip and module use ETSI TS 102 221 and TS 102 223, chip and server use GlobalPlatform Amendment B; all of it is
//! written from the specifications. It must never share protocol logic with a gateway, so that each checks the other.

pub mod chip;
pub mod faults;
pub mod fleet;
pub mod inventory;
mod milenage;
pub mod module;
pub mod network;
pub mod observer;
pub mod personalisation;

pub use chip::{Chip, Identity, NoPower, TlsParameters};
pub use faults::{ApduIndex, ChipFault, Faults, PowerLoss, Side};
pub use fleet::power_all;
pub use module::{Destination, Module, ModuleSettings, Outcome, PowerCycleReport};
pub use network::VirtualNetwork;
pub use observer::{Event, Observer, Reset, SessionEnd};
pub use personalisation::{ChipId, Personalisation};
