//! One record of an operator, as a line of JSON.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::MAX_CITY_CHARS;
use crate::Context;
use domain::error::{Error, Reason};
use domain::{Iccid, MINUTE_MS, Malformed, Msisdn, Timestamp, Volume, mask_identifiers, plain_number};
use store::operator_report::Topic;
use vault::{BlindIndex, IndexKind};

/// How far an operator's clock may be ahead of the platform's, in milliseconds.
const MAX_AHEAD_MS: i64 = 5 * MINUTE_MS;

/// A record that passed the checks of its own values.
pub(super) struct Record {
    /// Whether the key is that of an ICCID, or of an MSISDN.
    pub(super) by_iccid: bool,
    /// Blind index of ICCID or MSISDN.
    pub(super) key: BlindIndex,
    /// The time to which the record applies.
    pub(super) as_of: Timestamp,
    /// Its content.
    pub(super) reported: OperatorReport,
}

/// What an operator reports on a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperatorReport {
    /// Data of the month: the total, and what is used of it.
    Usage(Volume, Volume),
    /// The city in which it is online.
    Location(String),
    /// `active`, `suspended` or `retired`.
    Status(&'static str),
    /// When it was opened.
    OpenTime(Timestamp),
}

/// The states an operator may give a number.
pub(crate) const STATES: [&str; 3] = ["active", "suspended", "retired"];

impl OperatorReport {
    /// The content as the store returns it.
    pub(super) fn content(&self) -> String {
        match self {
            Self::Usage(total, used) => format!("{}/{}", total.bytes(), used.bytes()),
            Self::Location(city) => city.clone(),
            Self::Status(state) => (*state).to_owned(),
            Self::OpenTime(at) => at.millis().to_string(),
        }
    }

    /// The record as the store takes it.
    pub(super) fn stored(&self, iccid: &BlindIndex, as_of: Timestamp) -> Value {
        let key = hex::encode(iccid.as_bytes());
        match self {
            Self::Usage(total, used) => json!([key, as_of.millis(), total.bytes(), used.bytes()]),
            Self::Location(city) => json!([key, as_of.millis(), city]),
            Self::Status(state) => json!([key, as_of.millis(), state]),
            Self::OpenTime(at) => json!([key, as_of.millis(), at.millis()]),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(borrow)]
    msisdn: Option<&'a RawValue>,
    #[serde(borrow)]
    iccid: Option<&'a RawValue>,
    as_of: String,
    #[serde(borrow)]
    total_mb: Option<&'a RawValue>,
    #[serde(borrow)]
    used_mb: Option<&'a RawValue>,
    city: Option<String>,
    status: Option<String>,
    open_time: Option<String>,
}

/// Why a record is refused: the field, if one field is wrong, and the error.
pub(super) struct Wrong {
    pub(super) field: Option<&'static str>,
    pub(super) error: Error,
}

impl Wrong {
    fn field(field: &'static str, reason: Reason) -> Self {
        Self {
            field: Some(field),
            error: reason.into(),
        }
    }

