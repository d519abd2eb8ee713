//! §7.3: nothing is sent to receivers by a host that does not block special-purpose networks.

use serde_json::{Value, json};
use test_support::http::TestRequest;
use test_support::platform::TestPlatform;

/// Enters an address for the operator, and lets a severe incident raise an alert for it.
async fn with_a_message(platform: &TestPlatform) {
    let receiver = json!({"receiver": "operator", "url": "https://receiver.example/alerts"});
    platform.admin_post("/admin/v1/receivers:update", receiver).await;
    let incident = json!({"kind": "call_timeout", "severity": "severe"});
    platform.admin_post("/admin/v1/incidents:open", incident).await;
    tick(platform).await;
}

async fn tick(platform: &TestPlatform) -> Value {
    platform.advance_clock(60_000);
    let request = TestRequest::post("/internal/cron", "application/json", "{}");
    let reply = platform
        .send(request.bearer(&platform.secret("cron_secret")))
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.body
}

fn attempts(platform: &TestPlatform) -> i64 {
    platform.number("SELECT COUNT(*) FROM message_attempt")
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_guard_of_its_host_a_platform_sends_nothing_and_says_so() {
    let platform = TestPlatform::start_unguarded().await;
    with_a_message(&platform).await;
    let ticked = tick(&platform).await;
    assert_eq!(ticked["jobs"]["messages"], json!({"failed": "guard_missing"}));
    assert_eq!(attempts(&platform), 0, "no attempt is used up");
    let probe = TestRequest::document("/admin/v1/callbacks:probe", &json!({"receiver": "operator"}));
    let probed = platform.send(probe.bearer(&platform.admin_secret())).await;
    assert_eq!((probed.status, probed.reason()), (503, "guard_missing"));
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_the_guard_of_the_shipped_configuration_messages_are_sent() {
    let platform = TestPlatform::start().await;
    with_a_message(&platform).await;
    let ticked = tick(&platform).await;
    assert_ne!(ticked["jobs"]["messages"]["failed"], "guard_missing", "{ticked}");
    assert!(attempts(&platform) > 0);
    platform.shutdown().await;
}
