//! The interfaces of the platform as data: how each is called, by whom, and with what.
//!
//! Components pick their line from here and say the rest in their own words; `serve.rs` enforces what the line
//! promises. Adding an interface starts with a line here.

use http::Method;

use super::params::Param;
use crate::domain::Permission;
use crate::operations::MAX_IMPORT_BYTES;

/// Largest body with parameters, in bytes.
pub const MAX_PARAMETER_BODY_BYTES: usize = 16 * 1024;

/// Largest JSON document of an internal interface, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 64 * 1024;

/// Who may call an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nobody is asked: the call itself presents a client's credentials.
    Anyone,
    /// A client with a valid token, from an address on its allow-list, with this permission.
    Client(Permission),
    /// Whoever holds the secret that the component was configured with.
    Secret,
}

/// How an interface may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Methods {
    /// GET only: nothing changes.
    Get,
    /// GET as the standard has it, and POST because something changes (clause 7.1.1).
    GetOrPost,
    /// POST only: internal interfaces that change something.
    Post,
}

impl Methods {
    /// Whether `method` is one of them.
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
}

impl Interface {
    /// The parameter called `name`, if the interface takes it. A token is a parameter wherever one is asked for.
    pub fn accepts(&self, name: &str) -> Option<Param> {
        let token = matches!(self.access, Access::Client(_)).then_some(Param::Token);
        self.params
            .iter()
            .copied()
            .chain(token)
            .find(|param| param.name() == name)
    }

    const fn public(
        name: &'static str,
        path: &'static str,
        methods: Methods,
        access: Access,
        params: &'static [Param],
    ) -> Self {
        let (content, max_body_bytes) = (Content::Parameters, MAX_PARAMETER_BODY_BYTES);
        Self {
            name,
            path,
            methods,
            access,
            params,
            content,
            max_body_bytes,
        }
    }

    const fn internal(
        name: &'static str,
        path: &'static str,
        methods: Methods,
        params: &'static [Param],
        content: Content,
        max_body_bytes: usize,
    ) -> Self {
        Self {
            name,
            path,
            methods,
            access: Access::Secret,
            params,
            content,
            max_body_bytes,
        }
    }
}

/// Clause 7.2.1: exchange `client_id` and `client_secret` for a token.
pub const TOKEN: Interface = Interface::public(
    "token",
    "/v1/token",
    Methods::GetOrPost,
    Access::Anyone,
    &[Param::ClientId, Param::ClientSecret],
);

/// Clause 7.2.2.2: apply for a card to be written.
pub const WRITE_APPLY: Interface = Interface::public(
    "write.apply",
    "/v1/write/apply",
    Methods::GetOrPost,
    Access::Client(Permission::WriteApply),
    &[
        Param::Eid,
        Param::WriteType,
        Param::ProvinceCode,
        Param::Iccid,
        Param::Msisdn,
    ],
);

/// Clause 7.2.2.3: how far a card is.
pub const WRITE_STATUS: Interface = Interface::public(
    "write.status",
    "/v1/write/status",
    Methods::Get,
    Access::Client(Permission::WriteStatus),
    &[Param::Eid, Param::TaskId],
);

/// OTA gateway: the keys of a chip that opens a TLS session.
pub const GATEWAY_KEYS: Interface = gateway("gateway.keys", "/internal/gateway/keys");

/// OTA gateway: a device session begins.
pub const GATEWAY_SESSIONS: Interface = gateway("gateway.sessions", "/internal/gateway/sessions");

/// OTA gateway: what happens in a device session.
pub const GATEWAY_REPORT: Interface = gateway("gateway.report", "/internal/gateway/report");

/// Periodic work.
pub const CRON: Interface = Interface::internal(
    "cron",
    "/internal/cron",
    Methods::Post,
    &[],
    Content::Json,
    MAX_DOCUMENT_BYTES,
);

/// Clause 6.2.1.1: create a client.
pub const ADMIN_CLIENTS: Interface = Interface::internal(
    "admin.clients",
    "/admin/v1/clients",
    Methods::Post,
    &[],
    Content::Json,
    MAX_DOCUMENT_BYTES,
);

/// Clause 5.3.1.1: import chips.
pub const ADMIN_CHIPS_IMPORT: Interface =
    import("admin.chips.import", "/admin/v1/chips:import", &[Param::ClientId]);

/// Clause 5.3.1.1: import operator numbers.
pub const ADMIN_NUMBERS_IMPORT: Interface = import("admin.numbers.import", "/admin/v1/numbers:import", &[]);

/// The steps of a card.
pub const ADMIN_CHIP_HISTORY: Interface =
    view("admin.chips.history", "/admin/v1/chips/history", &[Param::Eid]);

/// The latest callbacks.
pub const ADMIN_CALLBACKS: Interface = view("admin.callbacks", "/admin/v1/callbacks", &[]);

/// The latest incidents.
pub const ADMIN_INCIDENTS: Interface = view("admin.incidents", "/admin/v1/incidents", &[]);

/// What a path that leads nowhere is answered as.
pub const NONE: Interface = Interface::internal(
    "none",
    "",
    Methods::GetOrPost,
    &[],
    Content::Json,
    MAX_DOCUMENT_BYTES,
);

const fn gateway(name: &'static str, path: &'static str) -> Interface {
    Interface::internal(name, path, Methods::Post, &[], Content::Json, MAX_DOCUMENT_BYTES)
}

const fn import(name: &'static str, path: &'static str, params: &'static [Param]) -> Interface {
    Interface::internal(name, path, Methods::Post, params, Content::Csv, MAX_IMPORT_BYTES)
}

const fn view(name: &'static str, path: &'static str, params: &'static [Param]) -> Interface {
    Interface::internal(name, path, Methods::Get, params, Content::Json, 0)
}

/// Every interface.
pub const ALL: &[&Interface] = &[
    &TOKEN,
    &WRITE_APPLY,
    &WRITE_STATUS,
    &GATEWAY_KEYS,
    &GATEWAY_SESSIONS,
    &GATEWAY_REPORT,
    &CRON,
    &ADMIN_CLIENTS,
    &ADMIN_CHIPS_IMPORT,
    &ADMIN_NUMBERS_IMPORT,
    &ADMIN_CHIP_HISTORY,
    &ADMIN_CALLBACKS,
    &ADMIN_INCIDENTS,
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_and_paths_are_unique() {
        let names: HashSet<_> = ALL.iter().map(|interface| interface.name).collect();
        let paths: HashSet<_> = ALL.iter().map(|interface| interface.path).collect();
        assert_eq!((names.len(), paths.len()), (ALL.len(), ALL.len()));
    }

    #[test]
    fn only_the_token_interface_is_open_and_it_asks_for_credentials() {
        let open: Vec<_> = ALL
            .iter()
            .filter(|interface| interface.access == Access::Anyone)
            .collect();
        assert_eq!(open.len(), 1);
        assert_eq!(open[0].params, [Param::ClientId, Param::ClientSecret]);
    }

    #[test]
    fn who_calls_what_follows_from_the_path() {
        for interface in ALL {
            let internal = interface.path.starts_with("/internal/") || interface.path.starts_with("/admin/");
            assert_eq!(internal, interface.access == Access::Secret, "{}", interface.name);
        }
    }
}
