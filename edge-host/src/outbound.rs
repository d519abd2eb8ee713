//! Requests that components send.
//!
//! Nothing leaves that `allowed_outbound_hosts` does not name, and no connection is made to an address
//! in `block_networks`: it is checked on the very addresses that are connected to, so a name cannot
//! resolve to something else in between.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use futures::stream;
use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::crypto::ring::default_provider;
use tokio::net::TcpStream;
use tower_service::Service;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::allowed_hosts::{Target, target};
use crate::app::{App, Component};
use crate::blocked_networks::BlockedNetworks;
use crate::router::Match;

/// Each of the three waits of a request, unless the component sets its own.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

/// What a component sees as the client's address when another component calls it.
const CHAINED_CLIENT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

type ResponseFuture = dyn Future<Output = Result<(Response<WasiBody>, Box<IoFuture>), Error>> + Send;
type IoFuture = dyn Future<Output = Result<(), Error>> + Send;

tokio::task_local! {
    /// The connector gets no more than a URI; this is the waiting time of the request it works for.
    static CONNECT_TIMEOUT: Duration;
}

/// The client side shared by all components.
pub(crate) struct Outbound {
    client: Client<HttpsConnector<Connector>, WasiBody>,
}

impl Outbound {
    /// Certificates are checked against the system's roots, or Mozilla's where the system has none.
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

    async fn send(
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
            .map_err(|error| explain(&error))?;
        Ok(response.map(|body| patient(body, between_bytes)))
    }
}

/// Sends the requests of one instance.
pub(crate) struct Hooks {
    app: Arc<App>,
    component: Arc<Component>,
}

impl Hooks {
    pub(crate) fn new(app: Arc<App>, component: Arc<Component>) -> Self {
        Self { app, component }
    }
}

impl WasiHttpHooks for Hooks {
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<IoFuture>,
    ) -> Box<ResponseFuture> {
        let (app, component) = (self.app.clone(), self.component.clone());
        Box::new(async move {
            let response = route(&app, &component, request, &options.unwrap_or_default()).await?;
            Ok((response, Box::new(async { Ok(()) }) as Box<IoFuture>))
        })
    }
}

async fn route(
    app: &App,
    component: &Component,
    mut request: Request<WasiBody>,
    options: &RequestOptions,
) -> Result<Response<WasiBody>, Error> {
    if !component.allowed_hosts.allow(request.uri()) {
        let uri = request.uri();
        tracing::warn!(
            component = &*component.name,
            "outbound request denied: allowed_outbound_hosts has no \"{}://{}\"",
            uri.scheme_str().unwrap_or_default(),
            uri.authority().map_or("", Authority::as_str),
        );
        return Err(Error::HttpRequestDenied);
    }
    request.headers_mut().remove(HOST);
    match target(request.uri()) {
        Target::Outside => app.outbound.send(request, options).await,
        Target::Itself => {
            *request.uri_mut() = own_uri(app.address, request.uri())?;
            app.outbound.send(request, options).await
        }
        Target::Component(name) => {
            if !app.handlers.contains_key(&name) {
                return Err(Error::DestinationNotFound);
            }
            let route = Match::chained(name, request.uri().path());
            Ok(app.dispatch(route, request, CHAINED_CLIENT).await)
        }
    }
}

fn own_uri(address: SocketAddr, uri: &Uri) -> Result<Uri, Error> {
    let mut parts = uri.clone().into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority =
        Some(Authority::try_from(address.to_string()).map_err(|_| Error::HttpRequestUriInvalid)?);
    Uri::from_parts(parts).map_err(|_| Error::HttpRequestUriInvalid)
}

/// A response body that fails when nothing arrives for the given time.
fn patient(body: hyper::body::Incoming, wait: Duration) -> WasiBody {
    let frames = stream::unfold(Some(body), move |body| async move {
        let mut body = body?;
        match tokio::time::timeout(wait, body.frame()).await {
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
enum Refusal {
    Blocked,
    Unresolved,
    TimedOut,
    Refused,
    Failed,
}

impl fmt::Display for Refusal {
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

impl std::error::Error for Refusal {}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Blocked => Self::DestinationIpProhibited,
            Refusal::Unresolved => Self::DnsError {
                rcode: None,
                info_code: None,
            },
            Refusal::TimedOut => Self::ConnectionTimeout,
            Refusal::Refused => Self::ConnectionRefused,
            Refusal::Failed => Self::DestinationUnavailable,
        }
    }
}

/// Finds the cause in the client's chain of errors.
fn explain(error: &legacy::Error) -> Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(this) = cause {
        if let Some(refusal) = this.downcast_ref::<Refusal>() {
            return (*refusal).into();
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

/// Resolves, filters, connects.
#[derive(Clone)]
struct Connector {
    blocked: Arc<BlockedNetworks>,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = Refusal;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Refusal>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let blocked = self.blocked.clone();
        let wait = CONNECT_TIMEOUT.try_with(|wait| *wait).unwrap_or(DEFAULT_TIMEOUT);
        Box::pin(async move {
            tokio::time::timeout(wait, connect(&blocked, &uri))
                .await
                .unwrap_or(Err(Refusal::TimedOut))
        })
    }
}

async fn connect(blocked: &BlockedNetworks, uri: &Uri) -> Result<TokioIo<TcpStream>, Refusal> {
    let host = uri.host().ok_or(Refusal::Unresolved)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let default_port = if uri.scheme() == Some(&Scheme::HTTPS) {
        443
    } else {
        80
    };
    let port = uri.port_u16().unwrap_or(default_port);
    let addresses = tokio::net::lookup_host((host, port))
        .await
        .map_err(|_| Refusal::Unresolved)?;
    let (prohibited, permitted): (Vec<_>, Vec<_>) =
        addresses.partition(|address| blocked.blocks(address.ip()));
    if permitted.is_empty() {
        return Err(if prohibited.is_empty() {
            Refusal::Unresolved
        } else {
            Refusal::Blocked
        });
    }
    let stream = TcpStream::connect(&*permitted)
        .await
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::ConnectionRefused => Refusal::Refused,
            _ => Refusal::Failed,
        })?;
    stream.set_nodelay(true).map_err(|_| Refusal::Failed)?;
    Ok(TokioIo::new(stream))
}
