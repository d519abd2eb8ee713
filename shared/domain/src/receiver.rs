//! Who receives messages from the platform.

use super::{ClientId, Malformed};

/// The operator's identifier as a receiver.
const OPERATOR: &str = "operator";

/// Who receives messages from the platform.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Receiver {
    /// A client, about its cards (§7.3).
    Client(ClientId),
    /// The operator, about the platform.
    Operator,
}

impl Receiver {
    /// Reads `operator` or a client's identifier.
    ///
    /// # Errors
    /// [`Malformed`] for a text that is neither.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text == OPERATOR {
            return Ok(Self::Operator);
        }
        ClientId::parse(text).map(Self::Client)
    }

    /// Text stored in the database and shown to administrators: `operator` or the client's identifier.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Client(id) => id.as_str(),
            Self::Operator => OPERATOR,
        }
    }

    /// The client, if it is one.
    #[must_use]
    pub fn client(&self) -> Option<&ClientId> {
        match self {
            Self::Client(id) => Some(id),
            Self::Operator => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ClientId, Receiver};

    #[test]
    fn a_receiver_is_read_back() {
        for receiver in [Receiver::Operator, Receiver::Client(ClientId::new([7; 10]))] {
            assert_eq!(Receiver::parse(receiver.code()), Ok(receiver));
        }
        assert!(Receiver::parse("").is_err() && Receiver::parse("Operator").is_err());
    }
}
