//! A running gateway: its listeners, its tasks, its shutdown.
//!
//! It must never accept more connections than its limit, nor end while a session that could finish within
//! the grace period is still in progress.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::connection::Connection;
use crate::context::Context;
use crate::observe::Observer;
use crate::settings::Settings;
use crate::shutdown::{self, Shutdown};
use crate::slots::Eviction;
use crate::{announcer, connection, ops, ticker};

/// Time that sessions get to end by themselves when the gateway shuts down.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);
/// Connections that may wait to be accepted, as far as the system allows (`net.core.somaxconn`). The standard library's
/// 128 are full after a burst of a few milliseconds, and a chip whose SYN is dropped tries again after a second.
const ACCEPT_QUEUE: u32 = 4_096;
/// Pause after an accept that failed, mostly for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A running gateway. Dropping it orders the same shutdown as [`Gateway::shutdown`], without waiting for it.
#[derive(Debug)]
pub struct Gateway {
    addr: SocketAddr,
    metrics_addr: SocketAddr,
    shutdown: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Starts a gateway: checks the settings, reads the card profiles, opens both listeners.
///
/// # Errors
/// Settings that cannot work, a bad card profile, an address that cannot be bound.
pub async fn start(settings: Settings, observer: Option<Arc<dyn Observer>>) -> anyhow::Result<Gateway> {
    settings.check()?;
    let listener = listen(settings.listen).with_context(|| format!("listen on {}", settings.listen))?;
    let ops_listener = TcpListener::bind(settings.metrics_listen)
        .await
        .with_context(|| format!("listen on {}", settings.metrics_listen))?;
    let (addr, metrics_addr) = (listener.local_addr()?, ops_listener.local_addr()?);
    let context = Context::new(settings, observer).map(Arc::new)?;
    let profiles: Vec<&str> = context.shared.catalogue.names().collect();
    tracing::info!(%addr, %metrics_addr, ?profiles, "gateway listens");
    let (sender, shutdown) = shutdown::channel();
    let tasks = vec![
        tokio::spawn(accept(Arc::clone(&context), listener, shutdown.clone())),
        tokio::spawn(ops::serve(Arc::clone(&context), ops_listener, shutdown.clone())),
        tokio::spawn(announcer::run(Arc::clone(&context), shutdown.clone())),
        tokio::spawn(ticker::run(context, shutdown)),
    ];
    Ok(Gateway {
        addr,
        metrics_addr,
        shutdown: sender,
        tasks,
    })
}

impl Gateway {
    /// The address that chips connect to.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The address that serves metrics and health.
    #[must_use]
    pub const fn metrics_addr(&self) -> SocketAddr {
        self.metrics_addr
    }

    /// Stops accepting, lets sessions end within a grace period of 5 s, and returns when all tasks have ended.
    pub async fn shutdown(self) {
        self.shutdown.send_replace(true);
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task of the gateway ended badly");
            }
        }
    }
}

/// Listens for chips.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    // A gateway that starts again may take its port at once.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(ACCEPT_QUEUE)
}

async fn accept(context: Arc<Context>, listener: TcpListener, mut shutdown: Shutdown) {
    let mut sessions = JoinSet::new();
    loop {
        let for_session = shutdown.clone();
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let eviction = Arc::new(Eviction::default());
                    match context.admission.hello(peer.ip().into(), &eviction) {
                        Ok(slot) => {
                            let connection = Connection { stream, peer, slot, eviction };
                            sessions.spawn(connect(Arc::clone(&context), connection, for_session));
                        }
                        Err(limit) => connection::refused(&context, peer, limit),
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "accept failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = sessions.join_next() => {}
            () = shutdown.ordered() => break,
        }
    }
    drop(listener);
    let all = async { while sessions.join_next().await.is_some() {} };
    if tokio::time::timeout(SHUTDOWN_GRACE, all).await.is_err() {
        sessions.shutdown().await;
    }
}

async fn connect(context: Arc<Context>, connection: Connection, shutdown: Shutdown) {
    context.metrics.connections.inc();
    connection::serve(&context, connection, shutdown).await;
    context.metrics.connections.dec();
}
