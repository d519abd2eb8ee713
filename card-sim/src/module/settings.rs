//! Settings of a module.
//!
//! They must never hold anything that belongs to a chip.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use uicc::cat::{Facility, TerminalProfile};

/// Which address a module connects to for the destination of an OPEN CHANNEL.
#[derive(Debug, Clone, Default)]
pub enum Destination {
    /// The destination of the command.
    #[default]
    AsNamed,
    /// This address, whatever the command says.
    Always(SocketAddr),
    /// The address this table has for the destination; without an entry, the destination itself.
    Table(HashMap<SocketAddr, SocketAddr>),
}

impl Destination {
    /// Returns the address to connect to for the destination `named`.
    #[must_use]
    pub fn of(&self, named: SocketAddr) -> SocketAddr {
        match self {
            Self::AsNamed => named,
            Self::Always(address) => *address,
            Self::Table(table) => table.get(&named).copied().unwrap_or(named),
        }
    }
}

/// Terminal profile, channel buffer, polling and time limits of a module.
#[derive(Debug, Clone)]
pub struct ModuleSettings {
    /// Data field of TERMINAL PROFILE.
    pub profile: Vec<u8>,
    /// Which address channels connect to.
    pub destination: Destination,
    /// Local address that channels are opened from, of the same family as the destination. Default: what the system
    /// chooses.
    pub source: Option<IpAddr>,
    /// Most bytes of receive buffer a channel gets.
    pub max_buffer: u16,
    /// Time between STATUS commands while a channel is open. A module without a channel and without a
    /// timer polls [`Self::closing_polls`] times at once and then counts as settled.
    pub poll_interval: Duration,
    /// STATUS commands without a proactive command after which a quiet chip counts as settled.
    pub closing_polls: u8,
    /// Longest time of one power cycle.
    pub max_duration: Duration,
    /// IMEI, 15 digits.
    pub imei: String,
}

impl Default for ModuleSettings {
    fn default() -> Self {
        Self {
            profile: full_profile(),
            destination: Destination::AsNamed,
            source: None,
            max_buffer: 1500,
            poll_interval: Duration::from_secs(30),
            closing_polls: 2,
            max_duration: Duration::from_secs(600),
            imei: "860000000000001".to_owned(),
        }
    }
}

/// TERMINAL PROFILE of all that this module supports: TCP over one channel, timers, events.
#[must_use]
pub fn full_profile() -> Vec<u8> {
    let mut facilities = vec![
        Facility::ProfileDownload,
        Facility::TimerExpiration,
        Facility::Refresh,
        Facility::ProvideLocalInformation,
        Facility::EventLocationStatus,
        Facility::TimerStartStop,
        Facility::GetChannelStatus,
        Facility::BearerEUtran,
    ];
    facilities.extend(Facility::BIP_TCP);
    TerminalProfile::with(&facilities, 1)
        .map(|profile| profile.encode())
        .unwrap_or_default()
}
