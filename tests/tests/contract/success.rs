//! A successful answer has exactly the fields of its clause, in the clause's order.

use std::fmt::Display;

use serde_json::{Value, json};
use test_support::http::{Reply, TestRequest};
use test_support::platform::TestPlatform;

use crate::endpoints::named;
use crate::valid_requests::valid_request;

/// The names of the answer's fields, in their order in the text.
fn fields(reply: &Reply) -> Vec<String> {
    // A parsed document does not keep the order.
    let mut names: Vec<(usize, String)> = reply
        .body
        .as_object()
        .unwrap()
        .keys()
        .map(|name| (reply.text.find(&format!("\"{name}\":")).unwrap(), name.clone()))
        .collect();
    names.sort();
    names.into_iter().map(|(_, name)| name).collect()
}

/// Asserts the fields that `order` names, and the values of the others.
fn expect(reply: &Reply, expected: Value) {
    assert_eq!(reply.status, 200, "{}", reply.text);
    let order: Vec<&str> = expected["order"].as_str().unwrap().split(' ').collect();
    let all = [&["code", "message"][..], &order].concat();
    assert_eq!(fields(reply), all, "{}", reply.text);
    for (name, value) in expected
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| *name != "order")
    {
        assert_eq!(&reply.body[name], value, "{name} in {}", reply.text);
    }
    assert!(!reply.header("ratelimit").is_empty(), "{}", reply.text);
}

const OPEN_TIME_FIELDS: &str = "eid msisdn open_time card_status number_status expire_time";
const STATUS_FIELDS: &str =
    "eid task_id card_status progress write_time task_status finished_at failure description remedy";
/// The same of a task that is not the latest.
const OLD_STATUS_FIELDS: &str = "eid task_id card_status progress write_time task_status finished_at failure description remedy latest_task_id";
const USAGE_FIELDS: &str = "msisdn iccid total_flow used_flow remaining_flow update_time";

/// Asks as the owner of the chips.
async fn ask(platform: &TestPlatform, path: &str, query: impl Display) -> Reply {
    let request = TestRequest::get(format!("{path}?{query}"));
    platform.send(request.bearer(&platform.owner.token)).await
}

// R701 to R710
#[tokio::test(flavor = "multi_thread")]
async fn every_interface_answers_the_fields_of_its_clause() {
    let platform = TestPlatform::start().await;
    before_an_application(&platform).await;
    task_and_card(&platform).await;
    let (iccid, msisdn) = written_number(&platform).await;
    unreported_number(&platform, &iccid, &msisdn).await;
    report_number(&platform, &iccid).await;
    reported_number(&platform, &iccid, &msisdn).await;
    platform.shutdown().await;
}

async fn before_an_application(platform: &TestPlatform) {
    let chip = &platform.inventory.chips[0];
    let eid = chip.eid.as_str();

    expect(
        &platform.send(valid_request(platform, named("token"))).await,
        json!({"order": "token expire_time", "expire_time": 86_400}),
    );
    let provinces = ask(platform, "/v1/write/provinces", "").await;
    expect(
        &provinces,
        json!({"order": "provinces", "provinces": [{"name": "山东", "code": "37"}]}),
    );
    expect(
        &ask(platform, "/v1/chip", format!("eid={eid}")).await,
        json!({"order": "eid imei chip_model temp_msisdn temp_iccid card_status remaining_flow", "eid": eid,
            "temp_msisdn": chip.temp_msisdn, "temp_iccid": chip.temp_iccid, "card_status": "待写卡", "remaining_flow": 5}),
    );
    expect(
        &ask(platform, "/v1/chip/fault", format!("eid={eid}&fault=no_network")).await,
        json!({"order": "incident_id opened report_time", "opened": true}),
    );
    expect(
        &ask(platform, "/v1/number/open-time", format!("eid={eid}")).await,
        json!({"order": OPEN_TIME_FIELDS, "msisdn": chip.temp_msisdn, "card_status": "测试期", "number_status": "testing"}),
    );
}

