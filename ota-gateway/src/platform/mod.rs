//! The platform as the gateway sees it: three routes, a directory of keys, and patience.
//!
//! It must never decide anything about a card: it carries what the session says and what the platform
//! answers.

mod backoff;
mod client;
mod directory;
mod messages;

pub(crate) use backoff::waits;
pub(crate) use client::{PlatformClient, PlatformError};
pub(crate) use directory::{ChipKeys, KeyDirectory};
pub(crate) use messages::{CardData, OpenAnswer, OpenRequest, Report, ReportAnswer, ReportRequest, WorkKind};
