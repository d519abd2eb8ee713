//! The admin agent's POST: its headers, and the result of the last script (Amendment B §3.4.1).
//!
//! It must never carry R-APDUs together with `X-Admin-Resume`; what a body holds is [`crate::script`]'s.

use super::{ContentType, PROTOCOL, Uri, header, value};
use crate::{Error, Result};

/// `X-Admin-Script-Status`: the result of the last script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScriptStatus {
    /// Processed; the body holds the answer.
    Ok,
    /// The targeted application does not exist.
    UnknownApplication,
    /// The targeted application is no security domain.
    NotASecurityDomain,
    /// The targeted application's security refused.
    SecurityError,
}

impl ScriptStatus {
    const ALL: [Self; 4] = [
        Self::Ok,
        Self::UnknownApplication,
        Self::NotASecurityDomain,
        Self::SecurityError,
    ];

    /// Text of the header value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::UnknownApplication => "unknown-application",
            Self::NotASecurityDomain => "not-a-security-domain",
            Self::SecurityError => "security-error",
        }
    }

    /// The header value as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.as_str().as_bytes().to_vec()
    }

    /// Parses a header value, without regard to case.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let text = value(bytes)?;
        Self::ALL
            .into_iter()
            .find(|status| status.as_str().eq_ignore_ascii_case(text))
            .ok_or(Error::new(0, "a script status"))
    }
}

/// The head of an admin agent's POST.
#[derive(Clone, PartialEq, Eq)]
pub struct AdminRequest {
    /// Where it is sent.
    pub uri: Uri,
    /// `Host`.
    pub host: String,
    /// `X-Admin-From`, as it is; see [`super::AgentId`] for one form of it.
    pub from: Option<String>,
    /// `X-Admin-Script-Status`; absent in the first request of a session.
    pub status: Option<ScriptStatus>,
    /// `X-Admin-Resume: true`: the session before this one broke.
    pub resume: bool,
    /// `Content-Type` of the body, if there is one.
    pub content_type: Option<ContentType>,
}

impl AdminRequest {
    /// The first request of a session: no status, no body.
    #[must_use]
    pub const fn first(uri: Uri, host: String, from: Option<String>) -> Self {
        Self {
            uri,
            host,
            from,
            status: None,
            resume: false,
            content_type: None,
        }
    }

    /// Reads a parsed HTTP head. Names are compared without case; unknown headers are ignored; a
    /// known header that occurs twice is an error. Offsets count from the start of the header's value.
    pub fn from_head<'a>(uri: &str, headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Self> {
        let mut request = Self::first(uri.parse()?, String::new(), None);
        let mut protocol = false;
        let mut seen = Seen::default();
        for (name, bytes) in headers {
            let is = |known: &str| name.eq_ignore_ascii_case(known);
            if is(header::PROTOCOL) {
                seen.once(header::PROTOCOL)?;
                protocol = value(bytes)?.eq_ignore_ascii_case(PROTOCOL);
            } else if is(header::HOST) {
                seen.once(header::HOST)?;
                value(bytes)?.clone_into(&mut request.host);
            } else if is(header::FROM) {
                seen.once(header::FROM)?;
                request.from = Some(value(bytes)?.to_owned());
            } else if is(header::SCRIPT_STATUS) {
                seen.once(header::SCRIPT_STATUS)?;
                request.status = Some(ScriptStatus::parse(bytes)?);
            } else if is(header::RESUME) {
                seen.once(header::RESUME)?;
                request.resume = value(bytes)?.eq_ignore_ascii_case("true");
            } else if is(header::CONTENT_TYPE) {
                seen.once(header::CONTENT_TYPE)?;
                request.content_type = Some(ContentType::parse(bytes)?);
            }
        }
        if protocol {
            Ok(request)
        } else {
            Err(Error::new(0, "X-Admin-Protocol: globalplatform-remote-admin/1.0"))
        }
    }

    /// The whole request, head and body, with `Content-Length`. Values that could break a header line are
    /// left out; [`Self::from_head`] never yields any.
    #[must_use]
    pub fn encode(&self, body: &[u8]) -> Vec<u8> {
        let mut head = Head::new(format!("POST {} HTTP/1.1", self.uri));
        head.line(header::HOST, &self.host);
        head.line(header::PROTOCOL, PROTOCOL);
        if let Some(from) = &self.from {
            head.line(header::FROM, from);
        }
        if let Some(status) = self.status {
            head.line(header::SCRIPT_STATUS, status.as_str());
        }
        if self.resume {
            head.line(header::RESUME, "true");
        }
        if let Some(content_type) = self.content_type {
            head.line(header::CONTENT_TYPE, content_type.as_str());
        }
        head.finish(Some(body))
    }
}

impl core::fmt::Debug for AdminRequest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("AdminRequest")
            .field("uri", &self.uri)
            .field("status", &self.status)
            .field("resume", &self.resume)
            .field("content_type", &self.content_type)
            .finish_non_exhaustive()
    }
}

/// Remembers which headers occurred.
#[derive(Default)]
pub(super) struct Seen(Vec<&'static str>);

impl Seen {
    pub(super) fn once(&mut self, name: &'static str) -> Result<()> {
        if self.0.contains(&name) {
            return Err(Error::new(0, "each header at most once"));
        }
        self.0.push(name);
        Ok(())
    }
}

/// Builds an HTTP head line by line.
pub(super) struct Head(String);

impl Head {
    pub(super) const fn new(first_line: String) -> Self {
        Self(first_line)
    }

    /// A header line; a value that could start another one is left out.
    pub(super) fn line(&mut self, name: &str, text: &str) {
        if value(text.as_bytes()).is_ok() {
            self.0.push_str("\r\n");
            self.0.push_str(name);
            self.0.push_str(": ");
            self.0.push_str(text);
        }
    }

    /// The head, closed, and the body with its length.
    pub(super) fn finish(mut self, body: Option<&[u8]>) -> Vec<u8> {
        if let Some(body) = body {
            self.line(header::CONTENT_LENGTH, &body.len().to_string());
        }
        self.0.push_str("\r\n\r\n");
        let mut out = self.0.into_bytes();
        out.extend_from_slice(body.unwrap_or_default());
        out
    }
}
