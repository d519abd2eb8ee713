//! What an incident or an alert is about.

use domain::{ClientId, Receiver};
use vault::BlindIndex;

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

    /// A receiver of messages: `receiver:operator`, or `receiver:` and a client's identifier.
    #[must_use]
    pub fn receiver(receiver: &Receiver) -> Self {
        Self(format!("receiver:{}", receiver.code()))
    }

    /// A client as one who calls: `client:` and its identifier.
    #[must_use]
    pub fn client(client: &ClientId) -> Self {
        Self(format!("client:{}", client.as_str()))
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

    /// One that was stored.
    pub(super) fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The chip it is, if it is one.
    #[must_use]
    pub fn as_chip(&self) -> Option<BlindIndex> {
        let bytes = hex::decode(self.0.strip_prefix("chip:")?).ok()?;
        BlindIndex::from_bytes(&bytes)
    }

    /// The code of the province it is, if it is one.
    #[must_use]
    pub fn as_province(&self) -> Option<&str> {
        self.0.strip_prefix("province:")
    }

    /// Text stored in the database.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}
