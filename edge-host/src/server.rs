//! Starts and stops a host, and serves its connections.
//!
//! Decides nothing about a request's meaning: that is done in `app`. Here are only connections, limits and
//! timeouts.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use anyhow::Context as _;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wasmtime_wasi_http::handler::ProxyHandler;
use wasmtime_wasi_http::p3::bindings::ServicePre;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::app::{App, empty};
use crate::component::Component;
use crate::engine;
use crate::host_state::HostState;
use crate::http_client::HttpClient;
use crate::instance::{Guest, InstanceFactory};
use crate::key_value::Stores;
use crate::manifest::Manifest;
use crate::options::{MAX_REQUESTS_IN_FLIGHT, Options, Reuse};
use crate::postgres::ConnectionLimit;
use crate::router::Router;
use crate::runtime_config::{Location, RuntimeConfig, StoreLocation, check_labels};
use crate::variables::Variables;

/// A component's grants and its compiled code.
type LoadedComponent = (Arc<Component>, ServicePre<Guest>);

/// Open connections; more wait to be accepted.
const MAX_CONNECTIONS: usize = 4096;

/// Pause after a failed accept, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long a shutdown waits for killed instances to release what they hold.
const KILL_WAIT: Duration = Duration::from_secs(2);

/// The file of variables beside the manifest.
const DOTENV: &str = ".env";

/// A running application. Dropping it stops everything at once; [`Host::shutdown`] lets requests
/// finish first.
pub struct Host {
    app: Arc<App>,
    accepting: JoinHandle<()>,
}

impl Host {
    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.app.host.address
    }

    /// The largest memory that an instance of a component has had so far, in bytes.
    pub fn largest_memory_bytes(&self) -> usize {
        self.app.host.largest_memory.load(Ordering::Relaxed)
    }

    /// Accepts nothing more, waits for the requests in flight for at most [`Options::drain`], then
    /// ends every instance. When this returns, no database is open any more, unless a component
    /// computes without end.
    pub async fn shutdown(mut self) {
        self.app.host.closing.cancel();
        if let Err(error) = (&mut self.accepting).await {
            tracing::error!("the server's task failed: {error}");
        }
        let instances = &self.app.host.instances;
        instances.close();
        if tokio::time::timeout(KILL_WAIT, instances.wait()).await.is_err() {
            tracing::warn!("instances are still running after the shutdown");
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.app.host.closing.cancel();
        self.accepting.abort();
    }
}

/// Starts an application and returns when it accepts requests.
///
/// # Errors
/// The manifest, the runtime configuration, a variable, a component or the address is not usable;
/// the error says which and why.
pub async fn start(options: Options) -> anyhow::Result<Host> {
    let manifest = Manifest::load(&options.manifest)?;
    let folder = options.manifest.parent().unwrap_or(Path::new(""));
    let values = Variables::resolve(&manifest.variables, &options.variables, &folder.join(DOTENV))?;
    let config = RuntimeConfig::load(
        options.runtime_config.as_deref(),
        &options.state_dir,
        &options.manifest,
    )?;
    let (databases, stores) = open_state(&manifest, &config)?;
    let log_sink = options
        .logs
        .open(manifest.components.keys().map(String::as_str))?;
    let http_client = HttpClient::new(config.blocked_networks, config.pool_connections)?;
    let router = Router::build(manifest.http_triggers())?;
    let components = load_components(&manifest, &values).await?;
    let listener = TcpListener::bind(options.listen)
        .await
        .with_context(|| format!("cannot listen on {}", options.listen))?;
    let host = Arc::new(HostState {
        databases,
        stores,
        postgres_limit: ConnectionLimit::new(config.postgres_connections),
        http_client,
        log_sink,
        clock: options.clock,
        address: listener.local_addr()?,
        closing: CancellationToken::new(),
        killed: CancellationToken::new(),
        largest_memory: AtomicUsize::default(),
        instances: TaskTracker::new(),
    });
    let app = Arc::new_cyclic(|app: &Weak<App>| App {
        about: manifest.application,
        router,
        handlers: handlers(components, &host, app, options.reuse),
        host,
    });
    let in_flight = Arc::new(Semaphore::new(options.max_in_flight.min(MAX_REQUESTS_IN_FLIGHT)));
    let accepting = tokio::spawn(accept(listener, app.clone(), in_flight, options.drain));
    Ok(Host { app, accepting })
}

/// One handler for each component; it creates the component's instances.
fn handlers(
    components: BTreeMap<String, LoadedComponent>,
    host: &Arc<HostState>,
    app: &Weak<App>,
    reuse: Reuse,
) -> BTreeMap<String, ProxyHandler<InstanceFactory>> {
    components
        .into_iter()
        .map(|(name, (component, service))| {
            let instances = InstanceFactory {
                host: host.clone(),
                chaining: app.clone(),
                component,
                postgres: Arc::default(),
                service,
                reuse,
            };
            (name, ProxyHandler::new(instances))
        })
        .collect()
}

