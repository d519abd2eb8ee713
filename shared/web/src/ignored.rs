//! Parameters that are neither read nor refused. The HTTP libraries of some clients add them to every call: against
//! caches, or to sign calls to another platform.
//!
//! Names are compared exactly, and an operation's own parameters and credentials come first. What is ignored has no
//! effect at all: a signature is not verified.

use std::sync::Arc;

/// The names that are ignored where the setting says nothing else.
pub(crate) const IGNORED_PARAMETERS: &str =
    "_,_t,t,ts,timestamp,nonce,nonceStr,nonce_str,sign,signType,sign_type,signature";
/// Most names.
const MAX_IGNORED_NAMES: usize = 32;
/// Longest name, in characters.
const MAX_NAME_CHARS: usize = 40;

/// Names of parameters that are ignored.
#[derive(Clone, Debug, Default)]
pub(crate) struct IgnoredParameters(Arc<[String]>);

impl IgnoredParameters {
    /// Reads names separated by commas; none for an empty text.
    ///
    /// # Errors
    /// What is wrong, without any name.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let names: Vec<String> = names.map(str::to_owned).collect();
        if names.len() > MAX_IGNORED_NAMES {
            return Err(format!("more than {MAX_IGNORED_NAMES} names"));
        }
        let is_name =
            |name: &String| name.len() <= MAX_NAME_CHARS && name.bytes().all(|byte| byte.is_ascii_graphic());
        if !names.iter().all(is_name) {
            return Err(format!("a name is not of 1 to {MAX_NAME_CHARS} ASCII characters"));
        }
        Ok(Self(names.into()))
    }

    /// Whether parameters of this name are ignored.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|ignored| ignored == name)
    }
}

#[cfg(test)]
mod tests {
    use super::{IGNORED_PARAMETERS, IgnoredParameters};

    #[test]
    fn names_are_separated_by_commas_and_compared_exactly() {
        let ignored = IgnoredParameters::parse(" a ,,b.c,").unwrap();
        for (name, is_ignored) in [
            ("a", true),
            ("b.c", true),
            ("A", false),
            (" a", false),
            ("", false),
            ("b", false),
        ] {
            assert_eq!(ignored.contains(name), is_ignored, "{name}");
        }
        assert!(!IgnoredParameters::parse(" ").unwrap().contains(""));
        let usual = IgnoredParameters::parse(IGNORED_PARAMETERS).unwrap();
        for name in ["_", "_t", "t", "timestamp", "sign", "nonce"] {
            assert!(usual.contains(name), "{name}");
        }
        assert!(!usual.contains("eid"));
    }

    #[test]
    fn what_is_no_name_cannot_be_ignored() {
        let (long, longest) = ("x".repeat(41), "x".repeat(40));
        let many = |names: usize| vec!["x"; names].join(",");
        for text in ["a b", "签名", &long, &many(33)] {
            assert!(IgnoredParameters::parse(text).is_err(), "{text}");
        }
        for text in [&longest, &many(32)] {
            assert!(IgnoredParameters::parse(text).is_ok(), "{text}");
        }
    }
}
