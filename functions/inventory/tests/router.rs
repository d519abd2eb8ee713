//! The inventory through its routes.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where it goes wrong, helpers included"
)]

use serde_json::{Value, json};
use test_support::http::{TestRequest, refusal};
use test_support::router::TestRouter;

/// Numbers of province 37, their keys wrapped under the transport key of the samples.
const NUMBERS: &str = include_str!("../../../cli/samples/numbers.csv");
/// Chips without a client.
const CHIPS: &str = include_str!("../../../cli/samples/chips.csv");
const ICCID: &str = "89860415269000000019";
const MSISDN: &str = "1440190000001";
const EID: &str = "89086030202200000000000000000123";

async fn inventory() -> TestRouter {
    let routers = inventory_router::router().merge(imports_router::router());
    TestRouter::new(routers.merge(gateway_router::router())).await
}

/// With the sample's numbers.
async fn with_numbers() -> TestRouter {
    let inventory = inventory().await;
    let answer = import(&inventory, "numbers:import", NUMBERS).await;
    assert_eq!(answer["rejected"], 0, "{answer}");
    inventory
}

async fn import(inventory: &TestRouter, path: &str, csv: &str) -> Value {
    inventory.import(&format!("/admin/v1/{path}"), csv).await
}

async fn act(inventory: &TestRouter, path: &str, document: Value) -> Value {
    inventory.post(&format!("/admin/v1/{path}"), &document).await
}

#[tokio::test]
async fn imported_numbers_are_in_the_pool_of_their_province() {
    let inventory = with_numbers().await;
    let again = import(&inventory, "numbers:import", NUMBERS).await;
    assert_eq!(
        (&again["imported"], &again["unchanged"]),
        (&json!(0), &again["rows"]),
        "{again}"
    );
    let pools = inventory.get("/admin/v1/pools").await;
    let pool = &pools["pools"][0];
    assert_eq!(
        (&pool["province_code"], &pool["province"]),
        (&json!("37"), &json!("山东")),
        "{pools}"
    );
    assert_eq!(
        (&pool["level"], &pool["capped"], &pool["low_water"]),
        (&again["rows"], &json!(false), &json!(100))
    );
}

#[tokio::test]
async fn a_row_that_is_wrong_is_reported_with_its_column() {
    let inventory = inventory().await;
    let header = NUMBERS.lines().next().unwrap();
    let file = format!("{header}\n{ICCID},1,460042600000001,37,+8613800100500,data,,,,\n");
    let answer = import(&inventory, "numbers:import", &file).await;
    assert_eq!((&answer["rows"], &answer["rejected"]), (&json!(1), &json!(1)));
    let error = &answer["errors"][0];
    let expected = json!([2, "msisdn", "msisdn_malformed"]);
    assert_eq!(
        json!([error["line"], error["column"], error["reason"]]),
        expected,
        "{answer}"
    );
}

#[tokio::test]
async fn rows_without_a_client_belong_to_the_client_in_the_query() {
    let inventory = inventory().await;
    for (query, reason) in [
        ("", "parameter_missing"),
        ("?client_id=cl_0123456789abcdef0123", "unknown_client"),
    ] {
        let path = format!("chips:import{query}");
        let answer = import(&inventory, &path, CHIPS).await;
        assert_eq!(answer["rejected"], answer["rows"], "{answer}");
        assert_eq!(answer["errors"][0]["reason"], reason, "{query}: {answer}");
    }
    let answer = import(&inventory, "chips:import?client_id=cl_1", CHIPS).await;
    assert_eq!(refusal(&answer), (400, "parameter_malformed", Some("client_id")));
}

#[tokio::test]
async fn a_mark_is_set_and_taken_back() {
    let inventory = with_numbers().await;
    let set = act(
        &inventory,
        "pools:update",
        json!({"province_code": "37", "low_water": 5}),
    )
    .await;
    assert_eq!(
        (&set["province_code"], &set["low_water"]),
        (&json!("37"), &json!(5)),
        "{set}"
    );
    let taken_back = act(
        &inventory,
        "pools:update",
        json!({"province_code": "37", "low_water": null}),
    )
    .await;
    assert_eq!(taken_back["low_water"], 100, "{taken_back}");
    for (document, refused) in [
        (
            json!({"province_code": "37"}),
            (400, "parameter_missing", Some("low_water")),
        ),
        (
            json!({"province_code": "37", "low_water": 1_000_001}),
            (400, "parameter_malformed", Some("low_water")),
        ),
        (
            json!({"province_code": "99", "low_water": 5}),
            (400, "province_malformed", Some("province_code")),
        ),
        (
            json!({"province_code": "11", "low_water": 5}),
            (409, "province_without_number", None),
        ),
    ] {
        let answer = act(&inventory, "pools:update", document.clone()).await;
        assert_eq!(refusal(&answer), refused, "{document}");
    }
}

