//! One row that cannot be opened never hides a page of others: it is shown, with its unreadable fields named.

use serde_json::{Value, json};
use test_support::platform::TestPlatform;

/// Breaks the sealed value of a column in one row, which a condition names.
fn damage(platform: &TestPlatform, table: &str, column: &str, condition: &str) {
    let row = format!("rowid = (SELECT rowid FROM {table} WHERE {condition} LIMIT 1)");
    let found = platform.number(&format!("SELECT COUNT(*) FROM {table} WHERE {row}"));
    assert_eq!(found, 1, "{table}: {condition}");
    platform.batch(&format!("UPDATE {table} SET {column} = x'00' WHERE {row}"));
}

/// The rows of a page, as (whether they are readable, the fields that are not).
async fn unreadable(platform: &TestPlatform, path: &str, rows: &str) -> Vec<Value> {
    let page = platform.admin_get(path).await;
    let rows = page[rows].as_array().unwrap();
    rows.iter().map(|row| row["unreadable"].clone()).collect()
}

// §9.1.1
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_cannot_be_opened_is_marked_and_hides_no_other() {
    let platform = TestPlatform::start().await;
    for chip in [0, 1] {
        platform
            .admin_post(
                "/admin/v1/chips:fault",
                json!({"eid": platform.eid(chip), "faulty": true}),
            )
            .await;
    }
    platform.apply(2).await;
    let ended = json!({"eid": platform.eid(2), "reason": "lost", "person": "Zhang"});
    platform.admin_post("/admin/v1/tasks:end", ended).await;
    platform.open_session_at(3).await;
    platform.open_session_at(4).await;
    damage(&platform, "chip", "eid_sealed", "faulty = 1");
    damage(
        &platform,
        "chip",
        "eid_sealed",
        "eid_index IN (SELECT eid_index FROM device_session)",
    );
    damage(&platform, "client", "phone_sealed", "true");
    for chip in [5, 6] {
        platform.apply(chip).await;
    }
    damage(&platform, "number", "msisdn_sealed", "status = 'reserved'");
    damage(
        &platform,
        "card_history",
        "note_sealed",
        "note_sealed IS NOT NULL",
    );

    let history = format!("/admin/v1/chips/history?eid={}", platform.eid(2));
    for (path, rows, field, count) in [
        ("/admin/v1/chips/faulty", "chips", "eid", 2),
        ("/admin/v1/incidents?kind=chip_fault", "incidents", "eid", 2),
        ("/admin/v1/sessions", "sessions", "eid", 2),
        ("/admin/v1/clients", "clients", "phone", 2),
        ("/admin/v1/tasks?status=waiting", "tasks", "msisdn", 2),
        ("/admin/v1/numbers?status=reserved", "numbers", "msisdn", 2),
        (history.as_str(), "steps", "note", 3),
    ] {
        let marked = unreadable(&platform, path, rows).await;
        assert_eq!(marked.len(), count, "{path}");
        let broken = marked.iter().filter(|fields| **fields == json!([field])).count();
        let whole = marked.iter().filter(|fields| fields.is_null()).count();
        assert_eq!((broken, whole), (1, count - 1), "{path}: {marked:?}");
    }
    platform.shutdown().await;
}
