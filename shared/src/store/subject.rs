//! What an incident or an alert is about.

use crate::domain::Receiver;
use crate::vault::BlindIndex;

/// What an incident or an alert is about. Its text holds no identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject(String);

impl Subject {
    /// A chip: `chip:<blind index>`.
    #[must_use]
    pub fn chip(eid_index: &BlindIndex) -> Self {
        Self(format!("chip:{}", eid_index.hex()))
    }

    /// A province: `province:<code>`.
    #[must_use]
    pub fn province(code: &str) -> Self {
        Self(format!("province:{code}"))
    }

    /// Whoever is told: `receiver:operator`, or `receiver:` and a client's identifier.
    #[must_use]
    pub fn receiver(receiver: &Receiver) -> Self {
        Self(format!("receiver:{}", receiver.code()))
    }

    /// A job of the periodic work: `job:<name>`.
    #[must_use]
    pub fn job(name: &str) -> Self {
        Self(format!("job:{name}"))
    }

    /// The platform as a whole: `platform`.
    #[must_use]
    pub fn platform() -> Self {
        Self("platform".to_owned())
    }

    /// Text stored in the database.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}
