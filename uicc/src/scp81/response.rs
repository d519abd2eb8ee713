//! The server's answer: a script and where to send its result, or the end (Amendment B §3.4.2).
//!
//! It must never have a body with 204. Head and body are encoded as one piece, because some cards cannot
//! join a response over TLS records.

use super::request::{Head, Seen};
use super::{ContentType, PROTOCOL, TargetedApplication, Uri, header, value};
use crate::{Error, Result};

/// Status line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdminStatus {
    /// 200: a script follows.
    Ok,
    /// 204: nothing to run.
    NoContent,
    /// 503: try again later.
    Unavailable,
    /// Another status: the card closes the session.
    Other(u16),
}

impl AdminStatus {
    /// The status of a number.
    #[must_use]
    pub const fn from_code(code: u16) -> Self {
        match code {
            200 => Self::Ok,
            204 => Self::NoContent,
            503 => Self::Unavailable,
            other => Self::Other(other),
        }
    }

    /// Status code.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Ok => 200,
            Self::NoContent => 204,
            Self::Unavailable => 503,
            Self::Other(code) => code,
        }
    }

    const fn reason(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::NoContent => "No Content",
            Self::Unavailable => "Service Unavailable",
            Self::Other(_) => "Error",
        }
    }
}

/// The head of an answer to an admin agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminResponse {
    /// HTTP status.
    pub status: AdminStatus,
    /// URI of the card's next POST. Without it the session ends and the results of a script are not sent.
    pub next_uri: Option<Uri>,
    /// Application that runs the script; `None` for the security domain that owns the session.
    pub target: Option<TargetedApplication>,
    /// Media type of the script; `None` without a script.
    pub content_type: Option<ContentType>,
}

impl AdminResponse {
    /// 200 with a file management script for `target`; its result goes to `next_uri`.
    #[must_use]
    pub const fn rfm_script(target: TargetedApplication, next_uri: Option<Uri>) -> Self {
        Self {
            status: AdminStatus::Ok,
            next_uri,
            target: Some(target),
            content_type: Some(ContentType::RfmCommand),
        }
    }

    /// 204 without next URI: the session is finished.
    #[must_use]
    pub const fn finished() -> Self {
        Self {
            status: AdminStatus::NoContent,
            next_uri: None,
            target: None,
            content_type: None,
        }
    }

    /// 204 with next URI: nothing to do now, ask again.
    #[must_use]
    pub const fn ask_again(next_uri: Uri) -> Self {
        Self {
            status: AdminStatus::NoContent,
            next_uri: Some(next_uri),
            target: None,
            content_type: None,
        }
    }

    /// An error status: the card closes the session.
    #[must_use]
    pub const fn error(status: AdminStatus) -> Self {
        Self {
            status,
            next_uri: None,
            target: None,
            content_type: None,
        }
    }

    /// Reads a parsed HTTP head. Names are compared without case; unknown headers are ignored; a
    /// known header that occurs twice is an error. Offsets count from the start of the header's value.
    pub fn from_head<'a>(code: u16, headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Self> {
        let mut response = Self::error(AdminStatus::from_code(code));
        let mut protocol = false;
        let mut seen = Seen::default();
        for (name, bytes) in headers {
            let is = |known: &str| name.eq_ignore_ascii_case(known);
            if is(header::PROTOCOL) {
                seen.once(header::PROTOCOL)?;
                protocol = value(bytes)?.eq_ignore_ascii_case(PROTOCOL);
            } else if is(header::NEXT_URI) {
                seen.once(header::NEXT_URI)?;
                response.next_uri = Some(value(bytes)?.parse()?);
            } else if is(header::TARGETED_APPLICATION) {
                seen.once(header::TARGETED_APPLICATION)?;
                response.target = Some(TargetedApplication::parse(bytes)?);
            } else if is(header::CONTENT_TYPE) && response.status == AdminStatus::Ok {
                seen.once(header::CONTENT_TYPE)?;
                response.content_type = Some(ContentType::parse(bytes)?);
            }
        }
        let expects_protocol = matches!(response.status, AdminStatus::Ok | AdminStatus::NoContent);
        if expects_protocol && !protocol {
            return Err(Error::new(0, "X-Admin-Protocol: globalplatform-remote-admin/1.0"));
        }
        Ok(response)
    }

    /// The whole response, head and body. `body` is ignored with 204, which has neither body nor length.
    #[must_use]
    pub fn encode(&self, body: &[u8]) -> Vec<u8> {
        let mut head = Head::new(format!(
            "HTTP/1.1 {} {}",
            self.status.code(),
            self.status.reason()
        ));
        head.line(header::PROTOCOL, PROTOCOL);
        if let Some(next) = &self.next_uri {
            head.line(header::NEXT_URI, next.as_str());
        }
        if self.status == AdminStatus::NoContent {
            return head.finish(None);
        }
        if let Some(target) = &self.target {
            head.line(header::TARGETED_APPLICATION, &target.to_string());
        }
        if let Some(content_type) = self.content_type {
            head.line(header::CONTENT_TYPE, content_type.as_str());
        }
        head.finish(Some(body))
    }
}
