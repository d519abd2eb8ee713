//! The contract of the interfaces: every interface of clause 7.2 with every refusal it documents, who may call what,
//! how often, and what is written down about it; over built components and real HTTP, with a clock the tests own.

#![expect(clippy::unwrap_used, reason = "what goes wrong in a test ends it")]

mod authorisation;
mod callbacks;
mod cases;
mod door;
mod limits;
mod log;
mod operator;
mod own_cases;
mod receiver;
mod rig;
mod schemathesis;
mod success;
mod year;
