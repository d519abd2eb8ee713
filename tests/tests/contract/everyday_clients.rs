//! Clients as they are: what their libraries add, leave empty and spell in their own way, at every interface.

use edge_host::Reuse;
use serde_json::{Value, json};

use test_support::http::{Reply, TestRequest};
use test_support::platform::TestPlatform;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

async fn ask(platform: &TestPlatform, request: TestRequest) -> Reply {
    platform.send(request.bearer(&platform.owner.token)).await
}

async fn get(platform: &TestPlatform, target: String) -> Reply {
    ask(platform, TestRequest::get(target)).await
}

/// Parameters that libraries add to an application, and those of another kind of application, left empty.
const EXTRAS: &str = "_=1&_t=2&timestamp=1751000000.5&sign=a%2&sign=b&nonce=x&task_id=&iccid=&msisdn=%20";

fn application(platform: &TestPlatform, chip: usize) -> String {
    format!(
        "eid={}&write_type=1&province_code=37&{EXTRAS}",
        platform.eid(chip)
    )
}

async fn allot(platform: &TestPlatform, iccid: &str) {
    let allotment = json!({"client_id": platform.owner.id, "iccids": [iccid]});
    let allotted = platform.admin_post("/admin/v1/numbers:allot", allotment).await;
    assert_eq!(allotted.status, 200, "{}", allotted.text);
}

async fn card_status(platform: &TestPlatform, chip: usize) -> Value {
    let status = get(platform, format!("/v1/write/status?eid={}", platform.eid(chip))).await;
    status.body["card_status"].clone()
}

