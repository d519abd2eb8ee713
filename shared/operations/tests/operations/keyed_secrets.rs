//! Secrets of clients whose hashes earlier versions stored under the index key.

use domain::error::{Error, Reason};
use hmac::{Hmac, KeyInit as _, Mac as _};
use operations::{Caller, issue_token, revoke_secret, rotate_secret};
use sha2::Sha256;
use store::reindex::ReindexError;
use test_support::operations::{World, ip, reason, run};
use vault::hash_secret;

use super::reindex::{change, next_keys, start, try_reindex};

/// The hash that earlier versions stored.
fn keyed_hash(secret: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(&[0x1d; 32]).unwrap();
    mac.update(b"secret\0");
    mac.update(secret.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// A client whose only secret is stored as earlier versions stored it, and the secret.
fn of_earlier_version(world: &World) -> (Caller, String) {
    let client = world.client();
    let hash = keyed_hash(&client.client_secret);
    let id = client.client_id.as_str();
    world.execute(&format!(
        "UPDATE client_secret SET hash = x'{hash}' WHERE client_id = '{id}'"
    ));
    let secret = client.client_secret.as_str().to_owned();
    (Caller { id: client.client_id }, secret)
}

fn token(world: &World, caller: &Caller, secret: &str) -> Result<String, Error> {
    let issued = run(issue_token(
        &world.cx(),
        caller.id.as_str(),
        secret,
        ip("198.51.100.1"),
    ));
    issued.map(|issued| issued.token)
}

fn hashes(world: &World) -> Vec<String> {
    world.column("SELECT lower(hex(hash)) FROM client_secret")
}

#[test]
fn a_secret_of_an_earlier_version_is_stored_anew_with_its_next_token() {
    test_support::of_sqlite!();
    let world = World::new();
    let (caller, secret) = of_earlier_version(&world);
    let old = hashes(&world);
    assert_eq!(
        reason(token(&world, &caller, "xks_wrong")),
        Reason::ClientUnknownOrSecretWrong
    );
    let cx = world.cx();
    let elsewhere = issue_token(&cx, caller.id.as_str(), &secret, ip("192.0.2.1"));
    assert_eq!(reason(run(elsewhere)), Reason::IpNotAllowed);
    assert_eq!(hashes(&world), old, "a refused call changes nothing");

    // A token does not depend on whether the hash can be stored now.
    let statements = {
        world.db.fail_at(None);
        token(&world, &caller, &secret).unwrap();
        world.db.statements()
    };
    assert_eq!(hashes(&world), [hex::encode(hash_secret(&secret))]);
    let stored = world.db.statements();
    token(&world, &caller, &secret).unwrap();
    assert!(world.db.statements() - stored < statements, "it is stored once");
    for back in 0..3 {
        let (other, secret) = of_earlier_version(&world);
        world.db.fail_at(Some(statements - back));
        token(&world, &other, &secret).unwrap();
        world.db.fail_at(None);
        assert!(!world.db.inner.is_in_transaction());
        token(&world, &other, &secret).unwrap();
        assert!(!hashes(&world).contains(&keyed_hash(&secret)));
        assert!(hashes(&world).contains(&hex::encode(hash_secret(&secret))));
    }
}

#[test]
fn secrets_are_valid_under_the_new_key_and_those_of_earlier_versions_must_be_stored_anew_before() {
    test_support::of_sqlite!();
    let mut world = World::new();
    start(&world).unwrap();
    let (one, one_secret) = of_earlier_version(&world);
    let (two, two_secret) = of_earlier_version(&world);
    let three = world.client();
    let refused = |world: &World| try_reindex(world, &next_keys(), false).unwrap_err();
    let mut both = vec![one.id.as_str().to_owned(), two.id.as_str().to_owned()];
    both.sort();
    assert_eq!(refused(&world), ReindexError::OldSecrets(both));
    token(&world, &one, &one_secret).unwrap();
    let left = vec![two.id.as_str().to_owned()];
    assert_eq!(refused(&world), ReindexError::OldSecrets(left.clone()));
    // A rotation with an overlap leaves the old one alive.
    let new = run(rotate_secret(&world.cx(), &two.id, 3_600)).unwrap();
    assert_eq!(refused(&world), ReindexError::OldSecrets(left));
    run(revoke_secret(&world.cx(), &two.id, 1)).unwrap();
    change(&mut world);
    token(&world, &one, &one_secret).unwrap();
    token(&world, &two, &new.client_secret).unwrap();
    let three_id = Caller { id: three.client_id };
    token(&world, &three_id, &three.client_secret).unwrap();
    assert_eq!(
        reason(token(&world, &two, &two_secret)),
        Reason::ClientUnknownOrSecretWrong
    );
}

#[test]
fn secrets_of_earlier_versions_can_be_ended_with_the_old_key() {
    test_support::of_sqlite!();
    let world = World::new();
    let (caller, secret) = of_earlier_version(&world);
    let kept = world.client();
    let new = next_keys();
    let done = try_reindex(&world, &new, true).unwrap();
    assert_eq!(done.ended_secrets, 1);
    assert_eq!(
        world.column("SELECT client_id FROM client_secret WHERE revoked_at IS NOT NULL"),
        [caller.id.as_str()]
    );
    assert_eq!(
        reason(token(&world, &caller, &secret)),
        Reason::ClientUnknownOrSecretWrong
    );
    let kept_id = Caller { id: kept.client_id };
    token(&world, &kept_id, &kept.client_secret).unwrap();
}
