//! The states of a message to a receiver (§7.3).

/// State of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageState {
    /// To be sent, or being sent.
    Pending,
    /// The receiver has it.
    Delivered,
    /// All attempts are used up.
    Dead,
    /// The receiver had no address. It is sent only when an administrator asks for it.
    Unaddressed,
}

impl MessageState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Delivered, Self::Dead, Self::Unaddressed];

    /// Stable name.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Unaddressed => "unaddressed",
        }
    }

    /// The state called `code`.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}
