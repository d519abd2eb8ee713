//! Decodes `name=value&…` and JSON objects to pairs of text, strictly.
//!
//! This module only decodes. `extract/query.rs` checks which names an operation knows, how long a value may be and
//! whether it may be missing.
//!
//! Never repair. A stray `%`, a byte that is not UTF-8 or a nested JSON value is refused with its name, so that the
//! caller learns of the mistake and no wrong value is stored. Only parameters that are ignored may hold anything.
//!
//! A parameter without a value is left out here: it is the same as an absent one.

use percent_encoding::percent_decode_str;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::ignored::IgnoredParameters;
use super::refusal::Refusal;
use domain::MAX_EXACT_NUMBER;
use domain::error::{Error, Reason};

/// Most pairs in one request, whether known or not.
pub const MAX_PAIRS: usize = 32;

/// Longest query string, in bytes.
pub const MAX_QUERY_BYTES: usize = 4 * 1024;

/// Largest body with parameters, in bytes.
pub(crate) const MAX_PARAMETER_BODY_BYTES: usize = 16 * 1024;

/// A parameter as it was sent: name and value, decoded, in order, repetitions included. The value is not blank.
pub(super) type Pair = (String, String);

/// Reads a query string or an `application/x-www-form-urlencoded` body.
///
/// # Errors
/// [`Reason::BadPercentEncoding`] and [`Reason::BadUtf8`] with the name as it was sent,
/// [`Reason::TooManyParameters`].
pub(super) fn decode_form(text: &str, ignored: &IgnoredParameters) -> Result<Vec<Pair>, Refusal> {
    let mut pairs = Vec::new();
    let pieces = text.split('&').filter(|piece| !piece.is_empty());
    for (count, piece) in pieces.enumerate() {
        if count == MAX_PAIRS {
            return Err(Reason::TooManyParameters.into());
        }
        let (sent_name, sent_value) = piece.split_once('=').unwrap_or((piece, ""));
        let name = decode_component(sent_name, sent_name)?;
        match decode_component(sent_name, sent_value) {
            Ok(value) if is_blank(&value) => (),
            Ok(value) => pairs.push((name, value)),
            Err(_) if ignored.contains(&name) => (),
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(pairs)
}

fn is_blank(value: &str) -> bool {
    value.trim().is_empty()
}

fn decode_component(name: &str, text: &str) -> Result<String, Refusal> {
    if !percent_signs_are_escapes(text.as_bytes()) {
        return Err(Refusal::of_field(name, Reason::BadPercentEncoding));
    }
    let spaced = text.replace('+', " ");
    match percent_decode_str(&spaced).decode_utf8() {
        Ok(decoded) => Ok(decoded.into_owned()),
        Err(_) => Err(Refusal::of_field(name, Reason::BadUtf8)),
    }
}

fn percent_signs_are_escapes(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'%')
        .all(|(at, _)| {
            bytes
                .get(at + 1..at + 3)
                .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        })
}

/// Reads a JSON object: its fields in order, repetitions included.
///
/// # Errors
/// [`Reason::BadJson`] with the position where reading stopped, [`Reason::NotAnObject`] for other JSON,
/// [`Reason::TooManyParameters`], [`Reason::ParameterRepeated`] for a name that is repeated inside a field.
pub(crate) fn decode_object(body: &[u8]) -> Result<Vec<(String, Value)>, Refusal> {
    let object: JsonObject = serde_json::from_slice(body).map_err(|problem| unreadable(body, &problem))?;
    if object.0.len() > MAX_PAIRS {
        return Err(Reason::TooManyParameters.into());
    }
    Ok(object.0)
}

/// Reads a JSON object whose values are text or integers, such as `"write_type": 1`. Null is no value.
///
/// # Errors
/// Those of [`decode_object`], and [`Reason::ParameterNotText`] with the name.
pub(super) fn decode_json(body: &[u8], ignored: &IgnoredParameters) -> Result<Vec<Pair>, Refusal> {
    let mut pairs = Vec::new();
    for (name, value) in decode_object(body)? {
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) if !number.is_f64() => number.to_string(),
            Value::Null => continue,
            _ if ignored.contains(&name) => continue,
            _ => return Err(Refusal::of_field(&name, Reason::ParameterNotText)),
        };
        if !is_blank(&text) {
            pairs.push((name, text));
        }
    }
    Ok(pairs)
}

/// [`Reason::BadJson`] with the position where reading stopped. The text of the library is not shown, because it can
/// quote the body.
pub(super) fn bad_json(problem: &serde_json::Error) -> Error {
    let (line, column) = (problem.line(), problem.column());
    Error::new(Reason::BadJson).with_detail(
        format!("第 {line} 行第 {column} 列"),
        format!("line {line}, column {column}"),
    )
}

