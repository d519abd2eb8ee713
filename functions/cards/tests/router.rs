//! The cards through their routes.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where it goes wrong, helpers included"
)]

use serde_json::{Value, json};
use test_support::http::{TestRequest, refusal};
use test_support::router::TestRouter;

/// Chips without a client.
const CHIPS: &str = include_str!("../../../cli/samples/chips.csv");
const EID: &str = "89086030202200000000000000000123";
const UNKNOWN: &str = "89086030202200000022000000000090";

async fn cards() -> TestRouter {
    let routers = cards_router::router()
        .merge(clients_router::router())
        .merge(inventory_router::router());
    TestRouter::new(routers).await
}

/// With the chips of the sample.
async fn with_chips() -> TestRouter {
    let cards = cards().await;
    let client =
        json!({"name": "甲", "phone": "13800000000", "ips": ["192.0.2.1"], "permissions": ["write.apply"]});
    let made = cards.post("/admin/v1/clients", &client).await;
    assert_eq!(made["code"], 200, "{made}");
    let path = format!(
        "/admin/v1/chips:import?client_id={}",
        made["client_id"].as_str().unwrap()
    );
    let report = cards.import(&path, CHIPS).await;
    assert_eq!(report["rejected"], 0, "{report}");
    cards
}

#[tokio::test]
async fn a_document_that_ends_a_task_is_read_strictly() {
    let cards = with_chips().await;
    let task = "019f1a2b-3c4d-7e5f-8a6b-7c8d9e0f1a2b";
    let by = |what: Value| {
        let mut document = json!({"person": "王芳", "reason": "设备已报废"});
        document
            .as_object_mut()
            .unwrap()
            .extend(what.as_object().unwrap().clone());
        document
    };
    for (document, expected) in [
        (by(json!({})), (400, "parameter_missing", Some("eid|task_id"))),
        (
            by(json!({"eid": EID, "task_id": task})),
            (400, "parameter_not_applicable", None),
        ),
        (by(json!({"eid": "1"})), (400, "eid_malformed", Some("eid"))),
        (
            by(json!({"eid": EID, "person": " "})),
            (400, "parameter_malformed", Some("person")),
        ),
        (
            by(json!({"eid": EID, "reason": "a\nb"})),
            (400, "parameter_malformed", Some("reason")),
        ),
        (
            json!({"eid": EID, "reason": "x"}),
            (400, "parameter_missing", Some("person")),
        ),
        (by(json!({"eid": UNKNOWN})), (404, "unknown_chip", None)),
        (by(json!({"eid": EID})), (404, "unknown_task", None)),
        (by(json!({"task_id": task})), (404, "unknown_task", None)),
    ] {
        let answer = cards.post("/admin/v1/tasks:end", &document).await;
        assert_eq!(refusal(&answer), expected, "{document}");
    }
}

#[tokio::test]
async fn a_fault_is_registered_and_a_history_is_shown() {
    let cards = with_chips().await;
    let fault = |eid: &str| json!({"eid": eid, "faulty": true});
    let answer = cards.post("/admin/v1/chips:fault", &fault(UNKNOWN)).await;
    assert_eq!(refusal(&answer), (404, "unknown_chip", None));
    let answer = cards.post("/admin/v1/chips:fault", &fault(EID)).await;
    assert_eq!((&answer["code"], &answer["faulty"]), (&json!(200), &json!(true)));
    let history = cards.get(&format!("/admin/v1/chips/history?eid={EID}")).await;
    let step = &history["steps"][0];
    assert_eq!(
        (&step["to_status"], &step["reason"]),
        (&json!("待写卡"), &json!("imported"))
    );
    assert!(step["person"].is_null() && step["note"].is_null());
    let unknown = cards.get(&format!("/admin/v1/chips/history?eid={UNKNOWN}")).await;
    assert_eq!(refusal(&unknown), (404, "unknown_chip", None));
    let without = cards.get("/admin/v1/chips/history").await;
    assert_eq!(refusal(&without), (400, "parameter_missing", Some("eid")));
}

#[tokio::test]
async fn nobody_gets_in_without_the_secret() {
    let cards = cards().await;
    for path in ["chips/history?eid=1", "nowhere"] {
        let reply = cards.send(TestRequest::get(format!("/admin/v1/{path}"))).await;
        assert_eq!(reply.status, 401, "{path}: {}", reply.text);
    }
}
