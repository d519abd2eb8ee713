//! EID: the unchanging identifier of a chip (§5.2.1.2, §5.4.2.1). `uicc` checks its form; this module reports the
//! broken rules in both languages.

use uicc::EidError;

use super::{Kind, Malformed};

pub use uicc::Eid;

impl From<EidError> for Malformed {
    fn from(error: EidError) -> Self {
        match error {
            EidError::Length => Self::new(Kind::Eid, "EID 应为 32 位数字", "an EID has 32 digits"),
            EidError::CheckDigits => Self::new(
                Kind::Eid,
                "EID 校验位错误（ISO/IEC 7064 MOD 97-10）",
                "the check digits of the EID are wrong (ISO/IEC 7064 MOD 97-10)",
            ),
        }
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
            let error = Eid::parse(text).unwrap_err();
            let malformed = Malformed::from(error);
            assert_eq!(malformed.en, error.to_string());
            assert!(malformed.zh.contains(zh));
        }
    }
}
