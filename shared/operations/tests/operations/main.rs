//! The use cases on a real SQLite: each test acts through the operations and then looks at the rows.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where it goes wrong, helpers included"
)]

mod access;
mod allowance;
mod applications;
mod cancellations;
mod clients;
mod ended_tasks;
mod faults;
mod gateways;
mod imported_keys;
mod imports;
mod incident_manual;
mod incident_provinces;
mod incident_review;
mod incidents;
mod key_checks;
mod messages;
mod migrations;
mod model;
mod operator_reports;
mod pools;
mod queries;
mod races;
mod receiver_queues;
mod reprovisioning;
mod reruns;
mod secrecy;
mod session_incidents;
mod sessions;
mod state_changes;
mod store_rules;
mod temporary_numbers;
mod ways_out;
