//! The contract of the interfaces: every interface of clause 7.2 with every refusal it documents, who may call what,
//! how often, and what the call log records. Built components and real HTTP, with a clock that the tests control.

#![expect(clippy::unwrap_used, reason = "what goes wrong in a test ends it")]

mod authorisation;
mod call_log;
mod callback_fixture;
mod callbacks;
mod ended_tasks;
mod endpoints;
mod everyday_clients;
mod exports;
mod generated_clients;
mod homes;
mod keys_and_clock;
mod limits;
mod one_year;
mod operation_walk;
mod operator_api;
mod outbound_guard;
mod postgres;
mod python_tools;
mod refusal_coverage;
mod refusals;
mod refusals_by_endpoint;
mod schemathesis;
mod success;
mod test_receiver;
mod unreadable_rows;
mod unserved_provinces;
mod valid_requests;
mod ways_out;
mod workbooks;