/// Checks that all labels are configured, creates missing folders, and opens the stores in use.
fn open_state(
    manifest: &Manifest,
    config: &RuntimeConfig,
) -> anyhow::Result<(BTreeMap<String, Location>, Stores)> {
    let components = || {
        manifest
            .components
            .iter()
            .map(|(name, component)| (name.as_str(), component))
    };
    let databases = components().map(|(name, component)| (name, &component.sqlite_databases));
    let stores = components().map(|(name, component)| (name, &component.key_value_stores));
    check_labels("database", databases.clone(), &config.databases)?;
    check_labels("key-value store", stores.clone(), &config.stores)?;

    let databases = used(databases, &config.databases);
    let stores = used(stores, &config.stores);
    let files = stores.values().filter_map(|location| match location {
        StoreLocation::Sqlite(location) => Some(location),
        StoreLocation::Redis(_) => None,
    });
    for location in databases.values().chain(files) {
        if let Location::File(path) = location {
            let folder = path.parent().unwrap_or(Path::new(""));
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
    }
    let stores = Stores::open(stores.iter())?;
    Ok((databases, stores))
}

/// The locations of the labels that any component asks for.
fn used<'a, T: Clone>(
    wanted: impl Iterator<Item = (&'a str, &'a BTreeSet<String>)>,
    known: &BTreeMap<String, T>,
) -> BTreeMap<String, T> {
    let labels: BTreeSet<_> = wanted.flat_map(|(_, labels)| labels).collect();
    known
        .iter()
        .filter(|(label, _)| labels.contains(label))
        .map(|(label, location)| (label.clone(), location.clone()))
        .collect()
}

/// Compiles every component that a trigger names.
async fn load_components(
    manifest: &Manifest,
    values: &Variables,
) -> anyhow::Result<BTreeMap<String, LoadedComponent>> {
    let linker = Arc::new(engine::linker()?);
    let mut loaded = BTreeMap::new();
    for trigger in manifest.http_triggers() {
        let name = &trigger.component;
        let (Some(table), false) = (manifest.components.get(name), loaded.contains_key(name)) else {
            continue;
        };
        let component = Arc::new(Component::new(name, table, values)?);
        let (linker, source) = (linker.clone(), table.source.clone());
        let service = tokio::task::spawn_blocking(move || engine::load(&linker, &source))
            .await?
            .with_context(|| format!("the component {name:?}"))?;
        loaded.insert(name.clone(), (component, service));
    }
    Ok(loaded)
}

/// Accepts connections until the host closes, then waits at most `drain` for requests in flight.
async fn accept(listener: TcpListener, app: Arc<App>, in_flight: Arc<Semaphore>, drain: Duration) {
    let graceful = GracefulShutdown::new();
    // Dropped after the connections, so that no client gets an error from an instance that was killed while
    // it answered.
    let _kill = app.host.killed.clone().drop_guard();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = app.host.closing.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, client)) => {
                    let served = serve_connection(stream, client, app.clone(), in_flight.clone(), &graceful);
                    connections.spawn(served);
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    if tokio::time::timeout(drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still in flight after {drain:?}");
    }
}

/// Serves one connection to its end.
fn serve_connection(
    stream: TcpStream,
    client: SocketAddr,
    app: Arc<App>,
    in_flight: Arc<Semaphore>,
    graceful: &GracefulShutdown,
) -> impl Future<Output = ()> + Send + use<> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let service = service_fn(move |request: Request<Incoming>| {
        let (app, in_flight) = (app.clone(), in_flight.clone());
        async move { Ok::<_, Infallible>(serve_request(&app, in_flight, request, client).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    let watched = graceful.watch(connection);
    async move {
        if let Err(error) = pin!(watched).await {
            tracing::debug!(%error, %client, "connection ended");
        }
    }
}

/// Answers one request, with 503 when too many are in flight.
async fn serve_request(
    app: &App,
    in_flight: Arc<Semaphore>,
    request: Request<Incoming>,
    client: SocketAddr,
) -> Response<WasiBody> {
    let Ok(permit) = in_flight.try_acquire_owned() else {
        let mut response = empty(StatusCode::SERVICE_UNAVAILABLE);
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        return response;
    };
    let request = request.map(|body| body.map_err(Error::from).boxed_unsync());
    let response = app.handle(request, client).await;
    // The request is in flight until its last byte has left.
    response.map(|body| {
        body.map_frame(move |frame| {
            let _in_flight = &permit;
            frame
        })
        .boxed_unsync()
    })
}