async fn task_and_card(platform: &TestPlatform) {
    let eid = platform.eid(0);
    let task = platform.apply(0).await;
    expect(
        &ask(platform, "/v1/write/status", format!("eid={eid}")).await,
        json!({"order": STATUS_FIELDS, "task_id": task, "card_status": "待开机上电", "progress": "0%", "write_time": null,
            "task_status": "waiting", "finished_at": null, "failure": null, "remedy": null}),
    );
    let first = task.clone();
    let cancelled = ask(platform, "/v1/write/cancel", format!("task_id={task}")).await;
    expect(&cancelled, json!({"order": "cancel_time"}));
    platform.advance_clock(5_000);
    let again = ask(platform, "/v1/write/cancel", format!("task_id={task}")).await;
    assert_eq!(again.body["cancel_time"], cancelled.body["cancel_time"]);

    let task = platform.write_card(0).await;
    let done = ask(platform, "/v1/write/status", format!("task_id={task}")).await;
    expect(
        &done,
        json!({"order": STATUS_FIELDS, "card_status": "写卡成功", "progress": "100%", "task_status": "succeeded"}),
    );
    assert!(done.body["write_time"].as_str().unwrap().ends_with("+08:00"));
    assert_eq!(done.body["finished_at"], done.body["write_time"]);
    let first_id = first.clone();
    let first = ask(platform, "/v1/write/status", format!("task_id={first}")).await;
    expect(
        &first,
        json!({"order": OLD_STATUS_FIELDS, "card_status": "写卡成功", "task_status": "cancelled", "progress": "0%",
            "write_time": null, "finished_at": cancelled.body["cancel_time"], "failure": null, "remedy": null,
            "latest_task_id": task}),
    );
    let tasks = ask(platform, "/v1/write/tasks", format!("eid={eid}&limit=1")).await;
    let next = tasks.body["next"].as_str().unwrap();
    expect(&tasks, json!({"order": "tasks next", "next": next}));
    let rest = ask(platform, "/v1/write/tasks", format!("eid={eid}&cursor={next}")).await;
    assert_eq!(rest.body["tasks"][0]["task_id"], first_id);
    let listed = &tasks.body["tasks"][0];
    assert_eq!(
        (
            &listed["task_status"],
            &listed["card_status"],
            &listed["province_code"]
        ),
        (&json!("succeeded"), &json!("写卡成功"), &json!("37"))
    );
    let remaining = ask(platform, "/v1/chip", format!("eid={eid}")).await;
    assert!(
        remaining.text.contains("\"remaining_flow\":4.99935"),
        "{}",
        remaining.text
    );
}

/// Finds the number that the written card got, and returns its ICCID and MSISDN.
async fn written_number(platform: &TestPlatform) -> (String, String) {
    let mut found = None;
    for number in &platform.inventory.numbers {
        let view = ask(platform, "/v1/number", format!("iccid={}", number.iccid)).await;
        if view.status == 200 {
            found = Some((number, view));
        }
    }
    let (number, view) = found.unwrap();
    expect(
        &view,
        json!({"order": "msisdn iccid eid province card_status number_status open_time", "msisdn": number.msisdn,
            "eid": platform.eid(0), "province": "山东", "card_status": "正常", "number_status": "written", "open_time": null}),
    );
    (number.iccid.clone(), number.msisdn.clone())
}

async fn unreported_number(platform: &TestPlatform, iccid: &str, msisdn: &str) {
    let number = format!("msisdn={msisdn}&iccid={iccid}");
    expect(
        &ask(platform, "/v1/number/usage", &number).await,
        json!({"order": USAGE_FIELDS, "total_flow": null, "used_flow": null, "remaining_flow": null, "update_time": null}),
    );
    expect(
        &ask(platform, "/v1/number/city", &number).await,
        json!({"order": "msisdn city province location_time", "city": null, "location_time": null}),
    );
}

