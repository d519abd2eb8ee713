//! A running gateway: its listener, its tasks, its end.
//!
//! It must never accept more connections than its limit, nor end while a session that could finish within
//! the grace period is still speaking.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use openssl::ssl::SslContext;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use uicc::ident::Eid;

use crate::connection;
use crate::expiring::Expiring;
use crate::metrics::Metrics;
use crate::observe::Observer;
use crate::platform::{KeyDirectory, PlatformClient};
use crate::profile::Catalogue;
use crate::session::{Parked, Shared};
use crate::settings::Settings;
use crate::stop::{self, Stop};
use crate::{cron, ops, tls};

/// Seconds that sessions get to end by themselves when the gateway shuts down.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);
/// Pause after an accept that failed, for want of file descriptors mostly.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Places of interrupted sessions, by chip and session token.
pub(crate) type ResumePlaces = Mutex<Expiring<(Eid, String), Parked>>;

/// What every connection needs.
pub(crate) struct Context {
    pub(crate) settings: Settings,
    pub(crate) tls: SslContext,
    pub(crate) platform: PlatformClient,
    pub(crate) directory: KeyDirectory,
    pub(crate) shared: Arc<Shared>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) handshakes: Semaphore,
    pub(crate) resume: ResumePlaces,
    /// Asks for a tick of the platform's scheduled work.
    pub(crate) tick: Notify,
}

impl Context {
    fn new(settings: Settings, observer: Option<Arc<dyn Observer>>) -> anyhow::Result<Self> {
        let metrics = Arc::new(Metrics::new());
        let catalogue = Catalogue::load(settings.profiles_dir.as_deref()).context("card profiles")?;
        let platform = PlatformClient::new(&settings, Arc::clone(&metrics))?;
        let directory = KeyDirectory::new(&settings, platform.clone(), Arc::clone(&metrics))?;
        let shared = Arc::new(Shared {
            catalogue,
            link_key: directory.link_key().clone(),
        });
        let limits = &settings.limits;
        Ok(Self {
            tls: tls::context().context("TLS")?,
            handshakes: Semaphore::new(limits.max_handshakes),
            resume: Mutex::new(Expiring::new(limits.resume(), limits.resume_entries)),
            tick: Notify::new(),
            platform,
            directory,
            shared,
            metrics,
            observer,
            settings,
        })
    }
}

/// A running gateway. Keep it: when it is dropped, the gateway ends as with [`Gateway::shutdown`], unwaited for.
#[derive(Debug)]
pub struct Gateway {
    addr: SocketAddr,
    metrics_addr: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Starts a gateway: checks the settings, reads the card profiles, opens both listeners.
///
/// # Errors
/// Settings that cannot work, a bad card profile, an address that cannot be bound.
pub async fn start(settings: Settings, observer: Option<Arc<dyn Observer>>) -> anyhow::Result<Gateway> {
    settings.check()?;
    let listener = TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("listen on {}", settings.listen))?;
    let ops_listener = TcpListener::bind(settings.metrics_listen)
        .await
        .with_context(|| format!("listen on {}", settings.metrics_listen))?;
    let (addr, metrics_addr) = (listener.local_addr()?, ops_listener.local_addr()?);
    let context = Context::new(settings, observer).map(Arc::new)?;
    let profiles: Vec<&str> = context.shared.catalogue.names().collect();
    tracing::info!(%addr, %metrics_addr, ?profiles, "gateway listens");
    let (stop, stopped) = stop::channel();
    let tasks = vec![
        tokio::spawn(accept(Arc::clone(&context), listener, stopped.clone())),
        tokio::spawn(ops::serve(Arc::clone(&context), ops_listener, stopped.clone())),
        tokio::spawn(cron::run(context, stopped)),
    ];
    Ok(Gateway {
        addr,
        metrics_addr,
        stop,
        tasks,
    })
}

impl Gateway {
    /// Where chips connect.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where metrics and health are served.
    #[must_use]
    pub const fn metrics_addr(&self) -> SocketAddr {
        self.metrics_addr
    }

    /// Stops accepting, lets sessions end within a grace period of 5 s, and returns when all is over.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task of the gateway ended badly");
            }
        }
    }
}

async fn accept(context: Arc<Context>, listener: TcpListener, mut stopped: Stop) {
    let places = Arc::new(Semaphore::new(context.settings.limits.max_sessions));
    let mut sessions = JoinSet::new();
    loop {
        let for_session = stopped.clone();
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => match Arc::clone(&places).try_acquire_owned() {
                    Ok(place) => {
                        sessions.spawn(connect(Arc::clone(&context), stream, peer, place, for_session));
                    }
                    Err(_) => {
                        context.metrics.refused_connections.inc();
                        tracing::warn!(%peer, "connection refused: as many sessions as allowed");
                    }
                },
                Err(error) => {
                    tracing::warn!(%error, "accept failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = sessions.join_next() => {}
            () = stopped.ordered() => break,
        }
    }
    drop(listener);
    let all = async { while sessions.join_next().await.is_some() {} };
    if tokio::time::timeout(SHUTDOWN_GRACE, all).await.is_err() {
        sessions.shutdown().await;
    }
}

async fn connect(
    context: Arc<Context>,
    stream: TcpStream,
    peer: SocketAddr,
    _place: OwnedSemaphorePermit,
    stopped: Stop,
) {
    context.metrics.connections.inc();
    connection::serve(&context, stream, peer, stopped).await;
    context.metrics.connections.dec();
}
