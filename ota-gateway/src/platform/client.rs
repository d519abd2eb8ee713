//! HTTP calls to the platform, each bounded in time and size.
//!
//! It must never log a body, follow a redirect, or send a secret anywhere but to the configured platform.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use gateway_protocol::{
    ANNOUNCE_PATH, AUTHORIZATION_SCHEME, AnnounceAnswer, AnnounceRequest, CONTENT_TYPE, KEYS_PATH,
    KeysAnswer, KeysRequest, MAX_ANSWER_BYTES, REPORT_PATH, Refusal, ReportAnswer, ReportRequest,
    SESSIONS_PATH, SessionAnswer, SessionRequest, TICK_PATH, TickAnswer,
};
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout};

use super::backoff::waits;
use crate::metrics::{Call, Metrics, Route};
use crate::settings::{Secret, Settings};

/// Longest time of a tick: a batch of messages whose receivers all hang takes over a minute.
const TICK_TIMEOUT: Duration = Duration::from_secs(120);

/// Why a call has no answer of its kind.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum PlatformError {
    /// The platform understood the call and refused it (4xx): asking again changes nothing.
    #[error("refused with {status} {reason}: {message}")]
    Refused {
        status: u16,
        reason: String,
        message: String,
    },
    /// There is no usable answer: asking again may help.
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
    ///
    /// # Errors
    /// When the certificates of this host cannot be read.
    pub(crate) fn new(settings: &Settings, metrics: Arc<Metrics>) -> anyhow::Result<Self> {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(settings.limits.platform_timeout()));
        let builder = HttpsConnectorBuilder::new();
        let builder = if settings.platform_url.starts_with("https:") {
            builder.with_native_roots().context("certificates of this host")?
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

    /// Asks for the keys of an identity.
    ///
    /// # Errors
    /// Every [`PlatformError`], as with all calls.
    pub(crate) async fn keys(&self, request: &KeysRequest) -> Result<KeysAnswer, PlatformError> {
        self.call("keys", KEYS_PATH, request).await
    }

    /// Opens a session and asks for its work.
    pub(crate) async fn open(&self, request: &SessionRequest) -> Result<SessionAnswer, PlatformError> {
        self.call("sessions", SESSIONS_PATH, request).await
    }

    /// Announces this gateway.
    pub(crate) async fn announce(&self, request: &AnnounceRequest) -> Result<AnnounceAnswer, PlatformError> {
        self.call("announce", ANNOUNCE_PATH, request).await
    }

    /// Sends a report, and again for about `retry_for` while the platform gives no answer.
    ///
    /// # Errors
    /// Every [`PlatformError`], the last one if there were several.
    pub(crate) async fn report(
        &self,
        request: &ReportRequest,
        retry_for: Duration,
    ) -> Result<ReportAnswer, PlatformError> {
        let mut waits = waits(retry_for);
        let tries = async {
            loop {
                let answer = self.call("report", REPORT_PATH, request).await;
                match (answer, waits.next()) {
                    (Err(PlatformError::Unavailable(error)), Some(wait)) => {
                        tracing::warn!(
                            session = request.session_id,
                            error,
                            ?wait,
                            "report not acknowledged, trying again"
                        );
                        sleep(wait).await;
                    }
                    (answer, _) => break answer,
                }
            }
        };
        // A platform that takes connections and never answers costs time beyond the waits.
        timeout(retry_for + self.call_timeout, tries)
            .await
            .unwrap_or_else(|_| Err(PlatformError::Unavailable("no answer in time".to_owned())))
    }

    /// Has the platform do its scheduled work; true when more is due already.
    pub(crate) async fn tick(&self) -> Result<bool, PlatformError> {
        let answer: TickAnswer = self
            .measured("cron", TICK_PATH, &self.cron_secret, Bytes::new(), TICK_TIMEOUT)
            .await?;
        Ok(answer.more)
    }

    /// Whether the platform answers an HTTP request.
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
            .header(
                header::AUTHORIZATION,
                format!("{AUTHORIZATION_SCHEME} {}", secret.expose()),
            )
            .header(header::CONTENT_TYPE, CONTENT_TYPE)
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

/// 4xx is final, except what can change by itself: timeout and too many requests.
fn refusal(status: StatusCode, body: &[u8]) -> PlatformError {
    let refusal: Refusal = serde_json::from_slice(body).unwrap_or_default();
    // A wrong secret is a fault of the settings: the call is unanswered, and chips shall try again.
    if status.is_client_error()
        && status != StatusCode::UNAUTHORIZED
        && status != StatusCode::REQUEST_TIMEOUT
        && status != StatusCode::TOO_MANY_REQUESTS
    {
        PlatformError::Refused {
            status: status.as_u16(),
            reason: refusal.reason,
            message: refusal.message,
        }
    } else {
        PlatformError::Unavailable(format!("HTTP {status} {}", refusal.reason))
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    // Error chains are short; the bound makes the loop finite.
    for _ in 0..8 {
        let Some(cause) = source else { break };
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
