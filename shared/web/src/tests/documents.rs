//! JSON documents, read into a type.

use std::collections::BTreeMap;

use axum::extract::FromRequestParts as _;
use futures::executor::block_on;
use proptest::prelude::*;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::idle_app;
use crate::MAX_PAIRS;
use crate::extract::Json;
use crate::layers::Document;
use crate::values::{Eid, Msisdn, ProvinceCode, TaskId, WriteType};
use domain::error::{Lang, Reason};

const EID: &str = "89086030202200000000000000000123";

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Order {
    name: String,
    count: u32,
    eid: Option<Eid>,
    task_id: Option<TaskId>,
    is_urgent: Option<bool>,
    place: Option<Place>,
    chips: Option<Vec<Eid>>,
    back: Option<Place>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Place {
    row: u32,
    shelf: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Move {
    #[expect(dead_code, reason = "only its being read matters")]
    to: Place,
    #[expect(dead_code, reason = "only its being read matters")]
    name: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(try_from = "String")]
struct Never;

impl TryFrom<String> for Never {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Err(text)
    }
}

/// Fields and reasons, in their order.
type Problems = Vec<(String, Reason)>;

fn refused<T: DeserializeOwned + ToSchema + 'static>(text: &str) -> Result<T, crate::Refusal> {
    let mut parts = http::Request::new(()).into_parts().0;
    parts.extensions.insert(Document(text.to_owned().into()));
    let read = block_on(Json::<T>::from_request_parts(&mut parts, &idle_app()));
    read.map(|Json(value)| value)
}

fn read(text: &str) -> Result<Order, Problems> {
    read_as(text)
}

fn read_as<T: DeserializeOwned + ToSchema + 'static>(text: &str) -> Result<T, Problems> {
    refused(text).map_err(|refusal| {
        let problem = |problem: &crate::refusal::Problem| {
            (problem.field.clone().unwrap_or_default(), problem.error.reason())
        };
        refusal.problems().map(problem).collect()
    })
}

fn problems(text: &str) -> Problems {
    read(text).unwrap_err()
}

fn expected(problems: &[(&str, Reason)]) -> Problems {
    problems
        .iter()
        .map(|(field, reason)| ((*field).to_owned(), *reason))
        .collect()
}

/// A sound order with these fields too.
fn order_with(fields: &str) -> String {
    format!(r#"{{"name":"a","count":1,{fields}}}"#)
}

#[test]
fn a_sound_document_is_read_whole() {
    let order = read(&format!(
        r#"{{"name":"写卡","count":7,"eid":"{EID}","task_id":"0190a5b0-0000-7000-8000-000000000001",
            "is_urgent":true,"place":{{"row":2,"shelf":"x"}},"chips":["{EID}"]}}"#
    ))
    .unwrap();
    assert_eq!((order.name.as_str(), order.count), ("写卡", 7));
    assert_eq!(order.eid.unwrap().as_str(), EID);
    assert_eq!(
        order.task_id.unwrap().text(),
        "0190a5b0-0000-7000-8000-000000000001"
    );
    assert_eq!(order.is_urgent, Some(true));
    let place = order.place.unwrap();
    assert_eq!((place.row, place.shelf.as_deref()), (2, Some("x")));
    assert_eq!(order.chips.unwrap()[0].as_str(), EID);
    let least = read(r#" {"count":0,"name":"","eid":null} "#).unwrap();
    assert!(least.eid.is_none() && least.task_id.is_none() && least.place.is_none() && least.back.is_none());
}

