//! §7.1.2: how often a client may call an interface.
//!
//! Calls are counted in the database, so that a limit holds across instances and nodes. The counters use the journal
//! connection: a power failure may allow a client a few more calls, which is not worth a sync for every call.

use super::Context;
use domain::error::Error;
use domain::{Bucket, Budget, ClientId};
use store::{Database, call_rate};

/// Takes `permits` calls out of the client's bucket for an interface, or one call if fewer are left.
///
/// Returns how many were taken and what is left.
///
/// # Errors
/// [`domain::error::Reason::RateLimited`] with the time to wait when no call is left.
pub async fn spend_calls<D: Database>(
    cx: &Context<'_, D>,
    client: &ClientId,
    interface: &str,
    calls_per_minute: u32,
    permits: u32,
) -> Result<(u32, Budget), Error> {
    let bucket = Bucket::per_minute(calls_per_minute);
    for count in [permits.clamp(1, bucket.budget(0, cx.now).limit), 1] {
        if let Some(full) = call_rate::take(cx.journal, client, interface, bucket, count, cx.now).await? {
            return Ok((count, bucket.budget(full, cx.now)));
        }
    }
    let full = call_rate::full_at(cx.journal, client, interface).await?;
    let full = full.unwrap_or_default();
    Err(Error::rate_limited(
        bucket.wait_secs(full, cx.now),
        Some(bucket.budget(full, cx.now)),
    ))
}
