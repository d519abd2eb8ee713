//! Access: methods, addresses, secrets and tokens, before a handler is reached.

use http::Method;

use super::super::Reply;
use super::super::interface::{ADMIN_CLIENTS, CRON, TOKEN, WRITE_STATUS};
use super::{Answer, SECRET, Sent, send};

/// Sends to an interface whose handler answers with the address it was given.
fn call_from(interface: &'static super::Interface, sent: Sent) -> Answer {
    send(interface, sent, async |call| {
        Ok(Reply::ok().with("from", call.from.to_string()))
    })
}

fn refused(interface: &'static super::Interface, sent: Sent) -> Answer {
    send(interface, sent, async |_| {
        panic!("the handler must not be reached")
    })
}

#[test]
fn a_method_the_interface_does_not_have_is_refused_and_told_which_it_has() {
    for (interface, method, allowed) in [
        (&TOKEN, Method::PUT, "GET, POST"),
        (&TOKEN, Method::HEAD, "GET, POST"),
        (&WRITE_STATUS, Method::POST, "GET"),
        (&WRITE_STATUS, Method::DELETE, "GET"),
        (&CRON, Method::PUT, "GET, POST"),
        (&ADMIN_CLIENTS, Method::GET, "POST"),
    ] {
        let answer = refused(interface, Sent::get(interface.path).method(method.clone()));
        assert_eq!(
            (answer.status, answer.reason()),
            (405, "method_not_allowed"),
            "{} {method}",
            interface.name
        );
        assert_eq!(answer.headers["allow"], allowed);
    }
}

#[test]
fn forged_headers_are_refused_before_anything_else() {
    for (name, value) in [
        ("spin-client-addr", "198.51.100.1:1"),
        ("spin-full-url", "http://a/"),
    ] {
        let sent = Sent::get("/v1/token")
            .header("spin-full-url", "http://b/")
            .header(name, value);
        let answer = refused(&TOKEN, sent);
        assert_eq!((answer.status, answer.reason()), (400, "header_forged"), "{name}");
        assert!(answer.body["message"].as_str().unwrap().contains(name));
    }
}

#[test]
fn a_request_without_an_address_is_refused_and_the_operator_hears_of_it() {
    let answer = refused(&TOKEN, Sent::get("/v1/token").without("spin-client-addr"));
    assert_eq!((answer.status, answer.reason()), (400, "address_unknown"));
    assert!(answer.line.unwrap().contains("no usable peer address"));
}

#[test]
fn the_address_an_endpoint_sees_is_the_true_one() {
    let direct = Sent::get("/v1/token").header("x-forwarded-for", "198.51.100.1");
    assert_eq!(call_from(&TOKEN, direct).body["from"], "203.0.113.9");
    let proxied = Sent::get("/v1/token")
        .without("spin-client-addr")
        .header("spin-client-addr", "10.0.0.1:80")
        .header("x-forwarded-for", "192.0.2.66, 198.51.100.1");
    assert_eq!(call_from(&TOKEN, proxied).body["from"], "198.51.100.1");
}

#[test]
fn an_internal_interface_opens_to_its_secret_only() {
    let post = || Sent::post(CRON.path, "application/json", "null");
    let with = |value: &str| call_from(&CRON, post().header("authorization", value));
    assert_eq!(with(&format!("Bearer {SECRET}")).status, 200);
    let longer = format!("Bearer {SECRET}0");
    let shorter = format!("Bearer {}", &SECRET[1..]);
    for wrong in [longer.as_str(), shorter.as_str(), "Bearer 0", "Bearer "] {
        let answer = with(wrong);
        assert_eq!(answer.status, 401, "{wrong}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
    assert_eq!(refused(&CRON, post()).reason(), "credential_wrong");
    // A secret in a query string would be logged by proxies.
    let in_query = Sent::post(
        &format!("{}?token={SECRET}", CRON.path),
        "application/json",
        "null",
    );
    assert_eq!(refused(&CRON, in_query).reason(), "credential_wrong");
}

#[test]
fn a_timer_that_can_send_no_header_presents_its_secret_as_key() {
    let get = |query: &str| Sent::get(&format!("{}?{query}", CRON.path));
    assert_eq!(call_from(&CRON, get(&format!("key={SECRET}"))).status, 200);
    for query in [
        "key=",
        "key=wrong",
        &format!("token={SECRET}"),
        &format!("key={SECRET}0"),
    ] {
        assert_eq!(refused(&CRON, get(query)).reason(), "credential_wrong", "{query}");
    }
    // Other interfaces do not accept it: a secret in a query would be logged by proxies.
    let elsewhere = Sent::post(
        &format!("{}?key={SECRET}", ADMIN_CLIENTS.path),
        "application/json",
        "{}",
    );
    assert_eq!(refused(&ADMIN_CLIENTS, elsewhere).reason(), "credential_wrong");
}

#[test]
fn an_unauthenticated_caller_learns_nothing_about_an_internal_interface_from_its_parameters() {
    let sent = Sent::post(
        &format!("{}?colour=red", ADMIN_CLIENTS.path),
        "text/plain",
        "x".repeat(100_000),
    );
    assert_eq!(refused(&ADMIN_CLIENTS, sent).reason(), "credential_wrong");
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
        let answer = refused(&WRITE_STATUS, sent);
        assert_eq!((answer.status, answer.reason()), (status, reason), "{target}");
    }
}
