//! The call log (§9.2.2) holds every call, also the refused ones, and no identifier in full.

use std::time::Duration;

use serde_json::{Value, json};
use test_support::components::reuse;
use test_support::http::TestRequest;
use test_support::platform::{ClientAccount, TestPlatform};

/// After this time a test fails instead of waiting on.
const HANG: Duration = Duration::from_secs(60);

async fn calls(platform: &TestPlatform, query: &str) -> Vec<Value> {
    let page = platform.admin_get(&format!("/admin/v1/calls?{query}")).await;
    page["calls"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_is_logged_with_its_client_subject_address_and_result() {
    let platform = TestPlatform::start().await;
    let eid = platform.eid(0).to_owned();
    let apply = format!("/v1/write/apply?eid={eid}&write_type=1&province_code=37");
    let send = async |target: &str, id: &str| {
        platform.advance_clock(10);
        let request = TestRequest::get(target)
            .bearer(&platform.owner.token)
            .with("x-request-id", id);
        platform.send(request).await
    };
    let task = send(&apply, "first").await.body["task_id"]
        .as_str()
        .unwrap()
        .to_owned();
    send(&format!("/v1/chip?eid={eid}"), "second").await;
    send(&format!("/v1/write/status?task_id={task}"), "third").await;
    send("/v1/number?msisdn=1440199999999", "fourth").await;
    platform
        .send(TestRequest::get(format!("/v1/chip?eid={eid}")).with("x-request-id", "fifth"))
        .await;
    platform
        .send(TestRequest::get("/admin/v1/calls").with("x-request-id", "sixth"))
        .await;

    let about_chip = calls(&platform, &format!("eid={eid}")).await;
    let ids: Vec<_> = about_chip
        .iter()
        .map(|call| call["request_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["fifth", "second", "first"]);
    let masked = format!("eid={}****{}", &eid[..6], &eid[28..]);
    let second = &about_chip[1];
    for (field, expected) in [
        ("client_id", json!(platform.owner.id)),
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

    let about_task = calls(&platform, &format!("task_id={task}")).await;
    assert_eq!(about_task.len(), 2, "{about_task:?}");
    let refused = calls(
        &platform,
        &format!("client_id={}&reason=unknown_number", platform.owner.id),
    )
    .await;
    assert_eq!(refused[0]["subject"], "msisdn=144****9999");
    let unauthenticated = calls(&platform, "interface=admin.calls&reason=credential_wrong").await;
    assert_eq!(unauthenticated[0]["request_id"], "sixth");
    let own = format!("eid={eid}&client_id={}&limit=1", platform.owner.id);
    let first_page = platform.admin_get(&format!("/admin/v1/calls?{own}")).await;
    assert_eq!(first_page["calls"][0]["request_id"], "second");
    let next = first_page["next"].as_str().unwrap();
    let rest = calls(&platform, &format!("{own}&cursor={next}")).await;
    assert_eq!(rest[0]["request_id"], "first");

    assert_nothing_secret_on_disk(&platform);
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_logged_with_the_task_of_its_answer_and_one_that_comes_nowhere_with_its_interface() {
    let platform = TestPlatform::start().await;
    let task = platform.apply(0).await;
    let status = format!("/v1/write/status?eid={}", platform.eid(0));
    let asked = TestRequest::get(status.as_str()).bearer(&platform.owner.token);
    platform.send(asked.with("x-request-id", "asked")).await;
    let forged = TestRequest::get(status.as_str()).with("spin-client-addr", "10.0.0.1:1");
    platform.send(forged).await;
    platform
        .send(TestRequest::get(status.as_str()).method("PUT"))
        .await;

    let about_task = calls(&platform, &format!("task_id={task}&interface=write.status")).await;
    assert_eq!(about_task.len(), 1, "{about_task:?}");
    assert_eq!(about_task[0]["request_id"], "asked");
    for reason in ["header_forged", "method_not_allowed"] {
        let refused = calls(&platform, &format!("interface=write.status&reason={reason}")).await;
        assert_eq!(refused.len(), 1, "{reason}: {refused:?}");
    }
    platform.shutdown().await;
}

// §9.2.2
#[tokio::test(flavor = "multi_thread")]
async fn a_call_refused_for_its_address_its_account_or_its_token_names_the_client_and_its_secret() {
    let platform = TestPlatform::start().await;
    let ClientAccount { id, secret, token } = platform.owner.clone();
    let status = format!("/v1/write/status?eid={}", platform.eid(0));
    let change = async |change: Value| {
        let mut document = json!({"client_id": id});
        document
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let reply = platform.admin_post("/admin/v1/clients:update", document).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    };
    let refused = async |reason: &str| {
        platform.advance_clock(10);
        for (request, interface) in [
            (TestRequest::get(status.as_str()).bearer(&token), "write.status"),
            (
                TestRequest::get(format!("/v1/token?client_id={id}&client_secret={secret}")),
                "token",
            ),
        ] {
            assert_eq!(platform.send(request).await.reason(), reason, "{interface}");
            let row = calls(
                &platform,
                &format!("client_id={id}&interface={interface}&limit=1"),
            )
            .await;
            assert_eq!(
                (&row[0]["reason"], &row[0]["secret_generation"]),
                (&json!(reason), &json!(1)),
                "{interface}"
            );
        }
    };
    change(json!({"ips": ["198.51.100.7"]})).await;
    refused("ip_not_allowed").await;
    change(json!({"ips": ["127.0.0.1"], "active": false})).await;
    refused("client_disabled").await;
    change(json!({"active": true})).await;
    platform.advance_clock(86_400_000);
    let late = TestRequest::get(status.as_str()).bearer(&token);
    assert_eq!(platform.send(late).await.reason(), "token_expired");
    let row = calls(&platform, &format!("client_id={id}&reason=token_expired")).await;
    assert_eq!(row[0]["secret_generation"], 1);
    platform.shutdown().await;
}

fn assert_nothing_secret_on_disk(platform: &TestPlatform) {
    for secret in [
        platform.eid(0),
        platform.owner.secret.as_str(),
        &platform.owner.token,
        platform.admin_secret().as_str(),
    ] {
        assert!(!on_disk(platform, secret), "a secret or an identifier is on disk");
    }
}

/// Whether a text stands in a file of the platform's folder.
fn on_disk(platform: &TestPlatform, text: &str) -> bool {
    std::fs::read_dir(platform.folder()).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        path.is_file() && {
            let bytes = std::fs::read(path).unwrap();
            bytes.windows(text.len()).any(|window| window == text.as_bytes())
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_deleted_at_the_end_of_their_retention() {
    let platform = TestPlatform::start_with(reuse(), &[("call_log_days", "200")]).await;
    let count = async || platform.count_calls("true");
    let tick = async || {
        let request = TestRequest::post("/internal/cron", "application/json", "{}")
            .bearer(&platform.secret("cron_secret"));
        assert_eq!(platform.send(request).await.status, 200);
    };
    assert!(count().await > 0);
    platform.advance_clock(199 * 86_400_000);
    tick().await;
    assert!(count().await > 0);
    platform.advance_clock(2 * 86_400_000);
    tick().await;
    assert_eq!(count().await, 0);
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_queries_are_written_after_the_answer_and_that_of_an_application_before_it() {
    let platform = TestPlatform::start_with(reuse(), &[("call_log_interval_ms", "50")]).await;
    let rows = |interface: &str| -> i64 {
        platform.count_calls(&format!("interface = '{interface}' AND code = 200"))
    };
    platform.apply(0).await;
    assert_eq!(rows("write.apply"), 1);
    const QUERIES: i64 = 40;
    for _ in 0..QUERIES {
        let status = format!("/v1/write/status?eid={}", platform.eid(0));
        let asked = TestRequest::get(status).bearer(&platform.owner.token);
        assert_eq!(platform.send(asked).await.status, 200);
    }
    // Instances write by themselves, without another request.
    let all_written = async {
        while rows("write.status") < QUERIES {
            tokio::task::yield_now().await;
        }
    };
    let in_time = tokio::time::timeout(HANG, all_written).await;
    in_time.expect("a row for each query");
    assert_eq!(rows("write.status"), QUERIES);
    platform.shutdown().await;
}
