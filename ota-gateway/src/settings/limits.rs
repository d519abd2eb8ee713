//! Every limit of the gateway, with its unit and its default.
//!
//! It must never hold a limit of zero: that is refused when the settings are read.

use std::time::Duration;

use anyhow::ensure;
use serde::{Deserialize, Serialize};

/// Largest request header of an admin agent, in bytes.
pub const MAX_HEADER_BYTES: usize = 8 * 1024;
/// Largest request body of an admin agent, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// The limits of one gateway. Table `[limits]` of the settings file, or
/// `XIEKA_GATEWAY_<NAME>` in the environment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Sessions at the same time: connections whose handshake is done. One more is closed when it begins its handshake.
    pub max_sessions: usize,
    /// Sessions of one chip at the same time. One more ends the oldest.
    pub max_sessions_per_chip: usize,
    /// Connections whose ClientHello is not whole. One more closes the oldest of the address that has the most.
    pub max_hellos: usize,
    /// Those of one address (of IPv6: one network of 64 bits). Carriers put thousands of chips behind one.
    pub max_hellos_per_address: usize,
    /// TLS handshakes in flight. The README says what one more closes.
    pub max_handshakes: usize,
    /// Those of one address.
    pub max_handshakes_per_address: usize,
    /// Those that name one chip.
    pub max_handshakes_per_chip: usize,
    /// Seconds from the accepted connection to the whole ClientHello.
    pub hello_timeout_secs: u64,
    /// Seconds from the whole ClientHello to the finished handshake, waiting for the key included.
    pub handshake_timeout_secs: u64,
    /// Seconds without a byte from the chip, within or between requests.
    pub idle_timeout_secs: u64,
    /// Seconds a session may last.
    pub max_session_secs: u64,
    /// Requests a session may make.
    pub max_requests: u32,
    /// Scripts a session may be given.
    pub max_scripts: u32,
    /// Seconds one call to the platform may take.
    pub platform_timeout_secs: u64,
    /// Key look-ups asked of the platform at the same time; more wait.
    pub max_key_lookups: usize,
    /// Seconds the platform's answer about an identity is used again.
    pub key_cache_secs: u64,
    /// Identities whose answer is kept.
    pub key_cache_entries: usize,
    /// Seconds a report is repeated while the platform cannot be reached.
    pub report_retry_secs: u64,
    /// Seconds between two announcements to the platform.
    pub announce_secs: u64,
    /// Seconds the checkpoint of an interrupted session is kept for `X-Admin-Resume`.
    pub resume_secs: u64,
    /// Interrupted sessions whose checkpoint is kept.
    pub resume_entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_sessions: 4_096,
            max_sessions_per_chip: 1,
            max_hellos: 2_048,
            max_hellos_per_address: 512,
            max_handshakes: 512,
            max_handshakes_per_address: 256,
            max_handshakes_per_chip: 4,
            hello_timeout_secs: 30,
            handshake_timeout_secs: 30,
            idle_timeout_secs: 120,
            max_session_secs: 1_800,
            max_requests: 128,
            max_scripts: 96,
            platform_timeout_secs: 10,
            max_key_lookups: 64,
            key_cache_secs: 10,
            key_cache_entries: 8_192,
            report_retry_secs: 60,
            announce_secs: 60,
            resume_secs: 600,
            resume_entries: 4_096,
        }
    }
}

impl Limits {
    /// Refuses a limit of zero.
    ///
    /// # Errors
    /// The name of the limit.
    pub fn check(&self) -> anyhow::Result<()> {
        let named = [
            ("max_sessions", self.max_sessions as u64),
            ("max_sessions_per_chip", self.max_sessions_per_chip as u64),
            ("max_hellos", self.max_hellos as u64),
            ("max_hellos_per_address", self.max_hellos_per_address as u64),
            ("max_handshakes", self.max_handshakes as u64),
            (
                "max_handshakes_per_address",
                self.max_handshakes_per_address as u64,
            ),
            ("max_handshakes_per_chip", self.max_handshakes_per_chip as u64),
            ("hello_timeout_secs", self.hello_timeout_secs),
            ("handshake_timeout_secs", self.handshake_timeout_secs),
            ("idle_timeout_secs", self.idle_timeout_secs),
            ("max_session_secs", self.max_session_secs),
            ("max_requests", u64::from(self.max_requests)),
            ("max_scripts", u64::from(self.max_scripts)),
            ("platform_timeout_secs", self.platform_timeout_secs),
            ("max_key_lookups", self.max_key_lookups as u64),
            ("key_cache_secs", self.key_cache_secs),
            ("key_cache_entries", self.key_cache_entries as u64),
            ("report_retry_secs", self.report_retry_secs),
            ("announce_secs", self.announce_secs),
            ("resume_secs", self.resume_secs),
            ("resume_entries", self.resume_entries as u64),
        ];
        for (name, value) in named {
            ensure!(value > 0, "limits.{name} must be at least 1");
        }
        Ok(())
    }

    /// [`Self::hello_timeout_secs`].
    #[must_use]
    pub const fn hello_timeout(&self) -> Duration {
        Duration::from_secs(self.hello_timeout_secs)
    }

    /// [`Self::handshake_timeout_secs`].
    #[must_use]
    pub const fn handshake_timeout(&self) -> Duration {
        Duration::from_secs(self.handshake_timeout_secs)
    }

    /// [`Self::idle_timeout_secs`].
    #[must_use]
    pub const fn idle_timeout(&self) -> Duration {
        Duration::from_secs(self.idle_timeout_secs)
    }

    /// [`Self::max_session_secs`].
    #[must_use]
    pub const fn max_session(&self) -> Duration {
        Duration::from_secs(self.max_session_secs)
    }

    /// [`Self::platform_timeout_secs`].
    #[must_use]
    pub const fn platform_timeout(&self) -> Duration {
        Duration::from_secs(self.platform_timeout_secs)
    }

    /// [`Self::key_cache_secs`].
    #[must_use]
    pub const fn key_cache(&self) -> Duration {
        Duration::from_secs(self.key_cache_secs)
    }

    /// [`Self::report_retry_secs`].
    #[must_use]
    pub const fn report_retry(&self) -> Duration {
        Duration::from_secs(self.report_retry_secs)
    }

    /// [`Self::announce_secs`].
    #[must_use]
    pub const fn announce(&self) -> Duration {
        Duration::from_secs(self.announce_secs)
    }

    /// [`Self::resume_secs`].
    #[must_use]
    pub const fn resume(&self) -> Duration {
        Duration::from_secs(self.resume_secs)
    }
}
