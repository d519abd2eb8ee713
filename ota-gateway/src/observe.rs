//! What an embedder may watch: the events of each session, as they happen.
//!
//! An event must never carry key material, nor a whole identifier where a masked one will do: the EID is
//! there for embedders that own the chips they watch, and masks itself in `Debug` output.

use uicc::ident::Eid;

/// Watches sessions. Called from the session's own task: be quick, never block.
pub trait Observer: Send + Sync {
    /// Receives one event.
    fn event(&self, event: &Event);
}

/// One event of one session.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// A chip finished its TLS handshake.
    Handshake {
        /// Session id, UUID version 7.
        session: String,
        /// EID of the chip.
        eid: Eid,
        /// `TLSv1.2` or `TLSv1.3`.
        version: String,
        /// The suite as OpenSSL names it, such as `PSK-AES128-GCM-SHA256`.
        suite: String,
    },
    /// The platform said what the session is for: `write`, `verify` or `none`.
    Work {
        /// Session id.
        session: String,
        /// EID of the chip.
        eid: Eid,
        /// `write`, `verify` or `none`.
        work: &'static str,
        /// Whether the chip asked to resume an interrupted session.
        resumed: bool,
    },
    /// The chip answered one command.
    Apdu {
        /// Session id.
        session: String,
        /// EID of the chip.
        eid: Eid,
        /// What the command does, such as `UPDATE BINARY EF_IMSI`.
        description: String,
        /// The command as sent, in hexadecimal; none where it carries key material.
        command: Option<String>,
        /// Status word, such as `0x9000`.
        sw: u16,
    },
    /// A script was acknowledged.
    Progress {
        /// Session id.
        session: String,
        /// EID of the chip.
        eid: Eid,
        /// Steps done.
        step: u32,
        /// Steps in all.
        steps: u32,
    },
    /// The platform acknowledged a state: `written`, `verified`, `not_verified` or `failed`.
    State {
        /// Session id.
        session: String,
        /// EID of the chip.
        eid: Eid,
        /// `written`, `verified`, `not_verified` or `failed`.
        state: &'static str,
        /// Why, where there is a reason.
        detail: Option<String>,
    },
    /// The session is over.
    End {
        /// Session id.
        session: String,
        /// EID of the chip.
        eid: Eid,
        /// Why it ended, in a stable snake_case word.
        reason: &'static str,
        /// Bytes received from the chip over TCP.
        bytes_up: u64,
        /// Bytes sent to the chip over TCP.
        bytes_down: u64,
    },
}
