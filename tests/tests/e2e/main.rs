//! End to end: from a business system's application to a chip that holds its operator identity, over built
//! components, real HTTP and real TLS, with simulated chips that were written from the specifications.

#![expect(clippy::unwrap_used, reason = "what goes wrong in a test ends it")]

mod bad_input;
mod crash;
mod database;
mod failures;
mod power_loss;
mod success;
