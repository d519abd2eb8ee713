//! How often one may call (§7.1.2), exactly, also from many connections and over several nodes.

use std::collections::BTreeMap;

use futures::future::join_all;
use operations::WRONG_SECRETS;
use serde_json::json;

use crate::door::{Account, Door, Sent};

async fn limit(door: &Door, account: &Account, calls: u32) {
    let change = json!({"client_id": account.id, "limits": {"write.provinces": calls}});
    door.admin_post("/admin/v1/clients:update", change).await;
}

fn ask(account: &Account) -> Sent {
    Sent::get("/v1/write/provinces").bearer(&account.token)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_calls_at_once_get_what_the_minute_has_and_not_one_more() {
    let door = Door::open().await;
    let second = door.second().await;
    limit(&door, &door.one, 30).await;
    let hosts = [&door.host, &second];
    let replies = join_all((0..100).map(|n| door.send_to(hosts[n % 2], ask(&door.one)))).await;
    let mut counts = BTreeMap::new();
    for reply in &replies {
        *counts.entry(reply.status).or_insert(0) += 1;
        assert_eq!(reply.header("ratelimit-policy"), "\"write.provinces\";q=30;w=60");
        if reply.status == 429 {
            assert_eq!(reply.reason(), "rate_limited");
            assert_eq!(reply.header("retry-after"), "2");
        }
    }
    assert_eq!(counts, BTreeMap::from([(200, 30), (429, 70)]));
    // Others are not touched, neither clients nor interfaces.
    assert_eq!(door.send(ask(&door.other)).await.status, 200);
    let chip = Sent::get(format!("/v1/chip?eid={}", door.eid(0))).bearer(&door.one.token);
    assert_eq!(door.send(chip).await.status, 200);
    door.pass(2_000);
    assert_eq!(door.send(ask(&door.one)).await.status, 200);
    assert_eq!(door.send(ask(&door.one)).await.status, 429);
    door.pass(60_000);
    let fresh = door.send(ask(&door.one)).await;
    assert_eq!(
        (fresh.status, fresh.header("ratelimit")),
        (200, "\"write.provinces\";r=29;t=2")
    );
    second.shutdown().await;
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_limit_that_is_taken_in_portions_is_never_exceeded_and_hardly_missed() {
    let door = Door::open().await;
    limit(&door, &door.one, 600).await;
    let mut granted = 0;
    for _ in 0..50 {
        let replies = join_all((0..16).map(|_| door.send(ask(&door.one)))).await;
        granted += replies.iter().filter(|reply| reply.status == 200).count();
    }
    assert!((590..=600).contains(&granted), "{granted}");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_secrets_has_to_wait() {
    let door = Door::open().await;
    let guess = |secret: &str| {
        door.send(Sent::get(format!(
            "/v1/token?client_id={}&client_secret={secret}",
            door.one.id
        )))
    };
    let (burst, secs) = WRONG_SECRETS;
    for _ in 0..burst {
        assert_eq!(guess("wrong").await.status, 401);
    }
    for secret in ["wrong", door.one.secret.as_str()] {
        let refused = guess(secret).await;
        assert_eq!(
            (refused.status, refused.header("retry-after")),
            (429, secs.to_string().as_str())
        );
    }
    // Tokens that were taken before go on.
    assert_eq!(door.send(ask(&door.one)).await.status, 200);
    door.pass(i64::from(secs) * 1_000);
    assert_eq!(guess(&door.one.secret).await.status, 200);
    let log = door
        .admin_get(&format!(
            "/admin/v1/calls?client_id={}&interface=token",
            door.one.id
        ))
        .await;
    let reasons: Vec<_> = log["calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| call["reason"].clone())
        .collect();
    let wrong = reasons
        .iter()
        .filter(|reason| **reason == json!("client_unknown_or_secret_wrong"));
    assert_eq!(wrong.count(), burst as usize);
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_keeps_knocking_without_a_token_is_told_to_wait_and_does_not_fill_the_log() {
    let door = Door::open().await;
    for _ in 0..50 {
        join_all((0..16).map(|_| door.send(Sent::get("/v1/write/provinces")))).await;
    }
    let refused = door.send(Sent::get("/v1/write/provinces")).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "1"));
    // A known caller from the same address is served.
    assert_eq!(door.send(ask(&door.one)).await.status, 200);
    let db = rusqlite::Connection::open(door.database()).unwrap();
    let logged: i64 = db
        .query_row(
            "SELECT count(*) FROM call_log WHERE reason = 'token_missing'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(logged, 600);
    door.close().await;
}
