//! The virtual module: powers the chip, carries out its proactive commands, owns the TCP socket, attaches
//! to the network.
//!
//! It must never look into the chip: all it knows comes over APDUs.

mod attach;
mod cycle;
mod link;
mod meaning;
mod report;
mod settings;
mod terminal;

use std::sync::Arc;

use crate::chip::Chip;
use crate::faults::Faults;
use crate::network::VirtualNetwork;
use crate::observer::{Event, Observer};
use crate::personalisation::{ChipId, Personalisation};
use cycle::Cycle;
pub use report::{Outcome, PowerCycleReport};
pub use settings::{Destination, ModuleSettings, full_profile};

/// Who is told of events, if anybody.
#[derive(Default, Clone)]
struct Watch(Option<Arc<dyn Observer>>);

impl Watch {
    /// Tells what the module did, after all that the chip did before.
    fn tell(&self, chip: &mut Chip, event: &Event) {
        if let Some(observer) = &self.0 {
            self.pass_on(chip);
            observer.event(&chip.id(), event);
        }
    }

    /// Tells what the chip noted.
    fn pass_on(&self, chip: &mut Chip) {
        if let Some(observer) = &self.0 {
            let id = chip.id();
            chip.take_events()
                .iter()
                .for_each(|event| observer.event(&id, event));
        }
    }
}

/// A module with a chip in it, switched off.
pub struct Module {
    chip: Chip,
    settings: ModuleSettings,
    network: Arc<VirtualNetwork>,
    watch: Watch,
    faults: Faults,
}

impl Module {
    /// A module with a chip fresh from the factory.
    #[must_use]
    pub fn new(card: Personalisation, settings: ModuleSettings, network: Arc<VirtualNetwork>) -> Self {
        Self {
            chip: Chip::new(card),
            settings,
            network,
            watch: Watch::default(),
            faults: Faults::default(),
        }
    }

    /// What the chip is called in logs and events.
    #[must_use]
    pub fn id(&self) -> ChipId {
        self.chip.id()
    }

    /// The chip.
    #[must_use]
    pub fn chip(&self) -> &Chip {
        &self.chip
    }

    /// The settings, to be changed while the module is off.
    pub fn settings_mut(&mut self) -> &mut ModuleSettings {
        &mut self.settings
    }

    /// Tells an observer everything from now on.
    pub fn observe(&mut self, observer: Arc<dyn Observer>) {
        self.watch = Watch(Some(observer));
        self.chip.watch(true);
    }

    /// What shall go wrong from the next power-up on. Faults that come once are gone after they came; the
    /// others stay.
    pub fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// Switches the module on, lets it work until the chip wants nothing more (or something goes wrong),
    /// and switches it off.
    pub async fn power_on(&mut self) -> PowerCycleReport {
        self.chip.set_faults(self.faults.clone());
        self.chip.forget_sessions();
        let mut cycle = Cycle::new(
            &mut self.chip,
            (&self.settings, &self.network),
            &self.watch,
            &mut self.faults,
        );
        let running = tokio::time::timeout(self.settings.max_duration, cycle.run()).await;
        let outcome = running.unwrap_or(Outcome::TimedOut);
        let (apdus, resets, attached) = (cycle.apdus, cycle.resets, cycle.attached);
        let traffic = std::mem::take(&mut cycle.traffic);
        self.watch.pass_on(&mut self.chip);
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
