//! Remote administration over HTTPS: GlobalPlatform Amendment B (SCP81) with the profile of GSMA SGP.02.
//!
//! Headers as data, the agent's and the server's; application and agent identifiers; the PSK identity; the
//! must never let a byte through that could start a new header line.

mod agent;
mod content_type;
mod psk_identity;
mod request;
mod response;
mod target;
mod trigger;
mod uri;

pub use agent::AgentId;
pub use content_type::ContentType;
pub use psk_identity::PskIdentity;
pub use request::{AdminRequest, ScriptStatus};
pub use response::{AdminResponse, AdminStatus};
pub use target::TargetedApplication;
pub use trigger::{HttpParameters, PskParameters, RetryPolicy, SecurityParameters, Trigger};
pub use uri::Uri;

/// Header names as the specification writes them; HTTP compares them without case.
pub mod header {
    #![expect(missing_docs, reason = "the names are those of the specification")]
    pub const PROTOCOL: &str = "X-Admin-Protocol";
    pub const FROM: &str = "X-Admin-From";
    pub const SCRIPT_STATUS: &str = "X-Admin-Script-Status";
    pub const RESUME: &str = "X-Admin-Resume";
    pub const NEXT_URI: &str = "X-Admin-Next-URI";
    pub const TARGETED_APPLICATION: &str = "X-Admin-Targeted-Application";
    pub const CONTENT_TYPE: &str = "Content-Type";
    pub const CONTENT_LENGTH: &str = "Content-Length";
    pub const HOST: &str = "Host";
}

/// The only value of `X-Admin-Protocol`.
pub const PROTOCOL: &str = "globalplatform-remote-admin/1.0";
/// Most bytes of one header value.
pub const MAX_HEADER_VALUE_BYTES: usize = 512;

/// A header value as text: visible ASCII and spaces, trimmed, of limited length.
pub(crate) fn value(bytes: &[u8]) -> crate::Result<&str> {
    use crate::Error;
    if bytes.len() > MAX_HEADER_VALUE_BYTES {
        return Err(Error::new(
            MAX_HEADER_VALUE_BYTES,
            "a header value of at most 512 bytes",
        ));
    }
    if let Some(at) = bytes.iter().position(|byte| !(0x20..=0x7E).contains(byte)) {
        return Err(Error::new(at, "visible ASCII in a header value"));
    }
    core::str::from_utf8(bytes)
        .map(str::trim)
        .map_err(|_| Error::new(0, "visible ASCII in a header value"))
}
