//! Values that only batches have.

use domain::{Kind as Sort, Malformed};
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use web::values::{Kind, Parsed};

/// Longest key of a batch, in characters.
const MAX_KEY_CHARS: usize = 64;

/// By which a repeated request is recognised.
pub(crate) type Key = Parsed<BatchKey>;
/// Where a page of rows ends.
pub(crate) type Line = Parsed<LineOfFile>;

/// A key of the caller's choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BatchKey(pub(crate) String);

/// A line of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LineOfFile(pub(crate) u64);

impl Kind for BatchKey {
    const NAME: &'static str = "BatchKey";

    fn parse(text: &str) -> Result<Self, Malformed> {
        let is_sound = (1..=MAX_KEY_CHARS).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte));
        is_sound.then(|| Self(text.to_owned())).ok_or(Malformed::new(
            Sort::Value,
            "应为 1 至 64 个字母、数字或 . _ : -",
            "not 1 to 64 letters, digits or . _ : -",
        ))
    }

    fn object() -> Object {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "调用方自定的键，用于识别重复的请求 / a key of the caller's choice, by which a repeated request is recognised",
            ))
            .pattern(Some("^[A-Za-z0-9._:-]{1,64}$"))
            .max_length(Some(MAX_KEY_CHARS))
            .examples(["2026-07-apply-1"])
            .build()
    }
}

impl Kind for LineOfFile {
    const NAME: &'static str = "BatchLine";

    fn parse(text: &str) -> Result<Self, Malformed> {
        let line = text
            .parse()
            .ok()
            .filter(|line: &u64| i64::try_from(*line).is_ok());
        line.map(Self).ok_or(Malformed::new(
            Sort::Value,
            "应为行号",
            "not the number of a line",
        ))
    }

    fn object() -> Object {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("翻页位置 / where a page ends"))
            .pattern(Some("^[0-9]+$"))
            .examples(["500"])
            .build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_short_word() {
        assert!(BatchKey::parse("2026-07:apply_1.a").is_ok());
        assert!(BatchKey::parse(&"k".repeat(64)).is_ok());
        for text in ["", " ", "a b", "键", "a/b", &"k".repeat(65)] {
            assert!(BatchKey::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_line_is_a_number_that_a_database_has() {
        assert_eq!(LineOfFile::parse("500"), Ok(LineOfFile(500)));
        for text in ["", "-1", "1.5", "x", "9223372036854775808"] {
            assert!(LineOfFile::parse(text).is_err(), "{text:?}");
        }
    }
}
