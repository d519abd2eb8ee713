//! §7.3, §8.2.3, §9.2.2: callbacks to receivers that behave and misbehave, sending them again, rotating what they are
//! signed with, and what the operator is told of.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::door::Sent;
use crate::receiver::{Manner, Seen};
use crate::rig::{Client, Rig, is_signed};

/// Path, manner, and what is noted of an attempt: HTTP status, state, error.
type Case = (
    &'static str,
    Manner,
    Option<u16>,
    &'static str,
    Option<&'static str>,
);

fn manners() -> [Case; 13] {
    let good = r#"{"code":200}"#.to_owned();
    [
        ("/good", Manner::good(), Some(200), "delivered", None),
        ("/drips", Manner::Drips(5), Some(200), "delivered", None),
        (
            "/hangs",
            Manner::Hangs,
            None,
            "pending",
            Some("no answer in time"),
        ),
        (
            "/drips-for-ever",
            Manner::Drips(400),
            None,
            "pending",
            Some("no answer in time"),
        ),
        ("/garbage", Manner::Garbles, None, "pending", Some("")),
        (
            "/breaks-off",
            Manner::BreaksOff,
            Some(200),
            "pending",
            Some("body_broken"),
        ),
        (
            "/500",
            Manner::Says("500 Internal Server Error", good.clone()),
            Some(500),
            "pending",
            Some("the status is not 2xx"),
        ),
        (
            "/redirect",
            Manner::Says("302 Found\r\nlocation: /target", good.clone()),
            Some(302),
            "pending",
            Some("the status is not 2xx"),
        ),
        (
            "/no-receipt",
            Manner::Says("200 OK", "OK".to_owned()),
            Some(200),
            "pending",
            Some("the answer is not a JSON object with a code"),
        ),
        (
            "/other-code",
            Manner::Says("200 OK", r#"{"code":500}"#.to_owned()),
            Some(200),
            "pending",
            Some("the code in the answer is not 200"),
        ),
        (
            "/endless",
            Manner::Says("200 OK", "x".repeat(40_000)),
            Some(200),
            "pending",
            Some("the answer is too long"),
        ),
        (
            "/429",
            Manner::Says("429 Too Many Requests\r\nretry-after: 3600", String::new()),
            Some(429),
            "pending",
            Some("the status is not 2xx"),
        ),
        (
            "/410",
            Manner::Says("410 Gone", String::new()),
            Some(410),
            "pending",
            Some("the status is not 2xx"),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn receivers_that_misbehave_are_tried_again_and_delay_nobody() {
    let rig = Rig::start().await;
    let manners = manners();
    let mut clients = Vec::new();
    for (path, manner, ..) in &manners {
        rig.receiver.behave(path, manner.clone());
        let client = rig.client(path, 1).await;
        rig.fail(&client, 0).await;
        clients.push(client);
    }
    let told = rig.tick().await;
    assert_eq!(
        (&told.body["delivered"], &told.body["retrying"]),
        (&json!(2), &json!(11))
    );
    for ((path, _, status, state, error), client) in manners.iter().zip(&clients) {
        let latest = rig.latest(client).await;
        assert_eq!(
            (&latest["state"], &latest["http_status"], &latest["attempts"]),
            (&json!(state), &json!(status), &json!(1)),
            "{path}: {latest}"
        );
        match error {
            Some("") => assert!(latest["error"].is_string(), "{path}: {latest}"),
            error => assert_eq!(latest["error"], json!(error), "{path}"),
        }
        assert_eq!(rig.receiver.at(path).len(), 1, "{path}");
    }
    assert!(rig.receiver.at("/target").is_empty(), "a redirect was followed");
    // Who answers had its callback long before those who do not were given up.
    let seen = rig.receiver.seen();
    let place = |what: &Seen| seen.iter().position(|seen| seen == what);
    let hung_up = place(&Seen::HungUp("/hangs".into())).expect("the platform waits for ever");
    assert!(place(&Seen::Request("/good".into())).unwrap() < hung_up);

    what_follows(&rig, &clients).await;
    rig.door.close().await;
}

async fn what_follows(rig: &Rig, clients: &[Client]) {
    // 429 puts off by as much as was asked for; nobody else waits for it.
    rig.door.pass(3_000_000);
    rig.tick().await;
    assert_eq!(rig.receiver.at("/429").len(), 1);
    assert_eq!(rig.receiver.at("/500").len(), 2);
    rig.door.pass(1_500_000);
    rig.tick().await;
    assert_eq!(rig.receiver.at("/429").len(), 2);
    // 410 ends it, until an address is entered: then what waited is sent.
    assert_eq!(rig.receiver.at("/410").len(), 1);
    let gone = clients.last().unwrap();
    let shown = rig
        .door
        .admin_get(&format!("/admin/v1/receivers?receiver={}", gone.id))
        .await;
    assert_eq!(shown["stopped_for"], "gone", "{shown}");
    let token = format!(
        "/v1/token?client_id={}&client_secret={}",
        gone.id, gone.client_secret
    );
    let told = rig.door.send(Sent::get(&token)).await;
    assert_eq!(
        told.body["message"],
        "成功；回调地址自 2026-07-01T08:00:00+08:00 起已停止推送，请联系运营方重新登记"
    );
    let update = json!({"receiver": gone.id, "url": rig.receiver.url("/good")});
    rig.post("/admin/v1/receivers:update", update).await;
    assert_eq!(rig.door.send(Sent::get(token)).await.body["message"], "成功");
    rig.tick().await;
    assert_eq!(rig.latest(gone).await["state"], "delivered");
}

// §8.2.3: 重新推送
#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_is_sent_again_by_hand() {
    let rig = Rig::start().await;
    let client = rig.client("/down", 3).await;
    let mut tasks = BTreeSet::new();
    for chip in 0..3 {
        tasks.insert(rig.fail(&client, chip).await);
    }
    rig.receiver
        .behave("/down", Manner::Says("503 Service Unavailable", String::new()));
    // The whole schedule, a little late each time. The two that are on their way at a time take turns.
    for _ in 0..40 {
        rig.tick().await;
        rig.door.pass(11 * 3_600_000);
    }
    let path = format!("/admin/v1/callbacks?receiver={}&state=dead", client.id);
    let dead = rig.door.admin_get(&path).await["callbacks"]
        .as_array()
        .unwrap()
        .clone();
    assert!(dead.iter().all(|row| row["attempts"] == 8), "{dead:?}");
    assert_eq!(dead.len(), 3);
    let kinds: Vec<_> = rig
        .alerts()
        .await
        .iter()
        .map(|alert| alert["kind"].clone())
        .collect();
    assert!(kinds.contains(&json!("messages_undeliverable")), "{kinds:?}");
    // Ten days of failures stopped the address too; entering it again starts it afresh.
    let address = json!({"receiver": client.id, "url": rig.receiver.url("/down")});
    rig.post("/admin/v1/receivers:update", address).await;
    rig.receiver.behave("/down", Manner::good());
    let before = rig.receiver.at("/down").len();

    let one = json!({"id": dead[0]["id"]});
    assert_eq!(rig.post("/admin/v1/callbacks:resend", one).await["resent"], 1);
    rig.tick().await;
    let span = json!({"receiver": client.id, "from": "2026-07-01T00:00:00+08:00"});
    let again = rig.post("/admin/v1/callbacks:resend", span.clone()).await;
    assert_eq!((&again["resent"], &again["more"]), (&json!(2), &json!(false)));
    rig.tick().await;
    assert_eq!(rig.post("/admin/v1/callbacks:resend", span).await["resent"], 0);
    let arrived = &rig.receiver.at("/down")[before..];
    let told: BTreeSet<String> = arrived
        .iter()
        .map(|one| one.body["task_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!((arrived.len(), told), (3, tasks));
    let ids: BTreeSet<_> = dead.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert!(
        arrived
            .iter()
            .all(|one| ids.contains(one.headers["webhook-id"].as_str()))
    );
    let unknown = json!({"id": "0190a5b0-0000-7000-8000-000000000000"}).to_string();
    let sent = Sent::post("/admin/v1/callbacks:resend", "application/json", unknown);
    let refused = rig.door.send(sent.bearer(&rig.door.admin())).await;
    assert_eq!((refused.status, refused.reason()), (404, "unknown_callback"));
    rig.door.close().await;
}

// §9.2.2
#[tokio::test(flavor = "multi_thread")]
async fn two_secrets_sign_while_one_replaces_the_other() {
    let rig = Rig::start().await;
    rig.receiver.behave("/good", Manner::good());
    let client = rig.client("/good", 3).await;
    rig.fail(&client, 0).await;
    rig.tick().await;
    let rotation = json!({"receiver": client.id, "overlap_secs": 3600});
    let rotated = rig
        .post("/admin/v1/receivers:rotate-secret", rotation.clone())
        .await;
    let new = rotated["secret"].as_str().unwrap();
    let again = Sent::post(
        "/admin/v1/receivers:rotate-secret",
        "application/json",
        rotation.to_string(),
    );
    let refused = rig.door.send(again.bearer(&rig.door.admin())).await;
    assert_eq!((refused.status, refused.reason()), (409, "secrets_in_rotation"));
    rig.fail(&client, 1).await;
    rig.tick().await;
    rig.door.pass(3_600_000);
    rig.fail(&client, 2).await;
    rig.tick().await;
    let arrived = rig.receiver.at("/good");
    let [before, between, after] = arrived.as_slice() else {
        panic!("{arrived:?}")
    };
    assert!(is_signed(before, "sign", &client.secret) && before.body["sign_previous"].is_null());
    assert!(is_signed(between, "sign", new) && is_signed(between, "sign_previous", &client.secret));
    assert!(is_signed(after, "sign", new) && after.body["sign_previous"].is_null());
    for (one, secrets) in [
        (before, vec![client.secret.as_str()]),
        (between, vec![new, &client.secret]),
        (after, vec![new]),
    ] {
        let signatures: Vec<_> = one.headers["webhook-signature"].split(' ').collect();
        let at: i64 = one.headers["webhook-timestamp"].parse().unwrap();
        let body = one.body.to_string();
        let expected: Vec<_> = secrets
            .iter()
            .map(|secret| {
                let library = standardwebhooks::Webhook::new(secret).unwrap();
                library
                    .sign(&one.headers["webhook-id"], at, body.as_bytes())
                    .unwrap()
            })
            .collect();
        assert_eq!(signatures, expected);
    }
    rig.door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_can_be_tried_out() {
    let rig = Rig::start().await;
    let client = rig.client("/probe", 1).await;
    let wanted = json!({"receiver": client.id});
    for (manner, accepted, status, answer) in [
        (
            Manner::good(),
            true,
            json!(200),
            r#"{"code":200,"message":"接收成功"}"#,
        ),
        (
            Manner::Says("500 Oops", "broken".to_owned()),
            false,
            json!(500),
            "broken",
        ),
        (Manner::Garbles, false, Value::Null, ""),
    ] {
        rig.receiver.behave("/probe", manner);
        let told = rig.post("/admin/v1/callbacks:probe", wanted.clone()).await;
        assert_eq!(
            (&told["accepted"], &told["http_status"], &told["answer"]),
            (&json!(accepted), &status, &json!(answer)),
            "{told}"
        );
        assert_eq!(told["error"].is_null(), accepted);
    }
    let arrived = rig.receiver.at("/probe");
    assert_eq!(arrived[0].body["type"], "probe");
    assert!(is_signed(&arrived[0], "sign", &client.secret));
    // It is held against nobody, and nothing is kept of it.
    let shown = rig
        .door
        .admin_get(&format!("/admin/v1/receivers?receiver={}", client.id))
        .await;
    assert!(shown["failing_since"].is_null() && shown["stopped_at"].is_null());
    let list = rig
        .door
        .admin_get(&format!("/admin/v1/callbacks?receiver={}", client.id))
        .await;
    assert_eq!(list["callbacks"], json!([]));
    for (receiver, reason) in [
        ("operator", "unknown_receiver"),
        ("cl_00000000000000000000", "unknown_receiver"),
    ] {
        let body = json!({"receiver": receiver}).to_string();
        let sent =
            Sent::post("/admin/v1/callbacks:probe", "application/json", body).bearer(&rig.door.admin());
        assert_eq!(rig.door.send(sent).await.reason(), reason);
    }
    rig.door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_is_told_like_a_client() {
    // So few numbers would be told of, too.
    let rig = Rig::with(&[("pool_low_water", "0")]).await;
    rig.receiver.behave("/operator", Manner::good());
    let entered = json!({"receiver": "operator", "url": rig.receiver.url("/operator")});
    let secret = rig.post("/admin/v1/receivers:update", entered.clone()).await["secret"].clone();
    let secret = secret.as_str().expect("the first address comes with a secret");
    assert!(rig.post("/admin/v1/receivers:update", entered).await["secret"].is_null());
    let client = rig.client("/410", 1).await;
    rig.receiver
        .behave("/410", Manner::Says("410 Gone", String::new()));
    rig.fail(&client, 0).await;
    rig.tick().await;
    rig.tick().await;
    let told = rig.receiver.at("/operator");
    assert_eq!(told.len(), 1, "{told:?}");
    let (body, subject) = (&told[0].body, format!("receiver:{}", client.id));
    assert_eq!(
        (&body["type"], &body["subject"]),
        (&json!("address_stopped"), &json!(subject))
    );
    assert!(is_signed(&told[0], "sign", secret));
    let alerts = rig.alerts().await;
    assert_eq!((alerts.len(), &alerts[0]["kind"]), (1, &json!("address_stopped")));
    let noted = rig
        .post("/admin/v1/alerts:note", json!({"ids": [alerts[0]["id"]]}))
        .await;
    assert_eq!(noted["noted"], 1);
    assert!(rig.alerts().await.is_empty());
    let all = rig.door.admin_get("/admin/v1/alerts?state=all").await;
    assert_eq!(all["alerts"].as_array().unwrap().len(), 1);
    rig.door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_tick_at_once_send_everything_once() {
    let rig = Rig::start().await;
    rig.receiver.behave("/good", Manner::good());
    let client = rig.client("/good", 30).await;
    for chip in 0..30 {
        rig.fail(&client, chip).await;
    }
    let second = rig.door.second().await;
    let (one, other) = tokio::join!(rig.tick(), rig.tick_at(&second));
    let delivered = [one, other].map(|told| told.body["delivered"].as_u64().unwrap());
    assert_eq!(delivered.iter().sum::<u64>(), 30);
    let arrived = rig.receiver.at("/good");
    let ids: BTreeSet<_> = arrived
        .iter()
        .map(|one| one.headers["webhook-id"].clone())
        .collect();
    assert_eq!((arrived.len(), ids.len()), (30, 30));
    second.shutdown().await;
    rig.door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fails_stops_no_other_and_shows_in_health() {
    let rig = Rig::start().await;
    rig.receiver.behave("/good", Manner::good());
    let client = rig.client("/good", 1).await;
    rig.tick().await;
    let health = rig.door.admin_get("/admin/v1/health").await;
    assert_eq!(health["well"], true, "{health}");
    let db = rusqlite::Connection::open(rig.door.database()).unwrap();
    db.execute_batch("ALTER TABLE device_session RENAME COLUMN closed_at TO hidden")
        .unwrap();
    for _ in 0..3 {
        rig.door.pass(60_000);
        let told = rig.tick().await;
        assert_eq!(
            told.body["jobs"]["retention"]["failed"], "internal",
            "{}",
            told.text
        );
    }
    db.execute_batch("ALTER TABLE device_session RENAME COLUMN hidden TO closed_at")
        .unwrap();
    rig.fail(&client, 0).await;
    let health = rig.door.admin_get("/admin/v1/health").await;
    assert_eq!(health["well"], false);
    let jobs = health["jobs"].as_array().unwrap();
    let failing: Vec<_> = jobs.iter().filter(|job| job["well"] == false).collect();
    assert_eq!(
        (failing.len(), &failing[0]["name"], &failing[0]["failures"]),
        (1, &json!("retention"), &json!(3))
    );
    assert_eq!(rig.alerts().await[0]["kind"], "job_failing");
    rig.door.pass(60_000);
    rig.tick().await;
    assert_eq!(rig.receiver.at("/good").len(), 1);
    assert_eq!(rig.door.admin_get("/admin/v1/health").await["well"], true);
    rig.door.close().await;
}
