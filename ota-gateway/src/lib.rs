//! The gateway between chips and the platform: it terminates their TLS-PSK sessions (SCP81, GlobalPlatform
//! Amendment B), writes their files from card profiles, and reports to the platform.
//!
//! ```text
//! chip ── TLS-PSK ──▶ tls ─▶ http ─▶ session (a state machine) ─▶ replies
//!                      │                  │
//!                      ▼                  ▼
//!                  platform: keys, session work, reports
//! ```
//!
//! `session` is pure logic; `connection` drives it over sockets; `platform` makes the calls of `gateway_protocol`
//! over HTTP; [`profile`] describes what a kind of card needs. `gateway` starts and stops the tasks, which share one
//! `context`. Start a gateway with [`start`]. It must never decide what is written to which card: the platform does.
//! It must never keep anything that a restart may not lose.
#![forbid(unsafe_code)]

mod admission;
mod announcer;
mod connection;
mod context;
mod failed_handshakes;
mod gateway;
mod http;
pub mod keys;
mod metrics;
mod observe;
mod ops;
mod platform;
pub mod profile;
mod session;
pub mod settings;
mod shutdown;
mod slots;
mod ticker;
mod tls;
mod ttl_map;

pub use gateway::{Gateway, start};
pub use observe::{Event, Observer};
pub use settings::Settings;
