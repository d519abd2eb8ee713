//! Accounts and receivers, through the router and on a database, as administrators call them.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use serde_json::{Value, json};
use test_support::http::TestRequest;
use test_support::router::TestRouter;
use test_support::settings::SECRET;

/// Accounts and receivers, as administrators who read English see them.
async fn routers() -> TestRouter {
    let routes = clients_router::router().merge(messages_router::router());
    TestRouter::new(routes).await.in_language("en")
}

/// Creates a client and returns its identifier.
async fn client(routers: &TestRouter) -> String {
    let created = routers.post("/admin/v1/clients", &new_client()).await;
    created["client_id"].as_str().unwrap().to_owned()
}

/// The text of the answer to a document.
async fn text(routers: &TestRouter, path: &str, document: &Value) -> String {
    let request = TestRequest::document(path, document).bearer(SECRET);
    routers.send(request).await.text
}

fn new_client() -> Value {
    json!({
        "name": "Meters",
        "phone": "+8613800138000",
        "ips": ["192.0.2.7"],
        "permissions": ["write.apply", "write.status"],
    })
}

/// Fields and reasons of a refusal.
fn problems(answer: &Value) -> Vec<(&str, &str)> {
    match answer["errors"].as_array() {
        Some(errors) => errors.iter().map(named).collect(),
        None => vec![named(answer)],
    }
}

fn named(problem: &Value) -> (&str, &str) {
    let text = |name| problem[name].as_str().unwrap_or_default();
    (text("field"), text("reason"))
}

#[tokio::test]
async fn every_problem_of_a_document_is_reported_with_its_field() {
    let routers = routers().await;
    let document = json!({"name": 5, "phone": "1", "permissions": ["everything"], "colour": "red"});
    let answer = routers.post("/admin/v1/clients", &document).await;
    let mut found = problems(&answer);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            ("colour", "parameter_unknown"),
            ("ips", "parameter_missing"),
            ("name", "parameter_malformed"),
            ("permissions[0]", "parameter_malformed"),
        ]
    );
    assert_eq!(routers.get("/admin/v1/clients").await["clients"], json!([]));
}

#[tokio::test]
async fn what_only_the_operation_can_judge_is_reported_with_its_field_too() {
    let routers = routers().await;
    for (field, value, reason) in [
        ("name", json!(" "), "parameter_missing"),
        ("phone", json!("138-0013"), "parameter_malformed"),
        ("ips", json!(["192.0.2.300"]), "parameter_malformed"),
        ("permissions", json!([]), "parameter_missing"),
        ("callback_url", json!("http://192.0.2.1/"), "parameter_malformed"),
    ] {
        let mut document = new_client();
        document[field] = value;
        let answer = routers.post("/admin/v1/clients", &document).await;
        assert_eq!(problems(&answer), [(field, reason)], "{answer}");
    }
}

#[tokio::test]
async fn an_account_is_created_changed_and_listed() {
    let routers = routers().await;
    let id = client(&routers).await;
    let change =
        json!({"client_id": id, "callback_url": "https://example.com/c", "limits": {"write.status": 9}});
    assert_eq!(
        routers.post("/admin/v1/clients:update", &change).await["client_id"],
        id
    );
    let removed = json!({"client_id": id, "callback_url": null, "active": false});
    let listed = routers.get(&format!("/admin/v1/clients?client_id={id}")).await;
    assert_eq!(listed["clients"][0]["callback_url"], "https://example.com/c");
    assert_eq!(listed["clients"][0]["limits"], json!({"write.status": 9}));
    assert_eq!(
        routers.post("/admin/v1/clients:update", &removed).await["code"],
        200
    );
    let listed = routers.get("/admin/v1/clients?limit=1").await;
    assert_eq!(listed["clients"][0]["callback_url"], Value::Null);
    assert_eq!(listed["clients"][0]["active"], false);
    let next = listed["next"].as_str().unwrap();
    let after = routers.get(&format!("/admin/v1/clients?cursor={next}")).await;
    assert_eq!((&after["clients"], &after["next"]), (&json!([]), &Value::Null));
}

