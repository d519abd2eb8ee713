//! Runs a Spin application on wasmtime, inside this process, where the `spin` CLI is not installed.
//!
//! It replaces Spin 4.1 and is not a second platform: it behaves like Spin in everything a component may
//! rely on, and nothing may depend on behaviour that only this host has. `spin up` stays the documented
//! way to run the application for those who have Spin.
//!
//! # What it does
//!
//! HTTP triggers of a version 2 manifest for components that export `wasi:http/handler@0.3.0`, with
//! instance reuse; `spin:sqlite@3.1.0` on files and memory, `spin:postgres@4.2.0`, `spin:key-value@3.0.0` and
//! `wasi:keyvalue@0.2.0-draft2` (store, atomics, batch) on SQLite and Redis, and `spin:variables@3.0.0`; outbound HTTP
//! under `allowed_outbound_hosts` and `block_networks`; private routes, service chaining and self requests; the `spin-*`
//! headers.
//!
//! # What it does not do
//!
//! - Other triggers, Wagi, static responses, components that export `wasi:http` 0.2, component
//!   dependencies, mounted files, remote component sources, `spin build` and `spin watch`.
//! - Inference, `spin:redis`, MQTT, MySQL, `wasi:config`, `wasi:otel` and raw sockets: a component that
//!   imports what is missing is refused at start, and sockets are always denied.
//! - Other backends, variable providers other than the environment,
//!   client certificates, TLS on the listening side, HTTP/2 on either side.
//! - Telemetry, the SQLite migration flag, connection limits of the runtime configuration but that of PostgreSQL.
//!
//! A manifest or runtime configuration that asks for any of it is refused at start.
//!
//! # Where it differs on purpose
//!
//! - `TCP_NODELAY` is set on accepted connections, so that a response whose head and body leave in two
//!   segments does not wait for a delayed acknowledgement.
//! - More than [`MAX_REQUESTS_IN_FLIGHT`] requests at once are answered 503, where Spin has no limit.
//! - A request without a usable authority is answered 400, where Spin closes the connection.
//! - A duplicate route is refused at start, where Spin warns and uses the last one.
//! - Compare-and-swap compares with the value at the handle's creation, as the WIT demands; Spin compares
//!   only after `current` was called.
//! - `get-many` on Redis fails with a text that says so, where Spin sends a command that cannot succeed.
//! - The plain `build` of a PostgreSQL connection checks the address like all others, and `hostaddr` is checked besides
//!   `host`. Where Spin waits for ever, this host does too, but its log says why.
//! - SQLite keeps the plan of a compiled statement whatever values it is given (`SQLITE_DBCONFIG_ENABLE_QPSG`).
//! - The embedder may replace the wall clock ([`Options::clock`]) and receive the components' output
//!   ([`Options::logs`]).

mod allowed_hosts;
mod app;
mod bindings;
mod blocked_networks;
mod clock;
mod component;
mod engine;
mod headers;
mod host_state;
mod http_client;
mod instance;
mod key_value;
mod key_value_failure;
mod key_value_host;
mod key_value_redis;
mod key_value_sqlite;
mod logs;
mod manifest;
mod options;
mod outbound;
mod postgres;
mod postgres_host;
mod postgres_query;
mod postgres_values;
mod router;
mod runtime_config;
mod server;
mod sqlite;
mod sqlite_host;
mod sqlite_query;
mod streams;
mod variables;
mod variables_host;

pub use clock::Clock;
pub use engine::MAX_GUEST_MEMORY_BYTES;
pub use logs::{LogSink, Logs, Output};
pub use options::{MAX_REQUESTS_IN_FLIGHT, Options, Reuse};
pub use server::{Host, start};
