//! Requests from outside and their answers; each layer alone; the extractors.

mod access;
mod answers;
mod clients;
mod documents;
mod handler;
mod handlers;
mod host;
mod layers;
mod outbound;
mod parameters;
mod query;
mod routes;

use axum::body::Body;
use axum::response::Response;
use futures::executor::block_on;
use http::{HeaderMap, Method};
use http_body_util::BodyExt as _;
use tower_service::Service as _;

use crate::{App, service};
pub(super) use host::{NOW, SECRET, TestHost, variables};

/// A request to be sent: by default a GET from 203.0.113.9.
pub(super) struct Sent {
    method: Method,
    target: String,
    headers: HeaderMap,
    body: Body,
}

impl Sent {
    pub(super) fn get(target: &str) -> Self {
        Self {
            method: Method::GET,
            target: target.to_owned(),
            headers: HeaderMap::new(),
            body: Body::empty(),
        }
        .header("spin-client-addr", "203.0.113.9:51000")
    }

    pub(super) fn post(target: &str, content_type: &str, body: impl Into<Body>) -> Self {
        let sent = Self {
            method: Method::POST,
            body: body.into(),
            ..Self::get(target)
        };
        sent.header("content-type", content_type)
    }

    pub(super) fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.append(name, value.parse().unwrap());
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// With the secret of internal interfaces.
    pub(super) fn with_secret(self) -> Self {
        self.header("authorization", &format!("Bearer {SECRET}"))
    }

    pub(super) fn request(self) -> axum::extract::Request {
        let mut request = axum::extract::Request::new(self.body);
        *request.method_mut() = self.method;
        *request.uri_mut() = self.target.parse().unwrap();
        *request.headers_mut() = self.headers;
        request
    }
}

/// The answer to a request.
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
    /// Null where the text is not JSON.
    pub(super) body: serde_json::Value,
    /// The last line of the operator's log.
    pub(super) line: Option<String>,
}

impl Answered {
    pub(super) fn reason(&self) -> &str {
        self.body["reason"].as_str().unwrap_or("none")
    }

    pub(super) fn field(&self) -> Option<&str> {
        self.body["field"].as_str()
    }

    /// Fields and reasons of all problems.
    pub(super) fn problems(&self) -> Vec<(&str, &str)> {
        let Some(errors) = self.body["errors"].as_array() else {
            return vec![(self.field().unwrap_or_default(), self.reason())];
        };
        errors
            .iter()
            .map(|error| {
                let field = error["field"].as_str().unwrap_or_default();
                (field, error["reason"].as_str().unwrap_or_default())
            })
            .collect()
    }

    /// The document, one field a line, for review.
    pub(super) fn pretty(&self) -> String {
        self.text.replace(",\"", ",\n\"")
    }
}

/// An application of which nothing is asked.
pub(super) fn idle_app() -> App {
    thread_local! {
        static APP: App = TestHost::new().app();
    }
    APP.with(Clone::clone)
}

/// Sends a request to the handlers of these tests.
pub(super) fn send(sent: Sent) -> Answered {
    send_to(&TestHost::new(), sent)
}

/// The same, to an existing platform.
pub(super) fn send_to(host: &TestHost, sent: Sent) -> Answered {
    let mut router = service(handlers::router(), host.app());
    let Ok(response) = block_on(router.call(sent.request()));
    answered(response, host.lines().pop())
}

fn answered(response: Response, line: Option<String>) -> Answered {
    let (parts, body) = response.into_parts();
    let bytes = block_on(body.collect()).unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    Answered {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: serde_json::from_str(&text).unwrap_or_default(),
        text,
        line,
    }
}
