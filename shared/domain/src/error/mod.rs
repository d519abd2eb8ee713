//! The one catalogue of failures. Each failure has a stable reason, an HTTP status, and a message and a remedy in
//! Chinese and English (`reason.rs`).
//!
//! [`Error::detail`] is shown to the caller; [`Error::cause`] is for the operator alone. Neither may hold an unmasked
//! identifier or a key.

mod reason;

pub use reason::Reason;

use crate::{Budget, Kind, Malformed};

/// Language of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Lang {
    /// Chinese, the default.
    #[default]
    Zh,
    /// English.
    En,
}

/// Additional facts for the caller, in both languages, such as a parameter's name or a broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
    /// The parameter or field that it concerns, if it is one.
    pub field: Option<&'static str>,
}

/// A failure, with what the caller and what the operator may know of it.
#[derive(Debug)]
pub struct Error {
    reason: Reason,
    // Boxed: a failure is part of every result and should be small.
    detail: Option<Box<Detail>>,
    cause: Option<Box<str>>,
    wait: Option<Box<Wait>>,
}

/// When a rate-limited caller may call again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Whole seconds to wait.
    pub secs: u32,
    /// What is left of the caller's limit, if it has one.
    pub budget: Option<Budget>,
}

impl Error {
    /// A failure with nothing to add to its reason.
    #[must_use]
    pub fn new(reason: Reason) -> Self {
        Self {
            reason,
            detail: None,
            cause: None,
            wait: None,
        }
    }

    /// The caller exceeded a rate limit and may call again after `secs` seconds.
    #[must_use]
    pub fn rate_limited(secs: u32, budget: Option<Budget>) -> Self {
        let mut error = Self::new(Reason::RateLimited);
        error.wait = Some(Box::new(Wait { secs, budget }));
        error
    }

    /// Adds a detail for the caller.
    #[must_use]
    pub fn with_detail(mut self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.detail = Some(Box::new(Detail {
            zh: zh.into(),
            en: en.into(),
            field: None,
        }));
        self
    }

    /// Names the parameter or field that it concerns. Without a detail that says more, the message names it too.
    #[must_use]
    pub fn with_field(mut self, field: &'static str) -> Self {
        let named = || {
            Box::new(Detail {
                zh: field.to_owned(),
                en: field.to_owned(),
                field: None,
            })
        };
        self.detail.get_or_insert_with(named).field = Some(field);
        self
    }

    /// Adds a cause for the operator alone. It must hold no identifier and no key.
    #[must_use]
    pub fn with_cause(mut self, cause: impl std::fmt::Display) -> Self {
        self.cause = Some(cause.to_string().into());
        self
    }

    /// An internal failure, such as a malformed stored row or a missing setting.
    #[must_use]
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        Self::new(Reason::Internal).with_cause(cause)
    }

    /// The reason.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// The detail for the caller.
    #[must_use]
    pub fn detail(&self) -> Option<&Detail> {
        self.detail.as_deref()
    }

    /// The parameter or field that it concerns.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        self.detail()?.field
    }

    /// When the caller may call again.
    #[must_use]
    pub fn wait(&self) -> Option<Wait> {
        self.wait.as_deref().copied()
    }

    /// The cause, for the operator alone.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// The reason's message, followed by the detail if there is one.
    #[must_use]
    pub fn message(&self, lang: Lang) -> String {
        let message = self.reason.message(lang);
        match (&self.detail, lang) {
            (Some(detail), Lang::Zh) => format!("{message}：{}", detail.zh),
            (Some(detail), Lang::En) => format!("{message}: {}", detail.en),
            (None, _) => message.to_owned(),
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.reason.code(), self.message(Lang::En))?;
        match &self.cause {
            Some(cause) => write!(f, " (cause: {cause})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

impl From<Reason> for Error {
    fn from(reason: Reason) -> Self {
        Self::new(reason)
    }
}

impl From<Malformed> for Error {
    fn from(malformed: Malformed) -> Self {
        let reason = match malformed.kind {
            Kind::Eid => Reason::EidMalformed,
            Kind::Iccid => Reason::IccidMalformed,
            Kind::Msisdn => Reason::MsisdnMalformed,
            Kind::Imsi => Reason::ImsiMalformed,
            Kind::Province => Reason::ProvinceMalformed,
            Kind::WriteType => Reason::WriteTypeMalformed,
            Kind::Id | Kind::Value => Reason::ParameterMalformed,
        };
        Self::new(reason).with_detail(malformed.zh, malformed.en)
    }
}

impl From<uicc::EidError> for Error {
    fn from(error: uicc::EidError) -> Self {
        Malformed::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, Lang, Reason};
    use crate::Eid;

    #[test]
    fn a_malformed_identifier_says_which_rule_it_breaks_and_not_its_text() {
        let eid = Eid::parse("89086030202200000022000000000091").unwrap();
        let error = Error::from(eid.check().unwrap_err());
        assert_eq!(error.reason(), Reason::EidMalformed);
        assert!(error.message(Lang::En).contains("check digits"));
        assert!(!format!("{error} {error:?}").contains("0000000091"));
    }

    #[test]
    fn the_message_names_the_field_unless_a_detail_says_more() {
        let missing = Error::new(Reason::ParameterMissing).with_field("name");
        assert_eq!(missing.field(), Some("name"));
        assert!(missing.message(Lang::Zh).ends_with("：name"));
        let malformed = Error::new(Reason::ParameterMalformed).with_detail("ips，应为网段", "ips, networks");
        assert_eq!(malformed.field(), None);
        let malformed = malformed.with_field("ips");
        assert_eq!(malformed.field(), Some("ips"));
        assert!(malformed.message(Lang::En).ends_with(": ips, networks"));
    }

    #[test]
    fn the_cause_is_for_the_operator_only() {
        let error = Error::internal("row without a task");
        for lang in [Lang::Zh, Lang::En] {
            assert!(!error.message(lang).contains("row without"));
        }
        assert!(error.to_string().contains("row without"));
    }
}
