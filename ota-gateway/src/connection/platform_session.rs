//! One session as the platform knows it: its identifier, its numbered reports, its byte counts.
//!
//! A connection may hold two of them, one after the other: a verification that finds a wrong card is followed by a
//! writing. It must never count a byte in both.

use gateway_protocol::{ReportEvent, ReportRequest};
use uuid::Uuid;

use crate::tls::Traffic;

/// Bytes of a session in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SessionBytes {
    pub(super) up: u64,
    pub(super) down: u64,
}

impl SessionBytes {
    /// Both directions together.
    pub(super) const fn total(self) -> u64 {
        self.up + self.down
    }
}

/// A session of the platform, from the gateway's side.
pub(super) struct PlatformSession {
    id: String,
    /// Whether the platform accepted it.
    open: bool,
    reports: u64,
    /// Bytes of the connection that belong to an earlier session of it.
    before: SessionBytes,
}

impl PlatformSession {
    /// The first session of a connection.
    pub(super) fn new(id: Uuid) -> Self {
        Self {
            id: id.to_string(),
            open: false,
            reports: 0,
            before: SessionBytes { up: 0, down: 0 },
        }
    }

    /// The next session of the same connection: what was transferred so far is not its cost.
    pub(super) fn after(traffic: &Traffic) -> Self {
        Self {
            before: SessionBytes {
                up: traffic.up(),
                down: traffic.down(),
            },
            ..Self::new(Uuid::now_v7())
        }
    }

    /// UUID version 7, as text.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Whether the platform accepted the session.
    pub(super) const fn is_open(&self) -> bool {
        self.open
    }

    /// Notes that the platform accepted the session.
    pub(super) const fn set_open(&mut self) {
        self.open = true;
    }

    /// Bytes of this session so far.
    pub(super) fn bytes(&self, traffic: &Traffic) -> SessionBytes {
        SessionBytes {
            up: traffic.up() - self.before.up,
            down: traffic.down() - self.before.down,
        }
    }

    /// The report of an event, with the next number.
    pub(super) fn report(&mut self, event: ReportEvent, traffic: &Traffic) -> ReportRequest {
        self.reports += 1;
        let SessionBytes { up, down } = self.bytes(traffic);
        ReportRequest {
            session_id: self.id.clone(),
            seq: self.reports,
            event: event.into(),
            bytes_up: up,
            bytes_down: down,
            eid: None,
            peer: None,
        }
    }
}
