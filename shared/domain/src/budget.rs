//! What a caller has left of a rate limit (§7.1.2).

/// Highest limit, in calls a minute.
pub const MAX_CALLS_PER_MINUTE: u32 = 1_000_000;

/// What is left of a caller's rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Calls of a window: calls a minute.
    pub limit: u32,
    /// Calls left in this window.
    pub left: u32,
    /// Whole seconds until the next window begins, which has all of them.
    pub full_in_secs: u32,
}
