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
//! `session` is pure logic; `connection` drives it over sockets; `platform` speaks JSON over HTTP;
//! [`profile`] says what a kind of card needs. Start one with [`start`]. The gateway must never decide what
//! is written to which card: the platform does; nor keep anything a restart could not lose.
#![forbid(unsafe_code)]

mod connection;
mod cron;
mod expiring;
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
mod stop;
mod tls;

pub use gateway::{Gateway, start};
pub use observe::{Event, Observer};
pub use session::{FAILURES, FailureKind, FailureRow};
pub use settings::Settings;
