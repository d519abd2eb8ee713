//! The home key of a platform that has none configured is written down before the index key changes.

use std::fs;

use store::Sqlite;
use test_support::inventory::eid;
use vault::{Vault, VaultSettings};

use super::{HOME_KEY, INDEX_KEY, OLD, Platform, printed, stocked};

#[test]
fn a_home_key_that_was_made_from_the_index_key_stays_when_that_changes() {
    let platform = Platform::with(stocked);
    let without = platform.content();
    let without = without.lines().filter(|line| !line.starts_with(HOME_KEY));
    let without: String = without.flat_map(|line| [line, "\n"]).collect();
    fs::write(platform.env(), without).unwrap();
    let db = Sqlite::open(&platform.database()).unwrap();
    let forget = "DELETE FROM key_check WHERE name = 'home_key'";
    assert_eq!(db.connection().execute(forget, []).unwrap(), 1);
    drop(db);
    printed(&platform.reindex(&[]));
    platform.is_changed();
    let home = |index_key: &str, home_key: &str| {
        let keys = Vault::from_settings(VaultSettings {
            index_key,
            home_key: Some(home_key),
            ..VaultSettings::default()
        });
        let keys = keys.unwrap();
        [0, 1, 2].map(|chip| keys.home(eid(chip).as_str().as_bytes()).unwrap())
    };
    let (index_key, home_key) = (
        platform.value(INDEX_KEY).unwrap(),
        platform.value(HOME_KEY).unwrap(),
    );
    assert_eq!(home(&index_key, &home_key), home(&hex::encode(OLD), ""));
    assert_ne!(home(&index_key, ""), home(&hex::encode(OLD), ""));
    // It stays what it is when the index key changes again.
    printed(&platform.reindex(&[]));
    assert_eq!(platform.value(HOME_KEY), Some(home_key));
}
