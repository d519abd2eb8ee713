//! Accounts, and what their people may do.

use std::collections::BTreeSet;

use domain::{BuiltInRole, Right};
use serde_json::{Value, json};
use test_support::http::TestRequest;

use crate::platform::{MINUTE_MS, PASSWORD, Person, Platform, UNKNOWN_ID, base32, refused};

#[tokio::test]
async fn a_role_taken_away_and_an_account_disabled_stop_a_session_in_the_middle() {
    let platform = Platform::new().await;
    let admin = platform.administrator().await;
    let wang = platform
        .person(&admin.session, "wang", &["business_operations"])
        .await;
    let create = json!({"name": "c", "phone": "13800000000", "ips": ["203.0.113.0/24"], "permissions": ["write.apply"]});
    let made = platform
        .post(&wang.session, "/admin/v1/clients", create.clone())
        .await;
    assert_eq!(made.status, 200, "{}", made.text);
    let update = async |change: Value| {
        let reply = platform
            .post(&admin.session, "/admin/v1/accounts:update", change)
            .await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    };
    update(json!({"account_id": wang.id, "roles": ["auditor"]})).await;
    let late = platform.post(&wang.session, "/admin/v1/clients", create).await;
    assert_eq!(refused(&late), (403, "right_missing"));
    assert!(
        late.body["message"].as_str().unwrap().contains("clients.create"),
        "{}",
        late.text
    );
    // What a person was not allowed to do is in the trail, with who tried.
    let trail = platform
        .get(&admin.session, "/admin/v1/audit?outcome=refused")
        .await;
    let row = &trail.body["rows"][0];
    let named = |name: &str| row[name].as_str().unwrap_or_default();
    assert_eq!(
        (named("what"), named("reason"), named("address")),
        ("clients.create", "right_missing", "203.0.113.9")
    );
    assert!(named("who").contains(&wang.id), "{row}");
    assert_eq!(platform.get(&wang.session, "/admin/v1/clients").await.status, 200);
    update(json!({"account_id": wang.id, "active": false})).await;
    assert_eq!(
        refused(&platform.get(&wang.session, "/admin/v1/clients").await),
        (401, "credential_ended")
    );
    // Enabled again it needs another sign-in.
    update(json!({"account_id": wang.id, "active": true})).await;
    assert_eq!(
        refused(&platform.get(&wang.session, "/admin/v1/clients").await),
        (401, "credential_ended")
    );
}

/// What a desk with few rights may not do, by path below `/admin/v1/`, with the refusal.
fn refusals_of_a_desk(
    admin: &Person,
    desk: &Person,
    helper: &Person,
) -> Vec<(&'static str, Value, (u16, &'static str))> {
    vec![
        (
            "accounts",
            json!({"name": "a", "sign_in_name": "a", "roles": ["auditor"]}),
            (403, "right_not_held"),
        ),
        (
            "accounts",
            json!({"name": "a", "sign_in_name": "a", "roles": ["none"]}),
            (404, "unknown_role"),
        ),
        (
            "accounts",
            json!({"name": "a", "sign_in_name": "Admin", "roles": []}),
            (409, "sign_in_name_taken"),
        ),
        (
            "accounts:update",
            json!({"account_id": helper.id, "roles": ["desk", "auditor"]}),
            (403, "right_not_held"),
        ),
        (
            "accounts:update",
            json!({"account_id": desk.id, "roles": []}),
            (409, "own_account"),
        ),
        (
            "accounts:update",
            json!({"account_id": desk.id, "active": false}),
            (409, "own_account"),
        ),
        (
            "accounts:update",
            json!({"account_id": admin.id, "active": false}),
            (403, "right_not_held"),
        ),
        (
            "accounts:update",
            json!({"account_id": UNKNOWN_ID}),
            (404, "unknown_account"),
        ),
        (
            "accounts:enrol",
            json!({"account_id": admin.id}),
            (403, "right_not_held"),
        ),
        (
            "accounts:enrol",
            json!({"account_id": desk.id}),
            (409, "own_account"),
        ),
        (
            "accounts:enrol",
            json!({"account_id": UNKNOWN_ID}),
            (404, "unknown_account"),
        ),
    ]
}

