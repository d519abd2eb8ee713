//! §7.1.2: how often a client may call an interface.
//!
//! Calls are counted in windows of a minute in the key-value store `limits`, so that a limit holds across instances and
//! nodes without a statement of the database. When the store cannot be reached, nobody is held back; when it loses its
//! counters, a client may make a few calls more.

use super::Context;
use super::limits::{count, window_left_secs};
use domain::error::Error;
use domain::{Budget, ClientId, MAX_CALLS_PER_MINUTE};

/// Takes `permits` calls out of a client's window for an interface, or as many as are left, by one increment. What it
/// counts beyond the limit nobody gets.
///
/// Returns how many were taken and what is left.
///
/// # Errors
/// [`domain::error::Reason::RateLimited`] with the time to wait when no call is left.
pub fn spend_calls<D>(
    cx: &Context<'_, D>,
    client: &ClientId,
    interface: &str,
    calls_per_minute: u32,
    permits: u32,
) -> Result<(u32, Budget), Error> {
    let limit = calls_per_minute.clamp(1, MAX_CALLS_PER_MINUTE);
    let permits = permits.clamp(1, limit);
    let subject = [client.as_str(), " ", interface].concat();
    let counted = count(cx, "rate", &subject, i64::from(permits)).max(i64::from(permits));
    let left = |spent: i64| u32::try_from(i64::from(limit) - spent).unwrap_or_default();
    let budget = Budget {
        limit,
        left: left(counted),
        full_in_secs: window_left_secs(cx.now),
    };
    match left(counted - i64::from(permits)).min(permits) {
        0 => Err(Error::rate_limited(budget.full_in_secs, Some(budget))),
        taken => Ok((taken, budget)),
    }
}
