//! The subject of an incident or an alert.

use domain::{ClientId, Month, Receiver};
use vault::BlindIndex;

/// The subject of an incident or an alert. Its text holds no identifier of a chip or number.
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

    /// A client that calls: `client:` and its identifier.
    #[must_use]
    pub fn client(client: &ClientId) -> Self {
        Self(format!("client:{}", client.as_str()))
    }

    /// A gateway: `gateway:` and the name that it gives itself.
    #[must_use]
    pub fn gateway(name: &str) -> Self {
        Self(format!("gateway:{name}"))
    }

    /// A periodic job: `job:<name>`.
    #[must_use]
    pub fn job(name: &str) -> Self {
        Self(format!("job:{name}"))
    }

    /// A month: `month:<YYYY-MM>`.
    #[must_use]
    pub fn month(month: Month) -> Self {
        Self(format!("month:{month}"))
    }

    /// The platform as a whole: `platform`.
    #[must_use]
    pub fn platform() -> Self {
        Self("platform".to_owned())
    }

    /// The subject stored as `text`.
    pub(super) fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The blind index of the chip, if the subject is one.
    #[must_use]
    pub fn as_chip(&self) -> Option<BlindIndex> {
        let bytes = hex::decode(self.0.strip_prefix("chip:")?).ok()?;
        BlindIndex::from_bytes(&bytes)
    }

    /// The code of the province, if the subject is one.
    #[must_use]
    pub fn as_province(&self) -> Option<&str> {
        self.0.strip_prefix("province:")
    }

    /// What kind of subject it is and its name, if it has one.
    #[must_use]
    pub fn parts(&self) -> Option<(&str, &str)> {
        self.0.split_once(':')
    }

    /// Text stored in the database.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}
