//! Accounts, roles and sign-ins through their routes (§10.1).

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where it goes wrong, helpers included"
)]

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;

use domain::{BuiltInRole, Right, Timestamp};
use serde_json::{Value, json};
use test_support::http::{Reply, TestRequest};
use test_support::router::{TestDatabase, TestRouter};
use test_support::settings::{NOW, SECRET};
use vault::totp_code;

const PASSWORD: &str = "correct horse battery";
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
const UNKNOWN_ID: &str = "019f1a2b-3c4d-7e5f-8a6b-7c8d9e0f1a2b";

/// A platform whose clock the test owns.
struct Platform {
    router: TestRouter,
    now: Rc<Cell<i64>>,
}

/// Somebody with an account.
struct Person {
    id: String,
    name: String,
    totp: Vec<u8>,
    session: String,
}

fn base32(text: &str) -> Vec<u8> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits = text.bytes().flat_map(|letter| {
        let value = LETTERS.iter().position(|known| *known == letter).unwrap();
        (0..5).rev().map(move |bit| value >> bit & 1)
    });
    let bits: Vec<usize> = bits.collect();
    let byte = |bits: &[usize]| bits.iter().fold(0, |byte, bit| byte << 1 | *bit);
    bits.chunks_exact(8)
        .map(|bits| u8::try_from(byte(bits)).unwrap())
        .collect()
}

impl Platform {
    async fn new() -> Self {
        let now = Rc::new(Cell::new(NOW.millis()));
        let clock = Rc::clone(&now);
        let database = TestDatabase::new().await;
        let host = database.host_at(move || Timestamp(clock.get()));
        let routes = accounts_router::router().merge(clients_router::router());
        Self {
            router: TestRouter::on(database, routes, host),
            now,
        }
    }

    fn pass(&self, ms: i64) {
        self.now.set(self.now.get() + ms);
    }

    async fn post(&self, by: &str, path: &str, document: Value) -> Reply {
        self.router
            .send(TestRequest::document(path, &document).bearer(by))
            .await
    }

    async fn get(&self, by: &str, path: &str) -> Reply {
        self.router.send(TestRequest::get(path).bearer(by)).await
    }

    /// An account with these roles, made by `by`: its identifier and enrolment code.
    async fn account(&self, by: &str, name: &str, roles: &[&str]) -> (String, String) {
        let new = json!({"name": "王芳", "sign_in_name": name, "roles": roles});
        let made = self.post(by, "/admin/v1/accounts", new).await;
        assert_eq!(made.status, 200, "{}", made.text);
        let text = |field: &str| made.body[field].as_str().unwrap().to_owned();
        (text("account_id"), text("enrolment_code"))
    }

    async fn enrol(&self, code: &str, password: &str) -> Reply {
        let document = json!({"enrolment_code": code, "password": password});
        self.router
            .send(TestRequest::document("/admin/v1/sign-in:enrol", &document))
            .await
    }

    async fn sign_in(&self, name: &str, password: &str, code: Option<&str>) -> Reply {
        let document = match code {
            Some(code) => json!({"sign_in_name": name, "password": password, "code": code}),
            None => json!({"sign_in_name": name, "password": password}),
        };
        self.router
            .send(TestRequest::document("/admin/v1/sign-in", &document))
            .await
    }

    /// The one-time code of a person now.
    fn code(&self, person: &[u8]) -> String {
        totp_code(person, self.now.get() / 30_000)
    }

    /// Somebody who has signed in with these roles.
    async fn person(&self, by: &str, name: &str, roles: &[&str]) -> Person {
        let (id, code) = self.account(by, name, roles).await;
        let enrolled = self.enrol(&code, PASSWORD).await;
        assert_eq!(enrolled.status, 200, "{}", enrolled.text);
        let totp = base32(enrolled.body["totp_secret"].as_str().unwrap());
        let signed_in = self.sign_in(name, PASSWORD, Some(&self.code(&totp))).await;
        assert_eq!(signed_in.status, 200, "{}", signed_in.text);
        Person {
            id,
            name: name.to_owned(),
            totp,
            session: signed_in.body["session"].as_str().unwrap().to_owned(),
        }
    }

    /// The first system administrator.
    async fn administrator(&self) -> Person {
        self.person(SECRET, "admin", &["system_administrator"]).await
    }
}

fn refused(reply: &Reply) -> (u16, &str) {
    (reply.status, reply.reason())
}

