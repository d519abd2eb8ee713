//! The host from the outside: real HTTP to a real component, built once for all tests.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod binary;
mod http_front;
mod instances;
mod lifecycle;
mod outbound;
mod postgres;
mod postgres_fixture;
mod postgres_values;
mod redis;
mod storage;
mod test_host;
