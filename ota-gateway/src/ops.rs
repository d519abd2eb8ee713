//! `/metrics`, `/healthz` and `/readyz`, in plain HTTP on a listener of their own.
//!
//! Healthy: the process answers. Ready: the platform answers too. It must never be reachable by chips, nor show
//! anything about one.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::context::Context;
use crate::shutdown::Shutdown;

/// Connections at the same time.
const MAX_CONNECTIONS: usize = 32;
/// Longest time of one connection; a scraper that keeps it open has to open another.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(60);
/// Media type of the Prometheus text format.
const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Pause after a connection that could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until the shutdown.
pub(crate) async fn serve(context: Arc<Context>, listener: TcpListener, mut shutdown: Shutdown) {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.ordered() => return,
        };
        let (Ok((stream, _)), Ok(permit)) = (accepted, Arc::clone(&permits).try_acquire_owned()) else {
            // Too many open files do not go away by asking again at once.
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let context = Arc::clone(&context);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&context), request));
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // A scraper that breaks off is no error.
            let _ = timeout(CONNECTION_TIMEOUT, connection).await;
            drop(permit);
        });
    }
}

async fn answer(
    context: Arc<Context>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, http::Error> {
    let (status, kind, body) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/metrics") => match context.metrics.encode() {
            Ok(text) => (StatusCode::OK, METRICS_TYPE, text),
            Err(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "text/plain",
                "metrics cannot be written\n".to_owned(),
            ),
        },
        (&Method::GET, "/healthz") => (StatusCode::OK, "text/plain", "healthy\n".to_owned()),
        (&Method::GET, "/readyz") => {
            if context.platform.is_reachable().await {
                (StatusCode::OK, "text/plain", "ready\n".to_owned())
            } else {
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "text/plain",
                    "the platform does not answer\n".to_owned(),
                )
            }
        }
        (&Method::GET, _) => (StatusCode::NOT_FOUND, "text/plain", "not found\n".to_owned()),
        _ => (
            StatusCode::METHOD_NOT_ALLOWED,
            "text/plain",
            "GET only\n".to_owned(),
        ),
    };
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, kind)
        .body(Full::from(body))
}
