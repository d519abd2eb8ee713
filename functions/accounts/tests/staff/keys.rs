//! API keys, and documents that are malformed.

use domain::BuiltInRole;
use serde_json::{Value, json};

use crate::platform::{DAY_MS, MINUTE_MS, PASSWORD, Person, Platform, refused};

#[tokio::test]
async fn api_keys_are_made_in_a_session_shown_once_and_end() {
    let platform = Platform::new().await;
    let admin = platform.administrator().await;
    let wang = platform.person(&admin.session, "wang", &["operations"]).await;
    let new = |days: i64| json!({"name": "夜班", "days": days});
    for days in [0, 366] {
        let reply = platform
            .post(&wang.session, "/admin/v1/api-keys", new(days))
            .await;
        assert_eq!(refused(&reply), (400, "parameter_malformed"), "{days}");
    }
    let made = platform.post(&wang.session, "/admin/v1/api-keys", new(30)).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let key = made.body["api_key"].as_str().unwrap().to_owned();
    assert_eq!(platform.get(&key, "/admin/v1/clients").await.status, 200);
    let by_key = platform.post(&key, "/admin/v1/api-keys", new(30)).await;
    assert_eq!(refused(&by_key), (403, "session_needed"));
    platform.pass(MINUTE_MS);
    assert_eq!(platform.get(&key, "/admin/v1/clients").await.status, 200);
    let listed = platform.get(&wang.session, "/admin/v1/api-keys").await;
    assert!(!listed.text.contains(&key));
    let shown = &listed.body["keys"][0];
    assert_eq!((&shown["name"], &shown["live"]), (&json!("夜班"), &json!(true)));
    assert!(shown["used_at"].is_string(), "{shown}");
    let mine = platform.get(&admin.session, "/admin/v1/api-keys").await;
    assert_eq!(mine.body["keys"], json!([]));

    let revoke = json!({"key_id": shown["key_id"]});
    let by_other = platform
        .post(&admin.session, "/admin/v1/api-keys:revoke", revoke.clone())
        .await;
    assert_eq!(refused(&by_other), (404, "unknown_api_key"));
    assert_eq!(
        platform
            .post(&wang.session, "/admin/v1/api-keys:revoke", revoke)
            .await
            .status,
        200
    );
    assert_eq!(
        refused(&platform.get(&key, "/admin/v1/clients").await),
        (401, "credential_ended")
    );

    let made = platform.post(&wang.session, "/admin/v1/api-keys", new(1)).await;
    let key = made.body["api_key"].as_str().unwrap().to_owned();
    platform.pass(DAY_MS);
    assert_eq!(
        refused(&platform.get(&key, "/admin/v1/clients").await),
        (401, "credential_ended")
    );

    let begun = platform
        .sign_in(&wang.name, PASSWORD, Some(&platform.code(&wang.totp)))
        .await;
    let session = begun.body["session"].as_str().unwrap();
    for _ in 0..16 {
        assert_eq!(
            platform.post(session, "/admin/v1/api-keys", new(1)).await.status,
            200
        );
    }
    let reply = platform.post(session, "/admin/v1/api-keys", new(1)).await;
    assert_eq!(refused(&reply), (409, "too_many"));
}

/// Documents that are malformed, by path below `/admin/v1/`.
fn malformed_documents(admin: &Person) -> Vec<(&'static str, Value)> {
    vec![
        ("accounts", json!({"sign_in_name": "a", "roles": []})),
        ("accounts", json!({"name": "", "sign_in_name": "a", "roles": []})),
        (
            "accounts",
            json!({"name": "a", "sign_in_name": "a b", "roles": []}),
        ),
        (
            "accounts",
            json!({"name": "a", "sign_in_name": "a", "roles": ["A"]}),
        ),
        (
            "accounts",
            json!({"name": "a", "sign_in_name": "a", "roles": "auditor"}),
        ),
        (
            "accounts",
            json!({"name": "a", "sign_in_name": "a", "roles": [], "password": "x"}),
        ),
        (
            "accounts",
            json!({"name": "a", "sign_in_name": "a",
            "roles": (0..17).map(|at| format!("r{at}")).collect::<Vec<_>>()}),
        ),
        ("accounts:update", json!({"account_id": "x"})),
        (
            "accounts:update",
            json!({"account_id": admin.id, "active": "yes"}),
        ),
        ("accounts:revoke", json!({})),
        ("accounts:enrol", json!({"account_id": 1})),
        (
            "roles",
            json!({"role": "R", "name_zh": "r", "name_en": "r", "rights": []}),
        ),
        (
            "roles",
            json!({"role": "r", "name_zh": "", "name_en": "r", "rights": []}),
        ),
        (
            "roles",
            json!({"role": "r", "name_zh": "r", "name_en": "r", "rights": ["tasks"]}),
        ),
        ("roles:update", json!({})),
        ("roles:delete", json!({"role": 1})),
        ("api-keys", json!({"name": "k"})),
        ("api-keys", json!({"name": "k", "days": -1})),
        ("api-keys:revoke", json!({"key_id": "x"})),
        ("sign-in", json!({"sign_in_name": "admin"})),
        ("sign-in", json!({"sign_in_name": "admin", "password": ""})),
        (
            "sign-in",
            json!({"sign_in_name": "admin", "password": "p", "code": "1"}),
        ),
        (
            "sign-in:enrol",
            json!({"enrolment_code": "", "password": PASSWORD}),
        ),
        ("sign-in:enrol", json!({"enrolment_code": "x"})),
        ("sign-in:end", json!({"session": "x".repeat(48)})),
    ]
}

#[tokio::test]
async fn malformed_documents_change_nothing() {
    let platform = Platform::new().await;
    let admin = platform.administrator().await;
    for (path, document) in malformed_documents(&admin) {
        let reply = platform
            .post(&admin.session, &format!("/admin/v1/{path}"), document.clone())
            .await;
        assert_eq!(reply.status, 400, "{path} {document}: {}", reply.text);
    }
    let listed = platform.get(&admin.session, "/admin/v1/accounts").await;
    assert_eq!(listed.body["accounts"].as_array().unwrap().len(), 1);
    let roles = platform.get(&admin.session, "/admin/v1/roles").await;
    assert_eq!(
        roles.body["roles"].as_array().unwrap().len(),
        BuiltInRole::ALL.len()
    );
}
