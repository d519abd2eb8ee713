//! HTTP calls to the platform, each bounded in time and size.
//!
//! It must never log a body, follow a redirect, or send a secret anywhere but to the configured platform.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout};

use super::messages::{
    KeysAnswer, KeysRequest, OpenAnswer, OpenRequest, Refusal, ReportAnswer, ReportRequest,
};
use crate::metrics::{Call, Metrics, Route};
use crate::settings::{Secret, Settings};

/// Longest tick: a batch of callbacks whose receivers all hang takes over a minute.
const TICK_TIMEOUT: Duration = Duration::from_secs(120);
/// Largest answer of the platform, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Why a call came to nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum PlatformError {
    /// The platform understood and said no (4xx): asking again changes nothing.
    #[error("refused with {status} {reason}: {message}")]
    Refused {
        status: u16,
        reason: String,
        message: String,
    },
    /// No usable answer: asking again may help.
    #[error("no answer: {0}")]
    Unavailable(String),
}

/// A client of the platform; cheap to clone.
#[derive(Clone)]
pub(crate) struct PlatformClient {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    base: String,
    secret: Secret,
    cron_secret: Secret,
    call_timeout: Duration,
    metrics: Arc<Metrics>,
}

impl PlatformClient {
    /// A client for the platform of these settings.
    pub(crate) fn new(settings: &Settings, metrics: Arc<Metrics>) -> anyhow::Result<Self> {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(settings.limits.platform_timeout()));
        let builder = HttpsConnectorBuilder::new();
        let builder = if settings.platform_url.starts_with("https:") {
            builder
                .with_native_roots()
                .context("certificates of this machine")?
        } else {
            builder.with_webpki_roots()
        };
        let connector = builder.https_or_http().enable_http1().wrap_connector(tcp);
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            base: settings.platform_url.trim_end_matches('/').to_owned(),
            secret: settings.gateway_secret.clone(),
            cron_secret: settings.cron_secret.clone(),
            call_timeout: settings.limits.platform_timeout(),
            metrics,
        })
    }

    /// Keys of an identity.
    pub(crate) async fn keys(&self, request: &KeysRequest) -> Result<KeysAnswer, PlatformError> {
        self.call("keys", "/internal/gateway/keys", request).await
    }

    /// Opens a session.
    pub(crate) async fn open(&self, request: &OpenRequest) -> Result<OpenAnswer, PlatformError> {
        self.call("sessions", "/internal/gateway/sessions", request).await
    }

    /// Reports once.
    pub(crate) async fn report(&self, request: &ReportRequest) -> Result<ReportAnswer, PlatformError> {
        self.call("report", "/internal/gateway/report", request).await
    }

    /// Has the platform do its scheduled work; true when more is due already.
    pub(crate) async fn tick(&self) -> Result<bool, PlatformError> {
        let answer: serde_json::Value = self
            .measured(
                "cron",
                "/internal/cron",
                &self.cron_secret,
                Bytes::new(),
                TICK_TIMEOUT,
            )
            .await?;
        Ok(answer["more"] == true)
    }

    /// Whether the platform answers at all.
    pub(crate) async fn is_reachable(&self) -> bool {
        let Ok(request) = Request::builder()
            .uri(format!("{}/", self.base))
            .body(Full::default())
        else {
            return false;
        };
        matches!(
            timeout(self.call_timeout, self.client.request(request)).await,
            Ok(Ok(_))
        )
    }

    async fn call<A: DeserializeOwned>(
        &self,
        name: &'static str,
        path: &str,
        message: &impl Serialize,
    ) -> Result<A, PlatformError> {
        let body =
            serde_json::to_vec(message).map_err(|error| PlatformError::Unavailable(error.to_string()))?;
        self.measured(name, path, &self.secret, body.into(), self.call_timeout)
            .await
    }

    async fn measured<A: DeserializeOwned>(
        &self,
        route: &'static str,
        path: &str,
        secret: &Secret,
        body: Bytes,
        within: Duration,
    ) -> Result<A, PlatformError> {
        let started = Instant::now();
        let answer = match timeout(within, self.post(path, secret, body)).await {
            Ok(answer) => answer,
            Err(_) => Err(PlatformError::Unavailable("timed out".to_owned())),
        };
        let result = match &answer {
            Ok(_) => "ok",
            Err(PlatformError::Refused { .. }) => "refused",
            Err(PlatformError::Unavailable(_)) => "unavailable",
        };
        self.metrics.calls.get_or_create(&Call { route, result }).inc();
        self.metrics
            .call_seconds
            .get_or_create(&Route { route })
            .observe(started.elapsed().as_secs_f64());
        answer
    }

    async fn post<A: DeserializeOwned>(
        &self,
        path: &str,
        secret: &Secret,
        body: Bytes,
    ) -> Result<A, PlatformError> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}{path}", self.base))
            .header(header::AUTHORIZATION, format!("Bearer {}", secret.expose()))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT_LANGUAGE, "en")
            .body(Full::new(body))
            .map_err(|error| PlatformError::Unavailable(error.to_string()))?;
        let answer = self
            .client
            .request(request)
            .await
            .map_err(|error| PlatformError::Unavailable(chain(&error)))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES).collect().await;
        let body = body
            .map_err(|error| PlatformError::Unavailable(error.to_string()))?
            .to_bytes();
        if status.is_success() {
            return serde_json::from_slice(&body)
                .map_err(|error| PlatformError::Unavailable(format!("unreadable answer: {error}")));
        }
        Err(refusal(status, &body))
    }
}

/// 4xx is final, but for those that speak of now: timeout and too many requests.
fn refusal(status: StatusCode, body: &[u8]) -> PlatformError {
    let said: Refusal = serde_json::from_slice(body).unwrap_or_default();
    // A wrong secret is a fault of the settings; what was asked is unanswered, and chips are to try again.
    if status.is_client_error()
        && status != StatusCode::UNAUTHORIZED
        && status != StatusCode::REQUEST_TIMEOUT
        && status != StatusCode::TOO_MANY_REQUESTS
    {
        PlatformError::Refused {
            status: status.as_u16(),
            reason: said.reason,
            message: said.message,
        }
    } else {
        PlatformError::Unavailable(format!("HTTP {status} {}", said.reason))
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    // Error chains are short; the bound only says so.
    for _ in 0..8 {
        let Some(cause) = source else { break };
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