#[tokio::test]
async fn admin_secret_makes_the_first_account_and_opens_nothing_once_that_has_signed_in() {
    let platform = Platform::new().await;
    let (_, code) = platform.account(SECRET, "admin", &["system_administrator"]).await;
    assert_eq!(platform.get(SECRET, "/admin/v1/clients").await.status, 200);
    let enrolled = platform.enrol(&code, PASSWORD).await;
    // Who has not signed in may have lost the second factor.
    assert_eq!(platform.get(SECRET, "/admin/v1/clients").await.status, 200);
    let totp = base32(enrolled.body["totp_secret"].as_str().unwrap());
    let begun = platform
        .sign_in("admin", PASSWORD, Some(&platform.code(&totp)))
        .await;
    assert_eq!(begun.status, 200, "{}", begun.text);
    for path in ["/admin/v1/clients", "/admin/v1/accounts", "/admin/v1/nothing"] {
        assert_eq!(
            refused(&platform.get(SECRET, path).await),
            (401, "credential_wrong"),
            "{path}"
        );
    }
    let session = begun.body["session"].as_str().unwrap();
    assert_eq!(platform.get(session, "/admin/v1/clients").await.status, 200);
    assert_eq!(
        refused(&platform.get(session, "/admin/v1/nothing").await),
        (404, "route_unknown")
    );
}

