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
        .merge(imports_router::router())
        .merge(gateway_router::router());
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

/// Reports the end of a session that never asked for work.
async fn unopened(cards: &TestRouter, number: u32, eid: &str, reason: &str) -> Value {
    let report = json!({
        "session_id": session(number), "seq": 1, "event": {"kind": "closed", "reason": reason},
        "bytes_up": 10, "bytes_down": 20, "eid": eid, "peer": "192.0.2.1:40000",
    });
    cards.post("/internal/gateway/report", &report).await
}

fn session(number: u32) -> String {
    format!("019f1a2b-3c4d-7e5f-8a6b-7c8d{number:08}")
}

#[tokio::test]
async fn sessions_are_found_by_chip_reason_and_time() {
    let cards = with_chips().await;
    let find = async |query: &str| {
        let page = cards.get(&format!("/admin/v1/sessions?{query}")).await;
        let ids: Vec<String> = page["sessions"]
            .as_array()
            .unwrap_or_else(|| panic!("{page}"))
            .iter()
            .map(|session| session["id"].as_str().unwrap().to_owned())
            .collect();
        (ids, page["next"].clone())
    };
    for (number, reason) in [(1, "idle"), (2, "bad_request"), (3, "idle"), (4, "Not a word")] {
        let answer = unopened(&cards, number, EID, reason).await;
        assert_eq!(answer["code"], 200, "{answer}");
        assert_eq!(answer["continue"], false);
        assert_eq!(
            unopened(&cards, number, EID, reason).await["code"],
            200,
            "repeated"
        );
    }
    let answer = unopened(&cards, 9, UNKNOWN, "idle").await;
    assert_eq!(refusal(&answer), (404, "unknown_chip", None));

    let all = [4, 3, 2, 1].map(session).to_vec();
    assert_eq!(find("").await, (all.clone(), Value::Null));
    assert_eq!(find(&format!("eid={EID}")).await.0, all);
    assert!(find(&format!("eid={UNKNOWN}")).await.0.is_empty());
    assert_eq!(find("reason=idle").await.0, [3, 1].map(session));
    assert_eq!(find("reason=other").await.0, [4].map(session));
    assert_eq!(
        find(&format!("reason=idle&eid={EID}")).await.0,
        [3, 1].map(session)
    );
    assert!(find("to=2020-01-01T00:00:00%2B08:00").await.0.is_empty());
    assert_eq!(find("from=2020-01-01T00:00:00%2B08:00").await.0, all);

    let (first, next) = find("limit=3").await;
    assert_eq!(first, all[..3]);
    let rest = find(&format!("limit=3&cursor={}", next.as_str().unwrap())).await;
    assert_eq!(rest, (all[3..].to_vec(), Value::Null));

    let shown = &cards.get("/admin/v1/sessions?reason=bad_request").await["sessions"][0];
    assert_eq!(shown["eid"], EID);
    assert_eq!(
        (&shown["work"], &shown["state"], &shown["peer"]),
        (&json!("none"), &json!("closed"), &json!("192.0.2.1:40000"))
    );
    assert_eq!(
        (&shown["bytes_up"], &shown["bytes_down"]),
        (&json!(10), &json!(20))
    );
}

#[tokio::test]
async fn failed_handshakes_are_shown_with_the_history_of_the_card() {
    let cards = with_chips().await;
    let shown = async || {
        let history = cards.get(&format!("/admin/v1/chips/history?eid={EID}")).await;
        ["failed_handshakes", "handshake_failed_at", "handshake_failure"].map(|name| history[name].clone())
    };
    assert_eq!(shown().await, [json!(0), Value::Null, Value::Null]);
    let announcement = json!({
        "gateway": "gw-1", "instance": session(1), "seq": 1, "profiles": ["qibiao-seed"], "key_versions": [64],
        "failed_handshakes": [
            {"eid": EID, "count": 3, "failure": "wrong_key"}, {"eid": UNKNOWN, "count": 1, "failure": "wrong_key"},
        ],
    });
    for repeated in [false, true] {
        let answer = cards.post("/internal/gateway/announce", &announcement).await;
        assert_eq!(
            (&answer["code"], &answer["repeated"]),
            (&json!(200), &json!(repeated))
        );
        let [count, at, failure] = shown().await;
        assert_eq!((count, failure), (json!(3), json!("wrong_key")));
        assert!(at.is_string(), "{at}");
    }
}

#[tokio::test]
async fn an_announcement_is_read_strictly() {
    let cards = cards().await;
    let announcement = json!({
        "gateway": "gw-1", "instance": session(1), "seq": 1, "profiles": ["a"], "key_versions": [64],
    });
    let failed = json!({"eid": EID, "count": 1, "failure": "x"});
    for (name, value) in [
        ("gateway", json!("")),
        ("gateway", json!("a,b")),
        ("gateway", json!("a".repeat(65))),
        ("instance", json!("\n")),
        ("seq", json!(-1)),
        ("profiles", json!(["a,b"])),
        ("profiles", json!(vec!["a"; 513])),
        ("key_versions", json!([256])),
        ("key_versions", json!(vec![64; 17])),
        ("failed_handshakes", json!(vec![failed; 201])),
    ] {
        let mut document = announcement.clone();
        document[name] = value;
        let answer = cards.post("/internal/gateway/announce", &document).await;
        let (status, reason, field) = refusal(&answer);
        let field = field.unwrap().split(['[', '.']).next().unwrap();
        assert_eq!(
            (status, reason, field),
            (400, "parameter_malformed", name),
            "{answer}"
        );
    }
    let mut document = announcement.clone();
    document["failed_handshakes"] = json!([{"eid": "1", "count": 1, "failure": "x"}]);
    let answer = cards.post("/internal/gateway/announce", &document).await;
    assert_eq!(
        refusal(&answer),
        (400, "eid_malformed", Some("failed_handshakes"))
    );
    assert_eq!(
        cards.post("/internal/gateway/announce", &announcement).await["code"],
        200
    );
}

#[tokio::test]
async fn a_search_for_sessions_is_read_strictly() {
    let cards = cards().await;
    for (query, expected) in [
        ("reason=Idle", (400, "parameter_malformed", Some("reason"))),
        ("cursor=1", (400, "parameter_malformed", Some("cursor"))),
        ("limit=201", (400, "parameter_malformed", Some("limit"))),
        ("eid=1", (400, "eid_malformed", Some("eid"))),
    ] {
        let answer = cards.get(&format!("/admin/v1/sessions?{query}")).await;
        assert_eq!(refusal(&answer), expected, "{query}");
    }
}
