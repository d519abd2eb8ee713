//! Roles of staff: named sets of rights (§10.1). These four are built in; others are rows of the database.

use std::collections::BTreeSet;

use super::{Kind, Malformed, Right};

/// Longest code of a role, in characters.
pub const MAX_ROLE_CODE_CHARS: usize = 40;

/// A role that every platform has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BuiltInRole {
    /// Reads everything, changes nothing.
    Auditor,
    /// Clients, stock and tasks.
    BusinessOperations,
    /// The running platform: incidents, messages, chips and numbers that need repair.
    Operations,
    /// Everything.
    SystemAdministrator,
}

impl BuiltInRole {
    /// Every built-in role, by its code.
    pub const ALL: &[Self] = &[
        Self::Auditor,
        Self::BusinessOperations,
        Self::Operations,
        Self::SystemAdministrator,
    ];

    /// Stable name, in documents and the database.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Auditor => "auditor",
            Self::BusinessOperations => "business_operations",
            Self::Operations => "operations",
            Self::SystemAdministrator => "system_administrator",
        }
    }

    /// Its name for people, in Chinese and English.
    #[must_use]
    pub const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Auditor => ("审计", "auditor"),
            Self::BusinessOperations => ("业务运营", "business operations"),
            Self::Operations => ("运维", "operations"),
            Self::SystemAdministrator => ("系统管理员", "system administrator"),
        }
    }

    /// The built-in role of this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.code() == code)
    }

    /// What it may do.
    #[must_use]
    pub fn rights(self) -> BTreeSet<Right> {
        let all = Right::ALL.iter().copied();
        all.filter(|right| self.has(*right)).collect()
    }

    fn has(self, right: Right) -> bool {
        match self {
            Self::SystemAdministrator => true,
            Self::Auditor => !right.changes(),
            Self::Operations => is_everyday(right) || is_operations(right),
            Self::BusinessOperations => is_everyday(right) || is_business(right),
        }
    }
}

/// What everybody may who works with the platform: to read about the service, to have API keys, and to refuse what somebody
/// else asks for and one may do oneself. Who has an account is not part of it.
const fn is_everyday(right: Right) -> bool {
    match right {
        Right::AccountsList | Right::RolesList => false,
        Right::ApiKeysCreate | Right::ApiKeysRevoke | Right::ApprovalsRefuse => true,
        other => !other.changes(),
    }
}

const fn is_operations(right: Right) -> bool {
    matches!(
        right,
        Right::AlertsNote
            | Right::BatchesResume
            | Right::BatchesStop
            | Right::CallbacksProbe
            | Right::CallbacksResend
            | Right::ChipsCorrect
            | Right::ChipsFault
            | Right::ChipsReprovision
            | Right::ChipsTopUp
            | Right::ClientsFreeze
            | Right::ClientsRevokeSecret
            | Right::ClientsRevokeTokens
            | Right::ClockConfirm
            | Right::IncidentsClose
            | Right::IncidentsEscalate
            | Right::IncidentsFinalReport
            | Right::IncidentsOpen
            | Right::IncidentsReport
            | Right::NumbersSuspend
            | Right::ReceiversRotateSecret
            | Right::ReceiversUpdate
            | Right::TasksEnd
    )
}

const fn is_business(right: Right) -> bool {
    matches!(
        right,
        Right::AlertsNote
            | Right::BatchesCreate
            | Right::BatchesResume
            | Right::BatchesStop
            | Right::CallbacksResend
            | Right::ChipsFault
            | Right::ChipsImport
            | Right::ChipsReopen
            | Right::ChipsReplace
            | Right::ClientsClose
            | Right::ClientsCreate
            | Right::ClientsFreeze
            | Right::ClientsRotateSecret
            | Right::ClientsUnfreeze
            | Right::ClientsUpdate
            | Right::ImportsWithdraw
            | Right::IncidentsOpen
            | Right::NumbersAllot
            | Right::NumbersImport
            | Right::NumbersRelease
            | Right::NumbersResume
            | Right::NumbersRetire
            | Right::NumbersSuspend
            | Right::PoolsUpdate
            | Right::TasksEnd
    )
}

/// Longest sign-in name, in characters.
pub const MAX_SIGN_IN_NAME_CHARS: usize = 64;

/// What a person signs in with: letters, digits and `. _ - @`, in small letters.
///
/// # Errors
/// [`Malformed`] for any other text.
pub fn sign_in_name(text: &str) -> Result<String, Malformed> {
    let name = text.trim().to_ascii_lowercase();
    let is_known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-@".contains(&byte);
    let is_sound = (1..=MAX_SIGN_IN_NAME_CHARS).contains(&name.len()) && name.bytes().all(is_known);
    is_sound.then_some(name).ok_or(Malformed::new(
        Kind::Value,
        "应为 1 至 64 个字母、数字或 . _ - @",
        "not 1 to 64 letters, digits or . _ - @",
    ))
}

/// The code of a role: small letters, digits and `_`, beginning with a letter.
///
/// # Errors
/// [`Malformed`] for any other text.
pub fn role_code(text: &str) -> Result<&str, Malformed> {
    let is_sound = text.len() <= MAX_ROLE_CODE_CHARS
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    is_sound.then_some(text).ok_or(Malformed::new(
        Kind::Value,
        "应为 1 至 40 个小写字母、数字或下划线，以字母开头",
        "not 1 to 40 small letters, digits or underscores, beginning with a letter",
    ))
}

#[cfg(test)]
mod tests {
    use super::{BuiltInRole, Right, role_code};

    #[test]
    fn codes_lead_back_to_their_role() {
        for role in BuiltInRole::ALL {
            assert_eq!(BuiltInRole::from_code(role.code()), Some(*role));
            assert_eq!(role_code(role.code()), Ok(role.code()));
        }
        assert_eq!(BuiltInRole::from_code("admin"), None);
    }

    // §10.1
    #[test]
    fn an_auditor_reads_everything_and_changes_nothing() {
        let auditor = BuiltInRole::Auditor.rights();
        for right in Right::ALL {
            assert_eq!(auditor.contains(right), !right.changes(), "{}", right.code());
        }
    }

    #[test]
    fn only_a_system_administrator_decides_who_has_which_right() {
        for role in BuiltInRole::ALL {
            let rights = role.rights();
            let decides = Right::ALL.iter().filter(|right| {
                let code = right.code();
                right.changes() && (code.starts_with("accounts.") || code.starts_with("roles."))
            });
            for right in decides {
                let is_administrator = *role == BuiltInRole::SystemAdministrator;
                assert_eq!(
                    rights.contains(right),
                    is_administrator,
                    "{role:?} {}",
                    right.code()
                );
            }
        }
        let all = BuiltInRole::SystemAdministrator.rights();
        assert_eq!(all.len(), Right::ALL.len());
    }

    #[test]
    fn a_code_is_letters_digits_and_underscores() {
        for sound in ["a", "night_shift", "r2", &"a".repeat(40)] {
            assert_eq!(role_code(sound), Ok(sound));
        }
        for wrong in ["", "A", "2r", "_r", "a-b", "夜班", "a b", &"a".repeat(41)] {
            assert!(role_code(wrong).is_err(), "{wrong}");
        }
    }
}
