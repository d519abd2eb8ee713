//! The interfaces of the platform as data: how each is called, by whom, and with what.
//!
//! A component selects its interfaces here, and `serve.rs` enforces what they state. A new interface starts with an
//! entry here: `business.rs` has those of clause 7.2, `internal.rs` those of administrators, operators, gateways and
//! timers.

mod business;
mod internal;
mod reasons;

pub use business::{
    BUSINESS, CHIP, NUMBER, NUMBER_CITY, NUMBER_OPEN_TIME, NUMBER_USAGE, TOKEN, WRITE_APPLY, WRITE_CANCEL,
    WRITE_PROVINCES, WRITE_STATUS,
};
pub use internal::{
    ADMIN_ALERTS, ADMIN_ALERTS_NOTE, ADMIN_CALLBACKS, ADMIN_CALLBACKS_PROBE, ADMIN_CALLBACKS_RESEND,
    ADMIN_CALLS, ADMIN_CHIP_HISTORY, ADMIN_CHIPS_FAULT, ADMIN_CHIPS_FAULTY, ADMIN_CHIPS_IMPORT,
    ADMIN_CHIPS_REPROVISION, ADMIN_CLIENTS, ADMIN_CLIENTS_LIST, ADMIN_CLIENTS_REVOKE_SECRET,
    ADMIN_CLIENTS_REVOKE_TOKENS, ADMIN_CLIENTS_ROTATE_SECRET, ADMIN_CLIENTS_UPDATE, ADMIN_HEALTH,
    ADMIN_INCIDENTS, ADMIN_INCIDENTS_CLOSE, ADMIN_INCIDENTS_ESCALATE, ADMIN_INCIDENTS_FINAL_REPORT,
    ADMIN_INCIDENTS_KINDS, ADMIN_INCIDENTS_OPEN, ADMIN_INCIDENTS_REPORT, ADMIN_INCIDENTS_REVIEW,
    ADMIN_NUMBERS_ALLOT, ADMIN_NUMBERS_IMPORT, ADMIN_NUMBERS_RELEASE, ADMIN_NUMBERS_RESUME,
    ADMIN_NUMBERS_RETIRE, ADMIN_NUMBERS_SUSPEND, ADMIN_POOLS, ADMIN_POOLS_UPDATE, ADMIN_RECEIVERS,
    ADMIN_RECEIVERS_ROTATE_SECRET, ADMIN_RECEIVERS_UPDATE, CRON, GATEWAY_KEYS, GATEWAY_REPORT,
    GATEWAY_SESSIONS, INGEST_LOCATION, INGEST_NUMBER_STATUS, INGEST_OPEN_TIME, INGEST_USAGE, INTERNAL,
    MAINTENANCE, NONE,
};
pub use reasons::documented_reasons;

use http::Method;

pub(crate) use super::query::MAX_PARAMETER_BODY_BYTES;
use super::params::Param;
use domain::Permission;

/// Largest JSON document of an internal interface, in bytes.
const MAX_DOCUMENT_BYTES: usize = 64 * 1024;

/// Who may call an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// No credential of the request layer: the call itself presents a client's credentials.
    Anyone,
    /// A client with a valid token, from an address on its allow-list, with this permission.
    Client(Permission),
    /// Any caller with the secret that the component was configured with.
    Secret,
}

/// How an interface may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Methods {
    /// GET only: nothing changes.
    Get,
    /// GET as the standard has it, and also POST because the call changes something (clause 7.1.1).
    GetOrPost,
    /// POST only: internal interfaces that change something.
    Post,
}

impl Methods {
    /// Whether `method` is allowed.
    pub fn allow(self, method: &Method) -> bool {
        match self {
            Self::Get => method == Method::GET,
            Self::GetOrPost => method == Method::GET || method == Method::POST,
            Self::Post => method == Method::POST,
        }
    }

    /// Value of the `Allow` header.
    pub const fn header(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::GetOrPost => "GET, POST",
            Self::Post => "POST",
        }
    }
}

/// What a POST carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// The parameters, as a form or as JSON.
    Parameters,
    /// One JSON document, read by the endpoint.
    Json,
    /// A CSV file, read by the endpoint.
    Csv,
    /// JSON documents, one a line, read by the endpoint.
    Ndjson,
}

