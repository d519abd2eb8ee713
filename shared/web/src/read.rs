//! Reads the fields of a document or the parameters of a call into a type, and reports every problem with its field.
//!
//! A type reads its fields with serde, which stops at the first fault. That field is then left out and the rest is
//! read again, so that the caller learns of all of them at once.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Value;
use serde_path_to_error::Segment;

use super::query::MAX_PAIRS;
use super::refusal::{Problem, Refusal};
use domain::error::{Error, Reason};
use domain::{Malformed, plain_number};

/// Most times that fields are read: each is left out once.
const MAX_READS: usize = MAX_PAIRS + 1;

/// Marks the texts of a [`Malformed`] inside the message of a serde error.
const MARK: char = '\u{1}';

/// A value as text: a parameter.
#[derive(Clone)]
pub(crate) struct Text(pub(crate) String);

/// A value of a document as it was sent. Some programs write every number as text: one is read where the type has an
/// integer.
#[derive(Clone)]
pub(crate) struct Sent(pub(crate) Value);

impl<'de> IntoDeserializer<'de, serde_json::Error> for Sent {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! integers_in_any_spelling {
    ($($method:ident)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, serde_json::Error> {
            match self.integer() {
                Some(integer) => visitor.visit_i64(integer),
                None => self.deserialize_any(visitor),
            }
        }
    )+};
}

impl Sent {
    /// The integer that a text is.
    fn integer(&self) -> Option<i64> {
        plain_number(self.0.as_str()?.trim())?.parse().ok()
    }
}

