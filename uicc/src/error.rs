//! The error of every decoder: the offset, and what was expected there.
//!
//! It must never carry bytes of the message: they may be keys or identifiers.

/// A message that breaks its specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("at byte {offset}: expected {expected}")]
pub struct Error {
    /// Offset in bytes from the start of the message given to `parse`.
    pub offset: usize,
    /// What the specification demands at this offset.
    pub expected: &'static str,
}

/// Result of every decoder.
pub type Result<T, E = Error> = core::result::Result<T, E>;

impl Error {
    /// An error at `offset` bytes from the start of the message.
    #[must_use]
    pub const fn new(offset: usize, expected: &'static str) -> Self {
        Self { offset, expected }
    }

    /// The same error seen from an outer message in which the inner one starts at byte `by`.
    #[must_use]
    pub const fn shifted(self, by: usize) -> Self {
        Self {
            offset: self.offset.saturating_add(by),
            expected: self.expected,
        }
    }
}
