//! The audit trail, through the router and on a database, as administrators see it.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use serde_json::{Value, json};
use test_support::router::TestRouter;

async fn routers() -> TestRouter {
    TestRouter::new(clients_router::router()).await.in_language("en")
}

fn rows(answer: &Value) -> Vec<(&str, &str, &str)> {
    answer["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["what"].as_str().unwrap(),
                row["outcome"].as_str().unwrap(),
                row["reason"].as_str().unwrap_or_default(),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_client_is_found_by_what_was_done_to_it() {
    let routers = routers().await;
    let new = json!({
        "name": "Meters",
        "phone": "+8613800138000",
        "ips": ["192.0.2.7"],
        "permissions": ["write.apply"],
    });
    let created = routers.post("/admin/v1/clients", &new).await;
    let id = created["client_id"].as_str().unwrap();
    let change = json!({"client_id": id, "name": "Water meters", "active": false});
    routers.post("/admin/v1/clients:update", &change).await;
    let unknown = json!({"client_id": id, "generation": 7});
    routers.post("/admin/v1/clients:revoke-secret", &unknown).await;
    let found = routers.get(&format!("/admin/v1/audit?object={id}")).await;
    assert_eq!(
        rows(&found),
        [
            ("clients.revoke_secret", "refused", "unknown_secret"),
            ("clients.update", "done", ""),
            ("clients.create", "done", ""),
        ]
    );
    let update = &found["rows"][1];
    assert_eq!(
        update["detail"]["before"],
        json!({"name": "Meters", "active": "true"})
    );
    assert_eq!(
        update["detail"]["after"],
        json!({
            "name": "Water meters",
            "active": "false",
            "cards_waiting": "0",
            "cards_writing": "0",
            "messages_pending": "0",
        })
    );
    assert_eq!(update["who"], "admin_secret");
    assert_eq!(update["address"], "203.0.113.9");
    assert_eq!(found["rows"][2]["detail"]["request"]["phone"], "+861****8000");
    let secret = created["client_secret"].as_str().unwrap();
    assert!(!found.to_string().contains(secret));
    // Reading the trail is in the trail.
    let read = routers.get("/admin/v1/audit?right=audit.list").await;
    assert_eq!(rows(&read), [("audit.list", "done", "")]);
    assert_eq!(read["rows"][0]["detail"]["rows"], 3);
}

#[tokio::test]
async fn a_search_that_cannot_be_is_refused_with_its_field() {
    let routers = routers().await;
    for (query, reason) in [
        ("right=everything", "parameter_malformed"),
        ("outcome=maybe", "parameter_malformed"),
        ("cursor=-1", "parameter_malformed"),
        ("limit=201", "parameter_malformed"),
        ("eid=1", "eid_malformed"),
        ("object=x&msisdn=1440193898523", "parameter_not_applicable"),
        ("colour=red", "parameter_unknown"),
    ] {
        let answer = routers.get(&format!("/admin/v1/audit?{query}")).await;
        assert_eq!(answer["reason"], reason, "{query}: {answer}");
    }
}