/// The refusal of a body that is not one JSON object, or has a name twice inside a field. Of the library's text only that
/// name is used.
fn unreadable(body: &[u8], problem: &serde_json::Error) -> Refusal {
    let text = problem.to_string();
    let repeated = text.strip_prefix("duplicate field `");
    if let Some(name) = repeated.and_then(|rest| rest.split('`').next()) {
        return Refusal::of_field(name, Reason::ParameterRepeated);
    }
    // The library stops at the first byte of another value, whether or not the rest can be read.
    match serde_json::from_slice::<IgnoredAny>(body) {
        // What is no UTF-8 is passed over by the library where it is not looked at.
        Ok(_) if !problem.is_data() => bad_json(problem).into(),
        Ok(_) => {
            let (zh, en) = match body.trim_ascii_start().first() {
                Some(b'[') => ("收到数组", "received a list"),
                Some(b'"') => ("收到文本", "received text"),
                Some(b'n') => ("收到 null", "received null"),
                Some(b't' | b'f') => ("收到布尔值", "received true or false"),
                _ => ("收到数字", "received a number"),
            };
            Error::new(Reason::NotAnObject).with_detail(zh, en).into()
        }
        Err(problem) => bad_json(&problem).into(),
    }
}

/// A JSON object that keeps repeated names; a map would silently keep the last one.
struct JsonObject(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for JsonObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = JsonObject;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("one JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonObject, A::Error> {
                let mut pairs = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, UniquelyNamed>()? {
                    pairs.push((name, value.0));
                }
                Ok(JsonObject(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

/// A JSON value in which no object has a name twice.
struct UniquelyNamed(Value);

impl<'de> Deserialize<'de> for UniquelyNamed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueNames).map(Self)
    }
}

/// The integer that `1.0` or `1e0` is. From [`MAX_EXACT_NUMBER`] on it may be another one than was sent.
fn integer(value: f64) -> Option<i64> {
    let is_exact = value.fract() == 0.0 && value.abs() < MAX_EXACT_NUMBER;
    // The text of such a number would be exact as well, but its formatting costs a component several KB.
    #[expect(clippy::cast_possible_truncation, reason = "an integer below 10^15")]
    is_exact.then_some(value as i64)
}

struct UniqueNames;

impl<'de> Visitor<'de> for UniqueNames {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(integer(value).map_or_else(|| value.into(), Value::from))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(UniquelyNamed(value)) = seq.next_element()? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = serde_json::Map::new();
        while let Some((name, UniquelyNamed(value))) = map.next_entry::<String, _>()? {
            if object.contains_key(&name) {
                return Err(serde::de::Error::custom(format_args!("duplicate field `{name}`")));
            }
            object.insert(name, value);
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(expected: &[(&str, &str)]) -> Vec<Pair> {
        expected
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn none() -> IgnoredParameters {
        IgnoredParameters::default()
    }

    fn ignored() -> IgnoredParameters {
        IgnoredParameters::parse("_,sign").unwrap()
    }

    fn form(text: &str) -> Vec<Pair> {
        decode_form(text, &none()).unwrap()
    }

    fn refused<T: std::fmt::Debug>(result: Result<T, Refusal>) -> (Reason, Option<String>) {
        let refusal = result.unwrap_err();
        (refusal.reason(), refusal.first().field.clone())
    }

    #[test]
    fn a_query_is_decoded_pair_by_pair_in_order() {
        assert_eq!(
            form("a=1&b=%E5%86%99+x&a=2"),
            owned(&[("a", "1"), ("b", "写 x"), ("a", "2")])
        );
        assert_eq!(form("%61=b%3Dc=d"), owned(&[("a", "b=c=d")]));
        assert_eq!(form(""), owned(&[]));
    }

    #[test]
    fn a_parameter_without_a_value_is_absent() {
        assert_eq!(form("flag&&x=&y=%20+&a=1&a=&z=%E3%80%80"), owned(&[("a", "1")]));
        let body = r#"{"x":null,"y":"","a":"1","z":" \t","a":null}"#;
        assert_eq!(
            decode_json(body.as_bytes(), &none()).unwrap(),
            owned(&[("a", "1")])
        );
        // It counts nevertheless: the limit is that of the work.
        assert_eq!(
            refused(decode_form(&"a=&".repeat(MAX_PAIRS + 1), &none())).0,
            Reason::TooManyParameters
        );
        assert_eq!(
            refused(decode_form("%zz=", &none())).0,
            Reason::BadPercentEncoding
        );
    }

    #[test]
    fn what_is_ignored_may_hold_anything() {
        let query = "sign=a%2&a=1&_=%FF&sign=b&s%69gn=%";
        assert_eq!(
            decode_form(query, &ignored()).unwrap(),
            owned(&[("a", "1"), ("sign", "b")])
        );
        assert_eq!(
            refused(decode_form(query, &none())),
            (Reason::BadPercentEncoding, Some("sign".into()))
        );
        assert!(decode_form("a=%2", &ignored()).is_err());
        let body = br#"{"sign":{"alg":"x"},"a":1,"_":1751000000.123,"sign":true}"#;
        assert_eq!(decode_json(body, &ignored()).unwrap(), owned(&[("a", "1")]));
        assert_eq!(
            refused(decode_json(body, &none())),
            (Reason::ParameterNotText, Some("sign".into()))
        );
    }

    #[test]
    fn an_integer_is_read_in_every_spelling_of_json_and_none_loses_digits() {
        for literal in ["1", "1.0", "1e0", "10E-1", "0.1e1"] {
            let body = format!(r#"{{"a":{literal}}}"#);
            assert_eq!(
                decode_json(body.as_bytes(), &none()).unwrap(),
                owned(&[("a", "1")]),
                "{literal}"
            );
            let nested = decode_object(format!(r#"{{"a":[{{"b":{literal}}}]}}"#).as_bytes()).unwrap();
            assert_eq!(nested[0].1, serde_json::json!([{"b": 1}]), "{literal}");
        }
        for (literal, text) in [
            ("-0.0", "0"),
            ("1.4401e12", "1440100000000"),
            ("999999999999999.0", "999999999999999"),
            ("9.99999999999999e14", "999999999999999"),
            ("18446744073709551615", "18446744073709551615"),
        ] {
            let body = format!(r#"{{"a":{literal}}}"#);
            assert_eq!(
                decode_json(body.as_bytes(), &none()).unwrap(),
                owned(&[("a", text)]),
                "{literal}"
            );
        }
        for literal in [
            "1e15",
            "1000000000000000.0",
            "89860411269000000013",
            "1e300",
            "0.5",
        ] {
            let body = format!(r#"{{"a":{literal}}}"#);
            assert_eq!(
                refused(decode_json(body.as_bytes(), &none())).0,
                Reason::ParameterNotText,
                "{literal}"
            );
        }
    }

    #[test]
    fn every_broken_escape_is_reported_with_its_name() {
        for value in ["%", "%4", "%zz", "1%", "%%31"] {
            let (reason, field) = refused(decode_form(&format!("ok=1&eid={value}"), &none()));
            assert_eq!(
                (reason, field.as_deref()),
                (Reason::BadPercentEncoding, Some("eid")),
                "{value}"
            );
        }
        assert_eq!(
            refused(decode_form("%4=1", &none())),
            (Reason::BadPercentEncoding, Some("%4".into()))
        );
    }

    #[test]
    fn bytes_that_are_not_utf8_are_reported_with_their_name() {
        for value in ["%FF", "%E5%86", "%C0%80", "%ED%A0%80"] {
            let (reason, field) = refused(decode_form(&format!("eid={value}"), &none()));
            assert_eq!(
                (reason, field.as_deref()),
                (Reason::BadUtf8, Some("eid")),
                "{value}"
            );
        }
    }

    #[test]
    fn more_pairs_than_any_interface_has_are_refused() {
        let many = "a=1&".repeat(MAX_PAIRS);
        assert_eq!(form(&many).len(), MAX_PAIRS);
        assert_eq!(
            refused(decode_form(&format!("{many}a=1"), &none())).0,
            Reason::TooManyParameters
        );
    }

    #[test]
    fn a_json_object_gives_the_same_pairs_as_a_query() {
        let body = r#"{"eid":"8904","write_type":1,"eid":"8905"}"#;
        let expected = owned(&[("eid", "8904"), ("write_type", "1"), ("eid", "8905")]);
        assert_eq!(decode_json(body.as_bytes(), &none()).unwrap(), expected);
    }

    #[test]
    fn a_name_that_is_repeated_inside_a_field_is_reported_and_no_value_is_shown() {
        for (text, reason, field) in [
            (
                r#"{"a":{"b":4711,"b":4711}}"#,
                Reason::ParameterRepeated,
                Some("b"),
            ),
            (r#"{"a":4711"#, Reason::BadJson, None),
        ] {
            let refusal = decode_object(text.as_bytes()).unwrap_err();
            assert_eq!(
                (refusal.reason(), refusal.first().field.as_deref()),
                (reason, field),
                "{text}"
            );
            assert!(!refusal.first().error.to_string().contains("4711"));
        }
    }

    #[test]
    fn json_that_is_not_flat_text_is_reported_with_its_name() {
        for value in ["true", "1.5", "[]", "{}", "1e-3"] {
            let (reason, field) = refused(decode_json(format!(r#"{{"eid":{value}}}"#).as_bytes(), &none()));
            assert_eq!(
                (reason, field.as_deref()),
                (Reason::ParameterNotText, Some("eid")),
                "{value}"
            );
        }
        for body in ["", "[", "[1}", "{", "{\"a\":\"1\"} x", "\"a", "1 2"] {
            assert_eq!(
                refused(decode_json(body.as_bytes(), &none())).0,
                Reason::BadJson,
                "{body}"
            );
        }
        for body in ["[]", " [{\"a\":1}] ", "1", "\"a\"", "null", "true"] {
            assert_eq!(
                refused(decode_json(body.as_bytes(), &none())).0,
                Reason::NotAnObject,
                "{body}"
            );
        }
    }
}
