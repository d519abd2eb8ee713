//! Words that only the cards have.

use domain::{Kind as Sort, Malformed};
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use web::values::{Kind, Parsed};

/// Longest word of the register of faulty chips, in characters.
const MAX_FAULT_WORD_CHARS: usize = 32;
/// Most digits of such a word that has nothing else.
const MAX_DIGITS: usize = 8;
/// Longest stable name of a reason.
const MAX_REASON_CODE_CHARS: usize = 64;

/// Why a session ended, as a query names it.
pub(crate) type EndReason = Parsed<EndReasonCode>;

/// What is wrong with a chip, as a document names it.
pub(crate) type Fault = Parsed<FaultWord>;

/// A word of the register of faulty chips: a fault, a status word or a firmware. Never an identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FaultWord(pub(crate) String);

/// Stable name of the reason for which a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EndReasonCode(pub(crate) String);

impl Kind for EndReasonCode {
    const NAME: &'static str = "SessionEndReason";

    fn parse(text: &str) -> Result<Self, Malformed> {
        let is_word = (1..=MAX_REASON_CODE_CHARS).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        is_word.then(|| Self(text.to_owned())).ok_or(Malformed::new(
            Sort::Value,
            "应为 1 至 64 个小写字母、数字或下划线",
            "not 1 to 64 lower-case letters, digits or underscores",
        ))
    }

    fn object() -> Object {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "会话结束原因代码 / stable name of the reason for which a session ended",
            ))
            .pattern(Some("^[a-z0-9_]{1,64}$"))
            .examples(["work_not_understood"])
            .build()
    }
}

impl Kind for FaultWord {
    const NAME: &'static str = "FaultWord";
    const TAKES_NUMBERS: bool = false;

    fn parse(text: &str) -> Result<Self, Malformed> {
        let is_word = (1..=MAX_FAULT_WORD_CHARS).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        // A run of digits could be a number of a card.
        let is_number = text.len() > MAX_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
        (is_word && !is_number)
            .then(|| Self(text.to_owned()))
            .ok_or(Malformed::new(
                Sort::Value,
                "应为 1 至 32 个字母、数字或 . _ -，不得为号码",
                "not 1 to 32 letters, digits or . _ -, or a number",
            ))
    }

    fn object() -> Object {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "故障代码、状态字或固件版本 / a fault, a status word or a firmware",
            ))
            .pattern(Some("^[A-Za-z0-9._-]{1,32}$"))
            .examples(["memory_problem"])
            .build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_the_register_is_no_identifier() {
        for text in ["memory_problem", "6581", "XK-1.2.3", "20260701"] {
            assert!(FaultWord::parse(text).is_ok(), "{text}");
        }
        for text in ["", "a b", "芯片", "1440100000001", &"a".repeat(33)] {
            assert!(FaultWord::parse(text).is_err(), "{text}");
        }
    }
}