/// What it may not end, and not do with roles.
fn refusals_of_roles(admin: &Person, role: &Value) -> Vec<(&'static str, Value, (u16, &'static str))> {
    vec![
        (
            "accounts:revoke",
            json!({"account_id": admin.id}),
            (403, "right_not_held"),
        ),
        (
            "accounts:revoke",
            json!({"account_id": UNKNOWN_ID}),
            (404, "unknown_account"),
        ),
        (
            "roles",
            json!({"role": "r", "name_zh": "r", "name_en": "r", "rights": ["chips.destroy"]}),
            (403, "right_not_held"),
        ),
        ("roles", role.clone(), (409, "role_exists")),
        (
            "roles",
            json!({"role": "auditor", "name_zh": "r", "name_en": "r", "rights": []}),
            (409, "role_exists"),
        ),
        (
            "roles:update",
            json!({"role": "desk", "rights": ["chips.destroy"]}),
            (403, "right_not_held"),
        ),
        ("roles:update", json!({"role": "none"}), (404, "unknown_role")),
        (
            "roles:update",
            json!({"role": "auditor", "rights": []}),
            (409, "role_in_use"),
        ),
        ("roles:delete", json!({"role": "desk"}), (409, "role_in_use")),
        ("roles:delete", json!({"role": "none"}), (404, "unknown_role")),
    ]
}

#[tokio::test]
async fn nobody_gives_more_than_he_has_or_raises_himself() {
    let platform = Platform::new().await;
    let admin = platform.administrator().await;
    let rights = [
        "accounts.create",
        "accounts.enrol",
        "accounts.list",
        "accounts.revoke",
        "accounts.update",
        "roles.create",
        "roles.delete",
        "roles.update",
        "tasks.list",
    ];
    let role = json!({"role": "desk", "name_zh": "服务台", "name_en": "desk", "rights": rights});
    assert_eq!(
        platform
            .post(&admin.session, "/admin/v1/roles", role.clone())
            .await
            .status,
        200
    );
    let desk = platform.person(&admin.session, "desk", &["desk"]).await;
    let helper = platform.person(&desk.session, "helper", &["desk"]).await;
    for (path, document, expected) in refusals_of_a_desk(&admin, &desk, &helper)
        .into_iter()
        .chain(refusals_of_roles(&admin, &role))
    {
        let reply = platform
            .post(&desk.session, &format!("/admin/v1/{path}"), document.clone())
            .await;
        assert_eq!(refused(&reply), expected, "{path} {document}: {}", reply.text);
    }
}

#[tokio::test]
async fn the_last_administrator_who_has_signed_in_is_not_locked_out() {
    let platform = Platform::new().await;
    let admin = platform.administrator().await;
    // The only administrator who has signed in stays; one who has not does not count.
    let (other, code) = platform
        .account(&admin.session, "second", &["system_administrator"])
        .await;
    let enrolled = platform.enrol(&code, PASSWORD).await;
    let end = |id: &str| json!({"account_id": id, "active": false});
    let second = base32(enrolled.body["totp_secret"].as_str().unwrap());
    let begun = platform
        .sign_in("second", PASSWORD, Some(&platform.code(&second)))
        .await;
    let second = begun.body["session"].as_str().unwrap();
    let reply = platform
        .post(second, "/admin/v1/accounts:update", end(&admin.id))
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let rights: Vec<&str> = Right::ALL.iter().map(|right| right.code()).collect();
    let all = json!({"role": "all", "name_zh": "全部", "name_en": "all", "rights": rights});
    assert_eq!(platform.post(second, "/admin/v1/roles", all).await.status, 200);
    let equal = platform.person(second, "equal", &["all"]).await;
    for change in [end(&other), json!({"account_id": other, "roles": ["all"]})] {
        let reply = platform
            .post(&equal.session, "/admin/v1/accounts:update", change)
            .await;
        assert_eq!(refused(&reply), (409, "last_administrator"));
    }
}

#[tokio::test]
async fn everything_of_a_person_who_leaves_ends_at_once() {
    let platform = Platform::new().await;
    let admin = platform.administrator().await;
    let wang = platform.person(&admin.session, "wang", &["operations"]).await;
    let made = platform
        .post(
            &wang.session,
            "/admin/v1/api-keys",
            json!({"name": "k", "days": 1}),
        )
        .await;
    let key = made.body["api_key"].as_str().unwrap();
    let revoked = platform
        .post(
            &admin.session,
            "/admin/v1/accounts:revoke",
            json!({"account_id": wang.id}),
        )
        .await;
    assert_eq!(revoked.body["revoked"], 2, "{}", revoked.text);
    for credential in [&wang.session, key] {
        assert_eq!(
            refused(&platform.get(credential, "/admin/v1/clients").await),
            (401, "credential_ended")
        );
    }
}

