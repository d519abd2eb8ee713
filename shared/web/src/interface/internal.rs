//! The interfaces of administrators, operators, OTA gateways and timers.

use super::{Access, Content, Interface, MAX_DOCUMENT_BYTES, Methods};
use crate::params::Param;
use gateway_protocol::{KEYS_PATH, REPORT_PATH, SESSIONS_PATH, TICK_PATH};
use operations::MAX_IMPORT_BYTES;

/// Largest body of records from an operator, in bytes: 100,000 records of 160 bytes.
const MAX_RECORDS_BYTES: usize = 16 * 1024 * 1024;

const fn internal(
    name: &'static str,
    path: &'static str,
    methods: Methods,
    params: &'static [Param],
    content: Content,
    max_body_bytes: usize,
) -> Interface {
    Interface {
        name,
        path,
        methods,
        access: Access::Secret,
        params,
        content,
        max_body_bytes,
        calls_per_minute: 0,
    }
}

/// An interface that takes a JSON document from an administrator, a gateway or a timer.
const fn act(name: &'static str, path: &'static str) -> Interface {
    internal(name, path, Methods::Post, &[], Content::Json, MAX_DOCUMENT_BYTES)
}

const fn timer(name: &'static str, path: &'static str) -> Interface {
    internal(
        name,
        path,
        Methods::GetOrPost,
        &[Param::Key],
        Content::Json,
        MAX_DOCUMENT_BYTES,
    )
}

const fn import(name: &'static str, path: &'static str, params: &'static [Param]) -> Interface {
    internal(name, path, Methods::Post, params, Content::Csv, MAX_IMPORT_BYTES)
}

const fn records(name: &'static str, path: &'static str) -> Interface {
    internal(name, path, Methods::Post, &[], Content::Ndjson, MAX_RECORDS_BYTES)
}

const fn view(name: &'static str, path: &'static str, params: &'static [Param]) -> Interface {
    internal(name, path, Methods::Get, params, Content::Json, 0)
}

/// OTA gateway: the keys of a chip that opens a TLS session.
pub const GATEWAY_KEYS: Interface = act("gateway.keys", KEYS_PATH);

/// OTA gateway: a device session begins.
pub const GATEWAY_SESSIONS: Interface = act("gateway.sessions", SESSIONS_PATH);

/// OTA gateway: what happens in a device session.
pub const GATEWAY_REPORT: Interface = act("gateway.report", REPORT_PATH);

/// All periodic work. A timer that can send neither POST nor a header sends GET with `key`.
pub const CRON: Interface = timer("cron", TICK_PATH);

/// Periodic work that needs nothing but the database.
pub const MAINTENANCE: Interface = timer("maintenance", "/internal/upkeep");

/// Operator: data used by numbers.
pub const INGEST_USAGE: Interface = records("ingest.usage", "/ingest/v1/usage");

/// Operator: cities in which numbers are online.
pub const INGEST_LOCATION: Interface = records("ingest.location", "/ingest/v1/location");

/// Operator: states of numbers.
pub const INGEST_NUMBER_STATUS: Interface = records("ingest.number_status", "/ingest/v1/number-status");

/// Operator: opening times of numbers.
pub const INGEST_OPEN_TIME: Interface = records("ingest.open_time", "/ingest/v1/open-time");

/// Clause 6.2.1.1: create a client.
pub const ADMIN_CLIENTS: Interface = act("admin.clients", "/admin/v1/clients");

/// The list of clients.
pub const ADMIN_CLIENTS_LIST: Interface = view(
    "admin.clients.list",
    "/admin/v1/clients",
    &[Param::ClientId, Param::Cursor, Param::Limit],
);

/// Change a client: name, addresses, permissions, callback address, limits, whether it is active.
pub const ADMIN_CLIENTS_UPDATE: Interface = act("admin.clients.update", "/admin/v1/clients:update");

/// Give a client a new secret beside its present one.
pub const ADMIN_CLIENTS_ROTATE_SECRET: Interface =
    act("admin.clients.rotate_secret", "/admin/v1/clients:rotate-secret");

/// Revoke one secret of a client, and the tokens taken with it.
pub const ADMIN_CLIENTS_REVOKE_SECRET: Interface =
    act("admin.clients.revoke_secret", "/admin/v1/clients:revoke-secret");

/// Revoke every token of a client.
pub const ADMIN_CLIENTS_REVOKE_TOKENS: Interface =
    act("admin.clients.revoke_tokens", "/admin/v1/clients:revoke-tokens");

