//! What a client has left of a limit, in the headers of an answer.

use http::{HeaderMap, HeaderName, HeaderValue};

use domain::Budget;

/// The window of rate limits, in seconds.
const WINDOW_SECS: u32 = 60;

/// `RateLimit-Policy` and `RateLimit`, structured fields (RFC 9651) after draft-ietf-httpapi-ratelimit-headers-10: `q`
/// calls in `w` seconds; `r` calls are left, and all are back in `t` seconds.
pub(crate) fn show_budget(headers: &mut HeaderMap, name: &str, budget: Budget) {
    let policy = format!("\"{name}\";q={};w={WINDOW_SECS}", budget.limit);
    let remaining = format!("\"{name}\";r={};t={}", budget.left, budget.full_in_secs);
    for (header, text) in [("ratelimit-policy", policy), ("ratelimit", remaining)] {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(HeaderName::from_static(header), value);
        }
    }
}
