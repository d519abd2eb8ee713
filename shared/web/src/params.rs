//! The parameters of the interfaces (clause 7.2): their names, their lengths, and reading them.
//!
//! A GET carries them in the query. A POST, accepted where the call changes something, may carry the same names as a
//! form, as JSON or in the query. Every wrong parameter is reported, not just the first.
//!
//! Never check meaning: whether 32 digits are an EID is decided in `domain`.

use std::collections::BTreeMap;

use super::fields::field;
use super::query::Pair;
use super::refusal::{Problem, Refusal};
use domain::error::{Error, Reason};
use domain::{Kind, Malformed, Timestamp};

/// A parameter of the public interfaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Param {
    /// 业务需求方标识, clause 7.2.1 c.
    ClientId,
    /// 业务需求方密钥, clause 7.2.1 c.
    ClientSecret,
    /// 认证令牌, clause 7.1.2. May come as `Authorization: Bearer` instead.
    Token,
    /// 芯片 EID.
    Eid,
    /// 写卡任务 ID.
    TaskId,
    /// 写卡方式: 0 designated, 1 automatic.
    WriteType,
    /// 省份编码, GB/T 2260.
    ProvinceCode,
    /// 目标 ICCID.
    Iccid,
    /// 目标运营号.
    Msisdn,
    /// Name of an interface; administrators' searches.
    Interface,
    /// Reason of a failure; administrators' searches.
    Reason,
    /// The secret of the periodic work, for timers that can send no header.
    Key,
    /// Whom messages go to; administrators' searches.
    Receiver,
    /// State of the rows searched for; administrators' searches.
    State,
    /// Kind of an incident; administrators' searches.
    Kind,
    /// Class of an incident; administrators' searches.
    Class,
    /// Severity of an incident; administrators' searches.
    Severity,
    /// A calendar month, `2026-07`.
    Month,
    /// Format of a file: `json` or `csv`.
    Format,
    /// Beginning of a time span, RFC 3339, included.
    From,
    /// End of a time span, RFC 3339, excluded.
    To,
    /// The `next` of the page before.
    Cursor,
    /// Rows of a page.
    Limit,
}

impl Param {
    /// Every parameter there is.
    pub const ALL: [Self; 23] = [
        Self::ClientId,
        Self::ClientSecret,
        Self::Token,
        Self::Eid,
        Self::TaskId,
        Self::WriteType,
        Self::ProvinceCode,
        Self::Iccid,
        Self::Msisdn,
        Self::Interface,
        Self::Reason,
        Self::Key,
        Self::Receiver,
        Self::State,
        Self::Kind,
        Self::Class,
        Self::Severity,
        Self::Month,
        Self::Format,
        Self::From,
        Self::To,
        Self::Cursor,
        Self::Limit,
    ];

    /// The name in requests.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientId => "client_id",
            Self::ClientSecret => "client_secret",
            Self::Token => "token",
            Self::Eid => "eid",
            Self::TaskId => "task_id",
            Self::WriteType => "write_type",
            Self::ProvinceCode => "province_code",
            Self::Iccid => "iccid",
            Self::Msisdn => "msisdn",
            Self::Interface => "interface",
            Self::Reason => "reason",
            Self::Key => "key",
            Self::Receiver => "receiver",
            Self::State => "state",
            Self::Kind => "kind",
            Self::Class => "class",
            Self::Severity => "severity",
            Self::Month => "month",
            Self::Format => "format",
            Self::From => "from",
            Self::To => "to",
            Self::Cursor => "cursor",
            Self::Limit => "limit",
        }
    }

    /// The longest accepted value, in characters. It is longer than the formats, so that a value that is only slightly
    /// wrong gets the explanation of `domain`.
    pub const fn max_chars(self) -> usize {
        match self {
            Self::ClientId
            | Self::TaskId
            | Self::Eid
            | Self::Iccid
            | Self::Msisdn
            | Self::Interface
            | Self::Reason
            | Self::Receiver
            | Self::State
            | Self::Kind
            | Self::From
            | Self::To
            | Self::Cursor => 64,
            Self::ClientSecret | Self::Key => 256,
            Self::Token => 1024,
            Self::WriteType
            | Self::ProvinceCode
            | Self::Class
            | Self::Severity
            | Self::Month
            | Self::Format
            | Self::Limit => 16,
        }
    }
}

/// The parameters of one request: known, present once, not empty, not over-long.
#[derive(Clone, Default)]
pub struct Params(BTreeMap<Param, String>);