#[tokio::test]
async fn a_person_signs_in_with_password_and_code_and_whatever_is_wrong_has_the_same_answer() {
    let platform = Platform::new().await;
    let admin = platform.administrator().await;
    platform.pass(MINUTE_MS);
    let (idle, _) = platform.account(&admin.session, "idle", &["auditor"]).await;
    let gone = platform.person(&admin.session, "gone", &["auditor"]).await;
    let end = json!({"account_id": gone.id, "active": false});
    assert_eq!(
        platform
            .post(&admin.session, "/admin/v1/accounts:update", end)
            .await
            .status,
        200
    );
    platform.pass(MINUTE_MS);
    assert!(!idle.is_empty());
    let (right, of_gone) = (platform.code(&admin.totp), platform.code(&gone.totp));
    let wrong = if right == "000000" { "000001" } else { "000000" };
    let mut answers = Vec::new();
    for (name, password, code) in [
        ("nobody", PASSWORD, Some(right.as_str())),
        ("admin", "correct horse batterz", Some(right.as_str())),
        ("admin", PASSWORD, Some(wrong)),
        ("admin", PASSWORD, None),
        ("idle", PASSWORD, None),
        ("gone", PASSWORD, Some(of_gone.as_str())),
    ] {
        let reply = platform.sign_in(name, password, code).await;
        assert_eq!(
            refused(&reply),
            (401, "sign_in_refused"),
            "{name}: {}",
            reply.text
        );
        answers.push((reply.body["message"].clone(), reply.body["remedy"].clone()));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    let begun = platform.sign_in("ADMIN", PASSWORD, Some(&right)).await;
    assert_eq!(begun.status, 200, "{}", begun.text);
    assert_eq!(begun.body["rights"].as_array().unwrap().len(), Right::ALL.len());
    assert_eq!(begun.body["name"], "王芳");
    // A code is taken once, and none from before it.
    assert_eq!(
        refused(&platform.sign_in("admin", PASSWORD, Some(&right)).await),
        (401, "sign_in_refused")
    );
    let earlier = totp_code(&admin.totp, platform.now.get() / 30_000 - 1);
    assert_eq!(
        refused(&platform.sign_in("admin", PASSWORD, Some(&earlier)).await),
        (401, "sign_in_refused")
    );
}

#[tokio::test]
async fn failed_attempts_are_held_back_by_name_and_by_address() {
    let platform = Platform::new().await;
    let admin = platform.administrator().await;
    platform.pass(MINUTE_MS);
    for name in ["admin", "nobody"] {
        for _ in 0..5 {
            let reply = platform.sign_in(name, "wrong", None).await;
            assert_eq!(refused(&reply), (401, "sign_in_refused"), "{name}");
        }
        let held = platform
            .sign_in(name, PASSWORD, Some(&platform.code(&admin.totp)))
            .await;
        assert_eq!(refused(&held), (429, "rate_limited"), "{name}");
    }
    for at in 0..8 {
        let reply = platform.sign_in(&format!("name{at}"), "wrong", None).await;
        assert_eq!(refused(&reply), (401, "sign_in_refused"), "{at}");
    }
    let held = platform.sign_in("another", "wrong", None).await;
    assert_eq!(refused(&held), (429, "rate_limited"));
    platform.pass(MINUTE_MS);
    let begun = platform
        .sign_in("admin", PASSWORD, Some(&platform.code(&admin.totp)))
        .await;
    assert_eq!(begun.status, 200, "{}", begun.text);
}

#[tokio::test]
async fn an_enrolment_code_is_valid_once_and_for_three_days() {
    let platform = Platform::new().await;
    let admin = platform.administrator().await;
    let (id, code) = platform.account(&admin.session, "wang", &["operations"]).await;
    let wrong = code.replace("xke_", "xkt_");
    for code in [wrong.as_str(), "x", &format!("xke_{}", "A".repeat(43))] {
        assert_eq!(
            refused(&platform.enrol(code, PASSWORD).await),
            (401, "enrolment_code_wrong")
        );
    }
    for password in ["short", "elevenchars", "this is wang himself"] {
        let reply = platform.enrol(&code, password).await;
        assert_eq!(refused(&reply), (400, "parameter_malformed"), "{password}");
    }
    assert_eq!(platform.enrol(&code, PASSWORD).await.status, 200);
    assert_eq!(
        refused(&platform.enrol(&code, PASSWORD).await),
        (401, "enrolment_code_wrong")
    );

    let again = platform
        .post(
            &admin.session,
            "/admin/v1/accounts:enrol",
            json!({"account_id": id}),
        )
        .await;
    let code = again.body["enrolment_code"].as_str().unwrap();
    platform.pass(3 * DAY_MS);
    assert_eq!(
        refused(&platform.enrol(code, PASSWORD).await),
        (401, "enrolment_code_wrong")
    );
}

#[tokio::test]
async fn a_session_ends_by_its_time_by_lying_unused_and_by_signing_out() {
    let platform = Platform::new().await;
    let admin = platform.administrator().await;
    let ask = async || platform.get(&admin.session, "/admin/v1/accounts").await;
    for _ in 0..25 {
        platform.pass(28 * MINUTE_MS);
        assert_eq!(ask().await.status, 200);
    }
    // 11 h 40 min are over; it is valid for 12 h.
    platform.pass(20 * MINUTE_MS);
    assert_eq!(refused(&ask().await), (401, "credential_ended"));

    let begun = platform
        .sign_in("admin", PASSWORD, Some(&platform.code(&admin.totp)))
        .await;
    let session = begun.body["session"].as_str().unwrap();
    platform.pass(30 * MINUTE_MS);
    assert_eq!(
        refused(&platform.get(session, "/admin/v1/accounts").await),
        (401, "credential_ended")
    );

    let begun = platform
        .sign_in("admin", PASSWORD, Some(&platform.code(&admin.totp)))
        .await;
    let session = begun.body["session"].as_str().unwrap();
    let end = TestRequest::document("/admin/v1/sign-in:end", &json!({"session": session}));
    assert_eq!(platform.router.send(end.clone()).await.body["ended"], true);
    assert_eq!(
        refused(&platform.router.send(end).await),
        (401, "credential_ended")
    );
    assert_eq!(
        refused(&platform.get(session, "/admin/v1/accounts").await),
        (401, "credential_ended")
    );
}

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

#[tokio::test]
async fn nobody_gives_more_than_he_has_raises_himself_or_locks_the_last_administrator_out() {
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
    for (path, document, expected) in [
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
    ] {
        let reply = platform
            .post(&desk.session, &format!("/admin/v1/{path}"), document.clone())
            .await;
        assert_eq!(refused(&reply), expected, "{path} {document}: {}", reply.text);
    }
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
async fn unknown_callers_are_held_back_before_anything_is_looked_up() {
    let platform = Platform::new().await;
    let admin = platform.administrator().await;
    let unknown = format!("xkt_{}", "A".repeat(43));
    for _ in 0..20 {
        assert_eq!(
            refused(&platform.get(&unknown, "/admin/v1/clients").await),
            (401, "credential_wrong")
        );
    }
    for credential in [&unknown, &admin.session] {
        assert_eq!(
            refused(&platform.get(credential, "/admin/v1/clients").await),
            (429, "rate_limited")
        );
    }
    // What can be no credential is not looked up, and holds nobody back.
    platform.pass(MINUTE_MS);
    for _ in 0..30 {
        assert_eq!(
            refused(&platform.get("x", "/admin/v1/clients").await),
            (401, "credential_wrong")
        );
    }
    assert_eq!(
        platform.get(&admin.session, "/admin/v1/clients").await.status,
        200
    );
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
    assert_eq!(page.body["next"], "admin");
    let page = platform
        .get(&admin.session, "/admin/v1/accounts?cursor=admin")
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

#[tokio::test]
async fn malformed_documents_change_nothing() {
    let platform = Platform::new().await;
    let admin = platform.administrator().await;
    for (path, document) in [
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
    ] {
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

/// Operations of two components: method, path below `/admin/v1/`, and the right that each needs.
const OPERATIONS: [(&str, &str, &str); 18] = [
    ("GET", "accounts", "accounts.list"),
    ("POST", "accounts", "accounts.create"),
    ("POST", "accounts:update", "accounts.update"),
    ("POST", "accounts:revoke", "accounts.revoke"),
    ("POST", "accounts:enrol", "accounts.enrol"),
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