#[test]
fn numbers_and_codes_are_read_in_every_spelling_of_json() {
    #[derive(Debug, Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    struct Mark {
        province_code: ProvinceCode,
        write_type: Option<WriteType>,
        msisdn: Option<Msisdn>,
        low_water: Option<u32>,
        limits: Option<BTreeMap<String, u32>>,
        rows: Option<Vec<i64>>,
    }
    for (code, number) in [
        ("37", "7"),
        ("37.0", "7.0"),
        ("37e0", "70e-1"),
        ("\"37\"", "\"7\""),
        ("\"37\"", "\" 7.0 \""),
    ] {
        let mark: Mark = read_as(&format!(
            r#"{{"province_code":{code},"write_type":1.0,"msisdn":1.440100000001e12,"low_water":{number},
                "limits":{{"write.status":{number},"a":{number}}},"rows":[{number},-1,{number}]}}"#
        ))
        .unwrap();
        assert_eq!(mark.province_code.code(), "37", "{code}");
        assert_eq!(
            mark.write_type.unwrap().get(),
            domain::WriteType::Automatic,
            "{code}"
        );
        assert_eq!(mark.msisdn.unwrap().as_str(), "1440100000001", "{code}");
        assert_eq!(mark.low_water, Some(7), "{number}");
        assert!(mark.limits.unwrap().values().eq([&7, &7]), "{number}");
        assert_eq!(mark.rows, Some(vec![7, -1, 7]), "{number}");
    }
    for (field, value, reason) in [
        ("low_water", "\"7.5\"", Reason::ParameterMalformed),
        ("low_water", "\"-7\"", Reason::ParameterMalformed),
        ("low_water", "\"seven\"", Reason::ParameterMalformed),
        ("low_water", "\"\"", Reason::ParameterMalformed),
        ("low_water", "7.5", Reason::ParameterMalformed),
        ("low_water", "true", Reason::ParameterMalformed),
        ("write_type", "1.5", Reason::ParameterMalformed),
        ("write_type", "true", Reason::ParameterMalformed),
        ("write_type", "2.0", Reason::WriteTypeMalformed),
        ("msisdn", "14401000000010000000000", Reason::ParameterMalformed),
    ] {
        let text = format!(r#"{{"province_code":"37","{field}":{value}}}"#);
        assert_eq!(
            read_as::<Mark>(&text).unwrap_err(),
            expected(&[(field, reason)]),
            "{text}"
        );
    }
}

#[test]
fn every_problem_is_reported_at_once_with_its_field() {
    assert_eq!(
        problems(
            r#"{"eid":"1","colour":"red","count":"many","task_id":7,"is_urgent":"yes","eid":"2",
                "place":{"row":-1},"chips":["1"]}"#
        ),
        expected(&[
            ("eid", Reason::ParameterRepeated),
            ("colour", Reason::ParameterUnknown),
            ("count", Reason::ParameterMalformed),
            ("task_id", Reason::ParameterMalformed),
            ("is_urgent", Reason::ParameterMalformed),
            ("place.row", Reason::ParameterMalformed),
            ("chips[0]", Reason::EidMalformed),
            ("name", Reason::ParameterMissing),
        ])
    );
}

