//! A simulated chip that belongs to the scripted administration server, in a module on a network, watched.
//!
//! It must not have a gateway of the product before it: the simulator is tested alone.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use card_sim::personalisation::Builder;
use card_sim::{ChipId, Event, Module, ModuleSettings, Observer, Personalisation, VirtualNetwork};

use crate::eid::EID;

/// The PSK of the chip.
pub const PSK: [u8; 16] = *b"0123456789abcdef";
/// The DEK of the chip.
pub const DEK: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
/// The IMSI that the chip comes with.
pub const SEED_IMSI: &str = "460001234567890";
/// The IMSI that [`WRITE_IMSI`] writes.
pub const OPERATOR_IMSI: &str = "460001357924680";

/// SELECT EF_IMSI, UPDATE BINARY with 460001357924680; a script in indefinite form, TS 102 226 §5.2.
pub const WRITE_IMSI: &str = "AE80220700A40004026F07220E00D60000090849060031752964080000";
/// SELECT EF_IMSI, READ BINARY EF_IMSI.
pub const READ_IMSI: &str = "AE80220700A40004026F07220500B00000090000";

/// A chip of the enterprise-standard kind, not yet built.
#[must_use]
pub fn seed_card(gateway: SocketAddr) -> Builder {
    Personalisation::builder(EID.parse().unwrap(), PSK, DEK)
        .iccid("89860112345678901234")
        .imsi(SEED_IMSI)
        .msisdn("861440123456789")
        .gateway(gateway)
}

/// Keeps every event as a line of text.
#[derive(Default)]
pub struct Log(Mutex<Vec<String>>);

impl Observer for Log {
    fn event(&self, _chip: &ChipId, event: &Event) {
        self.0.lock().unwrap().push(event.to_string());
    }
}

impl Log {
    /// Every line so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// How many lines contain this text.
    #[must_use]
    pub fn count(&self, part: &str) -> usize {
        self.lines().iter().filter(|line| line.contains(part)).count()
    }

    /// Whether a line contains this text.
    #[must_use]
    pub fn has(&self, part: &str) -> bool {
        self.count(part) > 0
    }
}

/// A module on an open network, watched.
#[must_use]
pub fn module(card: Builder) -> (Module, Arc<Log>) {
    let log = Arc::new(Log::default());
    let mut module = Module::new(
        card.build().unwrap(),
        ModuleSettings::default(),
        Arc::new(VirtualNetwork::open()),
    );
    module.observe(log.clone());
    (module, log)
}
