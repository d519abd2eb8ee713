//! HTTP/1.1 of the admin agent: encodes requests, parses responses (Amendment B §3.4).
//!
//! It must never interpret a script, nor use a length before it was checked against the limits.

use crate::personalisation::{BodyCoding, Personalisation};

/// Most bytes of a response head.
const MAX_HEAD_BYTES: usize = 2048;
/// Most header lines of a response.
const MAX_HEADERS: usize = 32;
/// Most bytes of a script body.
pub(super) const MAX_BODY_BYTES: usize = 16 * 1024;
/// Most bytes of a chunked body with its framing.
const MAX_CHUNKED_BYTES: usize = 2 * MAX_BODY_BYTES;
/// Bytes of one chunk of a request.
const REQUEST_CHUNK_BYTES: usize = 512;
/// Value of `X-Admin-Protocol`.
const PROTOCOL: &str = "globalplatform-remote-admin/1.0";

/// Value of `X-Admin-Script-Status`: the result of the last script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScriptStatus {
    /// The script was run; the body has its results.
    Ok,
    /// The targeted application does not exist.
    UnknownApplication,
    /// The targeted application is no security domain, as remote application management needs.
    NotASecurityDomain,
    /// The application may not be administered over this session, or not by such a script.
    SecurityError,
}

impl ScriptStatus {
    /// Text of the header value.
    #[must_use]
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::UnknownApplication => "unknown-application",
            Self::NotASecurityDomain => "not-a-security-domain",
            Self::SecurityError => "security-error",
        }
    }
}

/// A POST request of the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    /// Path and query.
    pub uri: String,
    /// Whether this is the first POST after an interrupted session.
    pub resume: bool,
    /// Status of the last script, if there was one.
    pub status: Option<ScriptStatus>,
    /// Results with their media type.
    pub body: Option<(&'static str, Vec<u8>)>,
}

impl Request {
    /// Encodes the request.
    #[must_use]
    pub(super) fn encode(&self, card: &Personalisation) -> Vec<u8> {
        let mut head = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nX-Admin-Protocol: {PROTOCOL}\r\nX-Admin-From: {}\r\n",
            self.uri, card.host, card.agent_id
        );
        if let Some(status) = self.status {
            head += &format!("X-Admin-Script-Status: {}\r\n", status.as_str());
        }
        if self.resume {
            head += "X-Admin-Resume: true\r\n";
        }
        let Some((media_type, body)) = &self.body else {
            head += "\r\n";
            return head.into_bytes();
        };
        head += &format!("Content-Type: {media_type}\r\n");
        let mut out;
        match card.body_coding {
            BodyCoding::ContentLength => {
                head += &format!("Content-Length: {}\r\n\r\n", body.len());
                out = head.into_bytes();
                out.extend_from_slice(body);
            }
            BodyCoding::Chunked => {
                head += "Transfer-Encoding: chunked\r\n\r\n";
                out = head.into_bytes();
                for chunk in body.chunks(REQUEST_CHUNK_BYTES) {
                    out.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
                    out.extend_from_slice(chunk);
                    out.extend_from_slice(b"\r\n");
                }
                out.extend_from_slice(b"0\r\n\r\n");
            }
        }
        out
    }
}

/// A response of the server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Response {
    /// HTTP status.
    pub status: u16,
    /// `X-Admin-Next-URI`.
    pub next_uri: Option<String>,
    /// `X-Admin-Targeted-Application`.
    pub target: Option<String>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// Whether `X-Admin-Protocol` has the value this agent supports.
    pub protocol_known: bool,
    /// The body, unchunked.
    pub body: Vec<u8>,
}

/// Why received bytes are not a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum HttpError {
    /// The head is not HTTP, or a header value cannot be parsed.
    #[error("malformed response head")]
    Head,
    /// The head is longer than the agent's buffer.
    #[error("response head longer than {MAX_HEAD_BYTES} bytes")]
    HeadTooLong,
    /// The head does not end within the first TLS record, and this chip cannot join records.
    #[error("response head spread over TLS records")]
    HeadSplit,
    /// The body is longer than the agent's buffer.
    #[error("response body longer than {MAX_BODY_BYTES} bytes")]
    BodyTooLong,
    /// The chunk framing is malformed.
    #[error("malformed chunked body")]
    Chunk,
}

#[derive(Clone, Copy)]
enum Framing {
    Length(usize),
    Chunked,
}

/// Collects the plaintext of records until a response is complete.
#[derive(Default)]
pub(super) struct ResponseReader {
    bytes: Vec<u8>,
    head: Option<(Response, Framing)>,
}

impl ResponseReader {
    /// Adds the plaintext of one record; returns the response once it is complete. `joins_heads`: this chip can join a
    /// head that arrives in several records.
    ///
    /// # Errors
    /// [`HttpError`].
    pub(super) fn push(&mut self, record: &[u8], joins_heads: bool) -> Result<Option<Response>, HttpError> {
        self.bytes.extend_from_slice(record);
        if self.head.is_none() {
            match parse_head(&self.bytes)? {
                Some((length, head)) => {
                    self.bytes.drain(..length);
                    self.head = Some(head);
                }
                None if self.bytes.len() > MAX_HEAD_BYTES => return Err(HttpError::HeadTooLong),
                None if joins_heads => return Ok(None),
                None => return Err(HttpError::HeadSplit),
            }
        }
        self.finish()
    }

