//! The guard against requests into special-purpose networks.
//!
//! What a name resolves to only the host sees, which checks the very addresses that it connects to (`block_networks` of
//! its runtime configuration). Whether it does is not left to that file: before anything is sent, an address of each
//! special-purpose network is tried, and nothing is sent unless the host blocks every one.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::Request;

use crate::extract::Call;
use crate::host::Host;
use domain::error::{Error, Reason};
use domain::{CallbackUrl, UrlRules, special_addresses};

/// What a host says that does not connect to an address because its network is blocked.
pub const BLOCKED: &str = "the address is in a blocked network";

/// How long one address is tried, in seconds. A host that blocks it answers at once.
const TRIAL_SECS: u64 = 1;
/// The port that is tried: nothing listens there (RFC 863).
const TRIAL_PORT: u16 = 9;

/// The permission to send requests to receivers, within its rules.
#[derive(Clone, Copy, Debug)]
pub struct Guard(UrlRules);

impl Guard {
    /// The permission for this call. The host is tried once for each instance; a test environment that allows
    /// special-purpose networks needs no guard.
    ///
    /// # Errors
    /// [`Reason::GuardMissing`] with the first network that is open.
    pub async fn of(call: &Call) -> Result<Self, Error> {
        let allows_special = call.settings().callback_allow_http;
        let seen = call.app().guard_seen();
        if !allows_special && !seen.get() {
            for address in special_addresses() {
                try_out(call.host(), address).await?;
            }
            seen.set(true);
        }
        // Whether its receiver may have plain http was decided when the address was entered.
        Ok(Self(UrlRules::new(allows_special, true)))
    }

    /// Whether a request may be sent there, as far as the text of the address says.
    pub(super) fn permits(self, url: &str) -> bool {
        CallbackUrl::parse(url, self.0).is_ok()
    }
}

async fn try_out(host: &dyn Host, address: IpAddr) -> Result<(), Error> {
    let name = match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    };
    let missing = |why: &str| Error::new(Reason::GuardMissing).with_cause(format!("{name}: {why}"));
    let request = Request::builder()
        .uri(format!("https://{name}:{TRIAL_PORT}/"))
        .body(Bytes::new())
        .map_err(Error::internal)?;
    match host.send(request, 0, Duration::from_secs(TRIAL_SECS)).await {
        Err(BLOCKED) => Ok(()),
        Err(problem) => Err(missing(problem)),
        Ok(_) => Err(missing("it answers")),
    }
}
