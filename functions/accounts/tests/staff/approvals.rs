//! Acts that need a second person.

use serde_json::{Value, json};
use test_support::http::{Reply, TestRequest};
use test_support::settings::{SECRET, variables};
use web::Variables;

use super::platform::{HOUR_MS, MINUTE_MS, Person, Platform, UNKNOWN_ID, refused};

/// The rights for which the tests demand a second person.
const NEEDED: &str = "irreversible, clients.create, roles.delete";

/// A platform with these settings, an administrator, and two people of the business.
async fn platform(delay_minutes: &str, rows: &str) -> (Platform, Person, [Person; 2]) {
    let platform = Platform::with(&Variables {
        second_person: Some(NEEDED.to_owned()),
        second_person_rows: Some(rows.to_owned()),
        approval_delay_minutes: Some(delay_minutes.to_owned()),
        ..variables()
    })
    .await;
    let admin = platform.administrator().await;
    platform.pass(MINUTE_MS);
    let wang = platform
        .person(&admin.session, "wang", &["business_operations"])
        .await;
    let li = platform
        .person(&admin.session, "li", &["business_operations"])
        .await;
    (platform, admin, [wang, li])
}

fn new_client(name: &str) -> Value {
    json!({"name": name, "phone": "+8613800138000", "ips": ["192.0.2.7"], "permissions": ["write.apply"]})
}

/// Creates a client, as a second person where there is an identifier.
async fn create(platform: &Platform, by: &str, name: &str, approval: Option<&str>) -> Reply {
    let request = TestRequest::document("/admin/v1/clients", &new_client(name)).bearer(by);
    let request = match approval {
        Some(id) => request.with("x-approval", id),
        None => request,
    };
    platform.router.send(request).await
}

/// Asks for a client, and returns the identifier.
async fn asked(platform: &Platform, by: &str, name: &str) -> String {
    let reply = create(platform, by, name, None).await;
    assert_eq!(refused(&reply), (409, "second_person_needed"), "{}", reply.text);
    let id = reply.header("x-approval").to_owned();
    assert!(reply.text.contains(&id), "{}", reply.text);
    id
}

async fn clients(platform: &Platform, by: &Person) -> usize {
    let listed = platform.get(&by.session, "/admin/v1/clients").await;
    listed.body["clients"].as_array().unwrap().len()
}

