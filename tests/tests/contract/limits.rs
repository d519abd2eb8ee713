//! Call rates (§7.1.2) are exact, also over many connections and instances. Nodes share them where they share the store
//! `limits`; those of these tests have one each, in memory.

use std::collections::BTreeMap;

use futures::future::join_all;
use operations::{LOGGED_REFUSALS_PER_MINUTE, WRONG_SECRETS_PER_MINUTE};
use serde_json::{Value, json};
use test_support::http::TestRequest;
use test_support::platform::{ClientAccount, TestPlatform};

/// Sets the client's limit of calls a minute.
async fn set_limit(platform: &TestPlatform, account: &ClientAccount, calls: u32) {
    let change = json!({"client_id": account.id, "limits": {"write.provinces": calls}});
    platform.admin_post("/admin/v1/clients:update", change).await;
}

fn request(account: &ClientAccount) -> TestRequest {
    TestRequest::get("/v1/write/provinces").bearer(&account.token)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_concurrent_calls_get_exactly_the_limit_of_the_minute() {
    let platform = TestPlatform::start().await;
    set_limit(&platform, &platform.owner, 30).await;
    let replies = join_all((0..100).map(|_| platform.send(request(&platform.owner)))).await;
    let mut counts = BTreeMap::new();
    for reply in &replies {
        *counts.entry(reply.status).or_insert(0) += 1;
        assert_eq!(reply.header("ratelimit-policy"), "\"write.provinces\";q=30;w=60");
        if reply.status == 429 {
            assert_eq!(reply.reason(), "rate_limited");
            assert_eq!(reply.header("retry-after"), "60");
        }
    }
    assert_eq!(counts, BTreeMap::from([(200, 30), (429, 70)]));
    // Other clients and other interfaces have limits of their own.
    assert_eq!(platform.send(request(&platform.other)).await.status, 200);
    let chip = TestRequest::get(format!("/v1/chip?eid={}", platform.eid(0))).bearer(&platform.owner.token);
    assert_eq!(platform.send(chip).await.status, 200);
    platform.advance_clock(59_000);
    assert_eq!(platform.send(request(&platform.owner)).await.status, 429);
    // The next minute has all of them again.
    platform.advance_clock(1_000);
    let fresh = platform.send(request(&platform.owner)).await;
    assert_eq!(
        (fresh.status, fresh.header("ratelimit")),
        (200, "\"write.provinces\";r=29;t=60")
    );
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_limit_that_instances_lease_in_parts_is_never_exceeded_and_nearly_reached() {
    let platform = TestPlatform::start().await;
    set_limit(&platform, &platform.owner, 600).await;
    let mut granted = 0;
    for _ in 0..50 {
        let replies = join_all((0..16).map(|_| platform.send(request(&platform.owner)))).await;
        granted += replies.iter().filter(|reply| reply.status == 200).count();
    }
    assert!((590..=600).contains(&granted), "{granted}");
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_secrets_is_throttled() {
    let platform = TestPlatform::start().await;
    let guess = |secret: &str| {
        platform.send(TestRequest::get(format!(
            "/v1/token?client_id={}&client_secret={secret}",
            platform.owner.id
        )))
    };
    for _ in 0..WRONG_SECRETS_PER_MINUTE {
        assert_eq!(guess("wrong").await.status, 401);
    }
    for secret in ["wrong", platform.owner.secret.as_str()] {
        let refused = guess(secret).await;
        assert_eq!((refused.status, refused.header("retry-after")), (429, "60"));
    }
    // Tokens that were taken before stay valid.
    assert_eq!(platform.send(request(&platform.owner)).await.status, 200);
    platform.advance_clock(60_000);
    assert_eq!(guess(&platform.owner.secret).await.status, 200);
    let log = platform
        .admin_get(&format!(
            "/admin/v1/calls?client_id={}&interface=token",
            platform.owner.id
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
    assert_eq!(wrong.count(), WRONG_SECRETS_PER_MINUTE as usize);
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_keeps_calling_without_a_token_is_throttled_and_does_not_fill_the_log() {
    let platform = TestPlatform::start().await;
    for _ in 0..50 {
        join_all((0..16).map(|_| platform.send(TestRequest::get("/v1/write/provinces")))).await;
    }
    let refused = platform.send(TestRequest::get("/v1/write/provinces")).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "60"));
    // A known caller from the same address is served.
    assert_eq!(platform.send(request(&platform.owner)).await.status, 200);
    let rows = summed(&platform, "reason=token_missing").await;
    let (summed, single): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row["summary"].is_object());
    assert_eq!(
        (single.len(), summed.len()),
        (LOGGED_REFUSALS_PER_MINUTE as usize, 1),
        "{rows:?}"
    );
    let row = summed[0];
    let left_out = 801 - i64::from(LOGGED_REFUSALS_PER_MINUTE);
    assert_eq!(
        (
            &row["address"],
            &row["summary"]["calls"],
            &row["summary"]["reasons"]
        ),
        (&json!("127.0.0.1"), &json!(left_out), &json!(["token_missing"]))
    );
    platform.shutdown().await;
}

/// Rows of the call log.
async fn summed(platform: &TestPlatform, query: &str) -> Vec<Value> {
    let page = platform
        .admin_get(&format!("/admin/v1/calls?limit=200&{query}"))
        .await;
    page["calls"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_refused_calls_of_every_kind_from_one_address_leave_a_hundred_rows_at_most() {
    let platform = TestPlatform::start().await;
    let status = "/v1/write/status?eid=1";
    let kinds = || {
        [
            TestRequest::get(status),
            TestRequest::get(status).bearer("v1.cl_0123456789abcdef0123.1.1.x"),
            TestRequest::get(status).with("spin-client-addr", "10.0.0.1:1"),
            TestRequest::get(status).with("spin-full-url", "http://a/"),
            TestRequest::get("/admin/v1/clients").method("PUT"),
            TestRequest::get("/admin/v1/clients"),
            TestRequest::get("/admin/v1/nothing"),
            TestRequest::get("/admin/v1/clients/nothing"),
        ]
    };
    for _ in 0..1_250 {
        join_all(kinds().map(|request| platform.send(request))).await;
    }
    let rows = platform.count_calls("code >= 400");
    assert!(rows <= 100, "{rows}");
    let calls = platform.sum_calls("SUM(COALESCE(calls, 1))", "code >= 400");
    assert_eq!(calls, 10_000, "each is counted");
    let rows = summed(&platform, "interface=summary").await;
    let reasons = rows[0]["summary"]["reasons"].as_array().unwrap();
    for reason in [
        "header_forged",
        "method_not_allowed",
        "token_invalid",
        "credential_wrong",
    ] {
        assert!(reasons.contains(&json!(reason)), "{reason}: {reasons:?}");
    }
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_clients_own_limit_refuses_is_summed_up_for_the_client() {
    let platform = TestPlatform::start().await;
    set_limit(&platform, &platform.owner, 5).await;
    for _ in 0..105 {
        platform.send(request(&platform.owner)).await;
    }
    let of_client = format!("client_id={}&reason=rate_limited", platform.owner.id);
    let rows = summed(&platform, &of_client).await;
    assert_eq!(rows.len(), LOGGED_REFUSALS_PER_MINUTE as usize + 1);
    let calls = 100 - i64::from(LOGGED_REFUSALS_PER_MINUTE);
    let row = rows.iter().find(|row| row["summary"].is_object()).unwrap();
    assert_eq!(row["summary"]["calls"], calls);
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_psk_identities_count_against_the_address_that_the_gateway_saw() {
    let platform = TestPlatform::start().await;
    let ask = async |address: &str| {
        let document = json!({"psk_identity": "8001ff", "eid": null, "address": address});
        let request = TestRequest::document("/internal/gateway/keys", &document);
        platform
            .send(request.bearer(&platform.secret("gateway_secret")))
            .await
    };
    for _ in 0..600 {
        assert_eq!(ask("198.51.100.9").await.reason(), "unknown_chip");
    }
    assert_eq!(ask("198.51.100.9").await.status, 429);
    // Chips from elsewhere are not held back.
    assert_eq!(ask("198.51.100.10").await.reason(), "unknown_chip");
    let rows = summed(&platform, "reason=unknown_chip").await;
    let sums: Vec<_> = rows.iter().filter(|row| row["summary"].is_object()).collect();
    assert_eq!(rows.len(), LOGGED_REFUSALS_PER_MINUTE as usize + 2);
    assert_eq!(sums[0]["address"], "198.51.100.9");
    platform.shutdown().await;
}
