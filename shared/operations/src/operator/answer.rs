//! Reading an operator's answer.

use serde_json::{Number, Value};

use super::config::{Inquiry, TimeForm};
use crate::{MAX_CITY_CHARS, OperatorReport, STATES, Topic};
use domain::{
    MAX_EXACT_NUMBER, MINUTE_MS, SECOND_MS, Timestamp, Volume, plain_number, without_byte_order_mark,
};

/// Decimals that a volume may have in the operator's unit.
const SCALE: u128 = 1_000_000;
/// How far an operator's clock may be ahead of the platform's, in milliseconds.
const MAX_AHEAD_MS: i64 = 5 * MINUTE_MS;

impl Inquiry {
    /// What the answer says about `topic`, and the time to which it applies: the one it names, or `now`.
    ///
    /// # Errors
    /// What does not fit, without any value of the answer.
    pub fn read(
        &self,
        topic: Topic,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(Timestamp, OperatorReport), &'static str> {
        let answer: Value =
            serde_json::from_slice(without_byte_order_mark(body)).map_err(|_| "the answer is not JSON")?;
        let at = |field: &str| {
            let pointer = self.fields.get(field)?;
            answer.pointer(pointer).filter(|value| !value.is_null())
        };
        let as_of = match at("as_of") {
            Some(value) => self.time_of(value).ok_or("as_of is no time")?,
            None => now,
        };
        if as_of > now.plus(MAX_AHEAD_MS) {
            return Err("as_of is ahead of the platform's clock");
        }
        let report = match topic {
            Topic::Usage => {
                let volume = |field| at(field).and_then(|value| self.volume_of(value));
                let (total, used) = (volume("total"), volume("used"));
                OperatorReport::Usage(
                    total.ok_or("total is no volume")?,
                    used.ok_or("used is no volume")?,
                )
            }
            Topic::Location => {
                OperatorReport::Location(at("city").and_then(city_of).ok_or("city is no name")?)
            }
            Topic::Status => OperatorReport::Status(
                at("status")
                    .and_then(|value| self.state_of(value))
                    .ok_or("status is not known")?,
            ),
            Topic::OpenTime => OperatorReport::OpenTime(
                at("open_time")
                    .and_then(|value| self.time_of(value))
                    .ok_or("open_time is no time")?,
            ),
        };
        Ok((as_of, report))
    }

    fn time_of(&self, value: &Value) -> Option<Timestamp> {
        match self.time {
            TimeForm::Rfc3339 => Timestamp::parse_rfc3339(value.as_str()?.trim()).ok(),
            TimeForm::Unix => whole(value)?.checked_mul(SECOND_MS).map(Timestamp),
            TimeForm::UnixMs => whole(value).map(Timestamp),
        }
    }

    /// A volume in the operator's unit, as number or text, converted to whole bytes.
    fn volume_of(&self, value: &Value) -> Option<Volume> {
        let millionths = Volume::parse_mb(&plain_number(&text_of(value)?)?).ok()?.bytes();
        let bytes = u128::from(millionths) * u128::from(self.bytes_per_unit) / SCALE;
        let bytes = u64::try_from(bytes).ok()?;
        (bytes <= Volume::MAX.bytes()).then(|| Volume::from_bytes(bytes))
    }

    fn state_of(&self, value: &Value) -> Option<&'static str> {
        let meaning = self.states.get(&text_of(value)?)?;
        STATES.into_iter().find(|state| state == meaning)
    }
}

fn whole(value: &Value) -> Option<i64> {
    plain_number(&text_of(value)?)?.parse().ok()
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => digits_of(number),
        _ => None,
    }
}

/// A number without exponent and needless zeros: `2.0` names the same state as `2`.
fn digits_of(number: &Number) -> Option<String> {
    let is_exact = !number.is_f64() || number.as_f64()?.abs() < MAX_EXACT_NUMBER;
    is_exact.then(|| plain_number(&number.to_string()))?
}

