//! State that all parts of one chip share: personalisation, non-volatile memory, planned faults, and the
//! events not yet taken by the module.
//!
//! It must never decide what the chip does next.

use std::sync::Arc;

use super::agent::tls::TlsParameters;
use super::nvm::{Identity, Nvm};
use super::{initial_files, layout};
use crate::faults::{ApduIndex, ChipFault, Faults, Side};
use crate::milenage::Milenage;
use crate::observer::{Event, SessionEnd};
use crate::personalisation::{Personalisation, SEED_K, SEED_OPC};
use uicc::apdu::StatusWord;

/// State that all parts of one chip share.
pub(super) struct Core {
    /// What the chip was made with.
    pub card: Arc<Personalisation>,
    /// Non-volatile memory.
    pub nvm: Nvm,
    /// Planned faults of the chip.
    pub faults: Faults,
    /// C-APDUs that the RFM application ran since the power-up.
    pub script_apdus: u64,
    /// Files the RFM application changed since the last REFRESH or power-up, by position in the layout.
    pub changed: Vec<usize>,
    /// Power is gone: no further command is carried out.
    pub power_lost: bool,
    /// How the sessions of this power-up ended.
    pub sessions: Vec<SessionEnd>,
    /// What the last TLS handshake agreed on.
    pub tls: Option<TlsParameters>,
    /// Events not yet taken by the module; stays empty unless events are recorded.
    pub events: Vec<Event>,
    /// Whether events are recorded.
    pub records_events: bool,
}

impl Core {
    /// State of a chip as it is delivered.
    pub(super) fn new(card: Arc<Personalisation>) -> Self {
        Self {
            nvm: initial_files::memory(&card),
            card,
            faults: Faults::default(),
            script_apdus: 0,
            changed: Vec::new(),
            power_lost: false,
            sessions: Vec::new(),
            tls: None,
            events: Vec::new(),
            records_events: false,
        }
    }

    /// Records an event, if events are recorded.
    pub(super) fn record(&mut self, event: impl FnOnce() -> Event) {
        if self.records_events {
            self.events.push(event());
        }
    }

    /// Tells whether EF_IMSI holds the temporary identity.
    #[must_use]
    pub(super) fn on_temporary_number(&self) -> bool {
        self.nvm.identity == Identity::Temporary
    }

    /// The functions with which the chip authenticates: under the K and OPc that were loaded, else under those of the
    /// temporary number.
    #[must_use]
    pub(super) fn milenage(&self) -> Milenage {
        match self.nvm.keys() {
            Some(keys) => Milenage::new(keys.k, keys.opc),
            None => Milenage::new(SEED_K, SEED_OPC),
        }
    }

    /// Updates the state of the identity after EF_IMSI was updated.
    pub(super) fn identity_changed(&mut self) {
        let Some(at) = layout::find_path(initial_files::IMSI_PATH) else {
            return;
        };
        let temporary = initial_files::imsi(&self.card.imsi);
        self.nvm.identity = if self.nvm.file(at) == temporary {
            Identity::Temporary
        } else {
            Identity::Unverified
        };
    }

    /// Status word of every update while the planned memory problem lasts.
    #[must_use]
    pub(super) fn memory_problem(&self) -> Option<StatusWord> {
        (self.faults.chip == Some(ChipFault::MemoryProblem)).then_some(StatusWord::MEMORY_PROBLEM)
    }

    /// Carries out a planned power loss on this side of the current script APDU; tells whether there was one.
    pub(super) fn power_lost_at(&mut self, side: Side) -> bool {
        let planned = self.faults.power_loss;
        let now =
            planned.is_some_and(|loss| loss.side == side && loss.at == ApduIndex::Script(self.script_apdus));
        if now {
            self.faults.power_loss = None;
            self.power_lost = true;
            let index = self.script_apdus;
            self.record(|| Event::Fault(format!("power loss at script APDU {index}, {side:?}")));
        }
        now
    }
}
