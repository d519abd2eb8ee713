//! Accounts and clients that are frozen, and reports of what they did.

use serde_json::{Value, json};
use test_support::http::Reply;

use super::platform::{DAY_MS, MINUTE_MS, Person, Platform, UNKNOWN_ID, refused};

fn new_client() -> Value {
    json!({"name": "Meters", "phone": "+8613800138000", "ips": ["192.0.2.7"], "permissions": ["write.apply"]})
}

/// A client that `person` has made.
async fn client(platform: &Platform, person: &Person) -> String {
    let made = platform
        .post(&person.session, "/admin/v1/clients", new_client())
        .await;
    assert_eq!(made.status, 200, "{}", made.text);
    made.body["client_id"].as_str().unwrap().to_owned()
}

async fn freeze_account(platform: &Platform, by: &Person, account: &str) -> Reply {
    let document = json!({"account_id": account, "reason": "设备遗失"});
    platform
        .post(&by.session, "/admin/v1/accounts:freeze", document)
        .await
}

// §9.2
#[tokio::test]
async fn everything_of_a_frozen_account_ends_at_once() {
    let platform = Platform::new().await;
    let admin = platform.administrator().await;
    let wang = platform
        .person(&admin.session, "wang", &["business_operations"])
        .await;
    let key = json!({"name": "nightly", "days": 30});
    let key = platform.post(&wang.session, "/admin/v1/api-keys", key).await;
    let key = key.body["api_key"].as_str().unwrap();
    let offered = platform
        .post(
            &admin.session,
            "/admin/v1/accounts:enrol",
            json!({"account_id": wang.id}),
        )
        .await;
    let frozen = freeze_account(&platform, &admin, &wang.id).await;
    assert_eq!((frozen.status, &frozen.body["revoked"]), (200, &json!(2)));
    for credential in [&wang.session, key] {
        let reply = platform.get(credential, "/admin/v1/clients").await;
        assert_eq!(refused(&reply), (401, "credential_ended"));
    }
    let code = offered.body["enrolment_code"].as_str().unwrap();
    let enrolled = platform.enrol(code, super::platform::PASSWORD).await;
    assert_eq!(refused(&enrolled), (401, "enrolment_code_wrong"));
    let trail = platform
        .get(&admin.session, "/admin/v1/audit?right=accounts.freeze")
        .await;
    let detail = &trail.body["rows"][0]["detail"];
    assert_eq!(detail["request"]["reason"], "设备遗失");
    assert_eq!(detail["after"], json!({"active": "false", "revoked": "2"}));
    // Nothing more to end.
    let again = freeze_account(&platform, &admin, &wang.id).await;
    assert_eq!((again.status, &again.body["revoked"]), (200, &json!(0)));
}

#[tokio::test]
async fn freezing_obeys_the_rules_of_accounts() {
    let platform = Platform::new().await;
    let admin = platform.administrator().await;
    let role = json!({"role": "guard", "name_zh": "值守", "name_en": "guard", "rights": ["accounts.freeze"]});
    platform.post(&admin.session, "/admin/v1/roles", role).await;
    let guard = platform.person(&admin.session, "guard", &["guard"]).await;
    for (by, document, expected) in [
        (&admin, json!({}), (400, "parameter_missing")),
        (
            &admin,
            json!({"account_id": guard.id}),
            (400, "parameter_missing"),
        ),
        (
            &admin,
            json!({"account_id": "1", "reason": "r"}),
            (400, "parameter_malformed"),
        ),
        (
            &admin,
            json!({"account_id": guard.id, "reason": " "}),
            (400, "parameter_malformed"),
        ),
        (
            &admin,
            json!({"account_id": guard.id, "reason": "r", "colour": "red"}),
            (400, "parameter_unknown"),
        ),
        (
            &admin,
            json!({"account_id": UNKNOWN_ID, "reason": "r"}),
            (404, "unknown_account"),
        ),
        (
            &admin,
            json!({"account_id": admin.id, "reason": "r"}),
            (409, "own_account"),
        ),
        (
            &guard,
            json!({"account_id": admin.id, "reason": "r"}),
            (403, "right_not_held"),
        ),
    ] {
        let reply = platform
            .post(&by.session, "/admin/v1/accounts:freeze", document.clone())
            .await;
        assert_eq!(refused(&reply), expected, "{document}: {}", reply.text);
    }
    assert_eq!(platform.get(&guard.session, "/admin/v1/roles").await.status, 403);
}

