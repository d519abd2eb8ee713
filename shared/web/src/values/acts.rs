//! Who acts and why, in words of their own.

use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::{Kind, Parsed};
use domain::{Kind as Sort, Malformed};

/// Longest name of a person, in characters.
const MAX_PERSON_CHARS: usize = 64;
/// Longest reason, in characters.
const MAX_REASON_CHARS: usize = 256;

/// The person who acts.
pub type Person = Parsed<PersonName>;
/// Why somebody acts.
pub type ActReason = Parsed<ReasonText>;

/// Name of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonName(pub String);

/// A reason in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReasonText(pub String);

impl Kind for PersonName {
    const NAME: &'static str = "PersonName";
    const TAKES_NUMBERS: bool = false;

    fn parse(text: &str) -> Result<Self, Malformed> {
        words(text, MAX_PERSON_CHARS).map(Self).ok_or(Malformed::new(
            Sort::Value,
            "应为 1 至 64 个字符",
            "not 1 to 64 characters",
        ))
    }

    fn object() -> Object {
        line(
            MAX_PERSON_CHARS,
            "操作人姓名 / name of the person who acts",
            "王芳",
        )
    }
}

impl Kind for ReasonText {
    const NAME: &'static str = "ActReason";
    const TAKES_NUMBERS: bool = false;

    fn parse(text: &str) -> Result<Self, Malformed> {
        words(text, MAX_REASON_CHARS).map(Self).ok_or(Malformed::new(
            Sort::Value,
            "应为 1 至 256 个字符",
            "not 1 to 256 characters",
        ))
    }

    fn object() -> Object {
        line(MAX_REASON_CHARS, "原因 / why", "设备已报废")
    }
}

/// The words of a text without blanks around them; none for an empty text, a long one, or one with control characters.
pub(super) fn words(text: &str, max_chars: usize) -> Option<String> {
    let text = text.trim();
    let is_sound = !text.is_empty() && text.chars().count() <= max_chars && !text.contains(char::is_control);
    is_sound.then(|| text.to_owned())
}

pub(super) fn line(max_chars: usize, about: &str, example: &str) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(about))
        .min_length(Some(1))
        .max_length(Some(max_chars))
        .examples([example])
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_a_reason_are_some_characters_without_control_characters() {
        let person = |text: &str| PersonName::parse(text).map(|name| name.0);
        assert_eq!(person(" 王芳 ").as_deref(), Ok("王芳"));
        assert!(person(&"芳".repeat(64)).is_ok());
        for text in ["", "  ", "a\nb", "a\u{0}", &"芳".repeat(65)] {
            assert!(person(text).is_err(), "{text:?}");
        }
        assert!(ReasonText::parse(&"因".repeat(256)).is_ok());
        assert!(ReasonText::parse(&"因".repeat(257)).is_err());
    }
}
