//! What one power cycle came to.
//!
//! It must never carry an identifier.

use std::fmt;

use crate::chip::Agreed;
use crate::observer::SessionEnd;

/// How a power cycle ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The chip wants nothing more.
    Settled,
    /// Power was lost, as planned.
    PowerLost,
    /// The chip does not answer.
    Silent,
    /// The chip asked for more resets than a module grants.
    TooManyResets,
    /// The chip was still busy when the time was up.
    TimedOut,
}

/// The power cycle in figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PowerCycleReport {
    /// How it ended.
    pub outcome: Outcome,
    /// APDUs between module and chip.
    pub apdus: u64,
    /// C-APDUs that the RFM application ran.
    pub script_apdus: u64,
    /// UICC resets.
    pub resets: u8,
    /// Whether the last attach succeeded.
    pub attached: bool,
    /// Every session, in order.
    pub sessions: Vec<SessionEnd>,
    /// What the last TLS handshake agreed on.
    pub tls: Option<Agreed>,
    /// TCP payload towards the server, in bytes.
    pub bytes_up: u64,
    /// TCP payload from the server, in bytes.
    pub bytes_down: u64,
}

impl PowerCycleReport {
    /// The chip settled, and its last session ended in order.
    #[must_use]
    pub fn finished(&self) -> bool {
        self.outcome == Outcome::Settled && self.sessions.last() == Some(&SessionEnd::Finished)
    }
}

impl fmt::Display for PowerCycleReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = match self.outcome {
            Outcome::Settled => "settled",
            Outcome::PowerLost => "power lost",
            Outcome::Silent => "chip silent",
            Outcome::TooManyResets => "too many resets",
            Outcome::TimedOut => "timed out",
        };
        let attached = if self.attached { "attached" } else { "not attached" };
        write!(
            f,
            "{outcome}, {attached}, {} APDUs, {} in scripts, ",
            self.apdus, self.script_apdus
        )?;
        write!(
            f,
            "{} resets, {} bytes up, {} down",
            self.resets, self.bytes_up, self.bytes_down
        )?;
        if let Some(tls) = &self.tls {
            write!(f, ", {} {}", tls.version, tls.suite)?;
        }
        self.sessions
            .iter()
            .try_for_each(|end| write!(f, "; session {end}"))
    }
}
