//! The variable `operator_api`: a JSON object from topic (`usage`, `location`, `status`, `open_time`) to the request
//! that asks the operator about it.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue, Uri};
use serde::Deserialize;

use crate::Topic;
use vault::Zeroizing;

/// Longest address, in characters.
const MAX_URL_CHARS: usize = 512;
/// Most headers of a request.
pub const MAX_HEADERS: usize = 16;
/// Default age up to which an answer is fresh, in seconds.
const MAX_AGE_SECS: u32 = 300;
/// Default pause before an operator that did not answer is asked about the same number again, in seconds.
const RETRY_SECS: u32 = 30;
/// Bytes of a megabyte.
const BYTES_PER_MB: u64 = 1_000_000;
/// Placeholders for the number, its card and the credential in addresses and headers.
const PLACES: [&str; 3] = ["{msisdn}", "{iccid}", "{credential}"];

/// How to ask an operator.
pub struct OperatorApi {
    topics: Vec<(Topic, Inquiry)>,
    credential: Zeroizing<String>,
}

/// How to ask about one topic.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inquiry {
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default = "max_age")]
    max_age_secs: u32,
    #[serde(default = "retry")]
    retry_secs: u32,
    /// JSON pointers (RFC 6901) to the values of the topic, and to `as_of`.
    pub(super) fields: BTreeMap<String, String>,
    /// Bytes of one unit of the operator's volumes.
    #[serde(default = "bytes_per_unit")]
    pub(super) bytes_per_unit: u64,
    /// How the operator writes times.
    #[serde(default)]
    pub(super) time: TimeForm,
    /// From the operator's names of states to `active`, `suspended` and `retired`.
    #[serde(default)]
    pub(super) states: BTreeMap<String, String>,
}

/// How an operator writes times.
#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum TimeForm {
    /// RFC 3339 with an offset.
    #[default]
    Rfc3339,
    /// Seconds since 1970.
    Unix,
    /// Milliseconds since 1970.
    UnixMs,
}

fn max_age() -> u32 {
    MAX_AGE_SECS
}

fn retry() -> u32 {
    RETRY_SECS
}

fn bytes_per_unit() -> u64 {
    BYTES_PER_MB
}

impl OperatorApi {
    /// Reads the variable. `None` for an empty one: operators are not asked.
    ///
    /// # Errors
    /// What is wrong, without any value.
    pub fn parse(text: &str, credential: Zeroizing<String>) -> Result<Option<Self>, String> {
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Ok(None);
        }
        let given: BTreeMap<String, Inquiry> = serde_json::from_str(text)
            .map_err(|problem| format!("line {}, column {}", problem.line(), problem.column()))?;
        let mut topics = Vec::new();
        for (name, inquiry) in given {
            let topic = Topic::ALL.into_iter().find(|topic| topic.code() == name);
            let topic = topic.ok_or("an unknown topic")?;
            inquiry
                .check(topic)
                .map_err(|problem| format!("{name}: {problem}"))?;
            topics.push((topic, inquiry));
        }
        Ok(Some(Self { topics, credential }))
    }

    /// How to ask about a topic, if that is configured.
    #[must_use]
    pub fn inquiry(&self, topic: Topic) -> Option<&Inquiry> {
        let found = self.topics.iter().find(|(known, _)| *known == topic);
        found.map(|(_, inquiry)| inquiry)
    }

    /// Address and headers of the request about a number.
    #[must_use]
    pub fn request(
        &self,
        inquiry: &Inquiry,
        msisdn: &str,
        iccid: &str,
    ) -> (String, Vec<(String, Zeroizing<String>)>) {
        let fill = |text: &str| {
            text.replace(PLACES[0], msisdn)
                .replace(PLACES[1], iccid)
                .replace(PLACES[2], &self.credential)
        };
        let headers = inquiry
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), Zeroizing::new(fill(value))));
        (fill(&inquiry.url), headers.collect())
    }
}

impl Inquiry {
    /// Age up to which an answer is fresh, in milliseconds.
    #[must_use]
    pub(crate) fn max_age_ms(&self) -> i64 {
        i64::from(self.max_age_secs) * domain::SECOND_MS
    }

    /// Pause before an operator that did not answer is asked about the same number again, in milliseconds.
    #[must_use]
    pub(crate) fn retry_ms(&self) -> i64 {
        i64::from(self.retry_secs) * domain::SECOND_MS
    }

