//! The HTTP client that sends the components' requests to the outside.
//!
//! It connects to no address in `block_networks`. The check is made on the very addresses that are
//! connected to, so a name cannot resolve to something else in between. What a component may ask for
//! is checked before, in `outbound`.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use futures::stream;
use http::uri::Scheme;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::crypto::ring::default_provider;
use tokio::net::TcpStream;
use tower_service::Service;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use crate::blocked_networks::BlockedNetworks;

/// The connect, first-byte and between-bytes timeouts of a request that sets none.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

tokio::task_local! {
    /// The connect timeout of the current request: a connector receives no more than a URI.
    static CONNECT_TIMEOUT: Duration;
}

/// One client, and one pool of connections, for all components.
pub(crate) struct HttpClient {
    client: Client<HttpsConnector<Connector>, WasiBody>,
}

impl HttpClient {
    /// Builds the client. It checks certificates against the system's roots, or against Mozilla's where
    /// the system has none.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub(crate) fn new(blocked: BlockedNetworks, pool_connections: bool) -> anyhow::Result<Self> {
        let builder = HttpsConnectorBuilder::new().with_provider_and_native_roots(default_provider());
        let builder = match builder {
            Ok(builder) => builder,
            Err(error) => {
                tracing::warn!(%error, "no system certificates, using the built-in ones");
                let builder = HttpsConnectorBuilder::new();
                builder
                    .with_provider_and_webpki_roots(default_provider())
                    .context("TLS")?
            }
        };
        let connector = builder.https_or_http().enable_http1().wrap_connector(Connector {
            blocked: blocked.into(),
        });
        let mut client = Client::builder(TokioExecutor::new());
        if !pool_connections {
            client.pool_max_idle_per_host(0);
        }
        Ok(Self {
            client: client.build(connector),
        })
    }

    /// Sends a request and returns when the response's head has arrived.
    ///
    /// # Errors
    /// [`Error::ConnectionReadTimeout`] when the first byte is late, and what [`to_wasi_error`] says.
    pub(crate) async fn send(
        &self,
        request: Request<WasiBody>,
        options: &RequestOptions,
    ) -> Result<Response<WasiBody>, Error> {
        let connect = options.connect_timeout.unwrap_or(DEFAULT_TIMEOUT);
        let first_byte = options.first_byte_timeout.unwrap_or(DEFAULT_TIMEOUT);
        let between_bytes = options.between_bytes_timeout.unwrap_or(DEFAULT_TIMEOUT);
        let sending = CONNECT_TIMEOUT.scope(connect, self.client.request(request));
        let response = tokio::time::timeout(first_byte, sending)
            .await
            .map_err(|_| Error::ConnectionReadTimeout)?
            .map_err(|error| to_wasi_error(&error))?;
        Ok(response.map(|body| with_idle_timeout(body, between_bytes)))
    }
}

/// Makes a response body fail with [`Error::ConnectionReadTimeout`] when no frame arrives in time.
fn with_idle_timeout(body: Incoming, timeout: Duration) -> WasiBody {
    let frames = stream::unfold(Some(body), move |body| async move {
        let mut body = body?;
        match tokio::time::timeout(timeout, body.frame()).await {
            Ok(Some(Ok(frame))) => Some((Ok(frame), Some(body))),
            Ok(Some(Err(error))) => Some((Err(Error::Hyper(error)), None)),
            Ok(None) => None,
            Err(_) => Some((Err::<Frame<Bytes>, _>(Error::ConnectionReadTimeout), None)),
        }
    });
    StreamBody::new(frames).boxed_unsync()
}

/// Why no connection was made.
#[derive(Clone, Copy, Debug)]
enum ConnectError {
    Blocked,
    Unresolved,
    TimedOut,
    Refused,
    Failed,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blocked => "the address is in block_networks",
            Self::Unresolved => "the name does not resolve",
            Self::TimedOut => "timed out while connecting",
            Self::Refused => "connection refused",
            Self::Failed => "cannot connect",
        })
    }
}

impl std::error::Error for ConnectError {}

impl From<ConnectError> for Error {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Blocked => Self::DestinationIpProhibited,
            ConnectError::Unresolved => Self::DnsError {
                rcode: None,
                info_code: None,
            },
            ConnectError::TimedOut => Self::ConnectionTimeout,
            ConnectError::Refused => Self::ConnectionRefused,
            ConnectError::Failed => Self::DestinationUnavailable,
        }
    }
}

/// Finds the error of WASI that describes the cause in the client's chain of errors.
fn to_wasi_error(error: &legacy::Error) -> Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(this) = cause {
        if let Some(error) = this.downcast_ref::<ConnectError>() {
            return (*error).into();
        }
        match this.downcast_ref::<rustls::Error>() {
            Some(rustls::Error::InvalidCertificate(_)) => return Error::TlsCertificateError,
            Some(_) => return Error::TlsProtocolError,
            None => {}
        }
        // An io::Error hides the error inside it from `source`.
        let inner = this
            .downcast_ref::<std::io::Error>()
            .and_then(|io| io.get_ref())
            .map(|inner| inner as &(dyn std::error::Error + 'static));
        cause = inner.or_else(|| this.source());
    }
    if error.is_connect() {
        Error::DestinationUnavailable
    } else {
        Error::ConnectionTerminated
    }
}

/// Resolves the host, leaves out blocked addresses and connects to one of the rest.
#[derive(Clone)]
struct Connector {
    blocked: Arc<BlockedNetworks>,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let blocked = self.blocked.clone();
        let timeout = CONNECT_TIMEOUT
            .try_with(|timeout| *timeout)
            .unwrap_or(DEFAULT_TIMEOUT);
        Box::pin(async move {
            tokio::time::timeout(timeout, connect(&blocked, &uri))
                .await
                .unwrap_or(Err(ConnectError::TimedOut))
        })
    }
}

async fn connect(blocked: &BlockedNetworks, uri: &Uri) -> Result<TokioIo<TcpStream>, ConnectError> {
    let host = uri.host().ok_or(ConnectError::Unresolved)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let default_port = if uri.scheme() == Some(&Scheme::HTTPS) {
        443
    } else {
        80
    };
    let port = uri.port_u16().unwrap_or(default_port);
    let addresses = tokio::net::lookup_host((host, port))
        .await
        .map_err(|_| ConnectError::Unresolved)?;
    let (prohibited, permitted): (Vec<_>, Vec<_>) =
        addresses.partition(|address| blocked.blocks(address.ip()));
    if permitted.is_empty() {
        return Err(if prohibited.is_empty() {
            ConnectError::Unresolved
        } else {
            ConnectError::Blocked
        });
    }
    let stream = TcpStream::connect(&*permitted)
        .await
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::ConnectionRefused => ConnectError::Refused,
            _ => ConnectError::Failed,
        })?;
    stream.set_nodelay(true).map_err(|_| ConnectError::Failed)?;
    Ok(TokioIo::new(stream))
}
