//! What tests stand on, one module for each thing that a test starts, watches or makes fail.
//!
//! A module is here when tests of more than one file use it. What says something about one file of tests alone stays
//! beside that file. No program that ships depends on this crate, and nothing here decides whether a test passes: it
//! arranges, acts and observes.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where it goes wrong, helpers included"
)]

pub mod address;
#[cfg(feature = "card")]
pub mod admin_server;
#[cfg(feature = "native")]
pub mod chained_host;
#[cfg(feature = "card")]
pub mod chip;
#[cfg(feature = "platform")]
pub mod components;
pub mod eid;
#[cfg(feature = "native")]
pub mod fault_injecting_db;
#[cfg(feature = "gateway")]
pub mod gateway;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "native")]
pub mod inventory;
#[cfg(feature = "native")]
pub mod operations;
#[cfg(feature = "platform")]
pub mod part;
#[cfg(feature = "platform")]
pub mod platform;
#[cfg(feature = "platform")]
pub mod platform_database;
#[cfg(feature = "native")]
pub mod postgres;
#[cfg(feature = "servers")]
pub mod postgres_server;
#[cfg(feature = "platform")]
pub mod process;
#[cfg(feature = "native")]
pub mod random;
#[cfg(feature = "servers")]
pub mod redis_server;
#[cfg(feature = "native")]
pub mod router;
#[cfg(feature = "servers")]
mod server_process;
#[cfg(feature = "native")]
pub mod settings;
#[cfg(feature = "platform")]
pub mod stack;
#[cfg(feature = "native")]
pub mod test_db;
