//! Every mistake in parameters has its own answer (clause 8.2.1 Table 3: 详细错误提示).

use std::io;

use axum::body::Body;
use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt as _};

use super::{Sent, send};
use crate::MAX_QUERY_BYTES;
use crate::query::MAX_PARAMETER_BODY_BYTES;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

#[test]
fn a_get_a_form_a_json_body_and_a_mixture_say_the_same() {
    for sent in [
        Sent::get("/v1/token?client_id=a%20b&client_secret=%E5%AF%86"),
        Sent::post("/v1/token", FORM, "client_id=a+b&client_secret=%E5%AF%86"),
        Sent::post(
            "/v1/token",
            "application/x-www-form-urlencoded; charset=UTF-8",
            "client_id=a b&client_secret=密",
        ),
        Sent::post("/v1/token", JSON, r#"{"client_id":"a b","client_secret":"密"}"#),
        Sent::post(
            "/v1/token?client_id=a%20b",
            "Application/JSON;charset=utf-8",
            r#"{"client_secret":"密"}"#,
        ),
        Sent::post("/v1/token?client_id=a%20b&client_secret=%E5%AF%86", JSON, ""),
    ] {
        let answer = send(sent);
        assert_eq!(
            (answer.status, answer.body["seen"].as_str()),
            (200, Some("a b/密")),
            "{}",
            answer.text
        );
    }
}

/// A query, and the status, reason and parameter of its refusal.
type RefusedQuery<'a> = (&'a str, u16, &'a str, Option<&'a str>);

/// Queries that are wrong whatever the limits are.
const REFUSED_QUERIES: [RefusedQuery<'_>; 11] = [
    ("", 400, "parameter_missing", Some("client_id")),
    ("client_id=a", 400, "parameter_missing", Some("client_secret")),
    (
        "client_id=a&client_secret=b&eid=1",
        400,
        "parameter_unknown",
        Some("eid"),
    ),
    (
        "client_id=a&client_secret=b&client_id=a",
        400,
        "parameter_repeated",
        Some("client_id"),
    ),
    (
        "client_id=&client_secret=b",
        400,
        "parameter_missing",
        Some("client_id"),
    ),
    (
        "client_id&client_secret=b",
        400,
        "parameter_missing",
        Some("client_id"),
    ),
    (
        "client_id=%20&client_secret=b",
        400,
        "parameter_missing",
        Some("client_id"),
    ),
    (
        "client_id=a&client_secret=b&sign=1&Sign=1",
        400,
        "parameter_unknown",
        Some("Sign"),
    ),
    (
        "client_id=%zz&client_secret=b",
        400,
        "bad_percent_encoding",
        Some("client_id"),
    ),
    (
        "client_id=a&client_secret=50%",
        400,
        "bad_percent_encoding",
        Some("client_secret"),
    ),
    (
        "client_id=%FF&client_secret=b",
        400,
        "bad_utf8",
        Some("client_id"),
    ),
];

#[test]
fn every_mistake_in_a_query_has_its_own_reason_and_names_the_parameter() {
    let long_secret = format!("client_id=a&client_secret={}", "s".repeat(257));
    let many = "client_id=a&".repeat(33);
    let endless = format!("client_id={}", "a".repeat(MAX_QUERY_BYTES));
    let over_limits: [RefusedQuery<'_>; 3] = [
        (&long_secret, 400, "parameter_too_long", Some("client_secret")),
        (&many, 400, "too_many_parameters", None),
        (&endless, 414, "query_too_long", None),
    ];
    for (query, status, reason, field) in REFUSED_QUERIES.into_iter().chain(over_limits) {
        let answer = send(Sent::get(&format!("/v1/token?{query}")));
        let got = (answer.status, answer.reason(), answer.field());
        assert_eq!(got, (status, reason, field), "{query}");
        assert_eq!(answer.body["code"], status);
        assert_eq!(
            answer.line, None,
            "a caller's mistake is not the operator's business"
        );
    }
}

