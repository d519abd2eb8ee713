//! Parameters of a call, read into a type.

use axum::extract::FromRequestParts as _;
use futures::executor::block_on;
use proptest::prelude::*;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

use super::idle_app;
use crate::extract::Query;
use crate::layers::{Arrival, Called, Pairs};
use crate::operation::{Access, Content, Operation, Role};
use crate::refusal::MAX_ECHOED_NAME_CHARS;
use crate::values::{Eid, Instant, ProvinceCode, TaskId};
use domain::Permission;
use domain::error::Reason;

const EID: &str = "89086030202200000000000000000123";
const CLIENT: Access = Access::Client(Permission::WriteStatus);

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Search {
    /// 芯片 / chip
    #[param(inline)]
    eid: Eid,
    #[param(inline)]
    task_id: Option<TaskId>,
    #[param(inline)]
    province_code: Option<ProvinceCode>,
    #[param(inline)]
    from: Option<Instant>,
    text: Option<String>,
    #[param(max_length = 3)]
    short: Option<String>,
    limit: Option<u32>,
    is_exact: Option<bool>,
}

/// Fields and reasons, in their order.
type Problems = Vec<(String, Reason)>;

fn read<T: IntoParams + serde::de::DeserializeOwned + 'static>(
    access: Access,
    pairs: &[(String, String)],
) -> Result<T, Problems> {
    let mut parts = http::Request::new(()).into_parts().0;
    let operation = Operation {
        name: "search".to_owned(),
        path: "/v1/search".to_owned(),
        access,
        content: Content::Parameters,
    };
    let arrival = block_on(Arrival::now(&idle_app())).unwrap();
    parts.extensions.insert(arrival);
    parts.extensions.insert(Called(Arc::new(operation)));
    parts.extensions.insert(Pairs(Arc::new(pairs.to_vec())));
    let read = block_on(Query::<T>::from_request_parts(&mut parts, &idle_app()));
    read.map(|Query(value)| value).map_err(|refusal| {
        let problem = |problem: &crate::refusal::Problem| {
            (problem.field.clone().unwrap_or_default(), problem.error.reason())
        };
        refusal.problems().map(problem).collect()
    })
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

fn search(pairs: &[(&str, &str)]) -> Result<Search, Problems> {
    read(CLIENT, &owned(pairs))
}

fn problems(pairs: &[(&str, &str)]) -> Problems {
    search(pairs).unwrap_err()
}

fn expected(problems: &[(&str, Reason)]) -> Problems {
    problems
        .iter()
        .map(|(field, reason)| ((*field).to_owned(), *reason))
        .collect()
}

#[test]
fn values_of_every_kind_are_read() {
    let found = search(&[
        ("is_exact", "true"),
        ("limit", "7"),
        ("text", "山东"),
        ("from", "2026-07-01T00:00:00Z"),
        ("province_code", "37"),
        ("task_id", "0190a5b0-0000-7000-8000-000000000001"),
        ("eid", EID),
    ])
    .unwrap();
    assert_eq!(found.eid.as_str(), EID);
    assert_eq!(
        found.task_id.unwrap().text(),
        "0190a5b0-0000-7000-8000-000000000001"
    );
    assert_eq!(found.province_code.unwrap().code(), "37");
    assert_eq!(found.from.unwrap().millis(), 1_782_864_000_000);
    assert_eq!(found.text.as_deref(), Some("山东"));
    assert_eq!((found.limit, found.is_exact), (Some(7), Some(true)));
    let least = search(&[("eid", EID)]).unwrap();
    assert!(least.task_id.is_none() && least.text.is_none() && least.limit.is_none());
    assert!(least.short.is_none() && least.from.is_none() && least.is_exact.is_none());
}

#[test]
fn every_problem_is_reported_in_the_order_of_the_request_and_what_is_missing_last() {
    let long = "9".repeat(65);
    assert_eq!(
        problems(&[("text", &long), ("colour", "red"), ("token", "t"), ("token", "t"),]),
        expected(&[
            ("text", Reason::ParameterTooLong),
            ("colour", Reason::ParameterUnknown),
            ("token", Reason::ParameterRepeated),
            ("eid", Reason::ParameterMissing),
        ])
    );
}

#[test]
fn every_malformed_value_is_reported_with_the_reason_of_its_kind() {
    assert_eq!(
        problems(&[
            ("eid", "1"),
            ("task_id", "7"),
            ("province_code", "00"),
            ("from", "today"),
            ("limit", "-1"),
            ("is_exact", "yes"),
        ]),
        expected(&[
            ("eid", Reason::EidMalformed),
            ("task_id", Reason::ParameterMalformed),
            ("province_code", Reason::ProvinceMalformed),
            ("from", Reason::ParameterMalformed),
            ("limit", Reason::ParameterMalformed),
            ("is_exact", Reason::ParameterMalformed),
        ])
    );
}

#[test]
fn a_wrong_value_is_not_also_reported_as_missing() {
    for (value, reason) in [
        ("1", Reason::EidMalformed),
        (&*"1".repeat(65), Reason::ParameterTooLong),
    ] {
        assert_eq!(problems(&[("eid", value)]), expected(&[("eid", reason)]));
    }
    // The first value counts, and only once.
    assert_eq!(
        problems(&[("eid", "1"), ("eid", EID)]),
        expected(&[("eid", Reason::ParameterRepeated)])
    );
}

#[test]
fn names_are_exact() {
    // Ignoring case or whitespace would hide mistakes.
    for name in ["msisdn", "EID", " eid", "eid[]", ""] {
        assert_eq!(
            problems(&[("eid", EID), (name, "1")]),
            expected(&[(name, Reason::ParameterUnknown)])
        );
    }
    let endless = "x".repeat(5_000);
    let echoed = &endless[..MAX_ECHOED_NAME_CHARS];
    assert_eq!(
        problems(&[("eid", EID), (&endless, "1")]),
        expected(&[(echoed, Reason::ParameterUnknown)])
    );
}

#[test]
fn usual_extras_are_ignored_whatever_they_hold_and_hide_no_mistake() {
    let long = "x".repeat(5_000);
    let extras = [
        ("_", "1"),
        ("timestamp", "now"),
        ("sign", &*long),
        ("sign", "b"),
        ("nonceStr", "eid"),
    ];
    let with = |more: &[(&str, &str)]| search(&[&extras[..], more].concat());
    assert_eq!(with(&[("eid", EID)]).unwrap().eid.as_str(), EID);
    assert_eq!(
        with(&[]).unwrap_err(),
        expected(&[("eid", Reason::ParameterMissing)])
    );
    // Names are exact.
    for name in ["Sign", "sign ", "__", "signs", "eid_"] {
        let refused = with(&[("eid", EID), (name, "1")]).unwrap_err();
        assert_eq!(refused, expected(&[(name, Reason::ParameterUnknown)]));
    }
    let credentials = with(&[("eid", EID), ("token", "a"), ("token", "b"), ("key", "k")]).unwrap_err();
    assert_eq!(
        credentials,
        expected(&[
            ("token", Reason::ParameterRepeated),
            ("key", Reason::ParameterUnknown)
        ])
    );
}

#[test]
fn a_parameter_that_an_operation_knows_is_never_ignored() {
    #[derive(Debug, Deserialize, IntoParams)]
    #[into_params(parameter_in = Query)]
    #[serde(deny_unknown_fields)]
    struct Signed {
        sign: u32,
    }
    assert_eq!(
        read::<Signed>(CLIENT, &owned(&[("sign", "7"), ("nonce", "x")]))
            .unwrap()
            .sign,
        7
    );
    for (pairs, reason) in [
        (owned(&[("sign", "x")]), Reason::ParameterMalformed),
        (owned(&[("sign", "7"), ("sign", "7")]), Reason::ParameterRepeated),
        (owned(&[("nonce", "x")]), Reason::ParameterMissing),
    ] {
        assert_eq!(
            read::<Signed>(CLIENT, &pairs).unwrap_err(),
            expected(&[("sign", reason)])
        );
    }
}

#[test]
fn the_plus_of_an_offset_may_have_become_a_space() {
    let found = search(&[("eid", EID), ("from", "2026-07-01T08:00:00 08:00")]).unwrap();
    assert_eq!(found.from.unwrap().millis(), 1_782_864_000_000);
}

#[test]
fn length_is_counted_in_characters_and_the_limit_itself_is_allowed() {
    let text = |chars| "写".repeat(chars);
    for (name, limit) in [("text", 64), ("short", 3)] {
        assert!(search(&[("eid", EID), (name, &text(limit))]).is_ok());
        assert_eq!(
            problems(&[("eid", EID), (name, &text(limit + 1))]),
            expected(&[(name, Reason::ParameterTooLong)])
        );
    }
}

#[test]
fn a_credential_is_known_where_it_can_be_one_and_only_there() {
    let timer = Access::Secret(Role::Timer);
    for (access, known) in [
        (CLIENT, Some("token")),
        (timer, Some("key")),
        (Access::Anyone, None),
        (Access::Staff(domain::Right::TasksList), None),
    ] {
        for name in ["token", "key"] {
            let pairs = owned(&[("eid", EID), (name, "x")]);
            let expected = (known != Some(name)).then(|| expected(&[(name, Reason::ParameterUnknown)]));
            assert_eq!(
                read::<Search>(access, &pairs).err(),
                expected,
                "{access:?} {name}"
            );
        }
    }
    for (access, name, limit) in [(CLIENT, "token", 1_024), (timer, "key", 256)] {
        let ask = |chars: usize| read::<Search>(access, &owned(&[("eid", EID), (name, &"x".repeat(chars))]));
        assert!(ask(limit).is_ok());
        let too_long = expected(&[(name, Reason::ParameterTooLong)]);
        assert_eq!(ask(limit + 1).unwrap_err(), too_long);
    }
}

#[test]
fn identifiers_do_not_appear_in_debug_output() {
    let found = search(&[("eid", EID)]).unwrap();
    assert!(!format!("{found:?}").contains(EID));
}

#[test]
fn each_type_has_its_own_rules() {
    #[derive(Debug, Deserialize, IntoParams)]
    #[into_params(parameter_in = Query)]
    #[serde(deny_unknown_fields)]
    struct Other {
        colour: String,
    }
    for _ in 0..2 {
        assert!(search(&[("eid", EID)]).is_ok());
        let other: Other = read(CLIENT, &owned(&[("colour", "red")])).unwrap();
        assert_eq!(other.colour, "red");
        assert!(read::<Other>(CLIENT, &owned(&[("eid", EID)])).is_err());
    }
}

/// Names that are known, a credential, and others; values that are right or wrong for some of them.
fn any_pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    let names = [
        "eid", "task_id", "from", "text", "short", "limit", "token", "colour", "",
    ];
    let values = [EID, "7", "x", "true", "2026-07-01T00:00:00Z", "写写写写"];
    let name = prop::sample::select(names.to_vec()).prop_map(str::to_owned);
    let value = prop_oneof![
        3 => prop::sample::select(values.to_vec()).prop_map(str::to_owned),
        1 => "x\\PC{0,70}",
    ];
    prop::collection::vec((name, value), 0..12)
}

