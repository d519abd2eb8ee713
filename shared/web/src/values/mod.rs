//! The values of parameters, documents and answers: how each is read, written and documented, in one place.

mod acts;
mod batches;
mod clients;
mod export;
mod identifiers;
mod incidents;
mod paging;
mod sheet;
mod states;
mod time;
mod volume;
mod words;

pub use acts::{ActReason, Person, PersonName, ReasonText};
pub use batches::{BatchKind, BatchResult, BatchState};
pub use clients::{CardChange, MessageState, PermissionCode, StopCause, TaskFailure, TaskStatus};
pub(crate) use export::ExportFormat;
pub use export::Format;
pub use identifiers::{
    AccountId, AlertId, ApprovalId, BatchId, ClientId, Eid, Iccid, ImportId, Imsi, IncidentId, MessageId,
    Msisdn, ProvinceCode, Receiver, SessionId, TaskId, WriteType,
};
pub use incidents::{
    AlertKind, DeviationKind, IncidentActor, IncidentClass, IncidentKind, Month, Party, ReportedFault,
    Severity,
};
pub use paging::{Cursor, ListOrder, PageLimit, RowCursor, Rows};
pub use sheet::{Sheet, SheetName};
pub use states::{CardState, NumberCode, NumberState, OpenedCode, OpenedState, ProvinceName};
pub use time::{Day, Instant, Time};
pub use volume::Megabytes;

use std::borrow::Cow;
use std::ops::Deref;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::read::marked;
use domain::Malformed;

/// A kind of text.
pub trait Kind: Sized {
    /// Its name in the documentation.
    const NAME: &'static str;

    /// Whether a document may give it as a whole number: a code such as 37, but not words.
    const TAKES_NUMBERS: bool = true;

    /// Reads a text.
    ///
    /// # Errors
    /// The rule that the text breaks.
    fn parse(text: &str) -> Result<Self, Malformed>;

    /// Its schema, with an example.
    fn object() -> Object;
}

/// A value that has a stable name.
pub trait Code: Kind {
    /// The name, as it is read.
    fn code(&self) -> &'static str;
}

/// A text that was read as its kind. One that breaks the rule of its kind is reported with the reason of that kind.
/// Answers may have it too, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed<T>(T);

impl<T> Parsed<T> {
    /// The value.
    pub fn get(self) -> T {
        self.0
    }
}

impl<T> From<T> for Parsed<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> Deref for Parsed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'de, T: Kind> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = if T::TAKES_NUMBERS {
            TextOrInteger::deserialize(deserializer)?.0
        } else {
            String::deserialize(deserializer)?
        };
        T::parse(&text)
            .map(Self)
            .map_err(|malformed| marked(malformed, &text))
    }
}

/// A text, or the digits of an integer: programs write a code such as `37` either way.
struct TextOrInteger(String);

impl<'de> Deserialize<'de> for TextOrInteger {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrIntegerVisitor)
    }
}

struct TextOrIntegerVisitor;

impl Visitor<'_> for TextOrIntegerVisitor {
    type Value = TextOrInteger;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<TextOrInteger, E> {
        Ok(TextOrInteger(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<TextOrInteger, E> {
        Ok(TextOrInteger(text))
    }

    fn visit_u64<E: Error>(self, integer: u64) -> Result<TextOrInteger, E> {
        Ok(TextOrInteger(integer.to_string()))
    }

    fn visit_i64<E: Error>(self, integer: i64) -> Result<TextOrInteger, E> {
        Ok(TextOrInteger(integer.to_string()))
    }
}

impl<T: Code> Serialize for Parsed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.code())
    }
}

impl<T: Kind> PartialSchema for Parsed<T> {
    /// The schema of the kind. Its title is the name that it has in the document, wherever it occurs.
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::from(T::object()).title(Some(T::NAME)).into()
    }
}

impl<T: Kind> ToSchema for Parsed<T> {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed(T::NAME)
    }
}