/// Clause 9.2.2: the call log.
pub const ADMIN_CALLS: Interface = view(
    "admin.calls",
    "/admin/v1/calls",
    &[
        Param::ClientId,
        Param::Eid,
        Param::TaskId,
        Param::Interface,
        Param::Reason,
        Param::From,
        Param::To,
        Param::Cursor,
        Param::Limit,
    ],
);

/// Clause 5.3.1.1: import chips.
pub const ADMIN_CHIPS_IMPORT: Interface =
    import("admin.chips.import", "/admin/v1/chips:import", &[Param::ClientId]);

/// Enter a chip in the register of faulty chips, or take it out (clause 8.2.2).
pub const ADMIN_CHIPS_FAULT: Interface = act("admin.chips.fault", "/admin/v1/chips:fault");

/// Clause 5.3.1.3: give a chip that is not written another temporary number, or more test allowance.
pub const ADMIN_CHIPS_REPROVISION: Interface = act("admin.chips.reprovision", "/admin/v1/chips:reprovision");

/// Clause 5.3.1.1: import operator numbers.
pub const ADMIN_NUMBERS_IMPORT: Interface = import("admin.numbers.import", "/admin/v1/numbers:import", &[]);

/// Allot numbers of the pool to a client (划拨).
pub const ADMIN_NUMBERS_ALLOT: Interface = act("admin.numbers.allot", "/admin/v1/numbers:allot");

/// Put allotted numbers back into the pool.
pub const ADMIN_NUMBERS_RELEASE: Interface = act("admin.numbers.release", "/admin/v1/numbers:release");

/// Take a number out of use for now.
pub const ADMIN_NUMBERS_SUSPEND: Interface = act("admin.numbers.suspend", "/admin/v1/numbers:suspend");

/// Resume a suspended number.
pub const ADMIN_NUMBERS_RESUME: Interface = act("admin.numbers.resume", "/admin/v1/numbers:resume");

/// Take a number out of use for ever.
pub const ADMIN_NUMBERS_RETIRE: Interface = act("admin.numbers.retire", "/admin/v1/numbers:retire");

/// Clause 5.3.1.1: the pools of operator numbers.
pub const ADMIN_POOLS: Interface = view("admin.pools", "/admin/v1/pools", &[]);

/// Set the low-water mark of a province's pool.
pub const ADMIN_POOLS_UPDATE: Interface = act("admin.pools.update", "/admin/v1/pools:update");

/// The steps of a card.
pub const ADMIN_CHIP_HISTORY: Interface =
    view("admin.chips.history", "/admin/v1/chips/history", &[Param::Eid]);

/// The messages to clients and to the operator (clause 7.3).
pub const ADMIN_CALLBACKS: Interface = view(
    "admin.callbacks",
    "/admin/v1/callbacks",
    &[
        Param::Receiver,
        Param::State,
        Param::From,
        Param::To,
        Param::Cursor,
        Param::Limit,
    ],
);

/// Send messages again (clause 8.2.3).
pub const ADMIN_CALLBACKS_RESEND: Interface = act("admin.callbacks.resend", "/admin/v1/callbacks:resend");

/// Test an address.
pub const ADMIN_CALLBACKS_PROBE: Interface = act("admin.callbacks.probe", "/admin/v1/callbacks:probe");

/// The address of a receiver: a client or the operator.
pub const ADMIN_RECEIVERS: Interface = view("admin.receivers", "/admin/v1/receivers", &[Param::Receiver]);

/// Set or remove an address.
pub const ADMIN_RECEIVERS_UPDATE: Interface = act("admin.receivers.update", "/admin/v1/receivers:update");

/// Give a receiver a new secret beside its present one (clause 9.2.2).
pub const ADMIN_RECEIVERS_ROTATE_SECRET: Interface = act(
    "admin.receivers.rotate_secret",
    "/admin/v1/receivers:rotate-secret",
);

/// The list of incidents (clause 8).
pub const ADMIN_INCIDENTS: Interface = view(
    "admin.incidents",
    "/admin/v1/incidents",
    &[
        Param::State,
        Param::Kind,
        Param::Class,
        Param::Severity,
        Param::From,
        Param::To,
        Param::Cursor,
        Param::Limit,
    ],
);

/// Clause 8.2: every kind of incident with cause, remedy and time limit.
pub const ADMIN_INCIDENTS_KINDS: Interface = view("admin.incidents.kinds", "/admin/v1/incidents/kinds", &[]);

