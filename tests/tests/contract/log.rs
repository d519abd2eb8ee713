//! The call log (§9.2.2): every call, also the refused ones, and no identifier in it.

use serde_json::{Value, json};

use crate::door::{Door, Sent};

async fn calls(door: &Door, query: &str) -> Vec<Value> {
    let page = door.admin_get(&format!("/admin/v1/calls?{query}")).await;
    page["calls"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_is_written_down_with_who_what_from_where_and_how_it_ended() {
    let door = Door::open().await;
    let eid = door.eid(0).to_owned();
    let apply = format!("/v1/write/apply?eid={eid}&write_type=1&province_code=37");
    let send = async |target: &str, id: &str| {
        door.pass(10);
        let sent = Sent::get(target).bearer(&door.one.token).with("x-request-id", id);
        door.send(sent).await
    };
    let task = send(&apply, "first").await.body["task_id"]
        .as_str()
        .unwrap()
        .to_owned();
    send(&format!("/v1/chip?eid={eid}"), "second").await;
    send(&format!("/v1/write/status?task_id={task}"), "third").await;
    send("/v1/number?msisdn=1440199999999", "fourth").await;
    door.send(Sent::get(format!("/v1/chip?eid={eid}")).with("x-request-id", "fifth"))
        .await;
    door.send(Sent::get("/admin/v1/calls").with("x-request-id", "sixth"))
        .await;

    let about_chip = calls(&door, &format!("eid={eid}")).await;
    let ids: Vec<_> = about_chip
        .iter()
        .map(|call| call["request_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["fifth", "second", "first"]);
    let masked = format!("eid={}****{}", &eid[..6], &eid[28..]);
    let second = &about_chip[1];
    for (field, expected) in [
        ("client_id", json!(door.one.id)),
        ("interface", json!("chip.read")),
        ("code", json!(200)),
        ("reason", Value::Null),
        ("address", json!("127.0.0.1")),
        ("subject", json!(masked)),
        ("at", json!("2026-07-01T08:00:00+08:00")),
    ] {
        assert_eq!(second[field], expected, "{field} in {second}");
    }
    assert!(second["duration_us"].as_i64().unwrap() > 0);
    assert_eq!(about_chip[0]["reason"], "token_missing");

    let about_task = calls(&door, &format!("task_id={task}")).await;
    assert_eq!(about_task.len(), 2, "{about_task:?}");
    let refused = calls(&door, &format!("client_id={}&reason=unknown_number", door.one.id)).await;
    assert_eq!(refused[0]["subject"], "msisdn=144019****9999");
    let strangers = calls(&door, "interface=admin.calls&reason=credential_wrong").await;
    assert_eq!(strangers[0]["request_id"], "sixth");
    let own = format!("eid={eid}&client_id={}&limit=1", door.one.id);
    let first_page = door.admin_get(&format!("/admin/v1/calls?{own}")).await;
    assert_eq!(first_page["calls"][0]["request_id"], "second");
    let next = first_page["next"].as_str().unwrap();
    let rest = calls(&door, &format!("{own}&cursor={next}")).await;
    assert_eq!(rest[0]["request_id"], "first");

    for secret in [&eid, &door.one.secret, &door.one.token, &door.admin()] {
        assert!(!on_disk(&door, secret), "a secret or an identifier is on disk");
    }
    door.close().await;
}

fn on_disk(door: &Door, text: &str) -> bool {
    let folder = door.database().parent().unwrap().to_owned();
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        path.is_file() && {
            let bytes = std::fs::read(path).unwrap();
            bytes.windows(text.len()).any(|window| window == text.as_bytes())
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_swept_when_they_have_been_kept_long_enough() {
    let door = Door::open_with(xieka_tests::reuse(), &[("call_log_days", "200")]).await;
    let count = async || {
        let db = rusqlite::Connection::open(door.database()).unwrap();
        db.query_row("SELECT count(*) FROM call_log", [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    let tick = async || {
        let sent = Sent::post("/internal/cron", "application/json", "{}").bearer(&door.secret("cron_secret"));
        assert_eq!(door.send(sent).await.status, 200);
    };
    assert!(count().await > 0);
    door.pass(199 * 86_400_000);
    tick().await;
    assert!(count().await > 0);
    door.pass(2 * 86_400_000);
    tick().await;
    assert_eq!(count().await, 0);
    door.close().await;
}
