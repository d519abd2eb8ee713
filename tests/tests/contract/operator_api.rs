//! The connector to an operator's own interface, against a server whose answers the test sets.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use test_support::components::reuse;
use test_support::http::{Reply, TestRequest};
use test_support::platform::TestPlatform;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// An operator's server; it gives the answer that the test set last.
struct Operator {
    addr: SocketAddr,
    answer: Arc<Mutex<Vec<u8>>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Operator {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let operator = Self {
            addr: listener.local_addr().unwrap(),
            answer: Arc::default(),
            requests: Arc::default(),
        };
        let (answer, requests) = (operator.answer.clone(), operator.requests.clone());
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let (answer, requests) = (answer.clone(), requests.clone());
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        let Ok(byte) = socket.read_u8().await else { return };
                        head.push(byte);
                    }
                    requests.lock().unwrap().push(String::from_utf8(head).unwrap());
                    let bytes = answer.lock().unwrap().clone();
                    if bytes.is_empty() {
                        // Stays silent for longer than the connector waits.
                        tokio::time::sleep(Duration::from_secs(60)).await;
                    }
                    let _ = socket.write_all(&bytes).await;
                });
            }
        });
        operator
    }

    /// Sets the answer.
    fn set_answer(&self, head: &str, body: &str) {
        let length = body.len();
        let text = format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
        *self.answer.lock().unwrap() = text.into_bytes();
    }

    /// How many requests arrived.
    fn request_count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }

    fn configuration(&self) -> String {
        let url = format!("http://{}/v2", self.addr);
        json!({
            "usage": {"url": format!("{url}/usage?n={{msisdn}}"), "headers": {"x-key": "{credential}"},
                "fields": {"total": "/data/total", "used": "/data/used"}, "max_age_secs": 300, "retry_secs": 30},
            "location": {"url": format!("{url}/city?c={{iccid}}"), "fields": {"city": "/city"}},
            "status": {"url": format!("{url}/state?n={{msisdn}}"), "fields": {"status": "/state"},
                "states": {"2": "active", "4": "suspended"}},
        })
        .to_string()
    }
}

/// A platform with a connector to an operator, and the ICCID of a number that the operator knows.
async fn platform_with_operator() -> (TestPlatform, Operator, String) {
    let operator = Operator::start().await;
    let host = format!("http://{}", operator.addr);
    let configuration = operator.configuration();
    let variables = [
        ("operator_api", configuration.as_str()),
        ("operator_api_host", host.as_str()),
        ("operator_credential", "k3y"),
    ];
    let platform = TestPlatform::start_with(reuse(), &variables).await;
    let iccid = platform.inventory.numbers[0].iccid.clone();
    let allot = json!({"client_id": platform.owner.id, "iccids": [iccid]});
    platform.admin_post("/admin/v1/numbers:allot", allot).await;
    (platform, operator, iccid)
}

