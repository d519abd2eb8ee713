//! Planned faults of a module and its chip, set before a power-up.
//!
//! Faults are placed by counts of APDUs and bytes, so that a plan always hits the same spot. To refuse an operator
//! number in the network, see [`crate::network::VirtualNetwork::reject`]. A fault must never be random or depend on
//! time.

use std::time::Duration;

use uicc::apdu::StatusWord;

/// The APDU at which power is lost. Both counts start at 0 with the power-up and continue over resets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApduIndex {
    /// The n-th APDU between module and chip.
    Interface(u64),
    /// The n-th C-APDU that the RFM application runs.
    Script(u64),
}

/// Whether power is lost before or after an APDU is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The APDU is not carried out.
    Before,
    /// The APDU is carried out, but its response is lost.
    After,
}

/// A power loss that occurs once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PowerLoss {
    /// The APDU at which power is lost.
    pub at: ApduIndex,
    /// Before or after the APDU is carried out.
    pub side: Side,
}

/// A defect of the chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChipFault {
    /// Every update fails with `6581`.
    MemoryProblem,
    /// The chip stops answering on the interface.
    Silent {
        /// First APDU without an answer, counted from 0.
        from: u64,
    },
}

/// All planned faults; [`Faults::default`] has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// Power is lost, once.
    pub power_loss: Option<PowerLoss>,
    /// The link drops once, after this many bytes of TCP payload to the server.
    pub drop_after_up: Option<u64>,
    /// The link drops once, after this many bytes of TCP payload from the server.
    pub drop_after_down: Option<u64>,
    /// Files that refuse updates by the RFM application: file identifier and status word.
    pub refused_files: Vec<(u16, StatusWord)>,
    /// Defect of the chip.
    pub chip: Option<ChipFault>,
    /// The chip has no RFM application.
    pub rfm_missing: bool,
    /// Most bytes of channel buffer that the module grants.
    pub buffer_limit: Option<u16>,
    /// Delays of the transfers over the air, used in turn and repeated; no delay if empty.
    pub link_delays: Vec<Duration>,
}

impl Faults {
    /// Plans a power loss on one side of the APDU `at`.
    #[must_use]
    pub fn power_loss(at: ApduIndex, side: Side) -> Self {
        Self {
            power_loss: Some(PowerLoss { at, side }),
            ..Self::default()
        }
    }

    /// Plans that the file `fid` refuses every update with `status`.
    #[must_use]
    pub fn refusing(fid: u16, status: StatusWord) -> Self {
        Self {
            refused_files: vec![(fid, status)],
            ..Self::default()
        }
    }
}
