//! §7.3, §8.2.3, §9.2.2: callbacks to receivers that work and that fail, resending, rotation of signing secrets, and
//! alerts to the operator.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use test_support::http::TestRequest;

use crate::callback_fixture::{CallbackFixture, Client, is_signed};
use crate::test_receiver::{Behaviour, ReceiverEvent};

/// Path, behaviour, and the record of the attempt: HTTP status, state, error.
type Case = (
    &'static str,
    Behaviour,
    Option<u16>,
    &'static str,
    Option<&'static str>,
);

const TIMED_OUT: Option<&str> = Some("no answer in time");
const NOT_2XX: Option<&str> = Some("the status is not 2xx");

/// Two receivers that accept and eleven that fail, each in its own way.
fn behaviours() -> Vec<Case> {
    let accepted = [
        ("/good", Behaviour::accepts(), Some(200), "delivered", None),
        ("/slow", Behaviour::SendsSlowly(5), Some(200), "delivered", None),
    ];
    [&accepted[..], &broken_connections(), &refusing_answers()].concat()
}

fn broken_connections() -> [Case; 4] {
    [
        ("/hangs", Behaviour::Hangs, None, "pending", TIMED_OUT),
        (
            "/too-slow",
            Behaviour::SendsSlowly(400),
            None,
            "pending",
            TIMED_OUT,
        ),
        ("/garbage", Behaviour::SendsGarbage, None, "pending", Some("")),
        (
            "/breaks-off",
            Behaviour::BreaksOff,
            Some(200),
            "pending",
            Some("body_broken"),
        ),
    ]
}