async fn ask(platform: &TestPlatform, path: &str, iccid: &str) -> Reply {
    let reply = platform
        .send(TestRequest::get(format!("{path}?iccid={iccid}")).bearer(&platform.owner.token))
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_is_asked_again_only_when_its_answer_is_old() {
    let (platform, operator, iccid) = platform_with_operator().await;
    operator.set_answer("200 OK", r#"{"data":{"total":"100","used":12.5}}"#);
    let first = ask(&platform, "/v1/number/usage", &iccid).await;
    assert_eq!(
        (&first.body["used_flow"], &first.body["update_time"]),
        (&json!(12.5), &json!("2026-07-01T08:00:00+08:00"))
    );
    let request = operator.requests.lock().unwrap()[0].clone();
    let msisdn = &platform.inventory.numbers[0].msisdn;
    assert!(
        request.starts_with(&format!("GET /v2/usage?n={msisdn} HTTP/1.1\r\n")),
        "{request}"
    );
    assert!(request.contains("x-key: k3y\r\n"), "{request}");

    operator.set_answer("200 OK", r#"{"data":{"total":"100","used":13}}"#);
    platform.advance_clock(299_000);
    assert_eq!(
        ask(&platform, "/v1/number/usage", &iccid).await.body["used_flow"],
        12.5
    );
    assert_eq!(operator.request_count(), 1);
    platform.advance_clock(1_000);
    assert_eq!(
        ask(&platform, "/v1/number/usage", &iccid).await.body["used_flow"],
        13
    );
    assert_eq!(operator.request_count(), 2);

    operator.set_answer("200 OK", r#"{"city":"烟台"}"#);
    assert_eq!(
        ask(&platform, "/v1/number/city", &iccid).await.body["city"],
        "烟台"
    );
    operator.set_answer("200 OK", r#"{"state":4}"#);
    assert_eq!(
        ask(&platform, "/v1/number", &iccid).await.body["card_status"],
        "停机"
    );
    // A number whose state the operator reported by itself is not asked for.
    let line = format!(r#"{{"iccid":"{iccid}","status":"active","as_of":"2026-07-01T08:05:01+08:00"}}"#);
    let request = TestRequest::post("/ingest/v1/number-status", "application/x-ndjson", line);
    platform.advance_clock(2_000);
    assert_eq!(
        platform
            .send(request.bearer(&platform.secret("ingest_secret")))
            .await
            .body["accepted"],
        1
    );
    platform.advance_clock(200_000);
    let before = operator.request_count();
    assert_eq!(
        ask(&platform, "/v1/number", &iccid).await.body["card_status"],
        "待激活"
    );
    assert_eq!(operator.request_count(), before);
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_answer_keeps_the_known_values_and_the_operator_is_not_asked_again_at_once() {
    let (platform, operator, iccid) = platform_with_operator().await;
    let nothing = [Value::Null, Value::Null, Value::Null, Value::Null];
    let flows = |reply: &Reply| {
        ["total_flow", "used_flow", "remaining_flow", "update_time"].map(|name| reply.body[name].clone())
    };
    let huge = format!(
        r#"{{"data":{{"total":1,"used":1}},"pad":"{}"}}"#,
        "x".repeat(70_000)
    );
    let good = r#"{"data":{"total":1,"used":1}}"#;
    let moved = format!("302 Found\r\nlocation: http://{}/elsewhere", operator.addr);
    let bad = [
        ("500 Internal Server Error", good),
        ("404 Not Found", good),
        (moved.as_str(), good),
        ("200 OK", "<html>busy</html>"),
        ("200 OK", ""),
        ("200 OK", "{}"),
        ("200 OK", r#"{"data":{"total":true,"used":1}}"#),
        ("200 OK", r#"{"data":{"total":-1,"used":1}}"#),
        ("200 OK", huge.as_str()),
    ];
    for (at, (head, body)) in bad.into_iter().enumerate() {
        operator.set_answer(head, body);
        assert_eq!(
            flows(&ask(&platform, "/v1/number/usage", &iccid).await),
            nothing,
            "{head} {body:.40}"
        );
        assert_eq!(operator.request_count(), at + 1, "{head}");
        // A second query does not ask again at once.
        ask(&platform, "/v1/number/usage", &iccid).await;
        assert_eq!(operator.request_count(), at + 1, "{head}");
        platform.advance_clock(30_000);
    }
    operator.set_answer("200 OK", good);
    let known = flows(&ask(&platform, "/v1/number/usage", &iccid).await);
    assert_eq!(known[1], 1);
    platform.advance_clock(300_000);
    // A silent operator: the caller waits no longer than the connector does, and gets the known values.
    operator.answer.lock().unwrap().clear();
    assert_eq!(flows(&ask(&platform, "/v1/number/usage", &iccid).await), known);
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_queries_ask_the_operator_once() {
    let (platform, operator, iccid) = platform_with_operator().await;
    operator.set_answer("200 OK", r#"{"data":{"total":1,"used":1}}"#);
    futures::future::join_all((0..16).map(|_| ask(&platform, "/v1/number/usage", &iccid))).await;
    assert_eq!(operator.request_count(), 1);
    platform.shutdown().await;
}
