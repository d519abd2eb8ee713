//! What the answer to a request needs, whatever happens on the way.

use std::net::IpAddr;

use http::{HeaderMap, Response};

use super::interface::Interface;
use super::refusal::Refusal;
use super::reply::{REQUEST_ID_HEADER, Reply, render};
use super::{language, log};
use domain::error::{Error, Lang};
use vault::{Random, random_bytes};

/// Longest identifier of a request that is taken over from the caller, in characters.
pub(crate) const MAX_REQUEST_ID_CHARS: usize = 64;

/// Random bytes in an identifier that the platform makes for a request.
const REQUEST_ID_BYTES: usize = 16;

/// A request's identifier and language, which the answer needs whatever happens.
pub struct Exchange {
    interface: &'static Interface,
    request_id: String,
    lang: Lang,
}

impl Exchange {
    /// Takes over the caller's `x-request-id` if it is harmless, or else makes one.
    pub fn begin(interface: &'static Interface, headers: &HeaderMap, random: &dyn Random) -> Self {
        let given = headers
            .get(REQUEST_ID_HEADER)
            .and_then(|value| value.to_str().ok());
        let request_id = match given {
            Some(id) if is_harmless(id) => id.to_owned(),
            _ => hex::encode(random_bytes::<REQUEST_ID_BYTES>(random)),
        };
        Self {
            interface,
            request_id,
            lang: language::preferred(headers),
        }
    }

    /// The interface that is called.
    pub fn interface(&self) -> &'static Interface {
        self.interface
    }

    /// The request's identifier.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The line for the operator's log when a call could not be written into the call log.
    pub fn lost_from_log(&self, error: &Error) -> String {
        log::lost(self.interface.name, &self.request_id, error)
    }

    /// The answer, and the line for the operator's log if there is one.
    pub fn finish(
        &self,
        from: Option<IpAddr>,
        outcome: &Result<Reply, Refusal>,
    ) -> (Response<Vec<u8>>, Option<String>) {
        let line = outcome
            .as_ref()
            .err()
            .and_then(|refusal| log::line(self.interface.name, &self.request_id, from, refusal));
        (render(self.interface, outcome, self.lang, &self.request_id), line)
    }
}

fn is_harmless(id: &str) -> bool {
    (1..=MAX_REQUEST_ID_CHARS).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}