#[test]
fn every_mistake_in_a_body_has_its_own_reason() {
    let large = "x".repeat(MAX_PARAMETER_BODY_BYTES + 1);
    for (content_type, body, status, reason, field) in [
        (
            FORM,
            "client_id=%4".as_bytes(),
            400,
            "bad_percent_encoding",
            Some("client_id"),
        ),
        (FORM, b"client_id=\xff\xfe".as_slice(), 400, "bad_utf8", None),
        (
            FORM,
            b"client_secret=b&client_secret=b",
            400,
            "parameter_repeated",
            Some("client_secret"),
        ),
        (
            JSON,
            b"{\"client_id\":\"a\",\"client_id\":\"a\"}",
            400,
            "parameter_repeated",
            Some("client_id"),
        ),
        (
            JSON,
            b"{\"client_id\":true}",
            400,
            "parameter_not_text",
            Some("client_id"),
        ),
        (
            JSON,
            b"{\"client_id\":[\"a\"]}",
            400,
            "parameter_not_text",
            Some("client_id"),
        ),
        (
            JSON,
            b"{\"client_id\":1.5}",
            400,
            "parameter_not_text",
            Some("client_id"),
        ),
        (
            JSON,
            b"{\"colour\":\"red\"}",
            400,
            "parameter_unknown",
            Some("colour"),
        ),
        (JSON, b"{\"client_id\":\"\xff\"}", 400, "bad_json", None),
        (JSON, b"[]", 400, "not_an_object", None),
        (JSON, b"client_id=a", 400, "bad_json", None),
        ("text/plain", b"client_id=a", 415, "media_type_unsupported", None),
        ("", b"client_id=a", 415, "media_type_unsupported", None),
        (FORM, large.as_bytes(), 413, "body_too_large", None),
    ] {
        let answer = send(Sent::post("/v1/token", content_type, body.to_vec()));
        let got = (answer.status, answer.reason(), answer.field());
        assert_eq!(
            got,
            (status, reason, field),
            "{content_type} {}",
            String::from_utf8_lossy(body)
        );
    }
}

#[test]
fn every_way_of_calling_takes_usual_extras_empty_parameters_and_a_byte_order_mark() {
    let form = "\u{feff}client_id=a+b&client_secret=7&client_secret=&sign=%&sign=x&_=1&colour=";
    let json = |secret: &str| {
        format!(
            "\u{feff}{{\"client_id\":\"a b\",\"client_secret\":{secret},\"timestamp\":1.5,\"sign\":{{}},\
             \"nonce\":[1],\"client_id\":null,\"colour\":\"\"}}"
        )
    };
    for sent in [
        Sent::get("/v1/token?client_id=a+b&client_secret=7&client_secret=&sign=%&sign=x&_=1&colour="),
        Sent::post("/v1/token", FORM, form),
        Sent::post("/v1/token", JSON, json("\"7\"")),
        Sent::post("/v1/token", JSON, json("7")),
        Sent::post("/v1/token", JSON, json("7.0")),
        Sent::post("/v1/token", JSON, json("70e-1")),
        Sent::post("/v1/token?t=1&client_id=", JSON, json("7")),
    ] {
        let answer = send(sent);
        assert_eq!(
            (answer.status, answer.body["seen"].as_str()),
            (200, Some("a b/7")),
            "{}",
            answer.text
        );
    }
}

#[test]
fn the_names_that_are_ignored_are_a_setting() {
    let host = super::TestHost::configured(&crate::Variables {
        ignored_parameters: Some("colour".to_owned()),
        ..super::variables()
    });
    let ask = |name: &str| {
        let target = format!("/v1/token?client_id=a&client_secret=b&{name}=1");
        super::send_to(&host, Sent::get(&target)).reason().to_owned()
    };
    assert_eq!((&*ask("colour"), &*ask("sign")), ("none", "parameter_unknown"));
}

#[test]
fn a_parameter_in_query_and_body_is_repeated() {
    let answer = send(Sent::post(
        "/v1/token?client_id=a",
        FORM,
        "client_id=a&client_secret=b",
    ));
    assert_eq!(answer.reason(), "parameter_repeated");
}

