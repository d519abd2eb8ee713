//! What every part of the chip works on: its personalisation, its memory, its planned faults, and the
//! journal of what happens in it.
//!
//! It must never decide anything.

use std::sync::Arc;

use super::agent::tls::Agreed;
use super::layout;
use super::nvm::{Identity, Nvm};
use crate::faults::{ApduIndex, ChipFault, Faults, Side};
use crate::observer::{Event, SessionEnd};
use crate::personalisation::Personalisation;
use uicc::apdu::StatusWord;

/// Shared by all parts of one chip.
pub(super) struct Core {
    /// What the chip was made with.
    pub card: Arc<Personalisation>,
    /// What it remembers.
    pub nvm: Nvm,
    /// What goes wrong in it.
    pub faults: Faults,
    /// C-APDUs that the RFM application ran since the power-up.
    pub script_apdus: u64,
    /// Files the RFM application changed since the last REFRESH or power-up, by position in the layout.
    pub changed: Vec<usize>,
    /// Power is gone: nothing more may be done.
    pub power_lost: bool,
    /// How the sessions of this power-up ended.
    pub sessions: Vec<SessionEnd>,
    /// What the last TLS handshake agreed on.
    pub tls: Option<Agreed>,
    /// Events that nobody has taken yet; stays empty unless somebody watches.
    pub journal: Vec<Event>,
    /// Somebody watches.
    pub watched: bool,
}

impl Core {
    /// A chip made with `card`, whose memory `factory` fills.
    pub(crate) fn new(card: Arc<Personalisation>, factory: impl FnOnce(&Personalisation) -> Nvm) -> Self {
        Self {
            nvm: factory(&card),
            card,
            faults: Faults::default(),
            script_apdus: 0,
            changed: Vec::new(),
            power_lost: false,
            sessions: Vec::new(),
            tls: None,
            journal: Vec::new(),
            watched: false,
        }
    }

    /// Notes an event, if somebody watches.
    pub(super) fn note(&mut self, event: impl FnOnce() -> Event) {
        if self.watched {
            self.journal.push(event());
        }
    }

    /// EF_IMSI holds the temporary identity.
    #[must_use]
    pub(super) fn on_temporary_number(&self) -> bool {
        self.nvm.identity == Identity::Temporary
    }

    /// Brings the identity's state in line with what EF_IMSI now holds. Called after every update.
    pub(super) fn identity_changed(&mut self) {
        let Some(at) = layout::find_path(super::factory::IMSI_PATH) else {
            return;
        };
        let temporary = super::factory::imsi(&self.card.imsi);
        self.nvm.identity = if self.nvm.file(at) == temporary {
            Identity::Temporary
        } else {
            Identity::Unverified
        };
    }

    /// Status word that updates answer because the whole memory is broken.
    #[must_use]
    pub(super) fn memory_problem(&self) -> Option<StatusWord> {
        (self.faults.chip == Some(ChipFault::MemoryProblem)).then_some(StatusWord::MEMORY_PROBLEM)
    }

    /// Power is lost on this side of the current script APDU; from then on [`Self::power_lost`] holds.
    pub(super) fn loses_power(&mut self, side: Side) -> bool {
        let planned = self.faults.power_loss;
        let now =
            planned.is_some_and(|loss| loss.side == side && loss.at == ApduIndex::Script(self.script_apdus));
        if now {
            self.faults.power_loss = None;
            self.power_lost = true;
            let index = self.script_apdus;
            self.note(|| Event::Fault(format!("power loss at script APDU {index}, {side:?}")));
        }
        now
    }
}