impl<'de> Deserializer<'de> for Sent {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, serde_json::Error> {
        match self.0 {
            Value::Array(values) => visitor.visit_seq(SeqDeserializer::new(values.into_iter().map(Self))),
            Value::Object(fields) => {
                let fields = fields.into_iter().map(|(name, value)| (name, Self(value)));
                visitor.visit_map(MapDeserializer::new(fields))
            }
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, serde_json::Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            other => visitor.visit_some(Self(other)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, serde_json::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, serde_json::Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    integers_in_any_spelling! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    forward_to_deserialize_any! {
        bool i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, serde_json::Error> for Text {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, serde_json::Error> {
            match self.0.parse() {
                Ok(number) => visitor.$visit(number),
                Err(_) => visitor.visit_string(self.0),
            }
        }
    )+};
}

impl<'de> Deserializer<'de> for Text {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, serde_json::Error> {
        visitor.visit_string(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, serde_json::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, serde_json::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, serde_json::Error> {
        visitor.visit_enum(self.0.into_deserializer())
    }

    numbers! {
        deserialize_bool visit_bool
        deserialize_i8 visit_i8
        deserialize_i16 visit_i16
        deserialize_i32 visit_i32
        deserialize_i64 visit_i64
        deserialize_i128 visit_i128
        deserialize_u8 visit_u8
        deserialize_u16 visit_u16
        deserialize_u32 visit_u32
        deserialize_u64 visit_u64
        deserialize_u128 visit_u128
    }

    forward_to_deserialize_any! {
        f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

/// Reads `fields` into a type. `problems` are those found before; they come first.
///
/// # Errors
/// Every problem. One of a field that cannot be read has the reason of its kind, such as [`Reason::EidMalformed`].
pub(crate) fn read<T, V>(mut fields: Vec<(String, V)>, problems: Vec<Problem>) -> Result<T, Refusal>
where
    T: DeserializeOwned,
    V: Clone + for<'de> IntoDeserializer<'de, serde_json::Error>,
{
    let mut faults = Faults {
        problems,
        left_out: Vec::new(),
    };
    for _ in 0..MAX_READS {
        let entries = MapDeserializer::new(fields.iter().cloned());
        let fault = match serde_path_to_error::deserialize::<_, T>(entries) {
            Ok(value) => return Refusal::unless_empty(faults.problems).map(|()| value),
            Err(fault) => fault,
        };
        // Without a field of its own the fault is one that is missing, perhaps because it was left out.
        let Some(root) = faults.note(&fault) else { break };
        let before = fields.len();
        fields.retain(|(name, _)| *name != root);
        if fields.len() == before {
            break;
        }
        faults.left_out.push(root);
    }
    Err(faults.refusal())
}

/// What is wrong, found one by one. Not part of [`read`], which is compiled for each type.
struct Faults {
    problems: Vec<Problem>,
    left_out: Vec<String>,
}

impl Faults {
    /// Notes a fault, unless it is known, and returns the field that it is in.
    #[inline(never)]
    fn note(&mut self, fault: &serde_path_to_error::Error<serde_json::Error>) -> Option<String> {
        let (root, problem) = (root(fault), problem(fault));
        let subject = root.as_ref().or(problem.field.as_ref());
        let is_known = subject.is_some_and(|subject| {
            let mut fields = self.problems.iter().map(|known| known.field.as_ref());
            self.left_out.contains(subject) || fields.any(|field| field == Some(subject))
        });
        if !is_known {
            self.problems.push(problem);
        }
        root
    }

    #[inline(never)]
    fn refusal(self) -> Refusal {
        match Refusal::unless_empty(self.problems) {
            Err(refusal) => refusal,
            Ok(()) => Reason::ParameterMalformed.into(),
        }
    }
}

/// The field at the outermost level that a fault is in.
fn root(fault: &serde_path_to_error::Error<serde_json::Error>) -> Option<String> {
    match fault.path().iter().next() {
        Some(Segment::Map { key }) => Some(key.clone()),
        _ => None,
    }
}

/// The problem behind an error of serde. Of the text of the library only names of fields are used.
fn problem(fault: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    const NAMING: [(&str, Reason); 2] = [
        ("missing field `", Reason::ParameterMissing),
        ("unknown field `", Reason::ParameterUnknown),
    ];
    let (text, path) = (fault.inner().to_string(), fault.path().to_string());
    for (words, reason) in NAMING {
        if let Some(name) = text.strip_prefix(words).and_then(|rest| rest.split('`').next()) {
            return Problem::with_field(name, reason);
        }
    }
    let malformed = unmarked(&text).unwrap_or_else(|| {
        if let Some(word) = text.strip_prefix("unknown variant `") {
            let word = word.split('`').next().unwrap_or_default();
            let (zh, en) = ("取值不在规定范围内", "not one of the words that are allowed");
            return Malformed::new(domain::Kind::Value, zh, en).of(word);
        }
        let [zh, en] = received_type(&text);
        Error::new(Reason::ParameterMalformed).with_detail(
            format!("类型不符；收到{zh}"),
            format!("not of the type that is expected; received {en}"),
        )
    });
    if root(fault).is_none() {
        return Problem {
            error: malformed,
            field: None,
        };
    }
    Problem::of_error(&path, malformed)
}

/// The type of what was sent, in both languages. Of the text of the library only its name is used, not the value.
fn received_type(text: &str) -> [&'static str; 2] {
    const TYPES: [(&str, [&str; 2]); 8] = [
        ("string", ["文本", "text"]),
        ("integer", ["整数", "an integer"]),
        ("floating point", ["小数", "a decimal number"]),
        ("boolean", ["布尔值", "true or false"]),
        ("null", ["null", "null"]),
        ("unit", ["null", "null"]),
        ("sequence", ["数组", "a list"]),
        ("map", ["对象", "an object"]),
    ];
    let sent = text
        .split_once("invalid type: ")
        .or_else(|| text.split_once("invalid value: "))
        .map_or("", |(_, sent)| sent);
    let known = TYPES.iter().find(|(name, _)| sent.starts_with(name));
    known.map_or(["其他内容", "something else"], |(_, names)| *names)
}

/// The message of a serde error that carries what is malformed in `text`.
pub(crate) fn marked<E: serde::de::Error>(malformed: Malformed, text: &str) -> E {
    let error = malformed.of(text);
    let code = error.reason().code();
    let (zh, en) = error.detail().map_or(("", ""), |detail| (&detail.zh, &detail.en));
    E::custom(format!("{MARK}{code}{MARK}{zh}{MARK}{en}{MARK}"))
}

fn unmarked(text: &str) -> Option<Error> {
    // Only at the beginning: serde quotes what a caller sent, which may hold the mark as well.
    let mut parts = text.strip_prefix(MARK)?.split(MARK);
    let reason = Reason::from_code(parts.next()?)?;
    Some(Error::new(reason).with_detail(parts.next()?, parts.next()?))
}

/// The fields without repetitions, and a problem for each repetition; a map would silently keep the last one.
pub(crate) fn once_each<V>(fields: Vec<(String, V)>) -> (Vec<(String, V)>, Vec<Problem>) {
    let (mut kept, mut problems): (Vec<(String, V)>, _) = (Vec::with_capacity(fields.len()), Vec::new());
    for (name, value) in fields {
        if kept.iter().any(|(known, _)| *known == name) {
            problems.push(Problem::with_field(&name, Reason::ParameterRepeated));
        } else {
            kept.push((name, value));
        }
    }
    (kept, problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_as<T: DeserializeOwned>(text: &str) -> Option<T> {
        T::deserialize(Text(text.to_owned())).ok()
    }

    macro_rules! bounds_are_read {
        ($($integer:ty)+) => {$(
            for bound in [<$integer>::MIN, <$integer>::MAX] {
                assert_eq!(read_as(&bound.to_string()), Some(bound));
                assert_eq!(read_as(&bound.to_string()), Some(Some(bound)));
            }
            for text in ["", "x", "1.0", "1000000000000000000000000000000000000000"] {
                assert_eq!(read_as::<$integer>(text), None, "{text}");
            }
        )+};
    }

    #[test]
    fn a_parameter_may_be_an_integer_of_any_type() {
        bounds_are_read!(i8 i16 i32 i64 i128 u8 u16 u32 u64 u128);
    }

    #[test]
    fn a_parameter_may_be_true_or_false() {
        assert_eq!((read_as("true"), read_as("false")), (Some(true), Some(false)));
        assert_eq!(read_as::<bool>("1"), None);
    }
}