/// Open an incident.
pub const ADMIN_INCIDENTS_OPEN: Interface = act("admin.incidents.open", "/admin/v1/incidents:open");

/// Settle an incident.
pub const ADMIN_INCIDENTS_CLOSE: Interface = act("admin.incidents.close", "/admin/v1/incidents:close");

/// Make an incident severe.
pub const ADMIN_INCIDENTS_ESCALATE: Interface =
    act("admin.incidents.escalate", "/admin/v1/incidents:escalate");

/// Clause 8.3.1: report a severe incident.
pub const ADMIN_INCIDENTS_REPORT: Interface = act("admin.incidents.report", "/admin/v1/incidents:report");

/// Clause 8.3.1: give its final report.
pub const ADMIN_INCIDENTS_FINAL_REPORT: Interface =
    act("admin.incidents.final_report", "/admin/v1/incidents:final-report");

/// Clause 8.3.2: the review of a month.
pub const ADMIN_INCIDENTS_REVIEW: Interface = view(
    "admin.incidents.review",
    "/admin/v1/incidents/review",
    &[Param::Month, Param::Format],
);

/// Clause 8.2.2: the register of faulty chips.
pub const ADMIN_CHIPS_FAULTY: Interface = view(
    "admin.chips.faulty",
    "/admin/v1/chips/faulty",
    &[Param::Cursor, Param::Limit],
);

/// The alerts to the operator.
pub const ADMIN_ALERTS: Interface = view(
    "admin.alerts",
    "/admin/v1/alerts",
    &[Param::State, Param::Cursor, Param::Limit],
);

/// Acknowledge alerts.
pub const ADMIN_ALERTS_NOTE: Interface = act("admin.alerts.note", "/admin/v1/alerts:note");

/// The health of the periodic work.
pub const ADMIN_HEALTH: Interface = view("admin.health", "/admin/v1/health", &[]);

/// The interface of a path that does not exist.
pub const NONE: Interface = internal(
    "none",
    "",
    Methods::GetOrPost,
    &[],
    Content::Json,
    MAX_DOCUMENT_BYTES,
);

/// Every interface that is not a business system's.
pub const INTERNAL: &[&Interface] = &[
    &GATEWAY_KEYS,
    &GATEWAY_SESSIONS,
    &GATEWAY_REPORT,
    &CRON,
    &MAINTENANCE,
    &INGEST_USAGE,
    &INGEST_LOCATION,
    &INGEST_NUMBER_STATUS,
    &INGEST_OPEN_TIME,
    &ADMIN_CLIENTS,
    &ADMIN_CLIENTS_LIST,
    &ADMIN_CLIENTS_UPDATE,
    &ADMIN_CLIENTS_ROTATE_SECRET,
    &ADMIN_CLIENTS_REVOKE_SECRET,
    &ADMIN_CLIENTS_REVOKE_TOKENS,
    &ADMIN_CALLS,
    &ADMIN_CHIPS_IMPORT,
    &ADMIN_CHIPS_FAULT,
    &ADMIN_CHIPS_REPROVISION,
    &ADMIN_NUMBERS_IMPORT,
    &ADMIN_NUMBERS_ALLOT,
    &ADMIN_NUMBERS_RELEASE,
    &ADMIN_NUMBERS_SUSPEND,
    &ADMIN_NUMBERS_RESUME,
    &ADMIN_NUMBERS_RETIRE,
    &ADMIN_POOLS,
    &ADMIN_POOLS_UPDATE,
    &ADMIN_CHIP_HISTORY,
    &ADMIN_CALLBACKS,
    &ADMIN_CALLBACKS_RESEND,
    &ADMIN_CALLBACKS_PROBE,
    &ADMIN_RECEIVERS,
    &ADMIN_RECEIVERS_UPDATE,
    &ADMIN_RECEIVERS_ROTATE_SECRET,
    &ADMIN_INCIDENTS,
    &ADMIN_INCIDENTS_KINDS,
    &ADMIN_INCIDENTS_OPEN,
    &ADMIN_INCIDENTS_CLOSE,
    &ADMIN_INCIDENTS_ESCALATE,
    &ADMIN_INCIDENTS_REPORT,
    &ADMIN_INCIDENTS_FINAL_REPORT,
    &ADMIN_INCIDENTS_REVIEW,
    &ADMIN_CHIPS_FAULTY,
    &ADMIN_ALERTS,
    &ADMIN_ALERTS_NOTE,
    &ADMIN_HEALTH,
];
