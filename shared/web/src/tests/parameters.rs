//! Every mistake in parameters has its own answer (clause 8.2.1 Table 3: 详细错误提示).

use super::super::interface::{
    ADMIN_INCIDENTS_REPORT, ADMIN_NUMBERS_IMPORT, GATEWAY_KEYS, MAX_PARAMETER_BODY_BYTES, TOKEN,
};
use super::super::{MAX_QUERY_BYTES, Param, Reply};
use super::{Answer, SECRET, Sent, send, send_broken};
use domain::error::Reason;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// The token interface with a handler that asks for its two parameters and shows them.
fn ask(sent: Sent) -> Answer {
    send(&TOKEN, sent, async |call| {
        let id = call.params.required_text(Param::ClientId)?;
        let secret = call.params.required_text(Param::ClientSecret)?;
        Ok(Reply::ok().with("seen", format!("{id}/{secret}")))
    })
}

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
        let answer = ask(sent);
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
const REFUSED_QUERIES: [RefusedQuery<'_>; 10] = [
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
        "parameter_empty",
        Some("client_id"),
    ),
    (
        "client_id&client_secret=b",
        400,
        "parameter_empty",
        Some("client_id"),
    ),
    (
        "client_id=%20&client_secret=b",
        400,
        "parameter_empty",
        Some("client_id"),
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
        let answer = ask(Sent::get(&format!("/v1/token?{query}")));
        let got = (answer.status, answer.reason(), answer.body["field"].as_str());
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
            b"{\"client_id\":null}",
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
            b"{\"client_id\":\"\"}",
            400,
            "parameter_empty",
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
        (JSON, b"[]", 400, "bad_json", None),
        (JSON, b"client_id=a", 400, "bad_json", None),
        ("text/plain", b"client_id=a", 415, "media_type_unsupported", None),
        ("", b"client_id=a", 415, "media_type_unsupported", None),
        (FORM, large.as_bytes(), 413, "body_too_large", None),
    ] {
        let answer = ask(Sent::post("/v1/token", content_type, body));
        let got = (answer.status, answer.reason(), answer.body["field"].as_str());
        assert_eq!(
            got,
            (status, reason, field),
            "{content_type} {}",
            String::from_utf8_lossy(body)
        );
    }
}

#[test]
fn a_parameter_in_query_and_body_is_repeated() {
    let answer = ask(Sent::post(
        "/v1/token?client_id=a",
        FORM,
        "client_id=a&client_secret=b",
    ));
    assert_eq!(answer.reason(), "parameter_repeated");
}

#[test]
fn a_get_with_a_body_is_refused_because_nobody_would_read_it() {
    let sent =
        Sent::post("/v1/token?client_id=a&client_secret=b", FORM, "client_id=c").method(http::Method::GET);
    assert_eq!(ask(sent).reason(), "body_unexpected");
}

#[test]
fn a_body_that_did_not_arrive_says_how() {
    for (reason, status) in [(Reason::BodyTooSlow, 408), (Reason::BodyBroken, 400)] {
        let answer = send_broken(&TOKEN, reason);
        assert_eq!((answer.status, answer.reason()), (status, reason.code()));
    }
}

#[test]
fn a_document_and_a_file_come_as_what_they_are_and_only_so() {
    let bearer = format!("Bearer {SECRET}");
    for (interface, content_type, status) in [
        (&GATEWAY_KEYS, JSON, 200),
        (&GATEWAY_KEYS, FORM, 415),
        (&GATEWAY_KEYS, "text/csv", 415),
        (
            &ADMIN_NUMBERS_IMPORT,
            "text/csv; charset=utf-8; header=present",
            200,
        ),
        (&ADMIN_NUMBERS_IMPORT, JSON, 415),
    ] {
        let sent = Sent::post(interface.path, content_type, "whole").header("authorization", &bearer);
        let answer = send(interface, sent, async |call| {
            assert_eq!(call.body, b"whole");
            Ok(Reply::ok())
        });
        assert_eq!(answer.status, status, "{} {content_type}", interface.name);
    }
}

#[test]
fn the_document_of_an_act_has_its_fields_once_and_no_others() {
    let bearer = format!("Bearer {SECRET}");
    let path = ADMIN_INCIDENTS_REPORT.path;
    for (body, status, reason, field) in [
        (r#"{"id":"1","text":"写卡中"}"#, 200, "", None),
        (r#"{"text":"写卡中"}"#, 400, "parameter_missing", Some("id")),
        (
            r#"{"id":"1","colour":"red"}"#,
            400,
            "parameter_unknown",
            Some("colour"),
        ),
        (r#"{"id":"1","id":"2"}"#, 400, "parameter_repeated", Some("id")),
        (r#"{"id":["1"]}"#, 400, "parameter_not_text", Some("id")),
        (r#"["1"]"#, 400, "bad_json", None),
    ] {
        let sent = Sent::post(path, JSON, body).header("authorization", &bearer);
        let answer = send(&ADMIN_INCIDENTS_REPORT, sent, async |call| {
            let texts = call.text_fields(&["id", "text"])?;
            assert_eq!(texts.required("id")?, "1");
            assert_eq!(texts.optional("text"), Some("写卡中"));
            Ok(Reply::ok())
        });
        assert_eq!(answer.status, status, "{body}");
        if status != 200 {
            assert_eq!(answer.reason(), reason, "{body}");
            assert_eq!(answer.body["field"].as_str(), field, "{body}");
        }
    }
}