#[tokio::test]
async fn a_frozen_client_is_shown_as_such_and_enabled_only_by_unfreezing_it() {
    let platform = Platform::new().await;
    let admin = platform.administrator().await;
    let id = client(&platform, &admin).await;
    let named = json!({"client_id": id, "reason": "密钥泄露"});
    let frozen = platform
        .post(&admin.session, "/admin/v1/clients:freeze", named.clone())
        .await;
    assert_eq!(frozen.status, 200, "{}", frozen.text);
    assert_eq!(frozen.body["ended_secrets"], 1);
    assert_eq!(
        frozen.body["under_way"],
        json!({"cards_waiting": 0, "cards_writing": 0, "messages_pending": 0})
    );
    let shown = platform.get(&admin.session, "/admin/v1/clients").await;
    let shown = &shown.body["clients"][0];
    assert_eq!(
        (&shown["active"], &shown["frozen_at"]),
        (&json!(false), &json!("2026-07-01T08:00:00+08:00"))
    );
    let enable = json!({"client_id": id, "active": true});
    let enabled = platform
        .post(&admin.session, "/admin/v1/clients:update", enable)
        .await;
    assert_eq!(refused(&enabled), (409, "client_frozen"));
    for (path, document, expected) in [
        ("clients:unfreeze", named.clone(), (200, "")),
        ("clients:unfreeze", named.clone(), (409, "client_not_frozen")),
        (
            "clients:freeze",
            json!({"client_id": id}),
            (400, "parameter_missing"),
        ),
        (
            "clients:freeze",
            json!({"client_id": "cl_1", "reason": "r"}),
            (400, "parameter_malformed"),
        ),
        (
            "clients:freeze",
            json!({"client_id": "cl_00000000000000000000", "reason": "r"}),
            (404, "unknown_client"),
        ),
        (
            "clients:unfreeze",
            json!({"client_id": "cl_00000000000000000000", "reason": "r"}),
            (404, "unknown_client"),
        ),
    ] {
        let reply = platform
            .post(&admin.session, &format!("/admin/v1/{path}"), document.clone())
            .await;
        assert_eq!(
            (reply.status, reply.body["reason"].as_str().unwrap_or_default()),
            expected,
            "{path} {document}: {}",
            reply.text
        );
    }
    let disabled = json!({"client_id": id, "active": false});
    let disabled = platform
        .post(&admin.session, "/admin/v1/clients:update", disabled)
        .await;
    assert_eq!(
        disabled.body["under_way"]["cards_waiting"], 0,
        "{}",
        disabled.text
    );
}

/// The time from which the reports of these tests begin.
const FROM: &str = "2026-07-01T00:00:00Z";

async fn report(platform: &Platform, by: &Person, query: &str) -> Reply {
    let path = format!("/admin/v1/audit:report?{query}");
    platform.get(&by.session, &path).await
}

