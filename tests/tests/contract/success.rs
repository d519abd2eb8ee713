//! What each interface answers when all is well: exactly the fields of its clause, in its order.

use serde_json::{Value, json};
use web::interface;

use crate::cases::call;
use crate::door::{Door, Reply, Sent};

fn fields(reply: &Reply) -> Vec<String> {
    // The order on the wire, which a parsed document does not keep.
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

// R701 to R710
#[tokio::test(flavor = "multi_thread")]
async fn every_interface_answers_the_fields_of_its_clause() {
    let door = Door::open().await;
    let ask = async |path: &str, query: String| {
        door.send(Sent::get(format!("{path}?{query}")).bearer(&door.one.token))
            .await
    };
    let chip = &door.inventory.chips[0];
    let eid = chip.eid.as_str();

    expect(
        &door.send(call(&door, &interface::TOKEN)).await,
        json!({"order": "token expire_time", "expire_time": 86_400}),
    );
    let provinces = ask("/v1/write/provinces", String::new()).await;
    expect(
        &provinces,
        json!({"order": "provinces", "provinces": [{"name": "山东", "code": "37"}]}),
    );
    expect(
        &ask("/v1/chip", format!("eid={eid}")).await,
        json!({"order": "eid imei chip_model temp_msisdn temp_iccid card_status remaining_flow", "eid": eid,
            "temp_msisdn": chip.temp_msisdn, "temp_iccid": chip.temp_iccid, "card_status": "待写卡", "remaining_flow": 5}),
    );
    let opening = "eid msisdn open_time card_status expire_time";
    expect(
        &ask("/v1/number/open-time", format!("eid={eid}")).await,
        json!({"order": opening, "msisdn": chip.temp_msisdn, "card_status": "测试期"}),
    );

    let task = door.applied(0).await;
    let status = "eid task_id card_status progress write_time";
    expect(
        &ask("/v1/write/status", format!("eid={eid}")).await,
        json!({"order": status, "task_id": task, "card_status": "待开机上电", "progress": "0%", "write_time": null}),
    );
    let cancelled = ask("/v1/write/cancel", format!("task_id={task}")).await;
    expect(&cancelled, json!({"order": "cancel_time"}));
    door.pass(5_000);
    let again = ask("/v1/write/cancel", format!("task_id={task}")).await;
    assert_eq!(again.body["cancel_time"], cancelled.body["cancel_time"]);

    let task = door.written(0).await;
    let done = ask("/v1/write/status", format!("task_id={task}")).await;
    expect(
        &done,
        json!({"order": status, "card_status": "写卡成功", "progress": "100%"}),
    );
    assert!(done.body["write_time"].as_str().unwrap().ends_with("+08:00"));
    let remaining = ask("/v1/chip", format!("eid={eid}")).await;
    assert!(
        remaining.text.contains("\"remaining_flow\":4.99935"),
        "{}",
        remaining.text
    );

    let number = door.inventory.numbers.iter();
    let mut found = None;
    for number in number {
        let view = ask("/v1/number", format!("iccid={}", number.iccid)).await;
        if view.status == 200 {
            found = Some((number, view));
        }
    }
    let (number, view) = found.unwrap();
    expect(
        &view,
        json!({"order": "msisdn iccid eid province card_status open_time", "msisdn": number.msisdn, "eid": eid,
            "province": "山东", "card_status": "已写入", "open_time": null}),
    );
    let by = format!("msisdn={}&iccid={}", number.msisdn, number.iccid);
    let usage = "msisdn iccid total_flow used_flow remaining_flow update_time";
    expect(
        &ask("/v1/number/usage", by.clone()).await,
        json!({"order": usage, "total_flow": null, "used_flow": null, "remaining_flow": null, "update_time": null}),
    );
    expect(
        &ask("/v1/number/city", by.clone()).await,
        json!({"order": "msisdn city province location_time", "city": null, "location_time": null}),
    );

    for (topic, rest) in [
        ("usage", r#""total_mb":100,"used_mb":"0.000001""#),
        ("location", r#""city":"济南""#),
        ("open-time", r#""open_time":"2026-06-30T23:00:00Z""#),
        ("number-status", r#""status":"suspended""#),
    ] {
        let line = format!(
            r#"{{"iccid":"{}","as_of":"2026-07-01T08:00:00+08:00",{rest}}}"#,
            number.iccid
        );
        let sent = Sent::post(format!("/ingest/v1/{topic}"), "application/x-ndjson", line);
        let report = door.send(sent.bearer(&door.secret("ingest_secret"))).await;
        assert_eq!(
            (report.status, &report.body["accepted"]),
            (200, &json!(1)),
            "{}",
            report.text
        );
    }
    expect(
        &ask("/v1/number/usage", by.clone()).await,
        json!({"order": usage, "total_flow": 100, "used_flow": 0.000_001, "remaining_flow": 99.999_999,
            "update_time": "2026-07-01T08:00:00+08:00"}),
    );
    expect(
        &ask("/v1/number/city", by.clone()).await,
        json!({"order": "msisdn city province location_time", "city": "济南", "province": "山东"}),
    );
    expect(
        &ask("/v1/number/open-time", format!("msisdn={}", number.msisdn)).await,
        json!({"order": opening, "eid": eid, "open_time": "2026-07-01T07:00:00+08:00", "card_status": "已停用", "expire_time": null}),
    );
    door.close().await;
}

// §7.1.1: calls that change something also come as POST.
#[tokio::test(flavor = "multi_thread")]
async fn calls_that_change_something_take_forms_and_json() {
    let door = Door::open().await;
    let form = format!("client_id={}&client_secret={}", door.one.id, door.one.secret);
    let document = json!({"client_id": door.one.id, "client_secret": door.one.secret}).to_string();
    for sent in [
        Sent::post("/v1/token", "application/x-www-form-urlencoded", form),
        Sent::post("/v1/token", "application/json; charset=utf-8", document),
    ] {
        assert_eq!(door.send(sent).await.status, 200);
    }
    let apply =
        json!({"eid": door.eid(0), "write_type": 1, "province_code": "370000", "token": door.one.token});
    let applied = door
        .send(Sent::post(
            "/v1/write/apply",
            "application/json",
            apply.to_string(),
        ))
        .await;
    assert_eq!(applied.status, 200, "{}", applied.text);
    let form = format!("eid={}&token={}", door.eid(0), door.one.token);
    let sent = Sent::post("/v1/write/cancel", "application/x-www-form-urlencoded", form);
    assert_eq!(door.send(sent).await.status, 200);
    // What changes nothing is only asked for.
    let sent = Sent::post("/v1/write/status", "application/json", apply.to_string());
    let refused = door.send(sent).await;
    assert_eq!((refused.status, refused.header("allow")), (405, "GET"));
    let in_query = format!("/v1/write/status?eid={}&token={}", door.eid(0), door.one.token);
    let english = door.send(Sent::get(in_query).with("accept-language", "en")).await;
    assert_eq!(
        (english.status, &english.body["message"]),
        (200, &json!("success"))
    );
    door.close().await;
}
