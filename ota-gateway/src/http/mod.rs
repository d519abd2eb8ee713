//! HTTP/1.1 of admin agents (GlobalPlatform Amendment B §3.4).
//!
//! `uicc` parses the headers; this module reads requests and refuses those that are not an admin agent's. It must never
//! answer in more than one piece.

mod error;
mod reader;

pub(crate) use error::HttpError;
pub(crate) use reader::{Request, RequestReader};

use uicc::scp81::{AdminRequest, AdminResponse, AdminStatus, ContentType, ScriptStatus};

/// Longest session token and sequence number in a query, in bytes.
const MAX_QUERY_VALUE_BYTES: usize = 32;

/// Which script of which session a request answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// Token of the session.
    pub(crate) session: String,
    /// Number of the request within the session.
    pub(crate) seq: u32,
}

impl Cursor {
    /// The next URI under this path: relative, short, with a query.
    pub(crate) fn uri(&self, path: &str) -> String {
        format!("{path}?s={}&n={}", self.session, self.seq)
    }

    fn parse(query: &str) -> Option<Self> {
        let mut session = None;
        let mut seq = None;
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "s" if value.len() <= MAX_QUERY_VALUE_BYTES => session = Some(value.into_owned()),
                "n" if value.len() <= MAX_QUERY_VALUE_BYTES => seq = value.parse().ok(),
                _ => {}
            }
        }
        Some(Self {
            session: session?,
            seq: seq?,
        })
    }
}

/// A request of an admin agent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct AgentRequest {
    /// The script that it answers; none in a URI that no gateway gave.
    pub(crate) cursor: Option<Cursor>,
    /// `X-Admin-From`.
    pub(crate) agent: Option<String>,
    /// `X-Admin-Resume: true`.
    pub(crate) resume: bool,
    /// `X-Admin-Script-Status`.
    pub(crate) status: Option<ScriptStatus>,
    /// The response script.
    pub(crate) body: Option<Vec<u8>>,
}

impl AgentRequest {
    /// Reads a request of an admin agent to `path`.
    ///
    /// # Errors
    /// [`HttpError::UnknownUri`], [`HttpError::ContentType`], [`HttpError::BadHeader`], [`HttpError::RepeatedHeader`],
    /// [`HttpError::UnexpectedBody`].
    pub(crate) fn from_http(request: Request, path: &str) -> Result<Self, HttpError> {
        let (own_path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        if own_path != path {
            return Err(HttpError::UnknownUri);
        }
        let body = request.body.as_ref().filter(|body| !body.is_empty());
        if body.is_some() {
            let content_type = request.header("content-type")?.ok_or(HttpError::ContentType)?;
            if ContentType::parse(content_type.as_bytes()) != Ok(ContentType::RfmResponse) {
                return Err(HttpError::ContentType);
            }
        }
        // Without a body its type has no meaning; an unknown one must not make the request fail.
        let headers = request.headers.iter().filter(|(name, _)| name != "content-type");
        let headers = headers.map(|(name, value)| (name.as_str(), value.as_bytes()));
        let admin = AdminRequest::from_head(&request.target, headers)
            .map_err(|error| HttpError::BadHeader(error.expected))?;
        let errs = matches!(admin.status, Some(status) if status != ScriptStatus::Ok);
        if body.is_some() && (admin.resume || errs)
            || (body.is_none() && admin.status == Some(ScriptStatus::Ok))
        {
            return Err(HttpError::UnexpectedBody);
        }
        Ok(Self {
            cursor: Cursor::parse(query),
            agent: admin.from,
            resume: admin.resume,
            status: admin.status,
            body: request.body.filter(|body| !body.is_empty()),
        })
    }
}

/// The response that refuses a request, as bytes.
pub(crate) fn refuse(error: &HttpError) -> Vec<u8> {
    AdminResponse::error(AdminStatus::Other(error.status())).encode(&[])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(target: &str, headers: &str, body: &str) -> Result<AgentRequest, HttpError> {
        let length = if body.is_empty() {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", body.len())
        };
        let mut reader = RequestReader::default();
        reader.feed(format!("POST {target} HTTP/1.1\r\n{headers}{length}\r\n{body}").as_bytes());
        AgentRequest::from_http(reader.next_request().unwrap().unwrap(), "/adminagent")
    }

    const PROTOCOL: &str = "Host: h\r\nX-Admin-Protocol: globalplatform-remote-admin/1.0\r\n";
    const RFM: &str = "Content-Type: application/vnd.etsi.scp.response-data;version=1.0\r\n";

    #[test]
    fn the_first_request_of_a_session_needs_no_more_than_its_protocol() {
        let first = request("/adminagent", &format!("{PROTOCOL}X-Admin-From: agent-1\r\n"), "").unwrap();
        assert_eq!(
            first,
            AgentRequest {
                agent: Some("agent-1".into()),
                ..AgentRequest::default()
            }
        );
        assert_eq!(request("/adminagent?cmd=1", PROTOCOL, "").unwrap().cursor, None);
    }

    #[test]
    fn an_answer_names_its_script_and_carries_its_body() {
        let cursor = Cursor {
            session: "0af3".into(),
            seq: 7,
        };
        let target = cursor.uri("/adminagent");
        assert_eq!(target, "/adminagent?s=0af3&n=7");
        let headers = format!("{PROTOCOL}{RFM}X-Admin-Script-Status: ok\r\n");
        let answer = request(&target, &headers, "body").unwrap();
        assert_eq!(
            (answer.cursor, answer.body.as_deref()),
            (Some(cursor), Some(&b"body"[..]))
        );
        assert_eq!(answer.status, Some(ScriptStatus::Ok));
    }

    #[test]
    fn what_no_admin_agent_would_send_has_its_error() {
        let with = |more: &str| format!("{PROTOCOL}{more}");
        let both = with(&format!("{RFM}X-Admin-Resume: true\r\n"));
        let error_with_body = with(&format!("{RFM}X-Admin-Script-Status: security-error\r\n"));
        let cases = [
            ("/", PROTOCOL.to_owned(), "", 404),
            ("/adminagent/more", PROTOCOL.to_owned(), "", 404),
            ("/adminagent", "Host: h\r\n".to_owned(), "", 400),
            ("/adminagent", with("X-Admin-Protocol: other\r\n"), "", 400),
            ("/adminagent", with("X-Admin-Script-Status: fine\r\n"), "", 400),
            ("/adminagent", with("X-Admin-Script-Status: ok\r\n"), "", 400),
            ("/adminagent", PROTOCOL.to_owned(), "body", 415),
            ("/adminagent", with("Content-Type: text/plain\r\n"), "body", 415),
            ("/adminagent", both, "body", 400),
            ("/adminagent", error_with_body, "body", 400),
        ];
        for (target, headers, body, expected) in cases {
            let status = request(target, &headers, body).unwrap_err().status();
            assert_eq!(status, expected, "{target} {headers:?}");
        }
    }

    #[test]
    fn a_refusal_is_one_whole_response() {
        let bytes = refuse(&HttpError::BodyTooLarge);
        assert!(bytes.starts_with(b"HTTP/1.1 413 ") && bytes.ends_with(b"Content-Length: 0\r\n\r\n"));
    }
}
