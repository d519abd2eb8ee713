//! Accounts and tokens.

use domain::error::Reason;
use domain::{Permission, SECOND_MS};
use operations::{NewClient, TOKEN_LIFETIME_SECS, create_client, issue_token, verify_token};
use test_support::operations::{World, ip, reason, run};

const INSIDE: &str = "198.51.100.9";

fn token(world: &World) -> (String, operations::CreatedClient) {
    let client = world.client();
    let issued = run(issue_token(
        &world.cx(),
        client.client_id.as_str(),
        &client.client_secret,
        ip(INSIDE),
    ))
    .unwrap();
    assert_eq!(issued.expire_time, 86_400);
    (issued.token, client)
}

fn verify(world: &World, token: &str, from: &str) -> Result<operations::Caller, domain::error::Error> {
    run(verify_token(&world.cx(), token, ip(from))).map(|verified| verified.caller)
}

// §7.2.1
#[test]
fn a_token_names_its_client_for_24_hours() {
    let world = World::new();
    let (token, client) = token(&world);
    assert_eq!(verify(&world, &token, INSIDE).unwrap().id, client.client_id);
    world.pass((TOKEN_LIFETIME_SECS - 1) * SECOND_MS);
    assert!(verify(&world, &token, INSIDE).is_ok());
    world.pass(SECOND_MS);
    assert_eq!(reason(verify(&world, &token, INSIDE)), Reason::TokenExpired);
}

#[test]
fn a_token_needs_no_escaping_in_a_query() {
    let world = World::new();
    let (token, _) = token(&world);
    assert!(
        token
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)),
        "{token}"
    );
}

#[test]
fn wrong_identifiers_and_secrets_look_the_same() {
    let world = World::new();
    let client = world.client();
    let other = world.client();
    let right = client.client_id.as_str();
    let long = "x".repeat(10_000);
    for (id, secret) in [
        (right, other.client_secret.as_str()),
        (right, ""),
        (right, long.as_str()),
        ("cl_00000000000000000000", client.client_secret.as_str()),
        ("", client.client_secret.as_str()),
        ("' OR 1=1 --", client.client_secret.as_str()),
    ] {
        assert_eq!(
            reason(run(issue_token(&world.cx(), id, secret, ip(INSIDE)))),
            Reason::ClientUnknownOrSecretWrong
        );
    }
}

#[test]
fn any_changed_character_makes_a_token_invalid() {
    let world = World::new();
    let (token, _) = token(&world);
    for at in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'1' { b'2' } else { b'1' };
        let changed = String::from_utf8(changed).unwrap();
        assert_eq!(
            reason(verify(&world, &changed, INSIDE)),
            Reason::TokenInvalid,
            "{at}"
        );
        assert_eq!(
            reason(verify(&world, &token[..at], INSIDE)),
            Reason::TokenInvalid,
            "cut at {at}"
        );
    }
    assert_eq!(
        reason(verify(&world, &"a.".repeat(5_000), INSIDE)),
        Reason::TokenInvalid
    );
}

// §5.3.2.2
#[test]
fn only_listed_addresses_may_call() {
    let world = World::new();
    let (token, client) = token(&world);
    let outside = "203.0.113.1";
    let secret = client.client_secret.as_str();
    assert_eq!(reason(verify(&world, &token, outside)), Reason::IpNotAllowed);
    assert_eq!(
        reason(run(issue_token(
            &world.cx(),
            client.client_id.as_str(),
            secret,
            ip(outside)
        ))),
        Reason::IpNotAllowed
    );
    assert!(
        verify(&world, &token, "::ffff:198.51.100.9").is_ok(),
        "IPv4 in IPv6 form"
    );
    assert_eq!(
        reason(verify(&world, &token, "::ffff:203.0.113.1")),
        Reason::IpNotAllowed
    );
}