impl std::fmt::Debug for Params {
    /// Shows names only: values are identifiers and secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Params {
    /// Checks decoded pairs against the parameters an interface accepts by name.
    ///
    /// # Errors
    /// Every problem found, in the order of the request: [`Reason::ParameterUnknown`],
    /// [`Reason::ParameterEmpty`], [`Reason::ParameterTooLong`], [`Reason::ParameterRepeated`].
    pub(super) fn from_pairs(
        pairs: Vec<Pair>,
        accepts: impl Fn(&str) -> Option<Param>,
    ) -> Result<Self, Refusal> {
        let mut values = BTreeMap::new();
        let mut problems = Vec::new();
        for (name, value) in pairs {
            let Some(param) = accepts(&name) else {
                problems.push(Problem::with_field(&name, Reason::ParameterUnknown));
                continue;
            };
            if let Some(reason) = fault_of(param, &value) {
                problems.push(Problem::with_field(&name, reason));
            }
            if values.insert(param, value).is_some() {
                problems.push(Problem::with_field(&name, Reason::ParameterRepeated));
            }
        }
        Refusal::unless_empty(problems).map(|()| Self(values))
    }

    /// The text of a parameter, if it was sent.
    pub fn text(&self, param: Param) -> Option<&str> {
        self.0.get(&param).map(String::as_str)
    }

    /// The text of a parameter that must be present.
    ///
    /// # Errors
    /// [`Reason::ParameterMissing`].
    pub fn required_text(&self, param: Param) -> Result<&str, Refusal> {
        self.text(param)
            .ok_or_else(|| Refusal::of_field(param.name(), Reason::ParameterMissing))
    }

    /// The value of a parameter, if it was sent, read by `read`.
    ///
    /// # Errors
    /// The error of `read`.
    pub fn optional<T, E: Into<Malformed>>(
        &self,
        param: Param,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Refusal> {
        let value = self.text(param).map(read).transpose();
        field(param.name(), value)
    }

    /// The value of a parameter that must be present, read by `read`.
    ///
    /// # Errors
    /// [`Reason::ParameterMissing`], and the error of `read`.
    pub fn required<T, E: Into<Malformed>>(
        &self,
        param: Param,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Refusal> {
        field(param.name(), read(self.required_text(param)?))
    }

    /// A point in time, RFC 3339, if it was sent.
    ///
    /// # Errors
    /// [`Reason::ParameterMalformed`].
    pub fn time(&self, param: Param) -> Result<Option<Timestamp>, Refusal> {
        self.optional(param, Timestamp::parse_rfc3339)
    }

    /// One of `words`, if it was sent.
    ///
    /// # Errors
    /// [`Reason::ParameterMalformed`].
    pub fn one_of<'a>(&self, param: Param, words: &[&'a str]) -> Result<Option<&'a str>, Refusal> {
        let wrong = Malformed::new(
            Kind::Value,
            "取值不在规定范围内",
            "not one of the words that are allowed",
        );
        self.optional(param, |text| {
            words.iter().copied().find(|word| *word == text).ok_or(wrong)
        })
    }

    /// A whole number, if it was sent.
    ///
    /// # Errors
    /// [`Reason::ParameterMalformed`].
    pub fn whole(&self, param: Param) -> Result<Option<i64>, Refusal> {
        let wrong = Malformed::new(Kind::Value, "应为整数", "not a whole number");
        self.optional(param, |text| text.parse().map_err(|_| wrong))
    }

    /// The rows of a page as requested, at most `most`; by default `most`.
    ///
    /// # Errors
    /// [`Reason::ParameterMalformed`].
    pub fn limit(&self, most: u32) -> Result<u32, Refusal> {
        let wrong = Malformed::new(
            Kind::Value,
            "应为不超过上限的正整数",
            "not a positive number up to the limit",
        );
        let read = |text: &str| {
            text.parse()
                .ok()
                .filter(|rows| (1..=most).contains(rows))
                .ok_or(wrong)
        };
        Ok(self.optional(Param::Limit, read)?.unwrap_or(most))
    }

    /// Checks that all of these parameters were sent; missing ones are reported together.
    ///
    /// # Errors
    /// [`Reason::ParameterMissing`] for each.
    pub fn require_all(&self, params: &[Param]) -> Result<(), Refusal> {
        let missing = params.iter().filter(|param| self.text(**param).is_none());
        Refusal::unless_empty(
            missing
                .map(|param| Problem::with_field(param.name(), Reason::ParameterMissing))
                .collect(),
        )
    }

    /// Checks that at least one of two parameters was sent (二选一).
    ///
    /// # Errors
    /// [`Reason::ParameterMissing`], naming both.
    pub(crate) fn require_either(&self, first: Param, second: Param) -> Result<(), Refusal> {
        if self.text(first).is_some() || self.text(second).is_some() {
            return Ok(());
        }
        let (first, second) = (first.name(), second.name());
        let error = Error::new(Reason::ParameterMissing)
            .with_detail(format!("{first} 或 {second}"), format!("{first} or {second}"));
        Err(Problem {
            error,
            field: Some(format!("{first}|{second}")),
        }
        .into())
    }
}

