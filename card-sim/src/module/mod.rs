//! The virtual module: powers the chip, carries out its proactive commands, owns the TCP socket, attaches
//! to the network.
//!
//! It must never read the chip's memory: all it knows comes over APDUs.

mod attach;
mod card_interface;
mod channel;
mod describe;
mod event_sink;
mod power_cycle;
mod report;
mod settings;
mod terminal;

use std::sync::Arc;

use crate::chip::Chip;
use crate::faults::Faults;
use crate::network::VirtualNetwork;
use crate::observer::Observer;
use crate::personalisation::{ChipId, Personalisation};
use card_interface::CardInterface;
use event_sink::EventSink;
use power_cycle::PowerCycle;
pub use report::{Outcome, PowerCycleReport};
pub use settings::{Destination, ModuleSettings, full_profile};

/// A module with its chip, switched off between power cycles.
pub struct Module {
    chip: Chip,
    settings: ModuleSettings,
    network: Arc<VirtualNetwork>,
    events: EventSink,
    faults: Faults,
}

impl Module {
    /// Makes a module with a chip as it is delivered.
    #[must_use]
    pub fn new(card: Personalisation, settings: ModuleSettings, network: Arc<VirtualNetwork>) -> Self {
        Self {
            chip: Chip::new(card),
            settings,
            network,
            events: EventSink::default(),
            faults: Faults::default(),
        }
    }

    /// Identifier of the chip in logs and events.
    #[must_use]
    pub fn id(&self) -> ChipId {
        self.chip.id()
    }

    /// The chip of the module.
    #[must_use]
    pub fn chip(&self) -> &Chip {
        &self.chip
    }

    /// Settings of the module; changes take effect at the next power-up.
    pub fn settings_mut(&mut self) -> &mut ModuleSettings {
        &mut self.settings
    }

    /// Passes every event from now on to `observer`.
    pub fn observe(&mut self, observer: Arc<dyn Observer>) {
        self.events = EventSink::to(observer);
        self.chip.record_events(true);
    }

    /// Sets the faults from the next power-up on. A fault that occurs once is removed after it occurred; the
    /// others stay.
    pub fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// Switches the module on, serves the chip until it issues no more proactive commands or a fault ends the
    /// power cycle, and switches the module off.
    pub async fn power_on(&mut self) -> PowerCycleReport {
        self.chip.set_faults(self.faults.clone());
        self.chip.clear_sessions();
        let card = CardInterface::new(&mut self.chip, &self.events, &mut self.faults);
        let mut cycle = PowerCycle::new(card, &self.settings, &self.network);
        let running = tokio::time::timeout(self.settings.max_duration, cycle.run()).await;
        let outcome = running.unwrap_or(Outcome::TimedOut);
        let (apdus, resets, attached) = (cycle.card.apdus, cycle.resets, cycle.attached);
        let traffic = std::mem::take(&mut cycle.traffic);
        self.events.emit_recorded(&mut self.chip);
        self.chip.stop();
        if self.chip.faults().power_loss.is_none() {
            self.faults.power_loss = None;
        }
        PowerCycleReport {
            outcome,
            apdus,
            script_apdus: self.chip.script_apdus(),
            resets,
            attached,
            sessions: self.chip.sessions().to_vec(),
            tls: self.chip.last_tls(),
            bytes_up: traffic.up,
            bytes_down: traffic.down,
        }
    }
}
