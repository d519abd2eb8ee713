//! Who acts by hand and why, in words of a person's own.

use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::{Kind, Parsed};
use domain::{Malformed, PersonName, ReasonText};

/// The person who acts, as a document names it.
pub type Person = Parsed<PersonName>;
/// Why, as a document says it.
pub type ActReason = Parsed<ReasonText>;

impl Kind for PersonName {
    const NAME: &'static str = "PersonName";
    const TAKES_NUMBERS: bool = false;

    fn parse(text: &str) -> Result<Self, Malformed> {
        Self::parse(text)
    }

    fn object() -> Object {
        line(64, "操作人姓名 / name of the person who acts", "王芳")
    }
}

impl Kind for ReasonText {
    const NAME: &'static str = "ActReason";
    const TAKES_NUMBERS: bool = false;

    fn parse(text: &str) -> Result<Self, Malformed> {
        Self::parse(text)
    }

    fn object() -> Object {
        line(256, "原因 / why", "设备已报废")
    }
}

fn line(max_chars: usize, about: &str, example: &str) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(about))
        .min_length(Some(1))
        .max_length(Some(max_chars))
        .examples([example])
        .build()
}