    fn finish(&mut self) -> Result<Option<Response>, HttpError> {
        let Some((mut response, framing)) = self.head.take() else {
            return Ok(None);
        };
        let taken = match framing {
            Framing::Length(length) if self.bytes.len() >= length => {
                response.body = self.bytes[..length].to_vec();
                Some(length)
            }
            Framing::Length(_) => None,
            Framing::Chunked => unchunk(&self.bytes)?.map(|(length, body)| {
                response.body = body;
                length
            }),
        };
        match taken {
            Some(length) => {
                self.bytes.drain(..length);
                Ok(Some(response))
            }
            None => {
                self.head = Some((response, framing));
                Ok(None)
            }
        }
    }
}

type Head = (usize, (Response, Framing));

fn parse_head(bytes: &[u8]) -> Result<Option<Head>, HttpError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Response::new(&mut headers);
    let length = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(length)) if length <= MAX_HEAD_BYTES => length,
        Ok(httparse::Status::Complete(_)) => return Err(HttpError::HeadTooLong),
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(HttpError::Head),
    };
    let mut response = Response {
        status: parsed.code.unwrap_or(0),
        ..Response::default()
    };
    let mut framing = Framing::Length(0);
    for header in parsed.headers.iter() {
        let value = std::str::from_utf8(header.value)
            .map_err(|_| HttpError::Head)?
            .trim();
        match header.name.to_ascii_lowercase().as_str() {
            "x-admin-protocol" => response.protocol_known = value == PROTOCOL,
            "x-admin-next-uri" => response.next_uri = Some(value.to_owned()),
            "x-admin-targeted-application" => response.target = Some(value.to_owned()),
            "content-type" => response.content_type = Some(value.to_owned()),
            "content-length" => framing = Framing::Length(value.parse().map_err(|_| HttpError::Head)?),
            "transfer-encoding" if value.eq_ignore_ascii_case("chunked") => framing = Framing::Chunked,
            "transfer-encoding" => return Err(HttpError::Head),
            _ => {}
        }
    }
    if response.status == 204 {
        framing = Framing::Length(0);
    }
    match framing {
        Framing::Length(length) if length > MAX_BODY_BYTES => Err(HttpError::BodyTooLong),
        _ => Ok(Some((length, (response, framing)))),
    }
}

/// Returns the length of a complete chunked body with its framing, and the body; `None` while bytes are missing.
fn unchunk(bytes: &[u8]) -> Result<Option<(usize, Vec<u8>)>, HttpError> {
    if bytes.len() > MAX_CHUNKED_BYTES {
        return Err(HttpError::BodyTooLong);
    }
    let mut body = Vec::new();
    let mut at = 0;
    // Every turn moves `at` over a chunk head of at least three bytes.
    loop {
        let (head, size) = match httparse::parse_chunk_size(&bytes[at..]) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(HttpError::Chunk),
        };
        let size = usize::try_from(size).map_err(|_| HttpError::BodyTooLong)?;
        if body.len().saturating_add(size) > MAX_BODY_BYTES {
            return Err(HttpError::BodyTooLong);
        }
        let start = at + head;
        let end = start + size;
        match bytes.get(end..end + 2) {
            Some(b"\r\n") => body.extend_from_slice(&bytes[start..end]),
            Some(_) => return Err(HttpError::Chunk),
            None => return Ok(None),
        }
        at = end + 2;
        if size == 0 {
            return Ok(Some((at, body)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(parts: &[&[u8]], joins: bool) -> Result<Option<Response>, HttpError> {
        let mut reader = ResponseReader::default();
        let mut last = Ok(None);
        for part in parts {
            last = reader.push(part, joins);
            if last != Ok(None) {
                break;
            }
        }
        last
    }

    #[test]
    fn a_body_may_come_with_a_length_or_in_chunks() {
        let length = read(
            &[
                b"HTTP/1.1 200 OK\r\nX-Admin-Next-URI: /a?n=1\r\nContent-Length: 3\r\n\r\nab",
                b"c",
            ],
            false,
        );
        let chunked = read(
            &[
                b"HTTP/1.1 200 OK\r\nX-Admin-Next-URI: /a?n=1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab",
                b"\r\n1\r\nc\r\n0\r\n\r\n",
            ],
            false,
        );
        assert_eq!(length, chunked);
        let response = length.unwrap().unwrap();
        assert_eq!(
            (response.body.as_slice(), response.next_uri.as_deref()),
            (&b"abc"[..], Some("/a?n=1"))
        );
    }

    #[test]
    fn a_head_over_two_records_is_joined_only_by_a_chip_that_can() {
        let parts: &[&[u8]] = &[b"HTTP/1.1 204 No Content\r\nX-Admin-", b"Next-URI: /b\r\n\r\n"];
        assert_eq!(read(parts, false), Err(HttpError::HeadSplit));
        assert_eq!(
            read(parts, true).unwrap().unwrap().next_uri.as_deref(),
            Some("/b")
        );
    }

    #[test]
    fn lengths_are_checked_before_they_are_used() {
        let huge = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n";
        assert_eq!(read(&[huge], false), Err(HttpError::BodyTooLong));
        let chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFF\r\n";
        assert_eq!(read(&[chunk], false), Err(HttpError::BodyTooLong));
        assert_eq!(
            read(
                &[b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc"],
                false
            ),
            Err(HttpError::Chunk)
        );
        assert_eq!(read(&[&[b'x'; 40]], false), Err(HttpError::Head));
    }
}