#[tokio::test]
async fn accounts_and_roles_are_listed_without_what_opens_them() {
    let platform = Platform::new().await;
    let admin = platform.administrator().await;
    let (id, code) = platform
        .account(&admin.session, "wang", &["auditor", "operations"])
        .await;
    let page = platform.get(&admin.session, "/admin/v1/accounts?limit=1").await;
    assert_eq!(page.body["accounts"][0]["sign_in_name"], "admin");
    let next = page.body["next"].as_str().expect("another page");
    let page = platform
        .get(&admin.session, &format!("/admin/v1/accounts?cursor={next}"))
        .await;
    let shown = &page.body["accounts"][0];
    for (field, value) in [
        ("account_id", json!(id)),
        ("active", json!(true)),
        ("enrolled", json!(false)),
        ("name", json!("王芳")),
        ("roles", json!(["auditor", "operations"])),
        ("signed_in_at", Value::Null),
    ] {
        assert_eq!(shown[field], value, "{field}: {shown}");
    }
    assert!(
        !page.text.contains(&code) && !page.text.contains("argon2"),
        "{}",
        page.text
    );
    let only = platform
        .get(&admin.session, &format!("/admin/v1/accounts?account_id={id}"))
        .await;
    assert_eq!(only.body["accounts"].as_array().unwrap().len(), 1);

    let roles = platform.get(&admin.session, "/admin/v1/roles").await;
    for role in BuiltInRole::ALL {
        let shown = roles.body["roles"].as_array().unwrap();
        let shown = shown.iter().find(|shown| shown["role"] == role.code()).unwrap();
        assert_eq!(shown["rights"].as_array().unwrap().len(), role.rights().len());
        assert_eq!(
            (&shown["name_zh"], &shown["built_in"]),
            (&json!(role.names().0), &json!(true))
        );
    }
}

/// Operations of two components: method, path below `/admin/v1/`, and the right that each needs.
const OPERATIONS: [(&str, &str, &str); 24] = [
    ("GET", "accounts", "accounts.list"),
    ("POST", "accounts", "accounts.create"),
    ("POST", "accounts:update", "accounts.update"),
    ("POST", "accounts:revoke", "accounts.revoke"),
    ("POST", "accounts:enrol", "accounts.enrol"),
    ("POST", "accounts:freeze", "accounts.freeze"),
    ("GET", "approvals", "approvals.list"),
    ("POST", "approvals:refuse", "approvals.refuse"),
    ("GET", "roles", "roles.list"),
    ("POST", "roles", "roles.create"),
    ("POST", "roles:update", "roles.update"),
    ("POST", "roles:delete", "roles.delete"),
    ("GET", "api-keys", "api_keys.list"),
    ("POST", "api-keys", "api_keys.create"),
    ("POST", "api-keys:revoke", "api_keys.revoke"),
    ("GET", "clients", "clients.list"),
    ("POST", "clients", "clients.create"),
    ("POST", "clients:update", "clients.update"),
    ("POST", "clients:close", "clients.close"),
    ("POST", "clients:freeze", "clients.freeze"),
    ("POST", "clients:unfreeze", "clients.unfreeze"),
    ("POST", "clients:rotate-secret", "clients.rotate_secret"),
    ("POST", "clients:revoke-secret", "clients.revoke_secret"),
    ("GET", "calls", "calls.list"),
];

// §10.1
#[tokio::test]
async fn each_role_opens_the_operations_of_its_rights_and_no_others() {
    let platform = Platform::new().await;
    let admin = platform.administrator().await;
    let roles = BuiltInRole::ALL.iter().map(|role| (role.code(), role.rights()));
    let roles = roles.chain([("", BTreeSet::new())]);
    for (at, (role, rights)) in roles.enumerate() {
        platform.pass(MINUTE_MS);
        let codes: Vec<&str> = [role].into_iter().filter(|role| !role.is_empty()).collect();
        let person = platform.person(&admin.session, &format!("p{at}"), &codes).await;
        for (method, path, code) in OPERATIONS {
            let path = format!("/admin/v1/{path}");
            let request = match method {
                "GET" => TestRequest::get(path.as_str()),
                _ => TestRequest::document(&path, &json!({})),
            };
            let may = rights.contains(&Right::parse(code).unwrap());
            let reply = platform
                .router
                .send(request.clone().bearer(&person.session))
                .await;
            let answered = match (may, method) {
                (true, "GET") => reply.status == 200,
                (true, _) => refused(&reply) == (400, "parameter_missing"),
                (false, _) => refused(&reply) == (403, "right_missing") && reply.text.contains(code),
            };
            assert!(answered, "{role:?} {method} {path}: {}", reply.text);
        }
    }
}
