//! Ways out for numbers and written chips (§8.2.2 Table 4), through the interfaces.

use serde_json::{Value, json};
use test_support::http::{Reply, TestRequest};
use test_support::platform::TestPlatform;
use xieka::inventory::{Inventory, NumberRow};

async fn replace(platform: &TestPlatform, old: usize, new: usize) -> Reply {
    let document = json!({
        "eid": platform.eid(old), "new_eid": platform.eid(new), "person": "王芳", "reason": "客户换卡",
    });
    let request = TestRequest::document("/admin/v1/chips:replace", &document);
    platform.send(request.bearer(&platform.admin_secret())).await
}

/// Applies for a chip, writes and verifies it, and returns the data that its card has.
async fn written(platform: &TestPlatform, chip: usize) -> Value {
    platform.apply(chip).await;
    write(platform, chip).await
}

/// Writes and verifies a chip that was applied for, and returns the data that its card has.
async fn write(platform: &TestPlatform, chip: usize) -> Value {
    let (session, reply) = platform.open_session_at(chip).await;
    platform.report(&session, json!({"kind": "written"})).await;
    let (session, _) = platform.open_session_at(chip).await;
    platform.report(&session, json!({"kind": "verified"})).await;
    reply.body["data"].clone()
}

/// A number as the owner of the chips sees it.
async fn number(platform: &TestPlatform, iccid: &str) -> Value {
    let request = TestRequest::get(format!("/v1/number?iccid={iccid}"));
    platform.send(request.bearer(&platform.owner.token)).await.body
}

/// The states that numbers have.
fn states(platform: &TestPlatform) -> Vec<String> {
    let rows = platform.rows("SELECT DISTINCT status FROM number ORDER BY status");
    rows.into_iter().flatten().collect()
}

/// A new data card with this MSISDN, which it takes over from another card.
fn data_card(platform: &TestPlatform, msisdn: &str, replaces: &str) -> String {
    let numbers = vec![NumberRow {
        iccid: "89860411269000009998".to_owned(),
        imsi: "460049999999999".to_owned(),
        msisdn: msisdn.to_owned(),
        client_id: platform.owner.id.clone(),
        ..platform.inventory.numbers[0].clone()
    }];
    let file = Inventory {
        chips: Vec::new(),
        numbers,
    };
    let csv = file.numbers_csv().unwrap();
    let (header, row) = csv.trim_end().split_once('\n').unwrap();
    format!("{header},replaces_iccid\n{row},{replaces}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_written_chip_is_replaced_by_one_that_takes_its_msisdn_over() {
    let platform = TestPlatform::start().await;
    let old = written(&platform, 0).await;
    let refused = replace(&platform, 0, 1).await;
    assert_eq!(
        (refused.status, refused.reason()),
        (404, "unknown_number"),
        "{}",
        refused.text
    );

    let (iccid, msisdn) = (old["iccid"].as_str().unwrap(), old["msisdn"].as_str().unwrap());
    let csv = data_card(&platform, msisdn, iccid);
    let request = TestRequest::post("/admin/v1/numbers:import", "text/csv", csv);
    let report = platform.send(request.bearer(&platform.admin_secret())).await;
    assert_eq!(report.body["imported"], 1, "{}", report.text);
    let replaced = replace(&platform, 0, 1).await;
    assert_eq!(replaced.body["card_status"], "待开机上电", "{}", replaced.text);
    let new = write(&platform, 1).await;
    assert_eq!(
        (&new["msisdn"], &new["iccid"]),
        (&json!(msisdn), &json!("89860411269000009998"))
    );

    let number = number(&platform, "89860411269000009998").await;
    assert_eq!(
        (&number["msisdn"], &number["number_status"]),
        (&json!(msisdn), &json!("written")),
        "{number}"
    );
    let states = states(&platform);
    assert!(states.contains(&"retired".to_owned()), "{states:?}");
    let (_, refused) = platform.open_session_at(0).await;
    assert_eq!(refused.reason(), "chip_faulty", "{}", refused.text);
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_its_chip_turns_out_not_to_have_goes_home() {
    let platform = TestPlatform::start().await;
    platform.apply(0).await;
    let (session, _) = platform.open_session_at(0).await;
    let failed = json!({"kind": "failed", "failure": "file_refused", "detail": "6982", "chip_fault": false});
    platform.report(&session, failed).await;
    let (session, reply) = platform.open_session_at(0).await;
    assert_eq!(
        (&reply.body["work"], &reply.body["task_id"]),
        (&json!("verify"), &Value::Null)
    );
    assert!(states(&platform).contains(&"reserved".to_owned()));
    let other = json!({"kind": "not_verified", "rewrite": true, "other_imsi": true, "detail": "EF_IMSI"});
    platform.report(&session, other).await;

    let sessions = platform
        .admin_get(&format!("/admin/v1/sessions?eid={}", platform.eid(0)))
        .await;
    assert_eq!(sessions["sessions"][0]["other_imsi"], true, "{sessions}");
    assert_eq!(sessions["sessions"][1]["other_imsi"], Value::Null);
    assert_eq!(states(&platform), ["available"]);
    platform.shutdown().await;
}
