//! EID: the unchanging identifier of a chip (§5.2.1.2, §5.4.2.1). `uicc` checks its form; this module reports the
//! broken rules in both languages.

use uicc::EidError;

use super::error::{Error, Reason};
use super::{Kind, Malformed};

pub use uicc::Eid;

impl From<EidError> for Malformed {
    fn from(error: EidError) -> Self {
        match error {
            EidError::Digits => Self::new(Kind::Eid, "EID 应为 32 位数字", "an EID has 32 digits"),
            EidError::CheckDigits => Self::new(
                Kind::Eid,
                "EID 校验位错误（ISO/IEC 7064 MOD 97-10）",
                "the check digits of the EID are wrong (ISO/IEC 7064 MOD 97-10)",
            ),
        }
    }
}

/// The refusal of a call about a chip that the caller does not have: its EID, the parameter `field`, is mistyped where
/// its check digits are wrong.
#[must_use]
pub fn unknown_chip(field: &'static str, eid: &Eid) -> Error {
    match eid.check() {
        Ok(()) => Reason::UnknownChip.into(),
        Err(wrong) => Malformed::from(wrong).of(eid.as_str()).with_field(field),
    }
}

#[cfg(test)]
mod tests {
    use super::{Eid, Malformed};

    #[test]
    fn each_broken_rule_has_a_message_in_both_languages() {
        for (text, zh) in [
            ("8908603020220000002200000000009", "32 位"),
            ("89086030202200000022000000000091", "校验位"),
        ] {
            let error = Eid::parse(text).and_then(|eid| eid.check()).unwrap_err();
            let malformed = Malformed::from(error);
            assert_eq!(malformed.en, error.to_string());
            assert!(malformed.zh.contains(zh));
        }
    }
}
