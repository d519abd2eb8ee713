//! What the layers know of an operation: its name, who may call it, and what it takes.

use super::query::MAX_PARAMETER_BODY_BYTES;
use domain::{Permission, Right};
use operations::MAX_IMPORT_BYTES;

/// Media type of a workbook (.xlsx).
pub const WORKBOOK: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Largest JSON document, in bytes.
const MAX_DOCUMENT_BYTES: usize = 64 * 1024;

/// Largest body of records from an operator, in bytes: 100,000 records of 160 bytes.
const MAX_RECORDS_BYTES: usize = 16 * 1024 * 1024;

/// The name of staff in the documentation.
pub const STAFF: &str = "staff";

/// The name of what is called by a path that does not exist.
const NOWHERE: &str = "none";

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// No credential of the request layer: the call itself presents a client's credentials.
    Anyone,
    /// No credential of the request layer: the call itself presents what a person signs in with.
    SignIn,
    /// A client with a valid token, from an address on its allow-list, with this permission.
    Client(Permission),
    /// A member of staff with this right: a session or an API key of an account, or `admin_secret` before the first
    /// system administrator has signed in.
    Staff(Right),
    /// A caller with the secret that the component was configured with, in this role.
    Secret(Role),
}

/// Who holds a component's secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// An operator that reports on its numbers: `ingest_secret`.
    Operator,
    /// An OTA gateway: `gateway_secret`.
    Gateway,
    /// A timer: `cron_secret`. It may also send it as the parameter `key`, because many can send no header.
    Timer,
}

impl Role {
    /// Stable name, in the documentation.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Gateway => "gateway",
            Self::Timer => "timer",
        }
    }
}

/// What a body holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// The parameters, as a form or as JSON.
    Parameters,
    /// One JSON document.
    Json,
    /// A table: CSV, or a workbook.
    Table,
    /// JSON documents, one a line.
    Ndjson,
}

impl Content {
    /// The media types of the content.
    #[must_use]
    pub const fn media_types(self) -> &'static [&'static str] {
        match self {
            Self::Parameters => &["application/x-www-form-urlencoded", "application/json"],
            Self::Json => &["application/json"],
            Self::Table => &["text/csv", WORKBOOK],
            Self::Ndjson => &["application/x-ndjson", "application/jsonl"],
        }
    }

    /// The largest body, in bytes.
    #[must_use]
    pub const fn max_bytes(self) -> usize {
        match self {
            Self::Parameters => MAX_PARAMETER_BODY_BYTES,
            Self::Json => MAX_DOCUMENT_BYTES,
            Self::Table => MAX_IMPORT_BYTES,
            Self::Ndjson => MAX_RECORDS_BYTES,
        }
    }
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Stable name, in logs and limits, the same for GET and POST where both do the same.
    pub name: String,
    /// Path below the application's root.
    pub path: String,
    /// Who may call it.
    pub access: Access,
    /// What a POST carries.
    pub content: Content,
}

impl Operation {
    /// What is called by a path that does not exist. It counts as internal, so that unknown callers cannot learn
    /// which paths exist from being counted.
    pub(crate) fn nowhere() -> Self {
        Self {
            name: NOWHERE.to_owned(),
            path: String::new(),
            access: Access::Secret(Role::Gateway),
            content: Content::Json,
        }
    }

    /// Whether a call with this status is logged. Of the frequent calls of gateways and timers only the refused ones
    /// are logged.
    pub(crate) fn is_logged(&self, code: u16) -> bool {
        !self.path.starts_with("/internal/") || code != 200
    }
}
