//! The quarantine of numbers after a restore, through the routes.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where it goes wrong, helpers included"
)]

use operations::{Restored, record_restore};
use serde_json::{Value, json};
use store::Sqlite;
use test_support::http::refusal;
use test_support::router::{TestDatabase, TestRouter};
use test_support::settings::NOW;

/// Numbers of province 37, their keys wrapped under the transport key of the samples.
const NUMBERS: &str = include_str!("../../../cli/samples/numbers.csv");
const ICCID: &str = "89860415269000000019";
const PATH: &str = "/admin/v1/numbers:end-quarantine";

/// A restored platform with the sample's numbers, and their import.
async fn restored() -> (TestRouter, String) {
    let database = TestDatabase::new().await;
    let db = Sqlite::open(&database.file()).unwrap();
    let from = Restored {
        backup_id: "0123456789abcdef",
        backup_at: NOW,
        no_writes_since: None,
    };
    record_restore(&db, &from, NOW).await.unwrap();
    let host = database.host();
    let routes = inventory_router::router().merge(imports_router::router());
    let inventory = TestRouter::on(database, routes, host);
    let imported = inventory.import("/admin/v1/numbers:import", NUMBERS).await;
    let import = imported["import_id"].as_str().unwrap().to_owned();
    // The pool is watched once it has had a number.
    let one = json!({"iccids": [ICCID], "person": "王芳", "reference": "核对单"});
    assert_eq!(inventory.post(PATH, &one).await["released"], 1);
    (inventory, import)
}

fn with(what: Value) -> Value {
    let mut document = json!({"person": "王芳", "reference": "运营商核对单 2026-118"});
    document
        .as_object_mut()
        .unwrap()
        .extend(what.as_object().unwrap().clone());
    document
}

#[tokio::test]
async fn numbers_leave_the_quarantine_by_iccid_or_by_import_and_new_files_are_free_again() {
    let (inventory, import) = restored().await;
    let rows = NUMBERS.lines().count() - 1;
    let again = inventory.post(PATH, &with(json!({"iccids": [ICCID]}))).await;
    assert_eq!(again["released"], 0, "{again}");
    let all = inventory.post(PATH, &with(json!({"import_id": import}))).await;
    assert_eq!(all["released"], rows - 1, "{all}");
    let free = inventory.post(PATH, &with(json!({"new_imports": true}))).await;
    assert_eq!(
        (&free["code"], &free["released"]),
        (&json!(200), &json!(0)),
        "{free}"
    );
}

#[tokio::test]
async fn what_is_released_is_said_once_by_somebody_with_a_reference() {
    let (inventory, _) = restored().await;
    let import = "019f0000-0000-7000-8000-000000000000";
    for (document, refused) in [
        (with(json!({})), (400, "parameter_missing", None)),
        (
            with(json!({"new_imports": false})),
            (400, "parameter_missing", None),
        ),
        (
            with(json!({"iccids": [ICCID], "new_imports": true})),
            (400, "parameter_not_applicable", None),
        ),
        (
            with(json!({"iccids": [ICCID], "import_id": import})),
            (400, "parameter_not_applicable", None),
        ),
        (
            with(json!({"iccids": ["1"]})),
            (400, "iccid_malformed", Some("iccids[0]")),
        ),
        (
            with(json!({"import_id": "1"})),
            (400, "parameter_malformed", Some("import_id")),
        ),
        (with(json!({"import_id": import})), (404, "unknown_import", None)),
        (
            with(json!({"iccids": ["89860415269099999998"]})),
            (404, "unknown_number", None),
        ),
        (
            with(json!({"iccids": vec![ICCID; 1_001]})),
            (413, "body_too_large", None),
        ),
        (
            json!({"iccids": [ICCID], "reference": "x"}),
            (400, "parameter_missing", Some("person")),
        ),
        (
            json!({"iccids": [ICCID], "person": "x"}),
            (400, "parameter_missing", Some("reference")),
        ),
    ] {
        let answer = inventory.post(PATH, &document).await;
        assert_eq!(refusal(&answer), refused, "{document}: {answer}");
    }
}
