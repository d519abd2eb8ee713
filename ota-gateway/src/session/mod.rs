//! What is said to a chip, and why: pure logic, no sockets, no clock.
//!
//! | module | what it knows |
//! | --- | --- |
//! | `machine` | the order of requests, reports and replies |
//! | `exchange` | what goes into it and comes out |
//! | `job` | what a card needs: read, write, read back, verify |
//! | `script` | commands, and how many fit into one script |
//! | `answers` | which answer belongs to which command |
//! | `content` | what each file shall hold |
//! | `key_command` | the one command that carries keys |
//! | `failure` | the table of failures |

mod answers;
mod content;
mod exchange;
mod failure;
mod job;
mod key_command;
mod machine;
mod script;

pub(crate) use answers::Answered;
pub(crate) use exchange::{Moment, Output, Parked, Reply, SessionLimits, Shared};
pub use failure::{FAILURES, FailureKind, FailureRow};
pub(crate) use machine::Machine;

#[cfg(test)]
mod tests;
