//! Who caused a change, as it is written into the history.

use super::ClientId;

/// Who caused a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A client through its interface.
    Client(ClientId),
    /// The gateway, on behalf of the chip.
    Gateway,
    /// The platform's operators.
    Admin,
}

impl Actor {
    /// Text stored in the history: `client:<id>`, `gateway` or `admin`.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::Client(id) => format!("client:{}", id.as_str()),
            Self::Gateway => "gateway".to_owned(),
            Self::Admin => "admin".to_owned(),
        }
    }
}