#[tokio::test]
async fn secrets_are_rotated_and_revoked() {
    let routers = routers().await;
    let id = client(&routers).await;
    let rotation = json!({"client_id": id});
    let rotated = routers.post("/admin/v1/clients:rotate-secret", &rotation).await;
    assert_eq!(rotated["generation"], 2);
    assert_eq!(rotated["previous_expires_at"], "2026-07-02T08:00:00+08:00");
    let refused = routers.post("/admin/v1/clients:rotate-secret", &rotation).await;
    assert_eq!(refused["reason"], "secrets_in_rotation");
    let revocation = json!({"client_id": id, "generation": 1});
    let revoked = text(&routers, "/admin/v1/clients:revoke-secret", &revocation).await;
    assert_eq!(revoked, r#"{"code":200,"message":"success"}"#);
    let tokens = routers.post("/admin/v1/clients:revoke-tokens", &rotation).await;
    assert_eq!(tokens["code"], 200);
}

#[tokio::test]
async fn a_page_of_the_call_log_has_the_rows_that_were_asked_for() {
    let routers = routers().await;
    client(&routers).await;
    routers.get("/admin/v1/clients").await;
    let page = routers
        .get("/admin/v1/calls?interface=admin.clients&limit=1")
        .await;
    assert_eq!(page["calls"].as_array().unwrap().len(), 1);
    assert_eq!(page["calls"][0]["interface"], "admin.clients");
    let answer = routers
        .get("/admin/v1/calls?limit=201&cursor=x&eid=1&from=today&colour=red")
        .await;
    assert_eq!(
        problems(&answer),
        [
            ("colour", "parameter_unknown"),
            ("cursor", "parameter_malformed"),
            ("limit", "parameter_malformed"),
            ("eid", "eid_malformed"),
            ("from", "parameter_malformed"),
        ]
    );
}

#[tokio::test]
async fn the_address_of_a_receiver_is_removed_only_by_null() {
    let routers = routers().await;
    let update = async |document: Value| routers.post("/admin/v1/receivers:update", &document).await;
    let absent = update(json!({"receiver": "operator"})).await;
    assert_eq!(problems(&absent), [("url", "parameter_missing")]);
    let first = update(json!({"receiver": "operator", "url": "https://example.com/o"})).await;
    assert!(
        first["secret"]
            .as_str()
            .is_some_and(|secret| secret.starts_with("whsec_"))
    );
    let removed = json!({"receiver": "operator", "url": null});
    let removed = text(&routers, "/admin/v1/receivers:update", &removed).await;
    assert_eq!(
        removed,
        r#"{"code":200,"message":"success","receiver":"operator"}"#
    );
    let shown = routers.get("/admin/v1/receivers?receiver=operator").await;
    assert_eq!((&shown["url"], &shown["in_flight"]), (&Value::Null, &json!(0)));
    let probed = routers
        .post("/admin/v1/callbacks:probe", &json!({"receiver": "operator"}))
        .await;
    assert_eq!(probed["reason"], "no_address");
}

#[tokio::test]
async fn the_address_of_a_frozen_client_gets_no_test_and_shows_since_when() {
    let routers = routers().await;
    let id = client(&routers).await;
    let enter = json!({"receiver": id, "url": "https://example.com/c"});
    routers.post("/admin/v1/receivers:update", &enter).await;
    let freeze = json!({"client_id": id, "reason": "leaked"});
    routers.post("/admin/v1/clients:freeze", &freeze).await;
    let tested = routers
        .post("/admin/v1/callbacks:probe", &json!({"receiver": id}))
        .await;
    assert_eq!(tested["reason"], "client_frozen", "{tested}");
    let shown = routers.get(&format!("/admin/v1/receivers?receiver={id}")).await;
    assert_eq!(shown["held_at"], "2026-07-01T08:00:00+08:00", "{shown}");
}

#[tokio::test]
async fn a_client_is_closed_for_good() {
    let routers = routers().await;
    let id = client(&routers).await;
    let closing = json!({"client_id": id, "person": "Wang", "reason": "end of contract"});
    for (field, value, reason) in [
        ("client_id", json!("cl_00000000000000000000"), "unknown_client"),
        ("client_id", json!("cl_1"), "parameter_malformed"),
        ("person", Value::Null, "parameter_malformed"),
        ("reason", json!(" "), "parameter_malformed"),
        ("limit", json!(0), "parameter_malformed"),
        ("limit", json!(201), "parameter_malformed"),
        ("colour", json!("red"), "parameter_unknown"),
    ] {
        let mut document = closing.clone();
        document[field] = value;
        let answer = routers.post("/admin/v1/clients:close", &document).await;
        assert_eq!(answer["reason"], reason, "{field}: {answer}");
    }
    let closed = routers.post("/admin/v1/clients:close", &closing).await;
    for (field, value) in [
        ("ended_secrets", json!(1)),
        ("ended_tasks", json!(0)),
        ("returned_numbers", json!(0)),
        ("more", json!(false)),
    ] {
        assert_eq!(closed[field], value, "{closed}");
    }
    let listed = routers.get("/admin/v1/clients").await;
    let shown = &listed["clients"][0];
    assert_eq!(
        (&shown["active"], &shown["closed_at"]),
        (&json!(false), &json!("2026-07-01T08:00:00+08:00"))
    );
    for (path, document) in [
        ("clients:update", json!({"client_id": id, "active": true})),
        ("clients:rotate-secret", json!({"client_id": id})),
    ] {
        let answer = routers.post(&format!("/admin/v1/{path}"), &document).await;
        assert_eq!(answer["reason"], "client_closed", "{path}: {answer}");
    }
}
