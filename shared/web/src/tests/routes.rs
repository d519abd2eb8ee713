//! Routes: paths, methods, and what is documented of who may call.

use http::Method;

use super::{NOW, SECRET, Sent, TestHost, handlers, send, send_to, variables};
use crate::Variables;
use domain::HOUR_MS;

#[test]
fn no_path_answers_a_method_that_it_does_not_have() {
    let host = TestHost::new();
    let paths = handlers::router().into_openapi().paths.paths;
    assert!(paths.len() > 10);
    for (path, item) in paths {
        let path = path.replace("{eid}", "1");
        let mut allowed = Vec::new();
        allowed.extend(item.get.map(|_| "GET"));
        allowed.extend(item.post.map(|_| "POST"));
        for method in [
            "GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "BREW",
        ] {
            if allowed.contains(&method) {
                continue;
            }
            let method: Method = method.parse().unwrap();
            // The secret makes no difference: no handler is reached.
            let sent = Sent::get(&path).method(method.clone()).with_secret();
            let answer = send_to(&host, sent);
            assert_eq!(answer.status, 405, "{path} {method}");
            assert_eq!(answer.headers["allow"], allowed.join(", "), "{path} {method}");
            assert!(method == Method::HEAD || answer.reason() == "method_not_allowed");
        }
    }
}

#[test]
fn a_wrong_method_is_logged_as_a_call_of_its_path() {
    let host = TestHost::new();
    send_to(&host, Sent::get("/v1/token").method(Method::PUT));
    let calls = host.calls();
    assert_eq!((calls[0].interface.as_str(), calls[0].code), ("token", 405));
}

#[test]
fn a_path_that_does_not_exist_is_told_to_those_who_know_the_secret() {
    for path in [
        "/v1/nowhere",
        "/",
        "/v1/token/",
        "/V1/token",
        "//v1/token",
        "/v1/token/x",
    ] {
        let unknown = send(Sent::get(path));
        assert_eq!(
            (unknown.status, unknown.reason()),
            (401, "credential_wrong"),
            "{path}"
        );
        let wrong = send(Sent::get(path).header("authorization", "Bearer x"));
        assert_eq!(wrong.reason(), "credential_wrong", "{path}");
        let key = send(Sent::get(&format!("{path}?key={SECRET}")));
        assert_eq!(key.reason(), "credential_wrong", "{path}");
        let known = send(Sent::get(path).with_secret());
        assert_eq!((known.status, known.reason()), (404, "route_unknown"), "{path}");
    }
}

#[test]
fn where_there_is_no_secret_everybody_is_told() {
    let host = TestHost::configured(&Variables {
        secret: None,
        ..variables()
    });
    for sent in [
        Sent::get("/v1/nowhere"),
        Sent::post("/v1/nowhere", "text/plain", "x"),
        Sent::get("/v1/nowhere").header("authorization", "Bearer x"),
    ] {
        let answer = send_to(&host, sent);
        assert_eq!((answer.status, answer.reason()), (404, "route_unknown"));
    }
    let calls = host.calls();
    assert_eq!((calls[0].interface.as_str(), calls[0].code), ("none", 404));
    assert_eq!(calls[0].address.as_deref(), Some("203.0.113.9"));
}

#[test]
fn a_call_by_post_has_the_name_and_the_log_of_one_by_get() {
    let host = TestHost::new();
    let target = "/v1/token?client_id=a&client_secret=b";
    send_to(&host, Sent::get(target));
    host.set_time(NOW.plus(HOUR_MS));
    send_to(&host, Sent::post(target, "application/json", ""));
    let names: Vec<String> = host.calls().into_iter().map(|call| call.interface).collect();
    assert_eq!(names, ["token", "token"]);
}

#[test]
fn the_document_says_who_may_call() {
    let document = serde_json::to_value(handlers::router().into_openapi()).unwrap();
    let security = |path: &str, method: &str| document["paths"][path][method]["security"].clone();
    assert_eq!(
        security("/v1/write/status", "get"),
        serde_json::json!([{"bearer": ["write.status"]}, {"token": ["write.status"]}])
    );
    assert_eq!(
        security("/admin/v1/clients", "post"),
        serde_json::json!([{"staff": ["clients.create"]}])
    );
    for (path, method, scheme) in [
        ("/internal/cron", "get", "timer"),
        ("/internal/cron", "post", "timer"),
        ("/internal/gateway/keys", "post", "gateway"),
        ("/ingest/v1/usage", "post", "operator"),
    ] {
        assert_eq!(
            security(path, method),
            serde_json::json!([{scheme: []}]),
            "{path}"
        );
    }
    assert!(security("/v1/token", "get").is_null());
}

#[test]
fn a_value_in_the_path_is_read_as_its_kind() {
    const EID: &str = "89086030202200000000000000000123";
    assert_eq!(send(Sent::get(&format!("/v1/chips/{EID}"))).body["seen"], EID);
    assert_eq!(
        send(Sent::get(&format!("/v1/chips/%38{}", &EID[1..]))).body["seen"],
        EID
    );
    for (text, status, reason, field) in [
        ("1", 400, "eid_malformed", Some("eid")),
        ("%zz", 400, "eid_malformed", Some("eid")),
        ("%FF", 400, "bad_percent_encoding", None),
        ("", 401, "credential_wrong", None),
        ("1/2", 401, "credential_wrong", None),
    ] {
        let answer = send(Sent::get(&format!("/v1/chips/{text}")));
        assert_eq!(
            (answer.status, answer.reason(), answer.field()),
            (status, reason, field),
            "{text}"
        );
    }
}
