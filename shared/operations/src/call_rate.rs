//! §7.1.2: how often a client may call an interface, and how often an address may present wrong credentials.
//!
//! Calls are counted in the database, so that a limit holds across instances and nodes. The counters use the journal
//! connection: a power failure may allow a client a few more calls, which is not worth a sync for every call.

use std::net::IpAddr;

use super::Context;
use domain::error::Error;
use domain::{Bucket, Budget, ClientId};
use store::{Database, call_rate};

/// Wrong client secrets that one address may present before it has to wait, and seconds after which it may try once
/// more.
pub const WRONG_SECRETS: (u32, u32) = (20, 30);
/// Refused calls a minute of unauthenticated callers that one address may make. Beyond them calls are answered 429 and
/// not logged one by one.
pub const REFUSALS_PER_MINUTE: u32 = 600;
/// Most throttles deleted by one call of [`forget_ip_throttles`].
const MAX_FORGOTTEN: u32 = 1_000;

/// A failed authentication of an address. Each kind has its own bucket, so that a caller with a wrong token can still
/// take a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailedAuth {
    /// A wrong client secret.
    WrongSecret,
    /// Any refused call of an unauthenticated caller.
    Refusal,
}

impl FailedAuth {
    fn bucket(self) -> Bucket {
        match self {
            Self::WrongSecret => Bucket::slow(WRONG_SECRETS.0, WRONG_SECRETS.1),
            Self::Refusal => Bucket::per_minute(REFUSALS_PER_MINUTE),
        }
    }

    /// The row of an address. An IPv6 host can call from a whole /64, so the /64 is counted.
    fn key(self, from: IpAddr) -> String {
        let kind = match self {
            Self::WrongSecret => "secret",
            Self::Refusal => "refusal",
        };
        match from.to_canonical() {
            IpAddr::V4(v4) => format!("{kind} {v4}"),
            IpAddr::V6(v6) => format!("{kind} {:x}", v6.to_bits() >> 64),
        }
    }
}

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

/// Refuses an address that has too many failed authentications of this kind.
///
/// # Errors
/// [`domain::error::Reason::RateLimited`] with the time to wait.
pub(crate) async fn throttle<D: Database>(
    cx: &Context<'_, D>,
    failure: FailedAuth,
    from: IpAddr,
) -> Result<(), Error> {
    let bucket = failure.bucket();
    let full = call_rate::ip_throttle_full_at(cx.journal, &failure.key(from)).await?;
    match full {
        Some(full) if bucket.budget(full, cx.now).left == 0 && full <= bucket.latest_credible_us(cx.now) => {
            Err(Error::rate_limited(bucket.wait_secs(full, cx.now), None))
        }
        _ => Ok(()),
    }
}

/// Counts a failed authentication of an address.
///
/// # Errors
/// [`domain::error::Reason::RateLimited`] with the time to wait when the address has exceeded its limit.
pub async fn record_failed_auth<D: Database>(
    cx: &Context<'_, D>,
    failure: FailedAuth,
    from: IpAddr,
) -> Result<(), Error> {
    let (bucket, key) = (failure.bucket(), failure.key(from));
    if call_rate::count_failure(cx.journal, &key, bucket, cx.now)
        .await?
        .is_some()
    {
        return Ok(());
    }
    let full = call_rate::ip_throttle_full_at(cx.journal, &key).await?;
    let wait = bucket.wait_secs(full.unwrap_or_default(), cx.now);
    Err(Error::rate_limited(wait, None))
}

/// Deletes the throttles of addresses whose failures no longer count.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub(super) async fn forget_ip_throttles<D: Database>(cx: &Context<'_, D>) -> Result<(), Error> {
    call_rate::forget(cx.journal, MAX_FORGOTTEN, cx.now).await?;
    Ok(())
}
