//! The inventory through its routes.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where it goes wrong, helpers included"
)]

use std::cell::Cell;

use axum::Router;
use axum::body::{Body, to_bytes};
use domain::Timestamp;
use http::{Method, Request};
use native_host::NativeHost;
use serde_json::{Value, json};
use store::{Sqlite, migrate};
use tempfile::TempDir;
use tower_service::Service as _;
use vault::{Random, Zeroizing};
use web::{App, Settings, Variables};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const NOW: Timestamp = Timestamp(1_782_864_000_000);
/// The largest answer of these tests, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// Numbers of province 37, their keys wrapped under `SAMPLE_KEY`.
const NUMBERS: &str = include_str!("../../../cli/samples/numbers.csv");
/// Chips without a client.
const CHIPS: &str = include_str!("../../../cli/samples/chips.csv");
const SAMPLE_KEY: &str = "sample:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const ICCID: &str = "89860415269000000019";
const MSISDN: &str = "1440190000001";
const EID: &str = "89086030202200000000000000000123";

/// Counts, so that no two values are the same.
#[derive(Default)]
struct Counting(Cell<u8>);

impl Random for Counting {
    fn fill(&self, out: &mut [u8]) {
        for byte in out {
            *byte = self.0.get();
            self.0.set(byte.wrapping_add(1));
        }
    }
}

/// The router on a database of its own.
struct Inventory {
    router: Router,
    _folder: TempDir,
}

impl Inventory {
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("platform.db");
        migrate(&Sqlite::open(&file).unwrap(), NOW).await.unwrap();
        let settings = Settings::from_variables(&Variables {
            sealing_keys: Some(Zeroizing::new(format!("1:{}", "11".repeat(32)))),
            index_key: Zeroizing::new("22".repeat(32)),
            transport_keys: Some(Zeroizing::new(SAMPLE_KEY.to_owned())),
            secret: Some(Zeroizing::new(SECRET.to_owned())),
            ..Variables::default()
        });
        let host = NativeHost::new(file, settings.unwrap(), || NOW, Counting::default());
        Self {
            router: web::service(inventory_router::router(), App::new(host)),
            _folder: folder,
        }
    }

    /// With the sample's numbers.
    async fn with_numbers() -> Self {
        let inventory = Self::new().await;
        let answer = inventory.post("numbers:import", "text/csv", NUMBERS).await;
        assert_eq!(answer["rejected"], 0, "{answer}");
        inventory
    }

    async fn send(&self, request: http::request::Builder, body: impl Into<Body>) -> Value {
        let request = request
            .header("spin-client-addr", "203.0.113.9:51000")
            .body(body.into())
            .unwrap();
        let response = self.router.clone().call(request).await.unwrap();
        let body = to_bytes(response.into_body(), MAX_ANSWER_BYTES).await.unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        let request = Request::get(format!("/admin/v1/{path}"));
        let request = request.header("authorization", format!("Bearer {SECRET}"));
        self.send(request, Body::empty()).await
    }

    async fn post(&self, path: &str, content_type: &str, body: &str) -> Value {
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("/admin/v1/{path}"))
            .header("authorization", format!("Bearer {SECRET}"))
            .header("content-type", content_type);
        self.send(request, body.to_owned()).await
    }

    async fn act(&self, path: &str, document: Value) -> Value {
        self.post(path, "application/json", &document.to_string()).await
    }
}

/// Code, reason and field of a refusal.
fn refusal(answer: &Value) -> (u64, &str, Option<&str>) {
    let code = answer["code"].as_u64().unwrap();
    (
        code,
        answer["reason"].as_str().unwrap_or("none"),
        answer["field"].as_str(),
    )
}