#[test]
fn what_is_missing_is_listed_after_what_is_wrong() {
    assert_eq!(
        send(Sent::get("/v1/token?colour=red")).problems(),
        [
            ("colour", "parameter_unknown"),
            ("client_id", "parameter_missing"),
            ("client_secret", "parameter_missing"),
        ]
    );
}

#[test]
fn an_interface_that_takes_no_parameters_refuses_every_one() {
    for sent in [
        Sent::get("/v1/success?colour=red"),
        Sent::get("/internal/cron?colour=red").with_secret(),
        Sent::post("/internal/cron?colour=red", JSON, "{}").with_secret(),
        Sent::post("/admin/v1/clients?colour=red", JSON, r#"{"name":"a"}"#).with_secret(),
        Sent::post("/admin/v1/numbers:import?colour=red", "text/csv", "a").with_secret(),
    ] {
        let target = sent.target.clone();
        let answer = send(sent);
        let got = (answer.status, answer.reason(), answer.field());
        assert_eq!(got, (400, "parameter_unknown", Some("colour")), "{target}");
    }
}

#[test]
fn a_get_with_a_body_is_refused_because_nobody_would_read_it() {
    let sent = Sent::post("/v1/token?client_id=a&client_secret=b", FORM, "client_id=c")
        .method(http::Method::GET)
        .header("content-length", "11");
    assert_eq!(send(sent).reason(), "body_unexpected");
}

/// A body that ends with what `rest` gives.
fn unfinished(rest: impl Stream<Item = Result<Bytes, io::Error>> + Send + 'static) -> Body {
    let begun = stream::once(async { Ok(Bytes::from_static(b"client_id=a")) });
    Body::from_stream(begun.chain(rest))
}

#[test]
fn a_body_that_did_not_arrive_says_how() {
    let broken = unfinished(stream::once(async { Err(io::ErrorKind::ConnectionReset.into()) }));
    for (body, status, reason) in [
        (unfinished(stream::pending()), 408, "body_too_slow"),
        (broken, 400, "body_broken"),
    ] {
        let answer = send(Sent::post("/v1/token", FORM, body));
        assert_eq!((answer.status, answer.reason()), (status, reason));
    }
}

#[test]
fn a_document_and_a_file_come_as_what_they_are_and_only_so() {
    const KEYS: &str = "/internal/gateway/keys";
    const IMPORT: &str = "/admin/v1/numbers:import";
    const RECORDS: &str = "/ingest/v1/usage";
    for (path, content_type, status) in [
        (KEYS, JSON, 200),
        (KEYS, FORM, 415),
        (KEYS, "text/csv", 415),
        (IMPORT, "text/csv; charset=utf-8; header=present", 200),
        (IMPORT, JSON, 415),
        (RECORDS, "application/x-ndjson", 200),
        (RECORDS, "application/jsonl", 200),
        (RECORDS, JSON, 415),
    ] {
        let answer = send(Sent::post(path, content_type, "whole").with_secret());
        assert_eq!(answer.status, status, "{path} {content_type}");
        if status == 200 {
            assert_eq!(answer.body["seen"], "whole", "{path} {content_type}");
        }
    }
}

#[test]
fn the_document_of_an_act_has_its_fields_once_and_no_others() {
    for (body, status, reason, field) in [
        (r#"{"id":"1","text":"写卡中"}"#, 200, "none", None),
        (r#"{"text":"写卡中"}"#, 400, "parameter_missing", Some("id")),
        (
            r#"{"id":"1","colour":"red"}"#,
            400,
            "parameter_unknown",
            Some("colour"),
        ),
        (r#"{"id":"1","id":"2"}"#, 400, "parameter_repeated", Some("id")),
        (r#"{"id":["1"]}"#, 400, "parameter_malformed", Some("id")),
        (r#"["1"]"#, 400, "not_an_object", None),
    ] {
        let answer = send(Sent::post("/admin/v1/incidents:report", JSON, body).with_secret());
        assert_eq!(
            (answer.status, answer.reason(), answer.field()),
            (status, reason, field),
            "{body}"
        );
        if status == 200 {
            assert_eq!(answer.body["seen"], "1 写卡中");
        }
    }
}
