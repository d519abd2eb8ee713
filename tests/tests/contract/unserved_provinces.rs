//! §8.2.1 Table 3: a province that is not served is refused, counted in the review, and no incident.

use serde_json::json;
use test_support::http::TestRequest;
use test_support::platform::TestPlatform;

#[tokio::test(flavor = "multi_thread")]
async fn asking_for_provinces_that_never_had_numbers_opens_nothing_and_is_counted() {
    let platform = TestPlatform::start().await;
    let apply = async |chip: usize, province: &str| {
        let target = format!(
            "/v1/write/apply?eid={}&write_type=1&province_code={province}",
            platform.eid(chip)
        );
        let request = TestRequest::get(target).bearer(&platform.owner.token);
        let reply = platform.send(request).await;
        (reply.status, reply.reason().to_owned())
    };
    for (chip, province) in [(0, "65"), (1, "54"), (1, "54")] {
        assert_eq!(
            apply(chip, province).await,
            (409, "province_not_served".to_owned())
        );
    }
    let tick = TestRequest::post("/internal/cron", "application/json", "{}");
    let tick = tick.bearer(&platform.secret("cron_secret"));
    assert_eq!(platform.send(tick).await.status, 200);
    let incidents = platform.admin_get("/admin/v1/incidents").await;
    assert_eq!(incidents["incidents"], json!([]));
    let review = platform.admin_get("/admin/v1/incidents/review").await;
    assert_eq!((&review["unserved"], &review["tasks"]), (&json!(2), &json!(0)));
    let history = format!("/admin/v1/chips/history?eid={}", platform.eid(1));
    let steps = platform.admin_get(&history).await["steps"].clone();
    let reasons: Vec<_> = steps
        .as_array()
        .unwrap()
        .iter()
        .map(|step| &step["reason"])
        .collect();
    assert_eq!(reasons, ["province_not_served", "imported"]);
    platform.shutdown().await;
}