// §10.1
#[tokio::test]
async fn a_second_person_carries_out_what_the_first_asked_for_once() {
    let (platform, admin, [wang, li]) = platform("0", "0").await;
    let id = asked(&platform, &wang.session, "Meters").await;
    assert_eq!(asked(&platform, &wang.session, "Meters").await, id);
    assert_eq!(clients(&platform, &admin).await, 0);
    let waiting = platform.get(&li.session, "/admin/v1/approvals").await;
    let shown = &waiting.body["approvals"][0];
    for (field, value) in [
        ("approval_id", json!(id)),
        ("right", json!("clients.create")),
        ("asked_by", json!(format!("account:{}", wang.id))),
        ("asked_at", json!("2026-07-01T08:01:00+08:00")),
        ("ends_at", json!("2026-07-04T08:01:00+08:00")),
    ] {
        assert_eq!(shown[field], value, "{field}: {}", waiting.text);
    }
    assert!(!waiting.text.contains("13800138000"), "{}", waiting.text);

    // The order of the fields does not matter.
    let other_order =
        r#"{"permissions":["write.apply"], "ips":["192.0.2.7"],"phone":"+8613800138000","name":"Meters"}"#;
    let request = TestRequest::post("/admin/v1/clients", "application/json", other_order)
        .bearer(&li.session)
        .with("x-approval", &id);
    let done = platform.router.send(request).await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert_eq!(clients(&platform, &admin).await, 1);
    let again = create(&platform, &li.session, "Meters", Some(&id)).await;
    assert_eq!(refused(&again), (409, "approval_ended"));
    let waiting = platform.get(&li.session, "/admin/v1/approvals").await;
    assert_eq!(waiting.body["approvals"], json!([]));

    // The trail names both, and finds both by the identifier.
    let trail = platform
        .get(&admin.session, &format!("/admin/v1/audit?object={id}"))
        .await;
    let rows: Vec<_> = trail.body["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["who"].as_str().unwrap(),
                row["outcome"].as_str().unwrap(),
                row["reason"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    let (first, second) = (format!("account:{}", wang.id), format!("account:{}", li.id));
    assert_eq!(
        rows,
        [
            (second.as_str(), "done", ""),
            (first.as_str(), "refused", "second_person_needed"),
            (first.as_str(), "refused", "second_person_needed"),
        ]
    );
    assert_eq!(trail.body["rows"][0]["detail"]["after"]["asked_by"], first);
}

#[tokio::test]
async fn what_is_not_the_same_call_of_another_person_in_time_changes_nothing() {
    let (platform, admin, [wang, li]) = platform("10", "0").await;
    let key = json!({"name": "nightly", "days": 30});
    let key = platform.post(&wang.session, "/admin/v1/api-keys", key).await;
    let key = key.body["api_key"].as_str().unwrap();
    let id = asked(&platform, &wang.session, "Meters").await;
    let early = create(&platform, &li.session, "Meters", Some(&id)).await;
    assert_eq!(refused(&early), (409, "approval_early"));
    assert!(early.text.contains("2026-07-01T08:11:00+08:00"), "{}", early.text);
    platform.pass(10 * MINUTE_MS);
    for (by, name, approval, expected) in [
        (&wang.session, "Meters", id.as_str(), (409, "own_approval")),
        (&key.to_owned(), "Meters", id.as_str(), (409, "own_approval")),
        (&li.session, "Other", id.as_str(), (409, "approval_differs")),
        (&li.session, "Meters", UNKNOWN_ID, (404, "unknown_approval")),
        (&li.session, "Meters", "1", (400, "parameter_malformed")),
        (&li.session, "Meters", "", (400, "parameter_malformed")),
    ] {
        let reply = create(&platform, by, name, Some(approval)).await;
        assert_eq!(refused(&reply), expected, "{name} {approval}: {}", reply.text);
    }
    // Of another operation.
    let request = TestRequest::document("/admin/v1/roles:delete", &json!({"role": "none"}))
        .bearer(&admin.session)
        .with("x-approval", &id);
    let other = platform.router.send(request).await;
    assert_eq!(refused(&other), (404, "unknown_approval"));
    platform.pass(72 * HOUR_MS);
    let li = platform
        .sign_in(
            &li.name,
            super::platform::PASSWORD,
            Some(&platform.code(&li.totp)),
        )
        .await;
    let late = create(
        &platform,
        li.body["session"].as_str().unwrap(),
        "Meters",
        Some(&id),
    )
    .await;
    assert_eq!(refused(&late), (409, "approval_ended"));
    let admin = platform
        .sign_in(
            &admin.name,
            super::platform::PASSWORD,
            Some(&platform.code(&admin.totp)),
        )
        .await;
    let listed = platform
        .get(admin.body["session"].as_str().unwrap(), "/admin/v1/clients")
        .await;
    assert_eq!(listed.body["clients"], json!([]));
}

#[tokio::test]
async fn what_is_asked_for_is_refused_taken_back_or_ends_with_the_account() {
    let (platform, admin, [wang, li]) = platform("0", "0").await;
    let operator = platform.person(&admin.session, "zhao", &["operations"]).await;
    let refuse = async |by: &Person, id: &str| {
        let document = json!({"approval_id": id, "reason": "不需要"});
        platform
            .post(&by.session, "/admin/v1/approvals:refuse", document)
            .await
    };
    let id = asked(&platform, &wang.session, "Meters").await;
    assert_eq!(refused(&refuse(&operator, &id).await), (403, "right_not_held"));
    assert_eq!(refuse(&li, &id).await.status, 200);
    assert_eq!(refused(&refuse(&li, &id).await), (409, "approval_ended"));
    assert_eq!(refused(&refuse(&li, UNKNOWN_ID).await), (404, "unknown_approval"));
    let reply = create(&platform, &li.session, "Meters", Some(&id)).await;
    assert_eq!(refused(&reply), (409, "approval_ended"));
    let own = asked(&platform, &wang.session, "Meters").await;
    assert_ne!(own, id);
    assert_eq!(refuse(&wang, &own).await.status, 200);
    for document in [
        json!({}),
        json!({"approval_id": own}),
        json!({"approval_id": "1", "reason": "r"}),
    ] {
        let reply = platform
            .post(&li.session, "/admin/v1/approvals:refuse", document.clone())
            .await;
        assert_eq!(reply.status, 400, "{document}: {}", reply.text);
    }
    // Who asked loses the right, or is frozen.
    let id = asked(&platform, &wang.session, "Meters").await;
    let roles = json!({"account_id": wang.id, "roles": ["operations"]});
    let changed = platform
        .post(&admin.session, "/admin/v1/accounts:update", roles)
        .await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let reply = create(&platform, &li.session, "Meters", Some(&id)).await;
    assert_eq!(refused(&reply), (409, "approval_ended"));
    let id = asked(&platform, &li.session, "Meters").await;
    let freeze = json!({"account_id": li.id, "reason": "离岗"});
    platform
        .post(&admin.session, "/admin/v1/accounts:freeze", freeze)
        .await;
    let reply = create(&platform, &admin.session, "Meters", Some(&id)).await;
    assert_eq!(refused(&reply), (409, "approval_ended"));
    assert_eq!(clients(&platform, &admin).await, 0);
}

#[tokio::test]
async fn acts_on_many_entries_need_a_second_person_and_others_none() {
    let (platform, admin, [wang, li]) = platform("0", "2").await;
    let id = asked(&platform, &wang.session, "Meters").await;
    let made = create(&platform, &li.session, "Meters", Some(&id)).await;
    let client = made.body["client_id"].as_str().unwrap();
    let update = |ips: &[&str]| json!({"client_id": client, "ips": ips});
    let few = platform
        .post(
            &wang.session,
            "/admin/v1/clients:update",
            update(&["192.0.2.1", "192.0.2.2"]),
        )
        .await;
    assert_eq!(few.status, 200, "{}", few.text);
    let many = platform
        .post(
            &wang.session,
            "/admin/v1/clients:update",
            update(&["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
        )
        .await;
    assert_eq!(refused(&many), (409, "second_person_needed"));
    // A preview changes nothing; what has none refuses it.
    let mut preview = update(&["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
    preview["preview"] = json!(true);
    let previewed = platform
        .post(&wang.session, "/admin/v1/clients:update", preview)
        .await;
    assert_eq!(refused(&previewed), (400, "parameter_unknown"));
    // What has no effect on this is ignored, and an emergency needs nobody else.
    let freeze = json!({"client_id": client, "reason": "密钥泄露"});
    let frozen = platform
        .post(&wang.session, "/admin/v1/clients:freeze", freeze)
        .await;
    assert_eq!(frozen.status, 200, "{}", frozen.text);
    let request = TestRequest::get("/admin/v1/clients")
        .bearer(&admin.session)
        .with("x-approval", "whatever");
    assert_eq!(platform.router.send(request).await.status, 200);
}

#[tokio::test]
async fn whoever_sets_the_platform_up_is_alone() {
    let platform = Platform::with(&Variables {
        second_person: Some("accounts.create".to_owned()),
        ..variables()
    })
    .await;
    let admin = platform.administrator().await;
    let new = json!({"name": "王芳", "sign_in_name": "wang", "roles": []});
    let reply = platform
        .post(&admin.session, "/admin/v1/accounts", new.clone())
        .await;
    assert_eq!(refused(&reply), (409, "second_person_needed"));
    let secret = platform.post(SECRET, "/admin/v1/accounts", new).await;
    assert_eq!(refused(&secret), (401, "credential_wrong"));
}