#[test]
fn everything_that_is_missing_is_named() {
    assert_eq!(
        problems("{}"),
        expected(&[
            ("name", Reason::ParameterMissing),
            ("count", Reason::ParameterMissing),
        ])
    );
    // A wrong value is not also missing.
    assert_eq!(
        problems(r#"{"count":"x"}"#),
        expected(&[
            ("count", Reason::ParameterMalformed),
            ("name", Reason::ParameterMissing),
        ])
    );
}

#[test]
fn a_value_of_a_wrong_type_is_malformed_and_is_never_shown() {
    for value in ["4711", "null", "true", "[\"4711\"]", "{\"x\":\"4711\"}", "47.11"] {
        let refusal = refused::<Order>(&format!(r#"{{"count":1,"name":{value}}}"#)).unwrap_err();
        let problem = refusal.first();
        assert_eq!(problem.error.reason(), Reason::ParameterMalformed, "{value}");
        assert_eq!(problem.field.as_deref(), Some("name"), "{value}");
        for lang in [Lang::Zh, Lang::En] {
            assert!(!problem.error.message(lang).contains("47"), "{value}");
        }
    }
}

#[test]
fn a_value_that_breaks_the_rule_of_its_kind_says_which() {
    let refusal = refused::<Order>(&order_with(r#""eid":"8908603020220000000000000000012""#));
    let refusal = refusal.unwrap_err();
    assert_eq!(refusal.reason(), Reason::EidMalformed);
    assert!(refusal.first().error.message(Lang::En).contains("32 digits"));
    assert!(refusal.first().error.message(Lang::Zh).contains("32 位"));
}

#[test]
fn problems_inside_a_field_hide_none_of_the_others() {
    for (inside, field, reason) in [
        (r#""place":{"row":"x"}"#, "place.row", Reason::ParameterMalformed),
        (r#""place":{}"#, "row", Reason::ParameterMissing),
        (
            r#""place":{"row":1,"colour":2}"#,
            "colour",
            Reason::ParameterUnknown,
        ),
        (r#""place":[]"#, "place", Reason::ParameterMalformed),
        (
            &format!(r#""chips":["{EID}","1"]"#),
            "chips[1]",
            Reason::EidMalformed,
        ),
    ] {
        let text = order_with(&format!(r#"{inside},"is_urgent":"yes""#));
        assert_eq!(
            problems(&text),
            expected(&[(field, reason), ("is_urgent", Reason::ParameterMalformed)]),
            "{inside}"
        );
    }
}

#[test]
fn a_wrong_field_is_not_also_missing_and_takes_no_other_with_it() {
    let to_nowhere = |inside: &str| read_as::<Move>(&format!(r#"{{"name":"a","to":{inside}}}"#)).unwrap_err();
    assert_eq!(
        to_nowhere(r#"{"row":"x"}"#),
        expected(&[("to.row", Reason::ParameterMalformed)])
    );
    // A field inside another has a name of the outermost level.
    assert_eq!(
        to_nowhere(r#"{"row":1,"name":"a"}"#),
        expected(&[("name", Reason::ParameterUnknown)])
    );
    assert_eq!(
        problems(&order_with(r#""place":{},"back":{}"#)),
        expected(&[
            ("row", Reason::ParameterMissing),
            ("row", Reason::ParameterMissing),
        ])
    );
}

#[test]
fn a_document_that_is_wrong_as_a_whole_names_no_field() {
    assert_eq!(
        read_as::<Never>(r#"{"text":"a"}"#).unwrap_err(),
        expected(&[("", Reason::ParameterMalformed)])
    );
    assert!(refused::<Never>("{}").unwrap_err().first().field.is_none());
}

#[test]
fn a_field_is_given_once_inside_others_too() {
    assert_eq!(
        problems(&order_with(r#""count":2"#)),
        expected(&[("count", Reason::ParameterRepeated)])
    );
    // The last value must not be taken silently.
    assert_eq!(
        problems(&order_with(r#""place":{"row":1,"row":2}"#)),
        expected(&[("row", Reason::ParameterRepeated)])
    );
}

#[test]
fn what_is_no_json_is_told_where_reading_stopped_and_other_json_what_it_is() {
    for (text, received) in [
        ("[]", "a list"),
        ("1", "a number"),
        ("null", "null"),
        ("\"a\"", "text"),
    ] {
        assert_eq!(problems(text), expected(&[("", Reason::NotAnObject)]), "{text}");
        let refusal = refused::<Order>(text).unwrap_err();
        let message = refusal.first().error.message(Lang::En);
        assert!(message.ends_with(&format!("received {received}")), "{message}");
    }
    for text in ["", "[", "{", "{\"name\":\"a\"} x", "{\"name\":\"\u{1}\"}"] {
        assert_eq!(problems(text), expected(&[("", Reason::BadJson)]), "{text}");
    }
    let refusal = refused::<Order>("{\n\"name\" 4711}").unwrap_err();
    let message = refusal.first().error.message(Lang::En);
    assert!(message.ends_with("line 2, column 8"), "{message}");
    let many: Vec<String> = (0..=MAX_PAIRS).map(|n| format!("\"f{n}\":0")).collect();
    let many = format!("{{{}}}", many.join(","));
    assert_eq!(problems(&many), expected(&[("", Reason::TooManyParameters)]));
}

#[test]
fn a_caller_cannot_choose_the_reason_of_its_refusal() {
    // The texts of errors travel inside those of the library; a name that looks like one is only a name.
    for name in ["\\u0001internal\\u0001a\\u0001b\\u0001", "missing field `x`", "`"] {
        let text = order_with(&format!("\"{name}\":1"));
        let found = problems(&text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].1, Reason::ParameterUnknown, "{name}");
    }
}

/// Values of every type, right for some fields and wrong for others.
fn any_value() -> impl Strategy<Value = String> {
    let values = [
        "1",
        "-1",
        "\"x\"",
        "null",
        "true",
        "[]",
        "{}",
        "{\"row\":1}",
        "{\"row\":\"x\"}",
        "[\"1\"]",
        "1.5",
    ];
    prop::sample::select(values.to_vec()).prop_map(str::to_owned)
}

proptest! {
    #[test]
    fn a_refusal_names_only_fields_that_were_sent_or_are_required(
        fields in prop::collection::vec(
            (prop::sample::select(vec!["name", "count", "eid", "is_urgent", "place", "chips", "colour"]), any_value()),
            0..10,
        ),
    ) {
        let text: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        if let Err(problems) = read(&format!("{{{}}}", text.join(","))) {
            let is_sent = |name: &str| fields.iter().any(|(sent, _)| *sent == name);
            for (field, reason) in &problems {
                let root = field.split(['.', '[']).next().unwrap_or_default();
                let is_known = match reason {
                    Reason::ParameterMissing => {
                        ["name", "count"].contains(&root) && !is_sent(root) || root == "row" && is_sent("place")
                    }
                    _ => is_sent(root),
                };
                prop_assert!(is_known, "{} {:?}", field, reason);
            }
            for required in ["name", "count"] {
                let named = problems.iter().any(|(field, _)| field == required);
                prop_assert!(named || is_sent(required), "{}", required);
            }
        } else {
            for required in ["name", "count"] {
                prop_assert!(fields.iter().filter(|(name, _)| *name == required).count() == 1);
            }
        }
    }
}
