//! Who acts by hand and why, in words of a person's own.

use super::{Kind, Malformed};

/// Longest name of a person, in characters.
const MAX_PERSON_CHARS: usize = 64;
/// Longest reason, in characters.
const MAX_REASON_CHARS: usize = 256;

/// Name of a person: 1 to 64 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonName(pub String);

/// A reason in words: 1 to 256 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReasonText(pub String);

impl PersonName {
    /// Reads a name, without the blanks around it.
    ///
    /// # Errors
    /// It is empty or too long, or has control characters.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        words(text, MAX_PERSON_CHARS).map(Self).ok_or(Malformed::new(
            Kind::Value,
            "应为 1 至 64 个字符",
            "not 1 to 64 characters",
        ))
    }
}

impl ReasonText {
    /// Reads a reason, without the blanks around it.
    ///
    /// # Errors
    /// It is empty or too long, or has control characters.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        words(text, MAX_REASON_CHARS).map(Self).ok_or(Malformed::new(
            Kind::Value,
            "应为 1 至 256 个字符",
            "not 1 to 256 characters",
        ))
    }
}

fn words(text: &str, max_chars: usize) -> Option<String> {
    let text = text.trim();
    let is_sound = !text.is_empty() && text.chars().count() <= max_chars && !text.contains(char::is_control);
    is_sound.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{PersonName, ReasonText};

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