fn acts(reply: &Reply) -> Vec<(&str, &str, &str)> {
    let acts = reply.body["acts"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned().leak() as &str;
    acts.map(|act| {
        (
            text(&act["what"]),
            text(&act["outcome"]),
            text(&act["undo"]["right"]),
        )
    })
    .collect()
}

// §9.2
#[tokio::test]
async fn what_an_account_did_is_reported_with_what_undoes_it() {
    let platform = Platform::new().await;
    let admin = platform.administrator().await;
    let wang = platform
        .person(&admin.session, "wang", &["business_operations"])
        .await;
    client(&platform, &admin).await;
    platform.pass(MINUTE_MS);
    let id = client(&platform, &wang).await;
    let change = json!({"client_id": id, "name": "Water meters"});
    platform
        .post(&wang.session, "/admin/v1/clients:update", change)
        .await;
    let unknown = json!({"client_id": id, "generation": 7});
    platform
        .post(&wang.session, "/admin/v1/clients:revoke-secret", unknown)
        .await;
    platform.get(&wang.session, "/admin/v1/calls").await;
    let of_wang = format!("account_id={}&from={FROM}", wang.id);
    let all = report(&platform, &admin, &of_wang).await;
    assert_eq!(
        acts(&all),
        [
            ("calls.list", "done", ""),
            ("clients.revoke_secret", "refused", ""),
            ("clients.update", "done", "clients.update"),
            ("clients.create", "done", "clients.update"),
            ("sign_in", "done", ""),
            ("sign_in.enrol", "done", ""),
        ],
        "{}",
        all.text
    );
    let update = &all.body["acts"][2];
    assert_eq!(update["detail"]["before"], json!({"name": "Meters"}));
    assert_eq!(update["object"], format!("client_id={id}"));
    assert!(
        update["undo"]["how_zh"].is_string() && update["undo"]["how_en"].is_string(),
        "{}",
        all.text
    );
    assert!(!all.text.contains("13800138000"), "{}", all.text);
    // By right, and page by page.
    let created = report(&platform, &admin, &format!("{of_wang}&what=clients.create")).await;
    assert_eq!(acts(&created), [("clients.create", "done", "clients.update")]);
    let first = report(&platform, &admin, &format!("{of_wang}&limit=4")).await;
    let next = first.body["next"].as_str().unwrap();
    let rest = report(&platform, &admin, &format!("{of_wang}&limit=4&cursor={next}")).await;
    assert_eq!((acts(&first).len(), acts(&rest).len()), (4, 2));
    let since = format!("account_id={}&from=2026-07-01T00:01:00Z", wang.id);
    assert_eq!(acts(&report(&platform, &admin, &since).await).len(), 4);
    // Reading a report is in the trail.
    let trail = platform
        .get(&admin.session, "/admin/v1/audit?right=audit.report&limit=1")
        .await;
    assert_eq!(trail.body["rows"][0]["detail"]["rows"], 4, "{}", trail.text);
}

#[tokio::test]
async fn a_report_of_what_cannot_be_is_refused_with_its_field() {
    let platform = Platform::new().await;
    let admin = platform.administrator().await;
    let id = client(&platform, &admin).await;
    platform.pass(DAY_MS / 1_440);
    let account = &admin.id;
    for (query, status, reason) in [
        (format!("account_id={account}"), 400, "parameter_missing"),
        (format!("from={FROM}"), 400, "parameter_missing"),
        (format!("client_id={id}&from={FROM}"), 400, "parameter_missing"),
        (format!("generation=1&from={FROM}"), 400, "parameter_missing"),
        (
            format!("account_id={account}&client_id={id}&generation=1&from={FROM}"),
            400,
            "parameter_not_applicable",
        ),
        (
            format!("account_id={account}&generation=1&from={FROM}"),
            400,
            "parameter_not_applicable",
        ),
        (
            format!("account_id={account}&from=yesterday"),
            400,
            "parameter_malformed",
        ),
        (format!("account_id=1&from={FROM}"), 400, "parameter_malformed"),
        (
            format!("account_id={account}&from={FROM}&what=everything"),
            400,
            "parameter_malformed",
        ),
        (
            format!("account_id={account}&from={FROM}&limit=201"),
            400,
            "parameter_malformed",
        ),
        (
            format!("client_id={id}&generation=-1&from={FROM}"),
            400,
            "parameter_malformed",
        ),
        (
            format!("account_id={account}&from={FROM}&colour=red"),
            400,
            "parameter_unknown",
        ),
        (
            format!("account_id={UNKNOWN_ID}&from={FROM}"),
            404,
            "unknown_account",
        ),
        (
            format!("client_id={id}&generation=2&from={FROM}"),
            404,
            "unknown_secret",
        ),
    ] {
        let reply = report(&platform, &admin, &query).await;
        assert_eq!(refused(&reply), (status, reason), "{query}: {}", reply.text);
    }
    let none = report(
        &platform,
        &admin,
        &format!("client_id={id}&generation=1&from={FROM}"),
    )
    .await;
    assert_eq!((none.status, acts(&none)), (200, vec![]));
}
