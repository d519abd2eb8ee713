//! What all instances of a running application share.
//!
//! Holds no handler and no route: an instance reaches other components only through
//! `ServiceChaining`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::AtomicUsize;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::http_client::HttpClient;
use crate::key_value::Stores;
use crate::logs::LogSink;
use crate::postgres::ConnectionLimit;
use crate::runtime_config::Location;

/// Databases, stores, the HTTP client and the signals that end instances.
pub(crate) struct HostState {
    pub(crate) databases: BTreeMap<String, Location>,
    pub(crate) stores: Stores,
    pub(crate) postgres_limit: ConnectionLimit,
    pub(crate) http_client: HttpClient,
    pub(crate) log_sink: LogSink,
    /// The embedder's wall clock; the system's when absent.
    pub(crate) clock: Option<Clock>,
    /// Where this host listens; self requests go there.
    pub(crate) address: SocketAddr,
    /// Cancelled when the host takes no new work: idle instances end.
    pub(crate) closing: CancellationToken,
    /// Cancelled when the host stops: all instances end.
    pub(crate) killed: CancellationToken,
    /// The largest memory that an instance has had, in bytes.
    pub(crate) largest_memory: AtomicUsize,
    /// Counts the living instances.
    pub(crate) instances: TaskTracker,
}
