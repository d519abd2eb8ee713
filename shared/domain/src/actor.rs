//! Who caused a change, as it is written into the history.

use super::ClientId;

/// Who caused a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A client through its interface.
    Client(ClientId),
    /// The gateway, on behalf of the chip.
    Gateway,
    /// The operator of the number, by what it reports.
    Operator,
    /// The platform's administrators.
    Admin,
    /// The platform itself, at a time limit.
    Platform,
}

impl Actor {
    /// Text stored in the history: `client:<id>`, `gateway`, `operator`, `admin` or `platform`.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::Client(id) => format!("client:{}", id.as_str()),
            Self::Gateway => "gateway".to_owned(),
            Self::Operator => "operator".to_owned(),
            Self::Admin => "admin".to_owned(),
            Self::Platform => "platform".to_owned(),
        }
    }
}
