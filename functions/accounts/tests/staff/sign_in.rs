//! How people enrol, sign in and stay signed in.

use domain::Right;
use serde_json::json;
use test_support::http::TestRequest;
use test_support::settings::SECRET;
use vault::totp_code;

use crate::platform::{DAY_MS, MINUTE_MS, PASSWORD, Platform, base32, refused};

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
