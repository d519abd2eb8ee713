//! What a chip is answered, and why: pure logic, no sockets, no clock.
//!
//! | module | what it knows |
//! | --- | --- |
//! | `machine` | the order of requests, reports and replies |
//! | `exchange` | what goes into the machine and comes out of it |
//! | `prepare` | from the platform's answer to the work on the card |
//! | `card_job` | what a card needs: read, write, read back, verify |
//! | `script` | commands, and how many fit into one script |
//! | `answers` | which answer belongs to which command |
//! | `content` | what each file shall hold |
//! | `key_command` | the one command that carries keys |
//! | `failure` | which kind of failure an answer of the card is |

mod answers;
mod card_job;
mod content;
mod exchange;
mod failure;
mod key_command;
mod machine;
mod prepare;
mod script;

pub(crate) use answers::Answered;
pub(crate) use exchange::{BusyCard, Output, Reply, SessionEvent, SessionLimits, Shared, SuspendedSession};
pub(crate) use machine::SessionMachine;

#[cfg(test)]
mod tests;
