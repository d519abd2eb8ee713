//! The people and programs that run the platform.

use std::collections::BTreeSet;

use domain::{AccountId, ApiKeyId, Right};

/// Begins the text of an account.
pub(crate) const ACCOUNT_PREFIX: &str = "account:";

/// An account as rows name it.
pub(crate) fn account_text(id: AccountId) -> String {
    format!("{ACCOUNT_PREFIX}{id}")
}

/// Who of the staff calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StaffMember {
    /// Whoever has `admin_secret`.
    Secret,
    /// A person, or a program with a person's API key.
    Account {
        /// Identifier of the account.
        id: AccountId,
        /// The session or the API key with which it calls.
        credential: ApiKeyId,
        /// What the roles of the account permit.
        rights: BTreeSet<Right>,
        /// Whether the person has signed in; false with an API key.
        is_session: bool,
    },
}

impl StaffMember {
    /// Whether this one may do what needs `right`.
    #[must_use]
    pub fn may(&self, right: Right) -> bool {
        match self {
            Self::Secret => true,
            Self::Account { rights, .. } => rights.contains(&right),
        }
    }

    /// Text that is stored: `admin_secret`, or `account:` and the identifier.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::Secret => "admin_secret".to_owned(),
            Self::Account { id, .. } => account_text(*id),
        }
    }

    /// The account that calls, if it is one.
    pub(crate) fn account(&self) -> Option<AccountId> {
        match self {
            Self::Secret => None,
            Self::Account { id, .. } => Some(*id),
        }
    }
}
