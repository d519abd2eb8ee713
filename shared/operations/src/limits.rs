//! Counters of one minute: how many calls a client has made of an interface, how many calls of an address or a client
//! were refused, and how many wrong secrets an address has presented. They live outside the database, so that a flood
//! takes no lock of it.
//!
//! A counter is touched only by adding to it; reading it adds 0. Its key begins with its minute, so that it is never
//! reset. Losing all counters lets callers try again, and nothing else.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;

use super::Context;
use domain::error::Error;
use domain::{MINUTE_MS, SECOND_MS, Timestamp};
use store::call_log::RefusedCaller;

/// Wrong client secrets that one address may present in a minute.
pub const WRONG_SECRETS_PER_MINUTE: u32 = 20;
/// Wrong sessions, API keys and administrator's secrets that one address may present in a minute.
const WRONG_STAFF_CREDENTIALS_PER_MINUTE: u32 = 20;
/// Refused calls a minute of unauthenticated callers that one address may make. Beyond them calls are answered 429.
pub const REFUSALS_PER_MINUTE: u32 = 600;
/// Refused calls a minute of one address or client that are logged one by one. The others of the minute share a row.
pub const LOGGED_REFUSALS_PER_MINUTE: u32 = 20;
/// Refused calls a minute of all unauthenticated callers together. Beyond them every such call is answered 429, and no
/// address is counted by itself, so that the counters stay bounded.
pub const ALL_REFUSALS_PER_MINUTE: u32 = 60_000;
/// Names the counters of wrong credentials of staff.
const STAFF_CREDENTIALS: &str = "staff";
/// Most counters deleted at once.
const MAX_CLEARED: usize = 1_000;

/// Where counters live: memory of one process, or a store that the nodes share.
pub trait Limits {
    /// Adds to a counter, which begins at 0, and returns its new value; `None` when the store cannot be reached. Then
    /// nobody is held back.
    fn increment(&self, key: &str, delta: i64) -> Option<i64>;

    /// Every key.
    fn keys(&self) -> Vec<String>;

    /// Deletes counters.
    fn delete(&self, keys: &[String]);
}

/// Counters in the memory of this process.
#[derive(Debug, Default)]
pub struct MemoryLimits(RefCell<BTreeMap<String, i64>>);

impl MemoryLimits {
    /// No counters yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(RefCell::new(BTreeMap::new()))
    }
}

impl Limits for MemoryLimits {
    fn increment(&self, key: &str, delta: i64) -> Option<i64> {
        let mut counters = self.0.borrow_mut();
        let counter = counters.entry(key.to_owned()).or_default();
        *counter = counter.saturating_add(delta);
        Some(*counter)
    }

    fn keys(&self) -> Vec<String> {
        self.0.borrow().keys().cloned().collect()
    }

    fn delete(&self, keys: &[String]) {
        let mut counters = self.0.borrow_mut();
        for key in keys {
            counters.remove(key);
        }
    }
}

/// What becomes of a refused call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is logged by itself.
    Logged,
    /// It is summed up with others of its minute.
    Summed,
    /// It is summed up, and answered 429.
    Limited,
}

/// Counts a refused call against its caller.
pub fn count_refusal<D>(cx: &Context<'_, D>, caller: &RefusedCaller) -> Refused {
    let most = match caller {
        RefusedCaller::Client(_) => i64::MAX,
        RefusedCaller::Address(_) | RefusedCaller::Others => {
            if count(cx, "all", "", 1) > i64::from(ALL_REFUSALS_PER_MINUTE) {
                return Refused::Limited;
            }
            i64::from(REFUSALS_PER_MINUTE)
        }
    };
    let counted = count(cx, "refused", caller.text(), 1);
    if counted <= i64::from(LOGGED_REFUSALS_PER_MINUTE) {
        Refused::Logged
    } else if counted <= most {
        Refused::Summed
    } else {
        Refused::Limited
    }
}

/// Refuses an address that has presented too many wrong secrets in this minute.
///
/// # Errors
/// [`domain::error::Reason::RateLimited`] with the time to wait.
pub(super) fn check_wrong_secrets<D>(cx: &Context<'_, D>, from: IpAddr) -> Result<(), Error> {
    let most = i64::from(WRONG_SECRETS_PER_MINUTE);
    if count(cx, "secret", &address_key(from), 0) >= most {
        return Err(limited(cx.now));
    }
    Ok(())
}

/// Counts a wrong secret.
///
/// # Errors
/// [`domain::error::Reason::RateLimited`] with the time to wait when the address has presented too many.
pub(super) fn count_wrong_secret<D>(cx: &Context<'_, D>, from: IpAddr) -> Result<(), Error> {
    if count(cx, "secret", &address_key(from), 1) > i64::from(WRONG_SECRETS_PER_MINUTE) {
        return Err(limited(cx.now));
    }
    Ok(())
}

/// Refuses an address that has presented too many wrong credentials of staff in this minute, before one is looked up.
///
/// # Errors
/// [`domain::error::Reason::RateLimited`] with the time to wait.
pub fn check_staff_credentials(limits: &dyn Limits, now: Timestamp, from: IpAddr) -> Result<(), Error> {
    let most = i64::from(WRONG_STAFF_CREDENTIALS_PER_MINUTE);
    if add(Some(limits), now, STAFF_CREDENTIALS, &address_key(from), 0) >= most {
        return Err(limited(now));
    }
    Ok(())
}

/// Counts a wrong credential of staff.
pub fn count_staff_credential(limits: &dyn Limits, now: Timestamp, from: IpAddr) {
    add(Some(limits), now, STAFF_CREDENTIALS, &address_key(from), 1);
}

/// Why a caller with too many refused calls is answered 429: it may try again in the next minute.
#[must_use]
pub fn limited(now: Timestamp) -> Error {
    Error::rate_limited(window_left_secs(now), None)
}

/// Whole seconds until the next window begins: 1 to 60.
pub(super) fn window_left_secs(now: Timestamp) -> u32 {
    let left = MINUTE_MS - now.millis().rem_euclid(MINUTE_MS);
    u32::try_from((left + SECOND_MS - 1).div_euclid(SECOND_MS)).unwrap_or(1)
}

/// The name under which an address is counted. An IPv6 host can call from a whole /64, so the /64 is counted.
#[must_use]
pub fn address_key(from: IpAddr) -> String {
    match from.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("{}/64", std::net::Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}

/// Adds to the counter of this minute. 0 when there is none, or the store cannot be reached.
pub(super) fn count<D>(cx: &Context<'_, D>, kind: &str, subject: &str, delta: i64) -> i64 {
    add(cx.limits, cx.now, kind, subject, delta)
}

fn add(limits: Option<&dyn Limits>, now: Timestamp, kind: &str, subject: &str, delta: i64) -> i64 {
    let key = format!("{} {kind} {subject}", window(now));
    let counted = limits.and_then(|limits| limits.increment(&key, delta));
    counted.unwrap_or_default()
}

/// The minute, with as many digits as any other, so that keys are in the order of time.
fn window(now: Timestamp) -> String {
    format!("{:012}", now.millis().div_euclid(MINUTE_MS).max(0))
}

/// Deletes the counters of past minutes. The minute before is kept: the clock of another node may be behind.
pub(super) fn clear_limits<D>(cx: &Context<'_, D>) {
    let Some(limits) = cx.limits else { return };
    let oldest = window(cx.now.plus(-MINUTE_MS));
    let mut past = limits.keys();
    past.retain(|key| *key < oldest);
    for keys in past.chunks(MAX_CLEARED) {
        limits.delete(keys);
    }
}
