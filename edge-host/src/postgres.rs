//! PostgreSQL servers: the pools of a component, and whether it may reach a server at all.
//!
//! A connection goes back to its pool with whatever session it had. As in Spin, recycling resets settings and closes
//! cursors but rolls nothing back: a transaction that a component left open goes on for the next one that gets the
//! connection.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use native_tls::{Certificate, TlsConnector};
use postgres_native_tls::MakeTlsConnector;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Config, NoTls};

use crate::allowed_hosts::AllowedHosts;

/// Connections of one pool; more wait until one is returned, without limit.
const MAX_POOLED: usize = 64;

/// Pools of one component; that which was used longest ago goes first.
const MAX_POOLS: usize = 16;

/// Scheme of the entries of `allowed_outbound_hosts` for PostgreSQL.
const SCHEME: &str = "postgres";

/// A server connection that is in use: by a handle, a running query, or both.
pub(crate) type Client = Arc<Object>;

/// The connection behind a component's handle. It goes back to its pool when the handle is dropped and no query runs.
#[expect(
    unreachable_pub,
    reason = "generated code re-exports it inside its private module"
)]
pub struct Connection {
    client: Client,
    _permit: Option<OwnedSemaphorePermit>,
}

/// What a component says about a connection before it opens it.
#[derive(Clone)]
#[expect(
    unreachable_pub,
    reason = "generated code re-exports it inside its private module"
)]
pub struct ConnectionBuilder {
    pub(crate) address: String,
    /// A certificate in PEM form, trusted besides the system's.
    pub(crate) ca_root: Option<String>,
}

/// The pools of one component: one for each address string and CA.
#[derive(Default)]
pub(crate) struct Pools(Mutex<Vec<(ConnectionKey, Pool)>>);

type ConnectionKey = (String, Option<String>);

/// Why there is no connection, as a text.
pub(crate) struct Failure(pub(crate) String);

/// The number of connections that all components together may hold.
#[derive(Clone, Default)]
pub(crate) struct ConnectionLimit(Option<Arc<Semaphore>>);

impl ConnectionLimit {
    /// The limit of the runtime configuration; `None` is no limit.
    pub(crate) fn new(max_connections: Option<usize>) -> Self {
        Self(max_connections.map(|limit| Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS)))))
    }

    /// Waits, without limit, until there may be another connection.
    async fn acquire(&self) -> Result<Option<OwnedSemaphorePermit>, Failure> {
        match &self.0 {
            Some(semaphore) => {
                let permit = semaphore.clone().acquire_owned().await;
                permit.map(Some).map_err(|error| Failure(error.to_string()))
            }
            None => Ok(None),
        }
    }
}

impl Connection {
    /// Takes an idle connection to the address out of its pool, or makes one, once the limit allows another.
    ///
    /// # Errors
    /// [`Failure`] with the cause.
    pub(crate) async fn open(
        pools: &Pools,
        limit: &ConnectionLimit,
        builder: &ConnectionBuilder,
    ) -> Result<Self, Failure> {
        let permit = limit.acquire().await?;
        let connect = async { anyhow::Ok(pools.get(builder)?.get().await?) };
        let client = connect.await.map_err(|error| Failure(format!("{error:?}")))?;
        Ok(Self {
            client: Arc::new(client),
            _permit: permit,
        })
    }

    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }
}

impl Pools {
    fn get(&self, builder: &ConnectionBuilder) -> anyhow::Result<Pool> {
        let key = (builder.address.clone(), builder.ca_root.clone());
        let mut pools = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = match pools.iter().position(|(known, _)| *known == key) {
            Some(at) => pools.remove(at),
            None => {
                let pool = new_pool(builder).context("establishing PostgreSQL connection pool")?;
                if pools.len() >= MAX_POOLS {
                    pools.remove(0);
                }
                (key, pool)
            }
        };
        let pool = entry.1.clone();
        pools.push(entry);
        Ok(pool)
    }
}

fn new_pool(builder: &ConnectionBuilder) -> anyhow::Result<Pool> {
    let config: Config = builder
        .address
        .parse()
        .context("parsing Postgres connection string")?;
    let recycling = ManagerConfig {
        recycling_method: RecyclingMethod::Clean,
    };
    let manager = if config.get_ssl_mode() == SslMode::Disable {
        Manager::from_config(config, NoTls, recycling)
    } else {
        let mut tls = TlsConnector::builder();
        if let Some(pem) = &builder.ca_root {
            tls.add_root_certificate(certificate(pem)?);
        }
        Manager::from_config(config, MakeTlsConnector::new(tls.build()?), recycling)
    };
    Ok(Pool::builder(manager).max_size(MAX_POOLED).build()?)
}

/// Reads a certificate in PEM form.
///
/// # Errors
/// The text is none.
pub(crate) fn certificate(pem: &str) -> anyhow::Result<Certificate> {
    Certificate::from_pem(pem.as_bytes()).context("invalid root certificate")
}

/// Checks that each server that the address names is one that the component may reach.
///
/// # Errors
/// [`Failure`] when the address cannot be read, or names another server or a socket.
pub(crate) fn check_address(allowed: &AllowedHosts, address: &str) -> Result<(), Failure> {
    let config: Config = address
        .parse()
        .map_err(|error: tokio_postgres::Error| Failure(error.to_string()))?;
    let ports = config.get_ports();
    let port = |at: usize| {
        ports
            .get(at)
            .or(ports.first().filter(|_| ports.len() == 1))
            .copied()
    };
    let permit = |at: usize, host: &str| {
        if allowed.allow_server(SCHEME, host, port(at)) {
            return Ok(());
        }
        let port = port(at).map(|port| format!(":{port}")).unwrap_or_default();
        Err(Failure(format!(
            "address {SCHEME}://{host}{port} is not permitted"
        )))
    };
    for (at, host) in config.get_hosts().iter().enumerate() {
        match host {
            Host::Tcp(host) => permit(at, host)?,
            #[cfg(unix)]
            Host::Unix(_) => {
                let text = "Unix sockets are not supported on WebAssembly";
                return Err(Failure(text.to_owned()));
            }
        }
    }
    // The address that is connected to where the address string has one; the host's name is for TLS alone then.
    for (at, address) in config.get_hostaddrs().iter().enumerate() {
        permit(at, &address.to_string())?;
    }
    Ok(())
}