// §9.2.1
#[test]
fn disabling_a_client_or_changing_its_secret_stops_its_tokens_at_once() {
    let world = World::new();
    let (token, client) = token(&world);
    world.execute("UPDATE client SET status = 'disabled'");
    assert_eq!(reason(verify(&world, &token, INSIDE)), Reason::ClientDisabled);
    assert_eq!(
        reason(run(issue_token(
            &world.cx(),
            client.client_id.as_str(),
            &client.client_secret,
            ip(INSIDE)
        ))),
        Reason::ClientDisabled
    );
    world.execute("UPDATE client SET status = 'active'");
    world.execute("UPDATE client_secret SET revoked_at = 1");
    assert_eq!(reason(verify(&world, &token, INSIDE)), Reason::TokenInvalid);
    world.execute("DELETE FROM client_secret");
    world.execute("DELETE FROM receiver_secret; DELETE FROM receiver; DELETE FROM client");
    assert_eq!(reason(verify(&world, &token, INSIDE)), Reason::TokenInvalid);
}

// §6.2.1.1
#[test]
fn permissions_are_opened_one_by_one() {
    let world = World::new();
    let new = new_client();
    let permissions = ["write.status".to_owned()];
    let client = run(create_client(
        &world.cx(),
        &NewClient {
            permissions: &permissions,
            ..new
        },
    ))
    .unwrap();
    let id = client.client_id.as_str();
    let issued = run(issue_token(
        &world.cx(),
        id,
        &client.client_secret,
        ip("192.0.2.1"),
    ))
    .unwrap();
    let verified = run(verify_token(&world.cx(), &issued.token, ip("192.0.2.1"))).unwrap();
    for permission in Permission::ALL {
        assert_eq!(verified.may(permission), permission == Permission::WriteStatus);
    }
}

fn new_client() -> NewClient<'static> {
    // Leaked once per test: a client of static texts.
    let ips = Box::leak(Box::new(["192.0.2.1".to_owned(), "2001:db8::/32".to_owned()]));
    let permissions = Box::leak(Box::new(["write.apply".to_owned()]));
    NewClient {
        name: "甲",
        phone: "+8613800138000",
        ips,
        permissions,
        callback_url: None,
        allow_http_callback: false,
    }
}

#[test]
fn bad_parameters_of_a_client_are_named_and_nothing_is_created() {
    let world = World::new();
    let refused = |field: &str, change: &dyn Fn(&mut NewClient<'static>)| {
        let mut new = new_client();
        change(&mut new);
        let error = run(create_client(&world.cx(), &new)).map(drop).unwrap_err();
        assert_eq!(error.reason().status(), 400);
        assert_eq!(error.field(), Some(field), "{error}");
    };
    refused("name", &|new| new.name = " ");
    refused("name", &|new| new.name = "名".repeat(101).leak());
    refused("name", &|new| new.name = "a\nb");
    refused("phone", &|new| new.phone = "");
    refused("phone", &|new| new.phone = "138-0013-8000");
    refused("ips", &|new| new.ips = &[]);
    refused("ips", &|new| new.ips = vec!["192.0.2.300".to_owned()].leak());
    refused("permissions", &|new| new.permissions = &[]);
    refused("permissions", &|new| {
        new.permissions = vec!["write.everything".to_owned()].leak()
    });
    for url in [
        "http://client.example.com/",
        "https://user@client.example.com/",
        "/callback",
        "ftp://client.example.com/",
        "https://127.0.0.1/callback",
        "https://clients.spin.internal/",
    ] {
        refused("callback_url", &|new| new.callback_url = Some(url));
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM client"), 0);
}

#[test]
fn secrets_are_different_each_time() {
    let world = World::new();
    let (one, two) = (world.client(), world.client());
    assert_ne!(*one.client_secret, *two.client_secret);
    assert_ne!(*one.callback_secret, *two.callback_secret);
    assert!(one.callback_secret.starts_with("whsec_"));
}
