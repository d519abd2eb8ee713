//! Access: methods, addresses, secrets and tokens, before a handler is reached.

use axum::body::Body;
use http::Method;

use super::{SECRET, Sent, TestHost, send, send_to};

const CRON: &str = "/internal/cron";
const CLIENTS: &str = "/admin/v1/clients";
const JSON: &str = "application/json";

/// How often an address may be refused without a token, in calls a minute.
const REFUSALS_A_MINUTE: u32 = 600;

#[test]
fn a_method_the_interface_does_not_have_is_refused_and_told_which_it_has() {
    for (path, method, allowed) in [
        ("/v1/token", Method::PUT, "GET, POST"),
        ("/v1/token", Method::OPTIONS, "GET, POST"),
        ("/v1/write/status", Method::POST, "GET"),
        ("/v1/write/status", Method::DELETE, "GET"),
        (CRON, Method::PUT, "GET, POST"),
        (CLIENTS, Method::GET, "POST"),
    ] {
        let answer = send(Sent::get(path).method(method.clone()));
        assert_eq!(
            (answer.status, answer.reason()),
            (405, "method_not_allowed"),
            "{path} {method}"
        );
        assert_eq!(answer.headers["allow"], allowed, "{path} {method}");
    }
    // A client of HTTP expects no body after HEAD.
    for (path, allowed) in [("/v1/token", "GET, POST"), (CLIENTS, "POST")] {
        let answer = send(Sent::get(path).method(Method::HEAD));
        assert_eq!((answer.status, answer.text.as_str()), (405, ""), "{path}");
        assert_eq!(answer.headers["allow"], allowed, "{path}");
    }
}

#[test]
fn forged_headers_are_refused_before_anything_else() {
    for (name, value) in [
        ("spin-client-addr", "198.51.100.1:1"),
        ("spin-full-url", "http://a/"),
    ] {
        for path in ["/v1/token", CRON, CLIENTS] {
            let sent = Sent::get(path)
                .method(Method::PUT)
                .header("spin-full-url", "http://b/")
                .header(name, value);
            let answer = send(sent);
            assert_eq!((answer.status, answer.reason()), (400, "header_forged"), "{name}");
            assert!(answer.body["message"].as_str().unwrap().contains(name));
        }
    }
}

#[test]
fn a_request_without_an_address_is_refused_and_the_operator_hears_of_it() {
    let answer = send(Sent::get("/v1/token").without("spin-client-addr"));
    assert_eq!((answer.status, answer.reason()), (400, "address_unknown"));
    assert!(answer.line.unwrap().contains("no usable peer address"));
}

#[test]
fn the_address_an_endpoint_sees_is_the_true_one() {
    let direct = Sent::get("/v1/from").header("x-forwarded-for", "198.51.100.1");
    assert_eq!(send(direct).body["seen"], "203.0.113.9");
    let proxied = Sent::get("/v1/from")
        .without("spin-client-addr")
        .header("spin-client-addr", "10.0.0.1:80")
        .header("x-forwarded-for", "192.0.2.66, 198.51.100.1");
    assert_eq!(send(proxied).body["seen"], "198.51.100.1");
}

#[test]
fn an_internal_interface_opens_to_its_secret_only() {
    let post = || Sent::post(CRON, JSON, "null");
    let with = |value: &str| send(post().header("authorization", value));
    assert_eq!(with(&format!("Bearer {SECRET}")).body["seen"], "null");
    let longer = format!("Bearer {SECRET}0");
    let shorter = format!("Bearer {}", &SECRET[1..]);
    for wrong in [longer.as_str(), shorter.as_str(), "Bearer 0", "Bearer "] {
        let answer = with(wrong);
        assert_eq!(answer.status, 401, "{wrong}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
    assert_eq!(send(post()).reason(), "credential_wrong");
    // A secret in a query string would be logged by proxies.
    let in_query = Sent::post(&format!("{CRON}?token={SECRET}"), JSON, "null");
    assert_eq!(send(in_query).reason(), "credential_wrong");
}

#[test]
fn a_timer_that_can_send_no_header_presents_its_secret_as_key() {
    let get = |query: &str| Sent::get(&format!("{CRON}?{query}"));
    assert_eq!(send(get(&format!("key={SECRET}"))).status, 200);
    for query in [
        "key=",
        "key=wrong",
        &format!("token={SECRET}"),
        &format!("key={SECRET}0"),
    ] {
        assert_eq!(send(get(query)).reason(), "credential_wrong", "{query}");
    }
    // Other interfaces do not accept it: a secret in a query would be logged by proxies.
    for (path, content_type) in [
        (CLIENTS, JSON),
        ("/internal/gateway/keys", JSON),
        ("/ingest/v1/usage", "application/x-ndjson"),
    ] {
        let elsewhere = Sent::post(&format!("{path}?key={SECRET}"), content_type, "{}");
        assert_eq!(send(elsewhere).reason(), "credential_wrong", "{path}");
    }
}

#[test]
fn an_unauthenticated_caller_learns_nothing_about_an_internal_interface_from_its_parameters() {
    let body = Body::from("x".repeat(100_000));
    let sent = Sent::post(&format!("{CLIENTS}?colour=red"), "text/plain", body);
    assert_eq!(send(sent).reason(), "credential_wrong");
}

// §7.1.2
#[test]
fn a_public_interface_asks_for_one_token() {
    for (sent, status, reason) in [
        (Sent::get("/v1/write/status?eid=1"), 401, "token_missing"),
        (Sent::get("/v1/write/status?token=abc"), 401, "token_invalid"),
        (
            Sent::get("/v1/write/status").header("authorization", "Basic YTpi"),
            401,
            "token_invalid",
        ),
        (
            Sent::get("/v1/write/status?token=a").header("authorization", "Bearer b"),
            400,
            "token_conflict",
        ),
        (
            Sent::get("/v1/write/status")
                .header("authorization", "Bearer b")
                .header("authorization", "Bearer b"),
            400,
            "token_conflict",
        ),
    ] {
        let target = sent.target.clone();
        let answer = send(sent);
        assert_eq!((answer.status, answer.reason()), (status, reason), "{target}");
    }
}

#[test]
fn an_unknown_caller_that_is_refused_too_often_is_told_how_long_to_wait() {
    let host = TestHost::new();
    let ask = || send_to(&host, Sent::get("/v1/write/status?token=abc"));
    for _ in 0..REFUSALS_A_MINUTE {
        assert_eq!(ask().status, 401);
    }
    let answer = ask();
    assert_eq!((answer.status, answer.reason()), (429, "rate_limited"));
    assert_eq!(answer.headers["retry-after"], "60");
    // Who is known or comes from elsewhere goes on.
    assert_eq!(send_to(&host, Sent::get("/v1/success")).status, 200);
    let elsewhere = Sent::get("/v1/write/status")
        .without("spin-client-addr")
        .header("spin-client-addr", "203.0.113.10:1");
    assert_eq!(send_to(&host, elsewhere).status, 401);
}
