//! The connector to an operator's own interface, against a small server that behaves and misbehaves.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::door::{Door, Reply, Sent};

/// An operator whose next answer the test decides.
struct Operator {
    addr: SocketAddr,
    answer: Arc<Mutex<Vec<u8>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Operator {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let operator = Self {
            addr: listener.local_addr().unwrap(),
            answer: Arc::default(),
            asked: Arc::default(),
        };
        let (answer, asked) = (operator.answer.clone(), operator.asked.clone());
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let (answer, asked) = (answer.clone(), asked.clone());
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        let Ok(byte) = socket.read_u8().await else { return };
                        head.push(byte);
                    }
                    asked.lock().unwrap().push(String::from_utf8(head).unwrap());
                    let bytes = answer.lock().unwrap().clone();
                    if bytes.is_empty() {
                        // Says nothing for longer than anybody waits.
                        tokio::time::sleep(Duration::from_secs(60)).await;
                    }
                    let _ = socket.write_all(&bytes).await;
                });
            }
        });
        operator
    }

    fn says(&self, head: &str, body: &str) {
        let length = body.len();
        let text = format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
        *self.answer.lock().unwrap() = text.into_bytes();
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
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

async fn world() -> (Door, Operator, String) {
    let operator = Operator::start().await;
    let host = format!("http://{}", operator.addr);
    let configuration = operator.configuration();
    let variables = [
        ("operator_api", configuration.as_str()),
        ("operator_api_host", host.as_str()),
        ("operator_credential", "k3y"),
    ];
    let door = Door::open_with(xieka_tests::reuse(), &variables).await;
    let iccid = door.inventory.numbers[0].iccid.clone();
    let allot = json!({"client_id": door.one.id, "iccids": [iccid]});
    door.admin_post("/admin/v1/numbers:allot", allot).await;
    (door, operator, iccid)
}

async fn ask(door: &Door, path: &str, iccid: &str) -> Reply {
    let reply = door
        .send(Sent::get(format!("{path}?iccid={iccid}")).bearer(&door.one.token))
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_is_asked_once_and_again_when_its_answer_is_old() {
    let (door, operator, iccid) = world().await;
    operator.says("200 OK", r#"{"data":{"total":"100","used":12.5}}"#);
    let first = ask(&door, "/v1/number/usage", &iccid).await;
    assert_eq!(
        (&first.body["used_flow"], &first.body["update_time"]),
        (&json!(12.5), &json!("2026-07-01T08:00:00+08:00"))
    );
    let request = operator.asked.lock().unwrap()[0].clone();
    let msisdn = &door.inventory.numbers[0].msisdn;
    assert!(
        request.starts_with(&format!("GET /v2/usage?n={msisdn} HTTP/1.1\r\n")),
        "{request}"
    );
    assert!(request.contains("x-key: k3y\r\n"), "{request}");

    operator.says("200 OK", r#"{"data":{"total":"100","used":13}}"#);
    door.pass(299_000);
    assert_eq!(
        ask(&door, "/v1/number/usage", &iccid).await.body["used_flow"],
        12.5
    );
    assert_eq!(operator.asked(), 1);
    door.pass(1_000);
    assert_eq!(ask(&door, "/v1/number/usage", &iccid).await.body["used_flow"], 13);
    assert_eq!(operator.asked(), 2);

    operator.says("200 OK", r#"{"city":"烟台"}"#);
    assert_eq!(ask(&door, "/v1/number/city", &iccid).await.body["city"], "烟台");
    operator.says("200 OK", r#"{"state":4}"#);
    assert_eq!(
        ask(&door, "/v1/number", &iccid).await.body["card_status"],
        "已停用"
    );
    // What an operator tells by itself need not be asked for.
    let line = format!(r#"{{"iccid":"{iccid}","status":"active","as_of":"2026-07-01T08:05:01+08:00"}}"#);
    let sent = Sent::post("/ingest/v1/number-status", "application/x-ndjson", line);
    door.pass(2_000);
    assert_eq!(
        door.send(sent.bearer(&door.secret("ingest_secret"))).await.body["accepted"],
        1
    );
    door.pass(200_000);
    let asked = operator.asked();
    assert_eq!(
        ask(&door, "/v1/number", &iccid).await.body["card_status"],
        "已划拨"
    );
    assert_eq!(operator.asked(), asked);
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_answer_leaves_what_is_known_and_the_operator_is_left_alone_for_a_while() {
    let (door, operator, iccid) = world().await;
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
        operator.says(head, body);
        assert_eq!(
            flows(&ask(&door, "/v1/number/usage", &iccid).await),
            nothing,
            "{head} {body:.40}"
        );
        assert_eq!(operator.asked(), at + 1, "{head}");
        // Not again at once.
        ask(&door, "/v1/number/usage", &iccid).await;
        assert_eq!(operator.asked(), at + 1, "{head}");
        door.pass(30_000);
    }
    operator.says("200 OK", good);
    let known = flows(&ask(&door, "/v1/number/usage", &iccid).await);
    assert_eq!(known[1], 1);
    door.pass(300_000);
    // Silence: the caller waits no longer than the connector does, and gets what is known.
    operator.answer.lock().unwrap().clear();
    assert_eq!(flows(&ask(&door, "/v1/number/usage", &iccid).await), known);
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_callers_at_once_make_one_question() {
    let (door, operator, iccid) = world().await;
    operator.says("200 OK", r#"{"data":{"total":1,"used":1}}"#);
    futures::future::join_all((0..16).map(|_| ask(&door, "/v1/number/usage", &iccid))).await;
    assert_eq!(operator.asked(), 1);
    door.close().await;
}
