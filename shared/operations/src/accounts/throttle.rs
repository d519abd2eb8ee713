//! How often somebody may try to sign in. An attempt is counted before anything is looked up or computed, whether the name
//! exists or not, and taken back when it succeeds.

use std::net::IpAddr;

use crate::Context;
use crate::limits::{address_key, count, limited};
use domain::error::Error;
use vault::IndexKind;

/// Failed attempts a minute to sign in with one name.
const WRONG_SIGN_INS_OF_NAME_PER_MINUTE: u32 = 5;
/// Failed attempts a minute of one address to sign in or to enrol.
const WRONG_SIGN_INS_OF_ADDRESS_PER_MINUTE: u32 = 20;
/// Attempts a minute of everybody together: each computes a hash that is meant to be slow.
const SIGN_INS_PER_MINUTE: u32 = 600;

/// An attempt that has been counted.
pub(super) struct Attempt(Vec<(&'static str, String)>);

/// Counts an attempt from an address, with a sign-in name if it has one.
///
/// # Errors
/// [`domain::error::Reason::RateLimited`] with the time to wait.
pub(super) fn attempt<D>(cx: &Context<'_, D>, name: Option<&str>, from: IpAddr) -> Result<Attempt, Error> {
    let address = (
        "sign-in-address",
        address_key(from),
        WRONG_SIGN_INS_OF_ADDRESS_PER_MINUTE,
    );
    let name = name.map(|name| {
        let index = cx.vault.blind_index(IndexKind::SignInName, name.as_bytes());
        ("sign-in-name", index.hex(), WRONG_SIGN_INS_OF_NAME_PER_MINUTE)
    });
    let mut counted = Vec::new();
    for (kind, subject, most) in [Some(address), name].into_iter().flatten() {
        if count(cx, kind, &subject, 1) > i64::from(most) {
            return Err(limited(cx.now));
        }
        counted.push((kind, subject));
    }
    // Only an attempt that computes a hash counts here: an address that is held back holds nobody else back.
    if count(cx, "sign-ins", "", 1) > i64::from(SIGN_INS_PER_MINUTE) {
        return Err(limited(cx.now));
    }
    Ok(Attempt(counted))
}

impl Attempt {
    /// It was not a failed one.
    pub(super) fn succeeded<D>(self, cx: &Context<'_, D>) {
        for (kind, subject) in self.0 {
            count(cx, kind, &subject, -1);
        }
    }
}
