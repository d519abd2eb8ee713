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
    /// The first session of a connection. The last byte of its identifier is the home of its chip.
    pub(super) fn new(id: Uuid, home: Option<u8>) -> Self {
        let mut bytes = id.into_bytes();
        if let (Some(last), Some(home)) = (bytes.last_mut(), home) {
            *last = home;
        }
        Self {
            id: Uuid::from_bytes(bytes).to_string(),
            open: false,
            reports: 0,
            before: SessionBytes { up: 0, down: 0 },
        }
    }

    /// The next session of the same connection: what was transferred so far is not its cost.
    pub(super) fn after(traffic: &Traffic, home: Option<u8>) -> Self {
        Self {
            before: SessionBytes {
                up: traffic.up(),
                down: traffic.down(),
            },
            ..Self::new(Uuid::now_v7(), home)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identifier_of_a_session_ends_in_the_home_of_its_chip_and_stays_of_version_7() {
        for home in [0, 0x6f, 0xff] {
            let id = Uuid::now_v7();
            let session = PlatformSession::new(id, Some(home));
            let made = Uuid::parse_str(session.id()).unwrap();
            assert_eq!(made.get_version_num(), 7);
            assert_eq!(made.as_bytes()[..15], id.as_bytes()[..15]);
            assert_eq!(made.as_bytes()[15], home);
        }
        // A platform of an earlier version names none.
        let id = Uuid::now_v7();
        assert_eq!(PlatformSession::new(id, None).id(), id.to_string());
    }
}
