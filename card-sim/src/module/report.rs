//! The result of one power cycle.
//!
//! It must never carry an identifier.

use std::fmt;

use crate::chip::TlsParameters;
use crate::observer::SessionEnd;

/// How a power cycle ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The chip issues no more proactive commands.
    Settled,
    /// A planned power loss occurred.
    PowerLost,
    /// The chip does not answer.
    Silent,
    /// The chip asked for more resets than a module grants.
    TooManyResets,
    /// The chip was still busy when the time was up.
    TimedOut,
}

/// Figures of one power cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PowerCycleReport {
    /// How the power cycle ended.
    pub outcome: Outcome,
    /// Number of APDUs between module and chip.
    pub apdus: u64,
    /// Number of C-APDUs that the RFM application ran.
    pub script_apdus: u64,
    /// Number of UICC resets.
    pub resets: u8,
    /// Whether the last attach succeeded.
    pub attached: bool,
    /// How each session ended, in order.
    pub sessions: Vec<SessionEnd>,
    /// Parameters that the last TLS handshake agreed on.
    pub tls: Option<TlsParameters>,
    /// TCP payload towards the server, in bytes.
    pub bytes_up: u64,
    /// TCP payload from the server, in bytes.
    pub bytes_down: u64,
}

impl PowerCycleReport {
    /// Tells whether the chip settled and its last session finished.
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