    fn check(&self, topic: Topic) -> Result<(), &'static str> {
        if self.url.chars().count() > MAX_URL_CHARS {
            return Err("the url is too long");
        }
        // Addresses are logged, so they must hold no credential.
        if self.url.contains(PLACES[2]) {
            return Err("the credential belongs into a header");
        }
        if !PLACES[..2].iter().any(|place| self.url.contains(place)) {
            return Err("the url names neither {msisdn} nor {iccid}");
        }
        let uri: Uri = self
            .url
            .replace(PLACES[0], "1")
            .replace(PLACES[1], "1")
            .parse()
            .map_err(|_| "the url cannot be read")?;
        let has_user = uri
            .authority()
            .is_none_or(|authority| authority.as_str().contains('@'));
        if has_user || !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err("the url is not http or https with a host and without a user");
        }
        if self.headers.len() > MAX_HEADERS {
            return Err("there are too many headers");
        }
        for (name, value) in &self.headers {
            if HeaderName::from_bytes(name.as_bytes()).is_err() || HeaderValue::from_str(value).is_err() {
                return Err("a header cannot be sent");
            }
        }
        if self.bytes_per_unit == 0 || self.max_age_secs == 0 || self.retry_secs == 0 {
            return Err("bytes_per_unit, max_age_secs and retry_secs are at least 1");
        }
        self.check_fields(topic)
    }

    fn check_fields(&self, topic: Topic) -> Result<(), &'static str> {
        let needed: &[&str] = match topic {
            Topic::Usage => &["total", "used"],
            Topic::Location => &["city"],
            Topic::Status => &["status"],
            Topic::OpenTime => &["open_time"],
        };
        if !needed.iter().all(|field| self.fields.contains_key(*field)) {
            return Err("a field of the topic is missing");
        }
        let is_known = |field: &String| field == "as_of" || needed.contains(&field.as_str());
        if !self.fields.keys().all(is_known) {
            return Err("a field does not belong to the topic");
        }
        if !self.fields.values().all(|pointer| pointer.starts_with('/')) {
            return Err("a field is no JSON pointer");
        }
        let states = &crate::STATES;
        if !self.states.values().all(|state| states.contains(&state.as_str())) {
            return Err("states lead to active, suspended or retired");
        }
        if topic == Topic::Status && self.states.is_empty() {
            return Err("states are missing");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Option<OperatorApi>, String> {
        OperatorApi::parse(text, Zeroizing::new("s3cret".to_owned()))
    }

    fn usage(url: &str, rest: &str) -> String {
        format!(r#"{{"usage":{{"url":"{url}","fields":{{"total":"/t","used":"/u"}}{rest}}}}}"#)
    }

    #[test]
    fn a_request_carries_the_number_in_its_address_and_the_credential_in_a_header() {
        let text = usage(
            "https://op.example/v2/{msisdn}?card={iccid}",
            r#","headers":{"x-key":"k {credential}"}"#,
        );
        let api = parse(&text).unwrap().unwrap();
        let inquiry = api.inquiry(Topic::Usage).unwrap();
        let (url, headers) = api.request(inquiry, "1440100000001", "898604071120C0000001");
        assert_eq!(
            url,
            "https://op.example/v2/1440100000001?card=898604071120C0000001"
        );
        assert_eq!(
            (headers[0].0.as_str(), headers[0].1.as_str()),
            ("x-key", "k s3cret")
        );
        assert_eq!((inquiry.max_age_ms(), inquiry.retry_ms()), (300_000, 30_000));
        assert!(api.inquiry(Topic::Location).is_none());
    }

    #[test]
    fn without_configuration_nobody_is_asked() {
        assert!(parse("").unwrap().is_none());
        assert!(parse(" \n").unwrap().is_none());
        assert!(parse("\u{feff}").unwrap().is_none());
    }

    #[test]
    fn a_broken_configuration_is_refused_whole() {
        let good = "https://op.example/{msisdn}";
        for text in [
            "{".to_owned(),
            usage("https://op.example/", ""),
            usage("ftp://op.example/{msisdn}", ""),
            usage("https://u:p@op.example/{msisdn}", ""),
            usage("/{msisdn}", ""),
            usage("https://op.example/{msisdn}?key={credential}", ""),
            usage(good, r#","headers":{"bad name":"x"}"#),
            usage(good, r#","max_age_secs":0"#),
            usage(good, r#","bytes_per_unit":0"#),
            usage(good, r#","colour":1"#),
            usage(good, r#","time":"yesterday""#),
            format!(r#"{{"weather":{{"url":"{good}","fields":{{}}}}}}"#),
            format!(r#"{{"location":{{"url":"{good}","fields":{{"total":"/t"}}}}}}"#),
            format!(r#"{{"location":{{"url":"{good}","fields":{{"city":"/c","total":"/t"}}}}}}"#),
            format!(r#"{{"location":{{"url":"{good}","fields":{{"city":"c"}}}}}}"#),
            format!(r#"{{"status":{{"url":"{good}","fields":{{"status":"/s"}}}}}}"#),
            format!(r#"{{"status":{{"url":"{good}","fields":{{"status":"/s"}},"states":{{"1":"gone"}}}}}}"#),
        ] {
            let problem = parse(&text).err().unwrap_or_else(|| panic!("{text}"));
            assert!(!problem.contains("op.example"), "{problem}");
        }
    }
}