proptest! {
    #[test]
    fn a_refusal_names_only_what_was_sent_or_is_required_and_each_problem_once(pairs in any_pairs()) {
        match read::<Search>(CLIENT, &pairs) {
            Ok(found) => {
                let sent = pairs.iter().find(|(name, _)| name == "eid");
                prop_assert_eq!(Some(found.eid.as_str()), sent.map(|(_, value)| value.as_str()));
            }
            Err(problems) => {
                prop_assert!(!problems.is_empty());
                for (field, reason) in &problems {
                    let is_sent = pairs.iter().any(|(name, _)| name == field);
                    let is_missing = *reason == Reason::ParameterMissing;
                    prop_assert_eq!(is_sent, !is_missing, "{} {:?}", field, reason);
                    prop_assert!(is_sent || field == "eid", "{}", field);
                }
            }
        }
    }

    #[test]
    fn every_unknown_or_repeated_parameter_is_named(pairs in any_pairs()) {
        let problems = read::<Search>(CLIENT, &pairs).err().unwrap_or_default();
        let mut expected = 0;
        for (at, (name, _)) in pairs.iter().enumerate() {
            let is_unknown = name.is_empty() || name == "colour";
            let is_repeated = !is_unknown && pairs[..at].iter().any(|(before, _)| before == name);
            expected += usize::from(is_unknown || is_repeated);
        }
        let found = problems.iter().filter(|(_, reason)| {
            matches!(reason, Reason::ParameterUnknown | Reason::ParameterRepeated)
        });
        prop_assert_eq!(found.count(), expected);
    }
}
