//! The embedder's options for a host.
//!
//! A component cannot read them: it sees only what the manifest grants it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::clock::Clock;
use crate::logs::Logs;

/// The port `spin up` listens on.
const DEFAULT_PORT: u16 = 3000;

/// The most requests from outside that one host has in flight. It is well below the number of instances
/// that the process has room for, so that a burst is refused at once instead of failing later.
pub const MAX_REQUESTS_IN_FLIGHT: usize = 800;

/// How long [`crate::Host::shutdown`] waits for requests in flight by default.
const DEFAULT_DRAIN: Duration = Duration::from_secs(10);

/// How instances of a component are reused; the defaults are those of Spin 4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reuse {
    /// Requests one instance handles in its life (`--max-instance-reuse-count`).
    pub max_requests: usize,
    /// Requests one instance handles at the same time (`--max-instance-concurrent-reuse-count`).
    pub max_concurrent: usize,
    /// How long an instance without a request is kept (`--idle-instance-timeout`).
    pub idle: Duration,
}

impl Default for Reuse {
    fn default() -> Self {
        Self {
            max_requests: 128,
            max_concurrent: 16,
            idle: Duration::from_secs(1),
        }
    }
}

/// How to run an application; see [`crate::start`].
#[derive(Clone)]
pub struct Options {
    /// The manifest, `spin.toml`, version 2. Component sources are relative to its folder.
    pub manifest: PathBuf,
    /// The runtime configuration file, if any (`--runtime-config-file`).
    pub runtime_config: Option<PathBuf>,
    /// Where databases and stores live (`--state-dir`). Relative paths of the runtime configuration
    /// are resolved against it. Empty: `.spin` beside the manifest for what the runtime configuration
    /// does not mention, and the manifest's folder for its relative paths.
    pub state_dir: PathBuf,
    /// Where to listen; port 0 lets the system choose one.
    pub listen: SocketAddr,
    /// Values of application variables, before `SPIN_VARIABLE_*` and `.env` beside the manifest.
    pub variables: BTreeMap<String, String>,
    /// How instances are reused.
    pub reuse: Reuse,
    /// The wall clock that components see; the system's when absent.
    pub clock: Option<Clock>,
    /// Where the components' output to stdout and stderr goes.
    pub logs: Logs,
    /// Requests from outside in flight at once, at most [`MAX_REQUESTS_IN_FLIGHT`]; more are answered 503.
    pub max_in_flight: usize,
    /// How long [`crate::Host::shutdown`] waits for requests in flight.
    pub drain: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            manifest: PathBuf::from("spin.toml"),
            runtime_config: None,
            state_dir: PathBuf::new(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT)),
            variables: BTreeMap::new(),
            reuse: Reuse::default(),
            clock: None,
            logs: Logs::default(),
            max_in_flight: MAX_REQUESTS_IN_FLIGHT,
            drain: DEFAULT_DRAIN,
        }
    }
}

impl fmt::Debug for Options {
    /// Names of variables, never their values: most of them are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("manifest", &self.manifest)
            .field("runtime_config", &self.runtime_config)
            .field("state_dir", &self.state_dir)
            .field("listen", &self.listen)
            .field("variables", &self.variables.keys().collect::<Vec<_>>())
            .field("reuse", &self.reuse)
            .field("own_clock", &self.clock.is_some())
            .field("max_in_flight", &self.max_in_flight)
            .field("drain", &self.drain)
            .finish_non_exhaustive()
    }
}
