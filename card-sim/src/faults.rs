//! What shall go wrong, and when: a plan that an embedder gives to a module before it powers it up.
//!
//! Everything is counted — APDUs, bytes — so that a plan always hits the same spot. An operator number
//! that cannot attach is the network's doing: see [`crate::network::VirtualNetwork::reject`]. Nothing here
//! must ever be random or depend on time.

use std::time::Duration;

use uicc::apdu::StatusWord;

/// Which count of APDUs a power loss waits for. Both start at 0 with the power-up and go on over resets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApduIndex {
    /// The n-th APDU between module and chip.
    Interface(u64),
    /// The n-th C-APDU that the RFM application runs.
    Script(u64),
}

/// Which side of an APDU's execution a power loss falls on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The APDU is not carried out.
    Before,
    /// The APDU is carried out, nobody learns of it.
    After,
}

/// Power is cut once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PowerLoss {
    /// Which APDU.
    pub at: ApduIndex,
    /// Which side of it.
    pub side: Side,
}

/// A chip that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChipFault {
    /// Every update answers `6581`.
    MemoryProblem,
    /// The chip does not answer from the n-th APDU on the interface on.
    Silent {
        /// n, from 0.
        from: u64,
    },
}

/// The plan. [`Faults::default`] is: nothing goes wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// Power is lost, once.
    pub power_loss: Option<PowerLoss>,
    /// The link drops, once, when so many bytes of TCP payload have gone up.
    pub drop_after_up: Option<u64>,
    /// The link drops, once, when so many bytes of TCP payload have come down.
    pub drop_after_down: Option<u64>,
    /// File identifiers that refuse updates by the RFM application, and the status word they answer.
    pub refused_files: Vec<(u16, StatusWord)>,
    /// A broken chip.
    pub chip: Option<ChipFault>,
    /// There is no RFM application in the chip.
    pub rfm_missing: bool,
    /// The module grants at most so many bytes of channel buffer.
    pub buffer_limit: Option<u16>,
    /// Time that each transfer over the air takes, in turn and from the front again; empty: none.
    pub link_delays: Vec<Duration>,
}

impl Faults {
    /// Power is cut at `at`, on `side` of it.
    #[must_use]
    pub fn power_loss(at: ApduIndex, side: Side) -> Self {
        Self {
            power_loss: Some(PowerLoss { at, side }),
            ..Self::default()
        }
    }

    /// The file `fid` answers `status` to every update.
    #[must_use]
    pub fn refusing(fid: u16, status: StatusWord) -> Self {
        Self {
            refused_files: vec![(fid, status)],
            ..Self::default()
        }
    }
}