fn fault_of(param: Param, value: &str) -> Option<Reason> {
    if value.trim().is_empty() {
        Some(Reason::ParameterEmpty)
    } else if value.chars().nth(param.max_chars()).is_some() {
        Some(Reason::ParameterTooLong)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::refusal::MAX_ECHOED_NAME_CHARS;
    use super::*;
    use domain::Eid;

    const STATUS: &[Param] = &[Param::Token, Param::Eid, Param::TaskId];

    fn read(pairs: &[(&str, &str)]) -> Result<Params, Vec<(String, Reason)>> {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let accepts = |name: &str| STATUS.iter().copied().find(|param| param.name() == name);
        Params::from_pairs(pairs, accepts).map_err(|refusal| problems(&refusal))
    }

    fn problems(refusal: &Refusal) -> Vec<(String, Reason)> {
        refusal
            .problems()
            .map(|p| (p.field.clone().unwrap_or_default(), p.error.reason()))
            .collect()
    }

    #[test]
    fn each_mistake_has_its_own_reason_and_all_are_reported() {
        let long = "9".repeat(65);
        let pairs = [
            ("eid", long.as_str()),
            ("colour", "red"),
            ("task_id", " "),
            ("token", "t"),
            ("token", "t"),
        ];
        assert_eq!(
            read(&pairs).unwrap_err(),
            vec![
                ("eid".to_owned(), Reason::ParameterTooLong),
                ("colour".to_owned(), Reason::ParameterUnknown),
                ("task_id".to_owned(), Reason::ParameterEmpty),
                ("token".to_owned(), Reason::ParameterRepeated),
            ]
        );
    }

    #[test]
    fn a_parameter_of_another_interface_is_unknown_here() {
        // Names are exact: ignoring case or whitespace would hide mistakes.
        for name in ["msisdn", "EID", " eid", "eid[]", ""] {
            assert_eq!(
                read(&[(name, "1")]).unwrap_err(),
                vec![(name.to_owned(), Reason::ParameterUnknown)]
            );
        }
    }

    #[test]
    fn length_is_counted_in_characters_and_the_limit_itself_is_allowed() {
        assert!(read(&[("eid", &"写".repeat(64))]).is_ok());
    }

    #[test]
    fn an_endless_unknown_name_is_not_echoed_whole() {
        let name = "x".repeat(5_000);
        assert_eq!(
            read(&[(&name, "1")]).unwrap_err()[0].0.len(),
            MAX_ECHOED_NAME_CHARS
        );
    }

    #[test]
    fn what_is_missing_or_malformed_is_named() {
        let params = read(&[("eid", "8908603020220000002200000000009")]).unwrap();
        let missing = params.required_text(Param::TaskId).unwrap_err();
        assert_eq!(
            problems(&missing),
            vec![("task_id".to_owned(), Reason::ParameterMissing)]
        );
        let malformed = params.required(Param::Eid, Eid::parse).unwrap_err();
        assert_eq!(
            problems(&malformed),
            vec![("eid".to_owned(), Reason::EidMalformed)]
        );
        let both = read(&[])
            .unwrap()
            .require_all(&[Param::Eid, Param::TaskId])
            .unwrap_err();
        assert_eq!(both.count(), 2);
        assert!(params.require_either(Param::Eid, Param::TaskId).is_ok());
        let neither = read(&[])
            .unwrap()
            .require_either(Param::Eid, Param::TaskId)
            .unwrap_err();
        assert_eq!(
            problems(&neither),
            vec![("eid|task_id".to_owned(), Reason::ParameterMissing)]
        );
    }

    #[test]
    fn values_do_not_appear_in_debug_output() {
        let params = read(&[("eid", "89086030202200000022000000000090")]).unwrap();
        assert_eq!(format!("{params:?}"), "{Eid}");
    }
}
