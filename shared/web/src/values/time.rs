//! Points in time: RFC 3339 with the offset of the platform's zone.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use super::{Kind, Parsed};
use crate::extract::MAX_VALUE_CHARS;
use domain::{Malformed, Timestamp, Zone, parse_date};
use jiff::civil::Date;

/// A point in time that a caller sent.
pub type Instant = Parsed<Timestamp>;

impl Kind for Timestamp {
    const NAME: &'static str = "Instant";

    fn parse(text: &str) -> Result<Self, Malformed> {
        Self::parse_rfc3339(text)
    }

    fn object() -> Object {
        let object = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom("date-time".to_owned())))
            .description(Some("时间，RFC 3339 / point in time, RFC 3339"));
        object
            .max_length(Some(MAX_VALUE_CHARS))
            .examples([json!("2026-07-01T08:00:00+08:00")])
            .build()
    }
}

/// A day that a caller sent, `YYYY-MM-DD`.
pub type Day = Parsed<Date>;

impl Kind for Date {
    const NAME: &'static str = "Day";

    fn parse(text: &str) -> Result<Self, Malformed> {
        parse_date(text)
    }

    fn object() -> Object {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)))
            .description(Some("日期 / a day"))
            .examples([json!("2026-07-01")])
            .build()
    }
}

/// A point in time of an answer, in whole seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Time(String);

impl Time {
    /// A time in this zone.
    #[must_use]
    pub fn new(at: Timestamp, zone: &Zone) -> Self {
        Self(at.to_rfc3339(zone))
    }

    /// The text.
    #[must_use]
    pub fn text(self) -> String {
        self.0
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .title(Some("Time"))
            .format(Some(SchemaFormat::Custom("date-time".to_owned())))
            .description(Some("时间，平台时区 / point in time, in the platform's zone"))
            .pattern(Some(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}[+-]\d{2}:\d{2}$"))
            .examples([json!("2026-07-01T08:00:00+08:00")])
            .into()
    }
}

impl ToSchema for Time {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Time")
    }
}