    fn malformed(field: &'static str, malformed: Malformed, text: &str) -> Self {
        Self {
            field: Some(field),
            error: malformed.of(text),
        }
    }
}

/// Reads one line.
pub(super) fn read<D>(cx: &Context<'_, D>, topic: Topic, line: &[u8]) -> Result<Record, Wrong> {
    let line: Line<'_> = serde_json::from_slice(line).map_err(|problem| unreadable(line, &problem))?;
    refuse_other_topics(topic, &line)?;
    let (by_iccid, key) = key(cx, &line)?;
    let as_of = time("as_of", &line.as_of)?;
    if as_of > cx.now.plus(MAX_AHEAD_MS) {
        return Err(Wrong::malformed(
            "as_of",
            Malformed::new(
                domain::Kind::Value,
                "时间晚于当前时间",
                "the time is ahead of the platform's clock",
            ),
            &line.as_of,
        ));
    }
    let reported = match topic {
        Topic::Usage => OperatorReport::Usage(
            megabytes("total_mb", line.total_mb)?,
            megabytes("used_mb", line.used_mb)?,
        ),
        Topic::Location => OperatorReport::Location(city(line.city.as_deref())?.to_owned()),
        Topic::Status => OperatorReport::Status(state(line.status.as_deref())?),
        Topic::OpenTime => OperatorReport::OpenTime(time(
            "open_time",
            present("open_time", line.open_time.as_deref())?,
        )?),
    };
    Ok(Record {
        by_iccid,
        key,
        as_of,
        reported,
    })
}

/// Why a line is no record. Of the library's text only names of fields are used.
fn unreadable(line: &[u8], problem: &serde_json::Error) -> Wrong {
    const FIELDS: [&str; 8] = [
        "msisdn",
        "iccid",
        "as_of",
        "total_mb",
        "used_mb",
        "city",
        "status",
        "open_time",
    ];
    const NAMING: [(&str, Reason); 3] = [
        ("missing field `", Reason::ParameterMissing),
        ("duplicate field `", Reason::ParameterRepeated),
        ("unknown field `", Reason::ParameterUnknown),
    ];
    let whole = |reason| Wrong {
        field: None,
        error: Error::new(reason),
    };
    if !problem.is_data() || serde_json::from_slice::<IgnoredAny>(line).is_err() {
        return whole(Reason::BadJson);
    }
    if !line.trim_ascii_start().starts_with(b"{") {
        return whole(Reason::NotAnObject);
    }
    let text = problem.to_string();
    for (words, reason) in NAMING {
        if let Some(name) = text.strip_prefix(words).and_then(|rest| rest.split('`').next()) {
            let shown = mask_identifiers(name);
            return Wrong {
                field: FIELDS.into_iter().find(|field| *field == name),
                error: Error::new(reason).with_detail(&shown, &shown),
            };
        }
    }
    whole(Reason::ParameterMalformed)
}

/// A field of another topic is refused, not ignored.
fn refuse_other_topics(topic: Topic, line: &Line<'_>) -> Result<(), Wrong> {
    for (owner, field, is_there) in [
        (Topic::Usage, "total_mb", line.total_mb.is_some()),
        (Topic::Usage, "used_mb", line.used_mb.is_some()),
        (Topic::Location, "city", line.city.is_some()),
        (Topic::Status, "status", line.status.is_some()),
        (Topic::OpenTime, "open_time", line.open_time.is_some()),
    ] {
        if is_there && owner != topic {
            return Err(Wrong::field(field, Reason::ParameterUnknown));
        }
    }
    Ok(())
}

fn key<D>(cx: &Context<'_, D>, line: &Line<'_>) -> Result<(bool, BlindIndex), Wrong> {
    match (
        identifier("msisdn", line.msisdn)?,
        identifier("iccid", line.iccid)?,
    ) {
        (Some(msisdn), None) => {
            let parsed = Msisdn::parse(&msisdn);
            let msisdn = parsed.map_err(|wrong| Wrong::malformed("msisdn", wrong, &msisdn))?;
            Ok((
                false,
                cx.vault
                    .blind_index(IndexKind::Msisdn, msisdn.as_str().as_bytes()),
            ))
        }
        (None, Some(iccid)) => {
            let parsed = Iccid::parse(&iccid);
            let iccid = parsed.map_err(|wrong| Wrong::malformed("iccid", wrong, &iccid))?;
            Ok((
                true,
                cx.vault.blind_index(IndexKind::Iccid, iccid.as_str().as_bytes()),
            ))
        }
        (Some(_), Some(_)) => Err(Wrong::field("iccid", Reason::ParameterNotApplicable)),
        (None, None) => Err(Wrong::field("msisdn", Reason::ParameterMissing)),
    }
}

/// An identifier as text or as a JSON number. An empty one is absent.
fn identifier<'a>(field: &'static str, raw: Option<&'a RawValue>) -> Result<Option<Cow<'a, str>>, Wrong> {
    let Some(raw) = raw else { return Ok(None) };
    let text = match (text_of(raw), plain_number(raw.get())) {
        (Some(text), _) => text,
        (None, Some(digits)) => Cow::Owned(digits),
        (None, None) => return Err(Wrong::field(field, Reason::ParameterMalformed)),
    };
    Ok(Some(text).filter(|text| !text.trim().is_empty()))
}

/// The text of a JSON text.
fn text_of(raw: &RawValue) -> Option<Cow<'_, str>> {
    raw.get()
        .starts_with('"')
        .then(|| serde_json::from_str(raw.get()).ok())?
}

fn present<'a>(field: &'static str, text: Option<&'a str>) -> Result<&'a str, Wrong> {
    text.ok_or_else(|| Wrong::field(field, Reason::ParameterMissing))
}

fn time(field: &'static str, text: &str) -> Result<Timestamp, Wrong> {
    Timestamp::parse_rfc3339(text).map_err(|wrong| Wrong::malformed(field, wrong, text))
}

/// Megabytes as a JSON number or as text; the digits are read without floating point.
fn megabytes(field: &'static str, raw: Option<&RawValue>) -> Result<Volume, Wrong> {
    let raw = raw.ok_or_else(|| Wrong::field(field, Reason::ParameterMissing))?;
    let text = text_of(raw).unwrap_or(Cow::Borrowed(raw.get()));
    let text = text.trim();
    let plain = plain_number(text);
    let parsed = Volume::parse_mb(plain.as_deref().unwrap_or(text));
    parsed.map_err(|wrong| Wrong::malformed(field, wrong, text))
}

fn city(text: Option<&str>) -> Result<&str, Wrong> {
    let city = present("city", text)?.trim();
    if city.is_empty() {
        return Err(Wrong::field("city", Reason::ParameterEmpty));
    }
    if city.chars().count() > MAX_CITY_CHARS {
        return Err(Wrong::field("city", Reason::ParameterTooLong));
    }
    if city.chars().any(char::is_control) {
        return Err(Wrong::field("city", Reason::ParameterMalformed));
    }
    Ok(city)
}

fn state(text: Option<&str>) -> Result<&'static str, Wrong> {
    let text = present("status", text)?;
    let known = STATES.into_iter().find(|state| *state == text);
    known.ok_or_else(|| Wrong::field("status", Reason::ParameterMalformed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_keeps_every_digit_as_text_and_as_number() {
        let read = |json: &str| {
            let raw: Box<RawValue> = serde_json::from_str(json).unwrap();
            identifier("iccid", Some(&raw))
                .map(|text| text.map(Cow::into_owned))
                .map_err(|wrong| wrong.error.reason())
        };
        let iccid = "89860411269000000013";
        for json in [
            iccid,
            &format!("{iccid}.0"),
            &format!("\"{iccid}\""),
            "8.9860411269000000013e19",
        ] {
            assert_eq!(read(json), Ok(Some(iccid.to_owned())), "{json}");
        }
        assert_eq!(read("\" \""), Ok(None));
        for json in ["true", "[1]", "{}", "\"\\ud800\"", "1e99"] {
            assert_eq!(read(json), Err(Reason::ParameterMalformed), "{json}");
        }
    }
}
