//! Tasks that administrators, operators and faults end (§6.3 Table 2), through the interfaces.

use edge_host::Reuse;
use serde_json::{Value, json};

use test_support::http::{Reply, TestRequest};
use test_support::platform::TestPlatform;

async fn end(platform: &TestPlatform, what: Value) -> Reply {
    let mut document = json!({"person": "王芳", "reason": "设备已报废"});
    let fields = document.as_object_mut().unwrap();
    fields.extend(what.as_object().unwrap().clone());
    let request = TestRequest::post("/admin/v1/tasks:end", "application/json", document.to_string());
    platform.send(request.bearer(&platform.admin_secret())).await
}

async fn act(platform: &TestPlatform, path: &str, document: Value) -> Reply {
    let request = TestRequest::document(path, &document).bearer(&platform.admin_secret());
    platform.send(request).await
}

async fn card_status(platform: &TestPlatform, chip: usize) -> String {
    let request = TestRequest::get(format!("/v1/write/status?eid={}", platform.eid(chip)));
    let reply = platform.send(request.bearer(&platform.owner.token)).await;
    reply.body["card_status"].as_str().unwrap().to_owned()
}

async fn last_step(platform: &TestPlatform, chip: usize) -> Value {
    let path = format!("/admin/v1/chips/history?eid={}", platform.eid(chip));
    platform.admin_get(&path).await["steps"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_ends_a_waiting_and_a_running_task() {
    let platform = TestPlatform::start_with(Reuse::default(), &[]).await;
    let task = platform.apply(0).await;
    let ended = end(&platform, json!({"eid": platform.eid(0)})).await;
    assert_eq!(ended.status, 200, "{}", ended.text);
    assert_eq!(ended.body["task_id"], task);
    assert_eq!(ended.body["card_status"], "待写卡");
    assert_eq!(card_status(&platform, 0).await, "待写卡");
    let path = format!("/v1/write/status?task_id={}", task.as_str());
    let status = platform
        .send(TestRequest::get(path).bearer(&platform.owner.token))
        .await;
    assert_eq!(
        (&status.body["task_status"], &status.body["failure"]),
        (&json!("ended"), &json!("ended_by_operator"))
    );
    assert!(status.body["remedy"].is_string() && status.body["write_time"].is_null());
    let again = end(&platform, json!({"task_id": task})).await;
    assert_eq!(again.body["end_time"], ended.body["end_time"]);
    let step = last_step(&platform, 0).await;
    assert_eq!(
        (&step["actor"], &step["reason"], &step["person"], &step["note"]),
        (
            &json!("admin"),
            &json!("ended_by_operator"),
            &json!("王芳"),
            &json!("设备已报废")
        )
    );

    let task = platform.apply(1).await;
    let session = platform.open_session(platform.eid(1)).await;
    let ended = end(&platform, json!({"task_id": task})).await;
    assert_eq!(ended.body["card_status"], "写卡失败");
    // The gateway learns of it with its next report.
    let report = json!({
        "session_id": session, "seq": 1, "bytes_up": 10, "bytes_down": 10, "event": {"kind": "written"},
    });
    let request = TestRequest::post("/internal/gateway/report", "application/json", report.to_string());
    let reply = platform
        .send(request.bearer(&platform.secret("gateway_secret")))
        .await;
    assert_eq!(
        (reply.status, reply.reason()),
        (409, "session_superseded"),
        "{}",
        reply.text
    );
    assert_eq!(card_status(&platform, 1).await, "写卡失败");
    let late = end(&platform, json!({"eid": platform.eid(2)})).await;
    assert_eq!((late.status, late.reason()), (404, "unknown_task"));
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_ends_the_open_task_of_the_chip() {
    let platform = TestPlatform::start_with(Reuse::default(), &[]).await;
    platform.apply(0).await;
    let fault = json!({"eid": platform.eid(0), "faulty": true});
    assert_eq!(
        platform.admin_post("/admin/v1/chips:fault", fault).await.status,
        200
    );
    assert_eq!(card_status(&platform, 0).await, "待写卡");
    assert_eq!(last_step(&platform, 0).await["reason"], "chip_faulty");
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_its_operator_retires_ends_its_task_with_the_next_tick() {
    let platform = TestPlatform::start_with(Reuse::default(), &[]).await;
    platform.apply(0).await;
    // Nobody outside knows which number was taken.
    let lines: Vec<String> = platform
        .inventory
        .numbers
        .iter()
        .map(|number| {
            json!({"iccid": number.iccid, "status": "retired", "as_of": "2026-07-01T07:59:00+08:00"})
                .to_string()
        })
        .collect();
    let report = TestRequest::post(
        "/ingest/v1/number-status",
        "application/x-ndjson",
        lines.join("\n"),
    );
    let reply = platform
        .send(report.bearer(&platform.secret("ingest_secret")))
        .await;
    assert_eq!(
        (reply.status, &reply.body["rejected"]),
        (200, &json!(0)),
        "{}",
        reply.text
    );
    let tick = TestRequest::post("/internal/cron", "application/json", "{}");
    let reply = platform.send(tick.bearer(&platform.secret("cron_secret"))).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.body["jobs"]["hopeless_tasks"]["done"], 1, "{}", reply.text);
    assert_eq!(card_status(&platform, 0).await, "待写卡");
    let step = last_step(&platform, 0).await;
    assert_eq!(
        (&step["actor"], &step["reason"]),
        (&json!("operator"), &json!("number_retired"))
    );
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_written_card_is_reopened_and_a_faulty_chip_is_replaced() {
    let platform = TestPlatform::start_with(Reuse::default(), &[]).await;
    let note = |eid: &str| json!({"eid": eid, "person": "王芳", "reason": "更换运营号"});
    let early = act(&platform, "/admin/v1/chips:reopen", note(platform.eid(0))).await;
    assert_eq!(
        (early.status, early.reason()),
        (403, "wrong_state"),
        "{}",
        early.text
    );

    platform.apply(0).await;
    platform.open_session(platform.eid(0)).await;
    let mut replacement = note(platform.eid(0));
    replacement["new_eid"] = json!(platform.eid(1));
    let replaced = act(&platform, "/admin/v1/chips:replace", replacement.clone()).await;
    assert_eq!(replaced.status, 200, "{}", replaced.text);
    assert_eq!(replaced.body["card_status"], "待开机上电");
    assert_eq!(card_status(&platform, 0).await, "写卡失败");
    assert_eq!(last_step(&platform, 1).await["reason"], "chip_replaced");
    let again = act(&platform, "/admin/v1/chips:replace", replacement).await;
    assert_eq!(again.body["task_id"], replaced.body["task_id"]);

    let mut record = json!({
        "eid": platform.eid(0), "destroyed_on": "2026-07-02", "person": "王芳", "reference": "销毁单 7",
    });
    let to_come = act(&platform, "/admin/v1/chips:destroy", record.clone()).await;
    assert_eq!((to_come.status, to_come.reason()), (400, "parameter_malformed"));
    record["destroyed_on"] = json!("2026-06-30");
    let destroyed = act(&platform, "/admin/v1/chips:destroy", record).await;
    assert_eq!(destroyed.status, 200, "{}", destroyed.text);
    assert_eq!(destroyed.body["destroyed_on"], "2026-06-30");
    platform.shutdown().await;
}
