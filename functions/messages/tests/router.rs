//! Messages and receivers through their routes.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where it goes wrong, helpers included"
)]

use serde_json::{Value, json};
use test_support::http::{TestRequest, refusal};
use test_support::router::TestRouter;

/// With one client, without an address; and its identifier.
async fn with_client() -> (TestRouter, String) {
    let router = TestRouter::new(messages_router::router().merge(clients_router::router())).await;
    let client =
        json!({"name": "甲", "phone": "13800000000", "ips": ["192.0.2.1"], "permissions": ["write.apply"]});
    let made = router.post("/admin/v1/clients", &client).await;
    let id = made["client_id"].as_str().unwrap().to_owned();
    (router, id)
}

async fn update(router: &TestRouter, document: Value) -> Value {
    router.post("/admin/v1/receivers:update", &document).await
}

async fn shown(router: &TestRouter, id: &str) -> Value {
    router.get(&format!("/admin/v1/receivers?receiver={id}")).await
}

// §7.3
#[tokio::test]
async fn a_receiver_gets_the_outcomes_until_an_administrator_selects_other_changes() {
    let (router, id) = with_client().await;
    assert_eq!(
        shown(&router, &id).await["changes"],
        json!(["ended", "succeeded", "failed"])
    );
    let chosen = json!({"receiver": id, "changes": ["failed", "accepted", "failed"]});
    assert_eq!(update(&router, chosen).await["code"], 200);
    let now = shown(&router, &id).await;
    assert_eq!(now["changes"], json!(["accepted", "failed"]));
    assert!(now["url"].is_null(), "the address stays as it is");
    for (document, expected) in [
        (json!({"receiver": id}), (400, "parameter_missing", Some("url"))),
        (
            json!({"receiver": id, "changes": []}),
            (400, "parameter_empty", Some("changes")),
        ),
        (
            json!({"receiver": id, "changes": ["written"]}),
            (400, "parameter_malformed", Some("changes[0]")),
        ),
        (
            json!({"receiver": "operator", "changes": ["failed"]}),
            (400, "parameter_not_applicable", Some("changes")),
        ),
    ] {
        assert_eq!(
            refusal(&update(&router, document.clone()).await),
            expected,
            "{document}"
        );
    }
    assert_eq!(shown(&router, &id).await, now, "a refused call changes nothing");
}

// §7.3
#[tokio::test]
async fn plain_http_is_allowed_for_one_receiver_and_opens_no_network() {
    let (router, id) = with_client().await;
    let http = json!({"receiver": id, "url": "http://crm.example.com/x"});
    let refused = update(&router, http.clone()).await;
    assert_eq!(refusal(&refused), (400, "parameter_malformed", Some("url")));
    assert!(
        refused["message"].as_str().unwrap().contains("allow_http"),
        "{refused}"
    );

    let allowed = json!({"receiver": id, "url": "http://crm.example.com/x", "allow_http": true});
    assert_eq!(update(&router, allowed).await["code"], 200);
    assert_eq!(update(&router, http).await["code"], 200, "it stays allowed");
    for url in [
        "http://127.0.0.1:8080/",
        "http://localhost/",
        "http://10.0.0.1/",
        "http://redis/",
    ] {
        let document = json!({"receiver": id, "url": url, "allow_http": true});
        assert_eq!(
            refusal(&update(&router, document).await),
            (400, "parameter_malformed", Some("url")),
            "{url}"
        );
    }
    // The same holds where the account is changed.
    let account = json!({"client_id": id, "callback_url": "http://crm.example.com/y"});
    assert_eq!(
        router.post("/admin/v1/clients:update", &account).await["code"],
        200
    );
    let other = json!({"receiver": "operator", "url": "http://ops.example.com/"});
    assert_eq!(
        refusal(&update(&router, other).await),
        (400, "parameter_malformed", Some("url"))
    );

    // Its present address is plain http.
    let before = shown(&router, &id).await;
    assert_eq!(
        (&before["url"], &before["allow_http"]),
        (&json!("http://crm.example.com/y"), &json!(true))
    );
    let withdrawn = json!({"receiver": id, "allow_http": false});
    assert_eq!(
        refusal(&update(&router, withdrawn).await),
        (400, "parameter_malformed", Some("url"))
    );
    assert_eq!(shown(&router, &id).await, before);
    let https = json!({"receiver": id, "allow_http": false, "url": "https://crm.example.com/x"});
    assert_eq!(update(&router, https).await["code"], 200);
    assert_eq!(shown(&router, &id).await["allow_http"], false);
}

#[tokio::test]
async fn messages_are_found_by_every_state() {
    let (router, id) = with_client().await;
    for state in ["pending", "delivered", "dead", "unaddressed"] {
        let found = router
            .get(&format!("/admin/v1/callbacks?receiver={id}&state={state}"))
            .await;
        assert_eq!(found["callbacks"], json!([]), "{state}");
    }
    let unknown = router.get("/admin/v1/callbacks?state=waiting").await;
    assert_eq!(refusal(&unknown), (400, "parameter_malformed", Some("state")));
}

#[tokio::test]
async fn nobody_gets_in_without_the_secret() {
    let (router, id) = with_client().await;
    let document = json!({"receiver": id, "url": null});
    let request = TestRequest::document("/admin/v1/receivers:update", &document);
    assert_eq!(router.send(request).await.status, 401);
}