// §7.2.2.2
#[tokio::test(flavor = "multi_thread")]
async fn usual_extras_empty_parameters_and_numbers_in_any_spelling_are_read() {
    let platform = TestPlatform::start_with(Reuse::default(), &[]).await;
    let document = |chip: usize, one: &str, province: &str| {
        format!(
            "\u{feff}{{\"eid\":\"{}\",\"write_type\":{one},\"province_code\":{province},\"iccid\":null,\"msisdn\":\"\",\
             \"sign\":{{\"alg\":\"none\"}},\"timestamp\":1751000000.5}}",
            platform.eid(chip)
        )
    };
    for (chip, request) in [
        (
            0,
            TestRequest::get(format!("/v1/write/apply?{}", application(&platform, 0))),
        ),
        (
            1,
            TestRequest::post(
                "/v1/write/apply",
                FORM,
                format!("\u{feff}{}", application(&platform, 1)),
            ),
        ),
        (
            2,
            TestRequest::post("/v1/write/apply", JSON, document(2, "1", "37")),
        ),
        (
            3,
            TestRequest::post("/v1/write/apply?_=1&eid=", JSON, document(3, "1.0", "37e0")),
        ),
        (
            4,
            TestRequest::post("/v1/write/apply", JSON, document(4, "\"1\"", "\"370000\"")),
        ),
    ] {
        let applied = ask(&platform, request).await;
        assert_eq!(
            (applied.status, &applied.body["card_status"]),
            (200, &json!("待开机上电")),
            "{}",
            applied.text
        );
        let status = get(
            &platform,
            format!("/v1/write/status?task_id=&eid={}&sign=&t=1", platform.eid(chip)),
        )
        .await;
        assert_eq!(status.body["card_status"], "待开机上电", "{}", status.text);
    }
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ignored_hides_no_mistake() {
    let platform = TestPlatform::start_with(Reuse::default(), &[]).await;
    for (more, reason, field) in [
        ("Sign=a", "parameter_unknown", "Sign"),
        ("signs=a", "parameter_unknown", "signs"),
        ("key=a", "parameter_unknown", "key"),
        ("province_code=37", "parameter_repeated", "province_code"),
    ] {
        let refused = get(
            &platform,
            format!("/v1/write/apply?{}&{more}", application(&platform, 5)),
        )
        .await;
        assert_eq!(
            (refused.status, refused.reason()),
            (400, reason),
            "{}",
            refused.text
        );
        assert_eq!(refused.body["field"], field, "{}", refused.text);
    }
    let without = get(
        &platform,
        format!("/v1/write/apply?eid={}&write_type=&sign=a", platform.eid(5)),
    )
    .await;
    assert_eq!(
        (without.reason(), &without.body["field"]),
        ("parameter_missing", &json!("write_type"))
    );
    assert_eq!(card_status(&platform, 5).await, "待写卡");
    platform.shutdown().await;
}

// §5.4.1 Table 1, §6.3 Table 2
#[tokio::test(flavor = "multi_thread")]
async fn a_designated_application_goes_by_its_write_type_and_an_automatic_one_names_no_number() {
    let platform = TestPlatform::start_with(Reuse::default(), &[]).await;
    let number = &platform.inventory.numbers[20];
    allot(&platform, &number.iccid).await;
    let of_number = format!("iccid={}&msisdn={}", number.iccid, number.msisdn);
    let target = |chip: usize, rest: &str| format!("/v1/write/apply?eid={}&{rest}", platform.eid(chip));
    let refused = get(
        &platform,
        target(1, &format!("write_type=1&province_code=37&{of_number}")),
    )
    .await;
    assert_eq!(
        (refused.status, refused.reason()),
        (400, "parameter_not_applicable"),
        "{}",
        refused.text
    );
    assert_eq!(card_status(&platform, 1).await, "申请失败");
    for unreadable in [
        "write_type=1&province_code=99",
        "write_type=3",
        "write_type=0&iccid=1&msisdn=1",
        "sign=1",
    ] {
        let refused = get(&platform, target(0, unreadable)).await;
        assert_eq!(refused.status, 400, "{unreadable}: {}", refused.text);
        assert_eq!(card_status(&platform, 0).await, "待写卡", "{unreadable}");
    }
    let applied = get(
        &platform,
        target(0, &format!("write_type=0&province_code=11&{of_number}")),
    )
    .await;
    assert_eq!(applied.status, 200, "{}", applied.text);
    let again = get(&platform, target(0, &format!("write_type=0&{of_number}"))).await;
    assert_eq!(again.body["task_id"], applied.body["task_id"], "{}", again.text);
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_names_that_are_ignored_are_a_setting() {
    let platform =
        TestPlatform::start_with(Reuse::default(), &[("ignored_parameters", "appid, trace")]).await;
    let status = |more: &str| format!("/v1/write/status?eid={}&{more}", platform.eid(0));
    assert_eq!(get(&platform, status("appid=1&trace=2")).await.status, 200);
    let refused = get(&platform, status("sign=1")).await;
    assert_eq!(
        (refused.reason(), &refused.body["field"]),
        ("parameter_unknown", &json!("sign"))
    );
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_and_operators_may_spell_numbers_and_times_in_their_own_way() {
    let platform = TestPlatform::start_with(Reuse::default(), &[]).await;
    // A `+` in a query that was not escaped is a space.
    let calls = platform
        .admin_get("/admin/v1/calls?from=2026-01-01T00:00:00+08:00&interface=&_=1")
        .await;
    assert_eq!(calls["code"], 200, "{calls}");
    let mark = "\u{feff}{\"province_code\":37.0,\"low_water\":\"7\"}";
    let request = TestRequest::post("/admin/v1/pools:update", JSON, mark).bearer(&platform.admin_secret());
    let marked = platform.send(request).await;
    assert_eq!(
        (marked.status, &marked.body["low_water"]),
        (200, &json!(7)),
        "{}",
        marked.text
    );

    let number = &platform.inventory.numbers[20];
    allot(&platform, &number.iccid).await;
    let lines = format!(
        "\u{feff}{{\"msisdn\":{},\"iccid\":\"\",\"total_mb\":1e2,\"used_mb\":\"12.50\",\"as_of\":\"2026-07-01T08:00:00 08:00\"}}\n",
        number.msisdn
    );
    let request = TestRequest::post("/ingest/v1/usage", "application/x-ndjson", lines.repeat(2));
    let ingested = platform
        .send(request.bearer(&platform.secret("ingest_secret")))
        .await;
    assert_eq!(
        (&ingested.body["accepted"], &ingested.body["unchanged"]),
        (&json!(1), &json!(1)),
        "{}",
        ingested.text
    );
    let usage = get(
        &platform,
        format!("/v1/number/usage?msisdn={}&iccid=", number.msisdn),
    )
    .await;
    assert_eq!(
        (&usage.body["total_flow"], &usage.body["used_flow"]),
        (&json!(100), &json!(12.5)),
        "{}",
        usage.text
    );
    platform.shutdown().await;
}

// §7.2.2.4
#[tokio::test(flavor = "multi_thread")]
async fn cancelling_again_by_either_key_answers_the_first_time_until_something_else_happens() {
    let platform = TestPlatform::start_with(Reuse::default(), &[]).await;
    let task = platform.apply(0).await;
    let keys = [format!("eid={}", platform.eid(0)), format!("task_id={task}")];
    let cancel = async |key: &str| get(&platform, format!("/v1/write/cancel?{key}")).await;
    let first = cancel(&keys[0]).await;
    assert_eq!(first.status, 200, "{}", first.text);
    platform.advance_clock(5_000);
    for key in &keys {
        let again = cancel(key).await;
        assert_eq!(
            (again.status, &again.body["cancel_time"]),
            (200, &first.body["cancel_time"]),
            "{key}"
        );
    }
    // An application that is refused is a step of the card.
    let refused = get(
        &platform,
        format!(
            "/v1/write/apply?eid={}&write_type=1&province_code=65",
            platform.eid(0)
        ),
    )
    .await;
    assert_eq!(refused.reason(), "province_not_served", "{}", refused.text);
    for key in &keys {
        let late = cancel(key).await;
        assert_eq!((late.status, late.reason()), (403, "wrong_state"), "{key}");
    }
    platform.shutdown().await;
}