/// Reports usage, location, open time and state of the number, as its operator does.
async fn report_number(platform: &TestPlatform, iccid: &str) {
    for (topic, rest) in [
        ("usage", r#""total_mb":100,"used_mb":"0.000001""#),
        ("location", r#""city":"济南""#),
        ("open-time", r#""open_time":"2026-06-30T23:00:00Z""#),
        ("number-status", r#""status":"suspended""#),
    ] {
        let line = format!(
            r#"{{"iccid":"{}","as_of":"2026-07-01T08:00:00+08:00",{rest}}}"#,
            iccid
        );
        let request = TestRequest::post(format!("/ingest/v1/{topic}"), "application/x-ndjson", line);
        let report = platform
            .send(request.bearer(&platform.secret("ingest_secret")))
            .await;
        assert_eq!(
            (report.status, &report.body["accepted"]),
            (200, &json!(1)),
            "{}",
            report.text
        );
    }
}

async fn reported_number(platform: &TestPlatform, iccid: &str, msisdn: &str) {
    let number = format!("msisdn={msisdn}&iccid={iccid}");
    expect(
        &ask(platform, "/v1/number/usage", &number).await,
        json!({"order": USAGE_FIELDS, "total_flow": 100, "used_flow": 0.000_001, "remaining_flow": 99.999_999,
            "update_time": "2026-07-01T08:00:00+08:00"}),
    );
    expect(
        &ask(platform, "/v1/number/city", &number).await,
        json!({"order": "msisdn city province location_time", "city": "济南", "province": "山东"}),
    );
    expect(
        &ask(platform, "/v1/number/open-time", format!("msisdn={}", msisdn)).await,
        json!({"order": OPEN_TIME_FIELDS, "eid": platform.eid(0), "open_time": "2026-07-01T07:00:00+08:00", "card_status": "停机", "number_status": "suspended", "expire_time": null}),
    );
}

// §7.1.1: calls that change something also come as POST.
#[tokio::test(flavor = "multi_thread")]
async fn calls_that_change_something_take_forms_and_json() {
    let platform = TestPlatform::start().await;
    let form = format!(
        "client_id={}&client_secret={}",
        platform.owner.id, platform.owner.secret
    );
    let document =
        json!({"client_id": platform.owner.id, "client_secret": platform.owner.secret}).to_string();
    for request in [
        TestRequest::post("/v1/token", "application/x-www-form-urlencoded", form),
        TestRequest::post("/v1/token", "application/json; charset=utf-8", document),
    ] {
        assert_eq!(platform.send(request).await.status, 200);
    }
    let apply = json!({"eid": platform.eid(0), "write_type": 1, "province_code": "370000", "token": platform.owner.token});
    let applied = platform
        .send(TestRequest::post(
            "/v1/write/apply",
            "application/json",
            apply.to_string(),
        ))
        .await;
    assert_eq!(applied.status, 200, "{}", applied.text);
    let form = format!("eid={}&token={}", platform.eid(0), platform.owner.token);
    let request = TestRequest::post("/v1/write/cancel", "application/x-www-form-urlencoded", form);
    assert_eq!(platform.send(request).await.status, 200);
    // Queries come as GET alone.
    let request = TestRequest::post("/v1/write/status", "application/json", apply.to_string());
    let refused = platform.send(request).await;
    assert_eq!((refused.status, refused.header("allow")), (405, "GET"));
    let in_query = format!(
        "/v1/write/status?eid={}&token={}",
        platform.eid(0),
        platform.owner.token
    );
    let english = platform
        .send(TestRequest::get(in_query).with("accept-language", "en"))
        .await;
    assert_eq!(
        (english.status, &english.body["message"]),
        (200, &json!("success"))
    );
    platform.shutdown().await;
}
