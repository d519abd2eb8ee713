//! The contract between OTA gateways and the platform: the documents of their calls, the routes, the limits and the
//! kinds of failure.
//!
//! | call | route | request | answer |
//! | --- | --- | --- | --- |
//! | keys of a chip | [`KEYS_PATH`] | [`KeysRequest`] | [`KeysAnswer`] |
//! | a session begins | [`SESSIONS_PATH`] | [`SessionRequest`] | [`SessionAnswer`] |
//! | something happened in a session | [`REPORT_PATH`] | [`ReportRequest`] | [`ReportAnswer`] |
//! | what a gateway has, and whose handshakes failed | [`ANNOUNCE_PATH`] | [`AnnounceRequest`] | [`AnnounceAnswer`] |
//! | scheduled work is due | [`TICK_PATH`] | an empty body | [`TickAnswer`] |
//!
//! Every call is a POST of one JSON document ([`CONTENT_TYPE`]) with a bearer secret ([`AUTHORIZATION_SCHEME`]). An
//! answer holds `code` and `message` besides the fields of its struct; a refusal also holds those of [`Refusal`].
//! Bytes are lower-case hexadecimal text. Key material is wrapped under the link key. Readers ignore fields that they
//! do not know, because gateways and platform are upgraded one after the other.
//!
//! This crate must never do HTTP, open a socket or decrypt anything. No type of it shows key material or a whole
//! identifier in its `Debug` output.
#![forbid(unsafe_code)]

mod announce;
mod event;
mod failure;
mod keys;
mod refusal;
mod report;
mod session;
mod tick;

pub use announce::{AnnounceAnswer, AnnounceRequest, FailedHandshakes, is_announced_name};
pub use event::{EventDocument, EventError, ReportEvent};
pub use failure::FailureKind;
pub use keys::{KeysAnswer, KeysRequest};
pub use refusal::Refusal;
pub use report::{ReportAnswer, ReportRequest};
pub use session::{CardData, SessionAnswer, SessionRequest, Work};
pub use tick::TickAnswer;

/// Route that gives the keys of a chip.
pub const KEYS_PATH: &str = "/internal/gateway/keys";
/// Route that opens a session.
pub const SESSIONS_PATH: &str = "/internal/gateway/sessions";
/// Route that takes reports.
pub const REPORT_PATH: &str = "/internal/gateway/report";
/// Route that takes what gateways announce.
pub const ANNOUNCE_PATH: &str = "/internal/gateway/announce";
/// Route that has the platform do its scheduled work. It has a secret of its own.
pub const TICK_PATH: &str = "/internal/cron";

/// Scheme of the `Authorization` header of every call; a space and the secret follow.
pub const AUTHORIZATION_SCHEME: &str = "Bearer";
/// Value of the `Content-Type` header of every call.
pub const CONTENT_TYPE: &str = "application/json";

/// Largest request, in bytes.
pub const MAX_REQUEST_BYTES: usize = 64 * 1024;
/// Largest answer, in bytes.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// Longest PSK identity, in bytes: OpenSSL's limit.
pub const MAX_PSK_IDENTITY_BYTES: usize = 256;

/// Longest name of a gateway and of a card profile, in bytes.
const MAX_NAME_BYTES: usize = 64;
/// Most card profiles of one announcement.
pub const MAX_ANNOUNCED_PROFILES: usize = 512;
/// Most versions of master keys of one announcement: every one of SCP81.
pub const MAX_ANNOUNCED_KEY_VERSIONS: usize = 16;
/// Most chips with failed handshakes of one announcement; a gateway sends the others with the next.
pub const MAX_FAILED_HANDSHAKES: usize = 200;
/// Most failed handshakes of one chip that an announcement counts.
pub const MAX_HANDSHAKE_COUNT: u32 = 1_000_000;

/// Reason of [`ReportEvent::Closed`] for a session that the test allowance no longer covers. The platform acts on this
/// reason; all others are for people.
pub const ALLOWANCE_EXHAUSTED: &str = "allowance_exhausted";