/// One interface.
#[derive(Debug)]
pub struct Interface {
    /// Stable name, in logs and documentation.
    pub name: &'static str,
    /// Path below the application's root.
    pub path: &'static str,
    /// How it may be called.
    pub methods: Methods,
    /// Who may call it.
    pub access: Access,
    /// The parameters it takes, besides the token.
    pub params: &'static [Param],
    /// What a POST carries.
    pub content: Content,
    /// Largest body, in bytes.
    pub max_body_bytes: usize,
    /// Default limit of calls a minute of a client; 0 where no client calls.
    pub calls_per_minute: u32,
}

impl Interface {
    /// The parameter called `name`, if the interface takes it. Interfaces that require a token take it as a parameter.
    pub fn accepts(&self, name: &str) -> Option<Param> {
        let token = matches!(self.access, Access::Client(_)).then_some(Param::Token);
        self.params
            .iter()
            .copied()
            .chain(token)
            .find(|param| param.name() == name)
    }

    /// Whether a call may change something that must survive a power failure.
    pub fn is_durable(&self) -> bool {
        self.methods != Methods::Get && self.access != Access::Anyone
    }

    /// Whether a call with this status is logged. Of the frequent calls of gateways and timers only the refused ones
    /// are logged.
    pub(crate) fn is_logged(&self, code: u16) -> bool {
        !self.path.starts_with("/internal/") || code != 200
    }
}

/// Every interface.
pub const ALL: &[&[&Interface]] = &[BUSINESS, INTERNAL];

/// The interface of a request among `known`: by path and, where a path has several, by method. [`NONE`] when there is
/// none.
pub fn route(known: &[&'static Interface], method: &Method, path: &str) -> &'static Interface {
    let mut on_path = known.iter().copied().filter(|interface| interface.path == path);
    let first = on_path.next().unwrap_or(&NONE);
    if first.methods.allow(method) {
        return first;
    }
    on_path
        .find(|interface| interface.methods.allow(method))
        .unwrap_or(first)
}

/// Every interface, one by one.
pub fn all() -> impl Iterator<Item = &'static Interface> {
    ALL.iter().copied().flatten().copied()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_and_routes_are_unique() {
        let count = all().count();
        let names: HashSet<_> = all().map(|interface| interface.name).collect();
        let routes: HashSet<_> = all()
            .map(|interface| (interface.path, interface.methods.header()))
            .collect();
        assert_eq!((names.len(), routes.len()), (count, count));
    }

    #[test]
    fn only_the_token_interface_is_open_and_it_asks_for_credentials() {
        let open: Vec<_> = all()
            .filter(|interface| interface.access == Access::Anyone)
            .collect();
        assert_eq!(open.len(), 1);
        assert_eq!(open[0].params, [Param::ClientId, Param::ClientSecret]);
    }

    #[test]
    fn who_calls_what_follows_from_the_path() {
        for interface in all() {
            let business = interface.path.starts_with("/v1/");
            assert_eq!(
                !business,
                interface.access == Access::Secret,
                "{}",
                interface.name
            );
            assert_eq!(business, interface.calls_per_minute > 0, "{}", interface.name);
        }
    }

    #[test]
    fn a_path_with_two_methods_leads_to_two_interfaces() {
        let known = [&ADMIN_CLIENTS, &ADMIN_CLIENTS_LIST, &ADMIN_CALLS];
        let name = |method, path| route(&known, &method, path).name;
        assert_eq!(name(Method::POST, "/admin/v1/clients"), ADMIN_CLIENTS.name);
        assert_eq!(name(Method::GET, "/admin/v1/clients"), ADMIN_CLIENTS_LIST.name);
        assert_eq!(name(Method::PUT, "/admin/v1/clients"), ADMIN_CLIENTS.name);
        assert_eq!(name(Method::GET, "/admin/v1/client"), NONE.name);
    }

    // §6.2.1.1: permissions are opened interface by interface.
    #[test]
    fn an_interface_and_its_permission_have_the_same_name() {
        for interface in BUSINESS {
            if let Access::Client(permission) = interface.access {
                assert_eq!(interface.name, permission.code());
            }
        }
        let open = BUSINESS.iter().filter(|interface| interface.name != TOKEN.name);
        assert_eq!(open.count(), Permission::ALL.len());
    }
}
