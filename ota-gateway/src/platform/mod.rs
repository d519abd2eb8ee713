//! The platform as the gateway sees it: a client for its routes, a directory of chip keys, the waits between retries.
//!
//! It must never decide anything about a card: it carries what the session reports and what the platform
//! answers.

mod backoff;
mod client;
mod directory;

pub(crate) use client::{PlatformClient, PlatformError};
pub(crate) use directory::{ChipKeys, KeyDirectory};