fn refusing_answers() -> [Case; 7] {
    let answer = |path, head, body: &str, status, error| {
        let behaviour = Behaviour::Responds(head, body.to_owned());
        (path, behaviour, Some(status), "pending", error)
    };
    let receipt = r#"{"code":200}"#;
    let found = "302 Found\r\nlocation: /target";
    let too_many = "429 Too Many Requests\r\nretry-after: 3600";
    [
        answer("/500", "500 Internal Server Error", receipt, 500, NOT_2XX),
        answer("/redirect", found, receipt, 302, NOT_2XX),
        answer(
            "/no-receipt",
            "200 OK",
            "OK",
            200,
            Some("the answer is not JSON: expected value at line 1 column 1"),
        ),
        answer(
            "/other-code",
            "200 OK",
            r#"{"code":500}"#,
            200,
            Some("the code in the answer is 500, not 200"),
        ),
        answer(
            "/endless",
            "200 OK",
            &"x".repeat(40_000),
            200,
            Some("the answer is too long"),
        ),
        answer("/429", too_many, "", 429, NOT_2XX),
        answer("/410", "410 Gone", "", 410, NOT_2XX),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_receivers_are_retried_and_delay_nobody() {
    let fixture = CallbackFixture::start().await;
    let behaviours = behaviours();
    let mut clients = Vec::new();
    for (path, behaviour, ..) in &behaviours {
        fixture.receiver.set_behaviour(path, behaviour.clone());
        let client = fixture.client(path, 1).await;
        fixture.fail_at(&client, 0).await;
        clients.push(client);
    }
    let tick = fixture.tick().await;
    assert_eq!(
        (&tick.body["delivered"], &tick.body["retrying"]),
        (&json!(2), &json!(11))
    );
    for ((path, _, status, state, error), client) in behaviours.iter().zip(&clients) {
        let latest = fixture.latest_message(client).await;
        assert_eq!(
            (&latest["state"], &latest["http_status"], &latest["attempts"]),
            (&json!(state), &json!(status), &json!(1)),
            "{path}: {latest}"
        );
        match error {
            Some("") => assert!(latest["error"].is_string(), "{path}: {latest}"),
            error => assert_eq!(latest["error"], json!(error), "{path}"),
        }
        assert_eq!(fixture.receiver.requests_at(path).len(), 1, "{path}");
    }
    assert!(
        fixture.receiver.requests_at("/target").is_empty(),
        "a redirect was followed"
    );
    // A receiver that answers gets its callback long before the platform stops waiting for the others.
    let events = fixture.receiver.events();
    let position = |wanted: &ReceiverEvent| events.iter().position(|event| event == wanted);
    let timed_out =
        position(&ReceiverEvent::Disconnected("/hangs".into())).expect("the platform waits without limit");
    assert!(position(&ReceiverEvent::Request("/good".into())).unwrap() < timed_out);

    later_attempts(&fixture, &clients).await;
    fixture.platform.shutdown().await;
}

/// The attempts after the first, at receivers that answered 429, 500 and 410.
async fn later_attempts(fixture: &CallbackFixture, clients: &[Client]) {
    // 429 with Retry-After delays its own receiver by that much, and no other.
    fixture.platform.advance_clock(3_000_000);
    fixture.tick().await;
    assert_eq!(fixture.receiver.requests_at("/429").len(), 1);
    assert_eq!(fixture.receiver.requests_at("/500").len(), 2);
    fixture.platform.advance_clock(1_500_000);
    fixture.tick().await;
    assert_eq!(fixture.receiver.requests_at("/429").len(), 2);
    // 410 stops the address. A new address gets the messages that waited.
    assert_eq!(fixture.receiver.requests_at("/410").len(), 1);
    let gone = clients.last().unwrap();
    let shown = fixture
        .platform
        .admin_get(&format!("/admin/v1/receivers?receiver={}", gone.id))
        .await;
    assert_eq!(shown["stopped_for"], "gone", "{shown}");
    let token = format!(
        "/v1/token?client_id={}&client_secret={}",
        gone.id, gone.client_secret
    );
    let taken = fixture.platform.send(TestRequest::get(&token)).await;
    assert_eq!(taken.body["message"], "成功");
    assert_eq!(
        taken.body["notice"],
        "回调地址自 2026-07-01T08:00:00+08:00 起已停止推送，请联系运营方重新登记"
    );
    let update = json!({"receiver": gone.id, "url": fixture.receiver.url("/good")});
    fixture.post("/admin/v1/receivers:update", update).await;
    let taken = fixture.platform.send(TestRequest::get(token)).await;
    assert!(taken.body["notice"].is_null(), "{}", taken.text);
    fixture.tick().await;
    assert_eq!(fixture.latest_message(gone).await["state"], "delivered");
}

// §8.2.3: 重新推送
#[tokio::test(flavor = "multi_thread")]
async fn dead_messages_are_resent_by_an_administrator() {
    let fixture = CallbackFixture::start().await;
    let client = fixture.client("/down", 3).await;
    let mut tasks = BTreeSet::new();
    for chip in 0..3 {
        tasks.insert(fixture.fail_at(&client, chip).await);
    }
    fixture.receiver.set_behaviour(
        "/down",
        Behaviour::Responds("503 Service Unavailable", String::new()),
    );
    // The whole schedule, each attempt a little late; the receiver has at most two messages in flight.
    for _ in 0..40 {
        fixture.tick().await;
        fixture.platform.advance_clock(11 * 3_600_000);
    }
    let path = format!("/admin/v1/callbacks?receiver={}&state=dead", client.id);
    let dead = fixture.platform.admin_get(&path).await["callbacks"]
        .as_array()
        .unwrap()
        .clone();
    assert!(dead.iter().all(|row| row["attempts"] == 8), "{dead:?}");
    assert_eq!(dead.len(), 3);
    let kinds: Vec<_> = fixture
        .alerts()
        .await
        .iter()
        .map(|alert| alert["kind"].clone())
        .collect();
    assert!(kinds.contains(&json!("messages_undeliverable")), "{kinds:?}");
    // Ten days of failures also stopped the address; entering it again resets it.
    let address = json!({"receiver": client.id, "url": fixture.receiver.url("/down")});
    fixture.post("/admin/v1/receivers:update", address).await;
    fixture.receiver.set_behaviour("/down", Behaviour::accepts());
    let before = fixture.receiver.requests_at("/down").len();

    let one = json!({"id": dead[0]["id"]});
    assert_eq!(fixture.post("/admin/v1/callbacks:resend", one).await["resent"], 1);
    fixture.tick().await;
    let span = json!({"receiver": client.id, "from": "2026-07-01T00:00:00+08:00"});
    let again = fixture.post("/admin/v1/callbacks:resend", span.clone()).await;
    assert_eq!((&again["resent"], &again["more"]), (&json!(2), &json!(false)));
    fixture.tick().await;
    assert_eq!(
        fixture.post("/admin/v1/callbacks:resend", span).await["resent"],
        0
    );
    let received = &fixture.receiver.requests_at("/down")[before..];
    let tasks_received: BTreeSet<String> = received
        .iter()
        .map(|request| request.body["task_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!((received.len(), tasks_received), (3, tasks));
    let ids: BTreeSet<_> = dead.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert!(
        received
            .iter()
            .all(|request| ids.contains(request.headers["webhook-id"].as_str()))
    );
    let unknown = json!({"id": "0190a5b0-0000-7000-8000-000000000000"}).to_string();
    let request = TestRequest::post("/admin/v1/callbacks:resend", "application/json", unknown);
    let refused = fixture
        .platform
        .send(request.bearer(&fixture.platform.admin_secret()))
        .await;
    assert_eq!((refused.status, refused.reason()), (404, "unknown_callback"));
    fixture.platform.shutdown().await;
}

// §9.2.2
#[tokio::test(flavor = "multi_thread")]
async fn two_secrets_sign_while_one_replaces_the_other() {
    let fixture = CallbackFixture::start().await;
    fixture.receiver.set_behaviour("/good", Behaviour::accepts());
    let client = fixture.client("/good", 3).await;
    fixture.fail_at(&client, 0).await;
    fixture.tick().await;
    let rotation = json!({"receiver": client.id, "overlap_secs": 3600});
    let rotated = fixture
        .post("/admin/v1/receivers:rotate-secret", rotation.clone())
        .await;
    let new = rotated["secret"].as_str().unwrap();
    let again = TestRequest::post(
        "/admin/v1/receivers:rotate-secret",
        "application/json",
        rotation.to_string(),
    );
    let refused = fixture
        .platform
        .send(again.bearer(&fixture.platform.admin_secret()))
        .await;
    assert_eq!((refused.status, refused.reason()), (409, "secrets_in_rotation"));
    fixture.fail_at(&client, 1).await;
    fixture.tick().await;
    fixture.platform.advance_clock(3_600_000);
    fixture.fail_at(&client, 2).await;
    fixture.tick().await;
    let received = fixture.receiver.requests_at("/good");
    let [before, between, after] = received.as_slice() else {
        panic!("{received:?}")
    };
    assert!(is_signed(before, "sign", &client.secret) && before.body["sign_previous"].is_null());
    assert!(is_signed(between, "sign", new) && is_signed(between, "sign_previous", &client.secret));
    assert!(is_signed(after, "sign", new) && after.body["sign_previous"].is_null());
    for (request, secrets) in [
        (before, vec![client.secret.as_str()]),
        (between, vec![new, &client.secret]),
        (after, vec![new]),
    ] {
        let signatures: Vec<_> = request.headers["webhook-signature"].split(' ').collect();
        let at: i64 = request.headers["webhook-timestamp"].parse().unwrap();
        let body = request.body.to_string();
        let expected: Vec<_> = secrets
            .iter()
            .map(|secret| {
                let library = standardwebhooks::Webhook::new(secret).unwrap();
                library
                    .sign(&request.headers["webhook-id"], at, body.as_bytes())
                    .unwrap()
            })
            .collect();
        assert_eq!(signatures, expected);
    }
    fixture.platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_can_be_tested_with_a_probe() {
    let fixture = CallbackFixture::start().await;
    let client = fixture.client("/probe", 1).await;
    let target = json!({"receiver": client.id});
    for (behaviour, accepted, status, answer) in [
        (
            Behaviour::accepts(),
            true,
            json!(200),
            r#"{"code":200,"message":"接收成功"}"#,
        ),
        (
            Behaviour::Responds("500 Oops", "broken".to_owned()),
            false,
            json!(500),
            "broken",
        ),
        (Behaviour::SendsGarbage, false, Value::Null, ""),
    ] {
        fixture.receiver.set_behaviour("/probe", behaviour);
        let result = fixture.post("/admin/v1/callbacks:probe", target.clone()).await;
        assert_eq!(
            (&result["accepted"], &result["http_status"], &result["answer"]),
            (&json!(accepted), &status, &json!(answer)),
            "{result}"
        );
        assert_eq!(result["error"].is_null(), accepted);
    }
    let received = fixture.receiver.requests_at("/probe");
    assert_eq!(received[0].body["type"], "probe");
    assert!(is_signed(&received[0], "sign", &client.secret));
    // A failed probe does not count against the receiver, and no message is stored.
    let shown = fixture
        .platform
        .admin_get(&format!("/admin/v1/receivers?receiver={}", client.id))
        .await;
    assert!(shown["failing_since"].is_null() && shown["stopped_at"].is_null());
    let list = fixture
        .platform
        .admin_get(&format!("/admin/v1/callbacks?receiver={}", client.id))
        .await;
    assert_eq!(list["callbacks"], json!([]));
    for (receiver, reason) in [
        ("operator", "unknown_receiver"),
        ("cl_00000000000000000000", "unknown_receiver"),
    ] {
        let body = json!({"receiver": receiver}).to_string();
        let request = TestRequest::post("/admin/v1/callbacks:probe", "application/json", body)
            .bearer(&fixture.platform.admin_secret());
        assert_eq!(fixture.platform.send(request).await.reason(), reason);
    }
    fixture.platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_gets_signed_messages_like_a_client() {
    // Without it, the small pool would raise an alert too.
    let fixture = CallbackFixture::with(&[("pool_low_water", "0")]).await;
    fixture.receiver.set_behaviour("/operator", Behaviour::accepts());
    let entered = json!({"receiver": "operator", "url": fixture.receiver.url("/operator")});
    let secret = fixture.post("/admin/v1/receivers:update", entered.clone()).await["secret"].clone();
    let secret = secret.as_str().expect("the first address comes with a secret");
    assert!(fixture.post("/admin/v1/receivers:update", entered).await["secret"].is_null());
    let client = fixture.client("/410", 1).await;
    fixture
        .receiver
        .set_behaviour("/410", Behaviour::Responds("410 Gone", String::new()));
    fixture.fail_at(&client, 0).await;
    fixture.tick().await;
    fixture.tick().await;
    let (heads, messages): (Vec<_>, Vec<_>) = fixture
        .receiver
        .requests_at("/operator")
        .into_iter()
        .partition(|message| message.body["type"] == "audit_head");
    // What the administrator did here is in the audit trail, whose end the operator holds.
    assert_eq!(heads.len(), 1, "{heads:?}");
    assert!(is_signed(&heads[0], "sign", secret));
    assert_eq!(messages.len(), 1, "{messages:?}");
    let (body, subject) = (&messages[0].body, format!("receiver:{}", client.id));
    assert_eq!(
        (&body["type"], &body["subject"]),
        (&json!("address_stopped"), &json!(subject))
    );
    assert!(is_signed(&messages[0], "sign", secret));
    let alerts = fixture.alerts().await;
    assert_eq!((alerts.len(), &alerts[0]["kind"]), (1, &json!("address_stopped")));
    let noted = fixture
        .post("/admin/v1/alerts:note", json!({"ids": [alerts[0]["id"]]}))
        .await;
    assert_eq!(noted["noted"], 1);
    assert!(fixture.alerts().await.is_empty());
    let all = fixture.platform.admin_get("/admin/v1/alerts?state=all").await;
    assert_eq!(all["alerts"].as_array().unwrap().len(), 1);
    fixture.platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_tick_at_once_send_everything_once() {
    let fixture = CallbackFixture::start().await;
    fixture.receiver.set_behaviour("/good", Behaviour::accepts());
    let client = fixture.client("/good", 30).await;
    for chip in 0..30 {
        fixture.fail_at(&client, chip).await;
    }
    let second = fixture.platform.start_second_node().await;
    let (first, other) = tokio::join!(fixture.tick(), fixture.tick_at(&second));
    let delivered = [first, other].map(|reply| reply.body["delivered"].as_u64().unwrap());
    assert_eq!(delivered.iter().sum::<u64>(), 30);
    let received = fixture.receiver.requests_at("/good");
    let ids: BTreeSet<_> = received
        .iter()
        .map(|request| request.headers["webhook-id"].clone())
        .collect();
    assert_eq!((received.len(), ids.len()), (30, 30));
    second.shutdown().await;
    fixture.platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fails_stops_no_other_and_shows_in_health() {
    let fixture = CallbackFixture::start().await;
    fixture.receiver.set_behaviour("/good", Behaviour::accepts());
    let client = fixture.client("/good", 1).await;
    fixture.tick().await;
    let health = fixture.platform.admin_get("/admin/v1/health").await;
    assert_eq!(health["healthy"], true, "{health}");
    let platform = &fixture.platform;
    platform.batch("ALTER TABLE device_session RENAME COLUMN closed_at TO hidden");
    for _ in 0..3 {
        fixture.platform.advance_clock(60_000);
        let tick = fixture.tick().await;
        assert_eq!(
            tick.body["jobs"]["retention"]["failed"], "internal",
            "{}",
            tick.text
        );
    }
    platform.batch("ALTER TABLE device_session RENAME COLUMN hidden TO closed_at");
    fixture.fail_at(&client, 0).await;
    let health = fixture.platform.admin_get("/admin/v1/health").await;
    assert_eq!(health["healthy"], false);
    let jobs = health["jobs"].as_array().unwrap();
    let failing: Vec<_> = jobs.iter().filter(|job| job["healthy"] == false).collect();
    assert_eq!(
        (failing.len(), &failing[0]["name"], &failing[0]["failures"]),
        (1, &json!("retention"), &json!(3))
    );
    assert_eq!(fixture.alerts().await[0]["kind"], "job_failing");
    fixture.platform.advance_clock(60_000);
    fixture.tick().await;
    assert_eq!(fixture.receiver.requests_at("/good").len(), 1);
    assert_eq!(
        fixture.platform.admin_get("/admin/v1/health").await["healthy"],
        true
    );
    fixture.platform.shutdown().await;
}
