//! The people and programs that run the platform.

use domain::Right;

/// Who of the staff calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StaffMember {
    /// Whoever has `admin_secret`.
    Secret,
}

impl StaffMember {
    /// Whether this one may do what needs `right`.
    #[must_use]
    pub fn may(&self, _right: Right) -> bool {
        match self {
            Self::Secret => true,
        }
    }

    /// Text that is stored: `admin_secret`.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::Secret => "admin_secret".to_owned(),
        }
    }
}
