//! A request that a test sends, and all of what comes back, over HTTP or within the process.
//!
//! It must not repeat a request, follow a redirect or judge an answer.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// Why no complete answer arrived.
pub type NoAnswer = Box<dyn std::error::Error + Send + Sync>;

/// Code, reason and field of a refusal.
pub fn refusal(answer: &Value) -> (u64, &str, Option<&str>) {
    (
        answer["code"].as_u64().unwrap_or_default(),
        answer["reason"].as_str().unwrap_or("none"),
        answer["field"].as_str(),
    )
}

/// A request to send.
#[derive(Clone, Default)]
pub struct TestRequest {
    /// The method, such as `GET`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body; may be empty.
    pub body: Vec<u8>,
}

impl TestRequest {
    /// A GET without headers.
    pub fn get(target: impl Into<String>) -> Self {
        Self {
            method: "GET".into(),
            target: target.into(),
            ..Self::default()
        }
    }

    /// A POST of a body of this type.
    pub fn post(target: impl Into<String>, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            ..Self::get(target)
        }
        .method("POST")
        .with("content-type", content_type)
    }

    /// A POST of a JSON document.
    pub fn document(target: impl Into<String>, document: &Value) -> Self {
        Self::post(target, "application/json", document.to_string())
    }

    /// The same request with one more header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The same request with a credential.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.with("authorization", format!("Bearer {token}"))
    }

    /// The same request with another method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        method.clone_into(&mut self.method);
        self
    }

    /// The request as the crate `http` has it. `origin`, such as `http://127.0.0.1:80`, may be empty.
    ///
    /// # Errors
    /// A method, target or header that HTTP does not have.
    pub fn into_http(self, origin: &str) -> Result<Request<Bytes>, http::Error> {
        let mut builder = Request::builder()
            .method(self.method.as_str())
            .uri(format!("{origin}{}", self.target));
        for (name, value) in &self.headers {
            builder = builder.header(name, value);
        }
        builder.body(Bytes::from(self.body))
    }
}

/// A complete answer.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Every header.
    pub headers: HeaderMap,
    /// The body as text.
    pub text: String,
    /// The body as a JSON document; null when it is none.
    pub body: Value,
}

impl Reply {
    /// The reason code of a refusal; "none" for a success.
    #[must_use]
    pub fn reason(&self) -> &str {
        self.body["reason"].as_str().unwrap_or("none")
    }

    /// A header's value; empty when it is absent.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Reads the whole of an answer.
    ///
    /// # Errors
    /// The body ends too early, or is no text.
    pub(crate) async fn read<B>(response: Response<B>) -> Result<Self, NoAnswer>
    where
        B: BodyExt<Data = Bytes>,
        B::Error: Into<NoAnswer>,
    {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.map_err(Into::into)?.to_bytes();
        let text = String::from_utf8(bytes.to_vec())?;
        Ok(Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        })
    }
}

/// A client that keeps its connections. A copy has the same connections.
#[derive(Clone)]
pub struct HttpClient(Client<HttpConnector, Full<Bytes>>);

impl Default for HttpClient {
    fn default() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }
}

impl HttpClient {
    /// Sends a request to a server and reads the whole answer.
    pub async fn send(&self, addr: SocketAddr, request: TestRequest) -> Reply {
        self.try_send(addr, request).await.unwrap()
    }

    /// Sends a request to a server that may not answer.
    ///
    /// # Errors
    /// No complete answer arrived.
    pub async fn try_send(&self, addr: SocketAddr, request: TestRequest) -> Result<Reply, NoAnswer> {
        let request = request.into_http(&format!("http://{addr}"))?;
        Reply::read(self.0.request(request.map(Full::new)).await?).await
    }
}