#[tokio::test]
async fn imported_numbers_are_in_the_pool_of_their_province() {
    let inventory = Inventory::with_numbers().await;
    let again = inventory.post("numbers:import", "text/csv", NUMBERS).await;
    assert_eq!(
        (&again["imported"], &again["unchanged"]),
        (&json!(0), &again["rows"]),
        "{again}"
    );
    let pools = inventory.get("pools").await;
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
    let inventory = Inventory::new().await;
    let header = NUMBERS.lines().next().unwrap();
    let file = format!("{header}\n{ICCID},1,460042600000001,37,+8613800100500,data,,,,\n");
    let answer = inventory.post("numbers:import", "text/csv", &file).await;
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
    let inventory = Inventory::new().await;
    for (query, reason) in [
        ("", "parameter_missing"),
        ("?client_id=cl_0123456789abcdef0123", "unknown_client"),
    ] {
        let path = format!("chips:import{query}");
        let answer = inventory.post(&path, "text/csv", CHIPS).await;
        assert_eq!(answer["rejected"], answer["rows"], "{answer}");
        assert_eq!(answer["errors"][0]["reason"], reason, "{query}: {answer}");
    }
    let answer = inventory
        .post("chips:import?client_id=cl_1", "text/csv", CHIPS)
        .await;
    assert_eq!(refusal(&answer), (400, "parameter_malformed", Some("client_id")));
}

#[tokio::test]
async fn a_mark_is_set_and_taken_back() {
    let inventory = Inventory::with_numbers().await;
    let set = inventory
        .act("pools:update", json!({"province_code": "37", "low_water": 5}))
        .await;
    assert_eq!(
        (&set["province_code"], &set["low_water"]),
        (&json!("37"), &json!(5)),
        "{set}"
    );
    let taken_back = inventory
        .act("pools:update", json!({"province_code": "37", "low_water": null}))
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
        let answer = inventory.act("pools:update", document.clone()).await;
        assert_eq!(refusal(&answer), refused, "{document}");
    }
}

#[tokio::test]
async fn a_number_is_suspended_resumed_and_retired() {
    let inventory = Inventory::with_numbers().await;
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
        let answer = inventory.act(path, number).await;
        assert_eq!(answer["status"], status, "{path}: {answer}");
    }
    let nothing = inventory.act("numbers:suspend", json!({})).await;
    assert_eq!(
        (nothing["code"].as_u64(), nothing["reason"].as_str()),
        (Some(400), Some("parameter_missing"))
    );
}

#[tokio::test]
async fn numbers_are_put_back_all_or_none() {
    let inventory = Inventory::with_numbers().await;
    let answer = inventory.act("numbers:release", json!({"iccids": [ICCID]})).await;
    assert_eq!(answer["changed"], 0, "{answer}");
    let broken = inventory
        .act("numbers:release", json!({"iccids": [ICCID, "1"]}))
        .await;
    let (code, reason, field) = refusal(&broken);
    assert_eq!((code, reason), (400, "iccid_malformed"), "{broken}");
    assert!(field.is_some_and(|field| field.starts_with("iccids")), "{broken}");
    assert!(broken["errors"].is_null(), "one problem only: {broken}");
    let client = json!({"client_id": "cl_0123456789abcdef0123", "iccids": [ICCID]});
    let unknown = inventory.act("numbers:allot", client).await;
    assert_eq!(unknown["reason"], "unknown_client", "{unknown}");
}

#[tokio::test]
async fn a_document_for_a_chip_is_read_before_the_chip_is_looked_for() {
    let inventory = Inventory::new().await;
    let document = |name: &str, value: Value| {
        let mut document = json!({
            "eid": EID, "temp_msisdn": "1441900000001", "temp_iccid": "89860411269000000013",
            "temp_imsi": "460041900000001",
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
        ("faulty", json!(true), "parameter_unknown"),
    ] {
        let answer = inventory
            .act("chips:reprovision", document(name, value.clone()))
            .await;
        assert_eq!(answer["reason"], reason, "{name}: {value}: {answer}");
    }
}

#[tokio::test]
async fn nobody_gets_in_without_the_secret() {
    let inventory = Inventory::new().await;
    for path in ["pools", "pools?colour=red", "nowhere"] {
        let answer = inventory
            .send(Request::get(format!("/admin/v1/{path}")), Body::empty())
            .await;
        assert_eq!(answer["code"], 401, "{path}: {answer}");
    }
}
