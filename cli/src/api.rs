//! A client of the platform's HTTP interfaces, as a business system or an administrator would write one.
//!
//! It must never use anything of the platform but its published interfaces.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::language::{Language, text};

/// Most bytes of an answer.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// How long one call may take. The first call may wait for the migrations.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// An answer of the platform: HTTP status and JSON document.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status; equal to `code` in the document.
    pub status: u16,
    /// The JSON document.
    pub body: Value,
}

impl Answer {
    /// Returns the document of a success; `what` names the call in the error.
    ///
    /// # Errors
    /// Any other status, with reason and message of the platform.
    pub fn ok(self, what: &str) -> Result<Value> {
        if self.status == 200 && self.body["code"] == 200 {
            return Ok(self.body);
        }
        let reason = self.body["reason"]
            .as_str()
            .unwrap_or(text("未给出原因", "no reason given"));
        let message = self.body["message"].as_str().unwrap_or_default();
        bail!("{what}: HTTP {} {reason}: {message}", self.status)
    }
}

/// A client of one platform; cheap to clone.
#[derive(Clone)]
pub struct Api {
    base: String,
    client: Client<HttpConnector, Full<Bytes>>,
    language: Option<Language>,
}

impl Api {
    /// Makes a client of the platform at `base`, which is `http://host:port`.
    pub fn new(base: impl Into<String>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self {
            base: base.into(),
            client: Client::builder(TokioExecutor::new()).build(connector),
            language: None,
        }
    }

    /// Asks for messages in this language from now on. Without, the platform answers in its own.
    pub(crate) fn in_language(mut self, language: Language) -> Self {
        self.language = Some(language);
        self
    }

    /// Sends a GET with query parameters.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer> {
        self.send(Method::GET, path, query, None, None, Bytes::new())
            .await
    }

    /// Sends a GET with a bearer secret.
    pub async fn get_as(&self, bearer: &str, path: &str, query: &[(&str, &str)]) -> Result<Answer> {
        self.send(Method::GET, path, query, Some(bearer), None, Bytes::new())
            .await
    }

    /// Sends a POST of a JSON document with a bearer secret.
    pub async fn post_json(&self, bearer: &str, path: &str, body: &Value) -> Result<Answer> {
        let body = Bytes::from(body.to_string());
        self.send(
            Method::POST,
            path,
            &[],
            Some(bearer),
            Some("application/json"),
            body,
        )
        .await
    }

    /// Sends a POST of a CSV file with a bearer secret.
    pub async fn post_csv(
        &self,
        bearer: &str,
        path: &str,
        query: &[(&str, &str)],
        csv: impl Into<Bytes>,
    ) -> Result<Answer> {
        self.send(
            Method::POST,
            path,
            query,
            Some(bearer),
            Some("text/csv"),
            csv.into(),
        )
        .await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        bearer: Option<&str>,
        content_type: Option<&str>,
        body: Bytes,
    ) -> Result<Answer> {
        let mut request =
            Request::builder()
                .method(method)
                .uri(format!("{}{path}{}", self.base, encode(query)));
        if let Some(language) = self.language {
            request = request.header("accept-language", language.pick("zh", "en"));
        }
        if let Some(bearer) = bearer {
            request = request.header("authorization", format!("Bearer {bearer}"));
        }
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let request = request
            .body(Full::new(body))
            .context(text("请求无效", "not a valid request"))?;
        let exchange = async {
            let response = self
                .client
                .request(request)
                .await
                .with_context(|| format!("{path}: {}", text("没有应答", "no answer")))?;
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES)
                .collect()
                .await;
            let body = body
                .map_err(|error| anyhow::anyhow!("{path}: {error}"))?
                .to_bytes();
            let body = serde_json::from_slice(&body).with_context(|| {
                let problem = text("正文不是 JSON", "with a body that is not JSON");
                format!(
                    "{path}: HTTP {status} {problem}: {}",
                    String::from_utf8_lossy(&body)
                )
            })?;
            Ok(Answer { status, body })
        };
        tokio::time::timeout(CALL_TIMEOUT, exchange)
            .await
            .with_context(|| format!("{path}: {}", text("未按时应答", "no answer in time")))?
    }
}

/// A query string with every reserved byte escaped.
fn encode(query: &[(&str, &str)]) -> String {
    if query.is_empty() {
        return String::new();
    }
    format!(
        "?{}",
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(query)
            .finish()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_escapes_what_is_reserved() {
        assert_eq!(encode(&[("a", "x y&z"), ("é", "1")]), "?a=x+y%26z&%C3%A9=1");
        assert_eq!(encode(&[]), "");
    }
}
