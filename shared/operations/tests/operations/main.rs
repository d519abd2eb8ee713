//! The use cases on a real SQLite: each test acts through the operations and then looks at the rows.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where it goes wrong, helpers included"
)]

mod access;
mod act_reports;
mod allowance;
mod applications;
mod approvals;
mod audit;
mod boundaries;
mod call_log_apart;
mod call_log_migration;
mod call_rates;
mod cancellations;
mod chip_faults;
mod clients;
mod clock;
mod closed;
mod corrections;
mod duplicated;
mod ended_tasks;
mod faults;
mod frozen;
mod gateways;
mod held_numbers;
mod import_parts;
mod imported_keys;
mod imports;
mod incident_groups;
mod incident_limits_migration;
mod incident_manual;
mod incident_provinces;
mod incident_review;
mod incident_stuck;
mod incidents;
mod kept_plans;
mod key_checks;
mod key_rotation;
mod keyed_secrets;
mod list_orders;
mod list_plans;
mod messages;
mod migrations;
mod model;
mod older_rows;
mod operator_reports;
mod pools;
mod postgres_connections;
mod power_ups;
mod quarantine;
mod queries;
mod races;
mod receiver_queues;
mod reindex;
mod replacement_cards;
mod reprovisioning;
mod reruns;
mod retention;
mod retention_table;
mod secrecy;
mod served_provinces;
mod session_incidents;
mod sessions;
mod state_changes;
mod statements;
mod stock_lists;
mod store_rules;
mod supervision;
mod task_lists;
mod temporary_numbers;
mod unreadable;
mod verdicts;
mod ways_out;
mod withdrawals;