fn city_of(value: &Value) -> Option<String> {
    let city = value.as_str()?.trim();
    let fits = (1..=MAX_CITY_CHARS).contains(&city.chars().count()) && !city.chars().any(char::is_control);
    fits.then(|| city.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::OperatorApi;
    use super::*;
    use vault::Zeroizing;

    const NOW: Timestamp = Timestamp(1_782_864_000_000);

    const CONFIG: &str = r#"{
        "usage": {"url": "https://o.example/{msisdn}", "bytes_per_unit": 1024,
                  "fields": {"total": "/d/0/all", "used": "/d/0/used", "as_of": "/at"}, "time": "unix"},
        "location": {"url": "https://o.example/{iccid}", "fields": {"city": "/city"}},
        "status": {"url": "https://o.example/{iccid}", "fields": {"status": "/s"},
                   "states": {"2": "active", "停机": "suspended"}},
        "open_time": {"url": "https://o.example/{iccid}", "fields": {"open_time": "/o"}}
    }"#;

    fn read(topic: Topic, body: &str) -> Result<(Timestamp, OperatorReport), &'static str> {
        let api = OperatorApi::parse(CONFIG, Zeroizing::default()).unwrap().unwrap();
        api.inquiry(topic).unwrap().read(topic, body.as_bytes(), NOW)
    }

    #[test]
    fn values_are_found_by_pointer_and_counted_in_the_operators_unit() {
        let body = r#"{"at":"1782863000","d":[{"all":100000,"used":"0.5"}]}"#;
        let report = OperatorReport::Usage(Volume::from_bytes(102_400_000), Volume::from_bytes(512));
        assert_eq!(
            read(Topic::Usage, body),
            Ok((Timestamp(1_782_863_000_000), report))
        );
        assert_eq!(
            read(Topic::Location, r#"{"city":" 青岛 "}"#),
            Ok((NOW, OperatorReport::Location("青岛".into())))
        );
        assert_eq!(
            read(Topic::Status, r#"{"s":2}"#),
            Ok((NOW, OperatorReport::Status("active")))
        );
        assert_eq!(
            read(Topic::Status, r#"{"s":"停机"}"#),
            Ok((NOW, OperatorReport::Status("suspended")))
        );
        let opened = r#"{"o":"2026-07-01T08:00:00+08:00"}"#;
        assert_eq!(
            read(Topic::OpenTime, opened),
            Ok((NOW, OperatorReport::OpenTime(NOW)))
        );
    }

    #[test]
    fn numbers_in_every_spelling_and_a_byte_order_mark_are_read() {
        for (topic, body, at, report) in [
            (
                Topic::Usage,
                "\u{feff}{\"at\":1.782863e9,\"d\":[{\"all\":1e5,\"used\":5.0E-1}]}",
                Timestamp(1_782_863_000_000),
                OperatorReport::Usage(Volume::from_bytes(102_400_000), Volume::from_bytes(512)),
            ),
            (
                Topic::Usage,
                r#"{"at":" 1782863000.0 ","d":[{"all":" 0.1e6","used":"0.50"}]}"#,
                Timestamp(1_782_863_000_000),
                OperatorReport::Usage(Volume::from_bytes(102_400_000), Volume::from_bytes(512)),
            ),
            (
                Topic::Status,
                r#"{"s":2.0}"#,
                NOW,
                OperatorReport::Status("active"),
            ),
            (
                Topic::Status,
                r#"{"s":20e-1}"#,
                NOW,
                OperatorReport::Status("active"),
            ),
            (
                Topic::Status,
                r#"{"s":" 2 "}"#,
                NOW,
                OperatorReport::Status("active"),
            ),
            (
                Topic::OpenTime,
                r#"{"o":"2026-07-01T08:00:00 08:00"}"#,
                NOW,
                OperatorReport::OpenTime(NOW),
            ),
        ] {
            assert_eq!(read(topic, body), Ok((at, report)), "{body}");
        }
    }

    #[test]
    fn what_does_not_fit_is_no_answer() {
        for (topic, body) in [
            (Topic::Usage, "<html>"),
            (Topic::Usage, "{}"),
            (Topic::Usage, r#"{"d":[{"all":-1,"used":0}]}"#),
            (Topic::Usage, r#"{"d":[{"all":1e9,"used":0}]}"#),
            (Topic::Usage, r#"{"d":[{"all":[],"used":0}]}"#),
            (Topic::Usage, r#"{"at":1782863000.5,"d":[{"all":1,"used":0}]}"#),
            (Topic::Usage, r#"{"at":"soon","d":[{"all":1,"used":0}]}"#),
            (Topic::Usage, r#"{"at":1782865000,"d":[{"all":1,"used":0}]}"#),
            (Topic::Location, r#"{"city":""}"#),
            (Topic::Location, r#"{"city":null}"#),
            (Topic::Location, r#"{"city":7}"#),
            (Topic::Location, "{\"city\":\"a\\u0000b\"}"),
            (Topic::Status, r#"{"s":"3"}"#),
            (Topic::OpenTime, r#"{"o":1782864000}"#),
        ] {
            assert!(read(topic, body).is_err(), "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_stumble(body in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,80}") {
            for topic in Topic::ALL {
                let _ = read(topic, &String::from_utf8_lossy(&body));
                let wrapped = serde_json::json!({"city": text, "s": text, "o": text, "at": text, "d": [{"all": text, "used": text}]});
                let _ = read(topic, &wrapped.to_string());
            }
        }
    }
}
