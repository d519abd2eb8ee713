//! Identifiers carry the home of their card, over components.

use serde_json::json;

use test_support::http::TestRequest;
use test_support::platform::TestPlatform;

#[tokio::test(flavor = "multi_thread")]
async fn a_task_and_the_message_about_its_acceptance_end_in_the_home_of_their_chip() {
    let platform = TestPlatform::start().await;
    let selected = json!({"receiver": platform.owner.id, "changes": ["accepted"]});
    platform.admin_post("/admin/v1/receivers:update", selected).await;
    for chip in 0..3 {
        // The latest message is the one of this application.
        platform.advance_clock(1_000);
        let task = platform.apply(chip).await;
        let asked = json!({"psk_identity": "41", "eid": platform.eid(chip)});
        let keys = TestRequest::document("/internal/gateway/keys", &asked);
        let keys = platform
            .send(keys.bearer(&platform.secret("gateway_secret")))
            .await;
        let home = format!("{:02x}", keys.body["home"].as_u64().expect(&keys.text));
        assert!(task.ends_with(&home), "{task} {home}");
        let path = format!("/admin/v1/callbacks?receiver={}", platform.owner.id);
        let page = platform.admin_get(&path).await;
        let latest = &page["callbacks"][0];
        assert_eq!(latest["task_id"], task.as_str());
        assert!(latest["id"].as_str().unwrap().ends_with(&home), "{latest}");
    }
    // Another key gives other homes, and is refused.
    let node = platform.start_node_with(&[("home_key", &"ab".repeat(32))]).await;
    let path = format!(
        "/v1/write/apply?eid={}&write_type=1&province_code=37",
        platform.eid(0)
    );
    let refused = platform
        .send_to(&node, TestRequest::get(path).bearer(&platform.owner.token))
        .await;
    assert_eq!(
        (refused.status, refused.reason()),
        (503, "keys_wrong"),
        "{}",
        refused.text
    );
    node.shutdown().await;
    platform.shutdown().await;
}
