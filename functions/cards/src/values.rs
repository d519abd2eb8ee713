//! Why a session ended, as a query names it.

use domain::{Kind as Sort, Malformed};
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use web::values::{Kind, Parsed};

/// Longest stable name of a reason.
const MAX_REASON_CODE_CHARS: usize = 64;

/// Why a session ended, as a query names it.
pub(crate) type EndReason = Parsed<EndReasonCode>;

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
