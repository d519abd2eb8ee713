//! What every component of the card-writing platform shares: the words of the field (`domain`),
//! keys and sealing (`vault`), rows and statements (`store`), one file per use case (`operations`)
//! and the one catalogue of failures (`error`). `web` turns requests into calls and results into
//! replies; `spin` is the glue to the host.
//!
//! Nothing in `domain`, `vault`, `store` and `operations` opens a socket, reads a clock or makes
//! randomness: all three are handed in, so that every use case runs unchanged in a component, in a
//! native process and in a test that owns the time.

#![forbid(unsafe_code)]

pub mod domain;
pub mod error;
#[cfg(feature = "openapi")]
pub mod openapi;
pub mod operations;
pub mod operator;
#[cfg(target_arch = "wasm32")]
pub mod spin;
pub mod store;
pub mod vault;
pub mod web;