#[tokio::test]
async fn a_number_is_suspended_resumed_and_retired() {
    let inventory = with_numbers().await;
    for (path, number, status) in [
        ("numbers:suspend", json!({"iccid": ICCID}), "suspended"),
        ("numbers:suspend", json!({"msisdn": MSISDN}), "suspended"),
        (
            "numbers:resume",
            json!({"msisdn": MSISDN, "iccid": ICCID}),
            "available",
        ),
        ("numbers:retire", json!({"iccid": ICCID}), "retired"),
    ] {
        let answer = act(&inventory, path, number).await;
        assert_eq!(answer["status"], status, "{path}: {answer}");
    }
    let nothing = act(&inventory, "numbers:suspend", json!({})).await;
    assert_eq!(
        (nothing["code"].as_u64(), nothing["reason"].as_str()),
        (Some(400), Some("parameter_missing"))
    );
}

#[tokio::test]
async fn numbers_are_put_back_all_or_none() {
    let inventory = with_numbers().await;
    let answer = act(&inventory, "numbers:release", json!({"iccids": [ICCID]})).await;
    assert_eq!(answer["changed"], 0, "{answer}");
    let broken = act(&inventory, "numbers:release", json!({"iccids": [ICCID, "1"]})).await;
    let (code, reason, field) = refusal(&broken);
    assert_eq!((code, reason), (400, "iccid_malformed"), "{broken}");
    assert!(field.is_some_and(|field| field.starts_with("iccids")), "{broken}");
    assert!(broken["errors"].is_null(), "one problem only: {broken}");
    let client = json!({"client_id": "cl_0123456789abcdef0123", "iccids": [ICCID]});
    let unknown = act(&inventory, "numbers:allot", client).await;
    assert_eq!(unknown["reason"], "unknown_client", "{unknown}");
}

#[tokio::test]
async fn a_document_for_a_chip_is_read_before_the_chip_is_looked_for() {
    let inventory = inventory().await;
    let document = |name: &str, value: Value| {
        let mut document = json!({
            "eid": EID, "temp_msisdn": "1441900000001", "temp_iccid": "89860411269000000013",
            "temp_imsi": "460041900000001", "person": "王芳", "reason": "测试流量不足",
        });
        document[name] = value;
        document
    };
    for (name, value, reason) in [
        ("allowance_mb", json!(5), "unknown_chip"),
        ("allowance_mb", json!("0.5"), "unknown_chip"),
        ("allowance_mb", json!(true), "parameter_malformed"),
        ("allowance_mb", json!(100_001), "parameter_malformed"),
        ("temp_opened_on", json!("2026-02-28"), "unknown_chip"),
        ("temp_opened_on", json!("2026-02-30"), "parameter_malformed"),
        ("network_type", json!("NB-IoT"), "unknown_chip"),
        ("network_type", json!("5g"), "parameter_malformed"),
        ("temp_imsi", json!(null), "parameter_malformed"),
        ("temp_msisdn", json!("1064112345678"), "msisdn_malformed"),
        ("faulty", json!(true), "parameter_unknown"),
    ] {
        let answer = act(&inventory, "chips:reprovision", document(name, value.clone())).await;
        assert_eq!(answer["reason"], reason, "{name}: {value}: {answer}");
    }
}

#[tokio::test]
async fn nobody_gets_in_without_the_secret() {
    let inventory = inventory().await;
    for path in ["pools", "pools?colour=red", "nowhere"] {
        let answer = inventory
            .send(TestRequest::get(format!("/admin/v1/{path}")))
            .await
            .body;
        assert_eq!(answer["code"], 401, "{path}: {answer}");
    }
}

#[tokio::test]
async fn gateways_are_shown_as_they_announced_themselves() {
    let inventory = inventory().await;
    assert_eq!(inventory.get("/admin/v1/gateways").await["gateways"], json!([]));
    let announcement = json!({
        "gateway": "gw-1", "instance": "one", "seq": 1, "profiles": ["generic-usim", "qibiao-seed"],
        "key_versions": [64, 65],
    });
    inventory.post("/internal/gateway/announce", &announcement).await;
    let gateways = inventory.get("/admin/v1/gateways").await;
    let gateway = &gateways["gateways"][0];
    assert_eq!(gateway["gateway"], "gw-1", "{gateways}");
    assert_eq!(gateway["profiles"], json!(["generic-usim", "qibiao-seed"]));
    assert_eq!(gateway["key_versions"], json!(["64", "65"]));
    assert!(gateway["announced_at"].is_string() && gateway["stale"] == false);
    let anonymous = TestRequest::get("/admin/v1/gateways");
    assert_eq!(inventory.send(anonymous).await.status, 401);
}
