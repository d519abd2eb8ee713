//! Databases under the keys they were made with, and under others.

use domain::Timestamp;
use domain::error::{Error, Reason};
use store::{check_keys, migrate};
use test_support::inventory::NumberCsv;
use test_support::operations::{World, reason, run};
use test_support::settings::{sealing_key, vault as of_sealing};
use test_support::test_db::TestDb;
use vault::{Vault, VaultSettings};

const NOW: Timestamp = Timestamp(1_000);

fn vault(sealing: Option<&str>, index: u8) -> Vault {
    let settings = VaultSettings {
        sealing_keys: sealing,
        index_key: &hex::encode([index; 32]),
        ..VaultSettings::default()
    };
    Vault::from_settings(settings).unwrap()
}

fn new_database() -> TestDb {
    let db = TestDb::new();
    run(migrate(&db, NOW)).unwrap();
    db
}

fn check(db: &TestDb, vault: &Vault) -> Result<bool, Error> {
    run(check_keys(db, vault, NOW))
}

fn names(db: &TestDb) -> Vec<String> {
    db.column("SELECT name FROM key_check ORDER BY name")
}

#[test]
fn a_new_database_takes_the_keys_of_its_first_start_and_no_others() {
    let db = new_database();
    let (first, other) = (sealing_key(1), format!("1:{}", hex::encode([9; 32])));
    // A program without sealing keys leaves the first start to others.
    assert!(!check(&db, &vault(None, 8)).unwrap());
    assert!(check(&db, &vault(Some(&first), 7)).unwrap());
    assert_eq!(names(&db), ["index_key", "sealing_key:1"]);
    assert!(check(&db, &vault(Some(&first), 7)).unwrap());
    assert_eq!(reason(check(&db, &vault(Some(&first), 8))), Reason::KeysWrong);
    assert_eq!(reason(check(&db, &vault(Some(&other), 7))), Reason::KeysWrong);
    // A component without sealing keys still has the index key.
    assert!(check(&db, &vault(None, 7)).unwrap());
    assert_eq!(reason(check(&db, &vault(None, 8))), Reason::KeysWrong);
    assert_eq!(names(&db).len(), 2, "nothing was stored by refused programs");
}

#[test]
fn a_sealing_key_may_join_but_none_may_be_missing() {
    let db = new_database();
    check(&db, &vault(Some(&sealing_key(1)), 7)).unwrap();
    let both = format!("{},{}", sealing_key(1), sealing_key(2));
    assert!(check(&db, &vault(Some(&both), 7)).unwrap());
    // A node that does not have it yet keeps working, and it may be corrected.
    assert!(check(&db, &vault(Some(&sealing_key(1)), 7)).unwrap());
    let corrected = format!("{},2:{}", sealing_key(1), hex::encode([9; 32]));
    assert!(check(&db, &vault(Some(&corrected), 7)).unwrap());
    let error = check(&db, &vault(Some(&sealing_key(2)), 7)).unwrap_err();
    assert_eq!(error.reason(), Reason::KeysWrong);
    assert!(format!("{error}").contains("sealing_key:1"), "{error}");
}

#[test]
fn a_database_of_before_is_taken_over_only_if_its_rows_fit() {
    let with_a_client = World::new();
    with_a_client.client();
    let with_a_number = World::new();
    with_a_number.numbers(&[NumberCsv::new(0)]);
    let with_a_chip = World::new();
    with_a_chip.stocked(1, 0);
    for world in [with_a_client, with_a_number, with_a_chip] {
        taken_over_by_its_own_keys_alone(&world);
    }
}

fn taken_over_by_its_own_keys_alone(world: &World) {
    let db = &world.db.inner;
    let sealing = sealing_key(1);
    assert_eq!(reason(check(db, &vault(Some(&sealing), 8))), Reason::KeysWrong);
    let other = format!("1:{}", hex::encode([9; 32]));
    assert_eq!(reason(check(db, &of_sealing(&other))), Reason::KeysWrong);
    // It cannot tell, so it stores nothing.
    assert!(!check(db, &vault(None, 8)).unwrap());
    assert!(names(db).is_empty());
    assert!(check(db, &world.vault).unwrap());
    let names = names(db);
    let kinds: Vec<_> = names.iter().map(|name| name.split(':').next().unwrap()).collect();
    assert_eq!(
        kinds,
        ["home_key", "index_key", "link_key", "sealing_key", "token_key"]
    );
}
