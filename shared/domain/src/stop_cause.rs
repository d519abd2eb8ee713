//! Why messages to an address are stopped (§7.3).

/// Why messages to an address are stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopCause {
    /// Its receiver answered 410 (RFC 9110, 15.5.11).
    Gone,
    /// Every attempt has failed for days.
    Failing,
}

impl StopCause {
    /// Every cause.
    pub const ALL: [Self; 2] = [Self::Gone, Self::Failing];

    /// Text stored in the database and shown to administrators.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }

    /// The cause whose stored text is `code`.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.code() == code)
    }
}
