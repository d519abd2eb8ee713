//! What removes something from a database runs only after a backup of it.

use std::fs;

use super::postgres::OnServer;
use super::{Platform, printed, problem};

#[test]
fn migrations_that_contract_want_the_manifest_of_a_backup_of_this_very_database() {
    let platform = Platform::new();
    platform.world.stocked(1, 1);
    let file = platform.backup();
    let own = file.with_extension("json").to_string_lossy().into_owned();
    // A backup of another platform, one that was cut, one that is not there, and no manifest.
    let other = Platform::new();
    other.world.stocked(1, 1);
    let others = other
        .backup()
        .with_extension("json")
        .to_string_lossy()
        .into_owned();
    let folder = platform.path("moved");
    fs::create_dir(&folder).unwrap();
    for (name, bytes) in [("cut", 1_000), ("gone", 0)] {
        fs::copy(&own, folder.join(name).with_extension("json")).unwrap();
        if bytes > 0 {
            let whole = fs::read(&file).unwrap();
            fs::write(folder.join(name).with_extension("age"), &whole[..bytes]).unwrap();
        }
    }
    let before = platform.world.dump();
    for (line, expected) in [
        ("migrate --data @data", "--backup"),
        ("migrate --backup @elsewhere --data @data", "cannot read"),
        ("migrate --backup @env --data @data", "is no manifest of a backup"),
        (
            "migrate --backup @moved/cut.json --data @data",
            "is not whole beside its manifest",
        ),
        (
            "migrate --backup @moved/gone.json --data @data",
            "is not whole beside its manifest",
        ),
        (
            "migrate --backup OTHERS --data @data",
            "is not recorded in this database",
        ),
        ("migrate --backup OWN --data @elsewhere", "there is no database"),
        (
            "migrate --backup OWN --database postgres://u:hunter2@127.0.0.1:1/x",
            "cannot reach the database",
        ),
    ] {
        let line = line.replace("OWN", &own).replace("OTHERS", &others);
        let words: Vec<&str> = line.split(' ').collect();
        let (_, text) = problem(&platform.xieka(&words));
        assert!(
            text.contains(expected) && !text.contains("hunter2"),
            "{line}: {text}"
        );
    }
    assert_eq!(platform.world.dump(), before);
    let text = printed(&platform.xieka(&["migrate", "--backup", &own, "--data", "@data"]));
    assert!(text.contains("no contracting migration is missing"), "{text}");
    assert_eq!(platform.world.dump(), before);
}

#[test]
fn a_database_of_postgresql_and_one_of_an_earlier_version_are_held_to_the_same() {
    let Some(on) = OnServer::new() else { return };
    on.platform.world.stocked(1, 1);
    let manifest = on.backup().with_extension("json").to_string_lossy().into_owned();
    let migrate = |manifest: &str| {
        on.platform
            .xieka(&["migrate", "--backup", manifest, "--database", &on.url])
    };
    let text = printed(&migrate(&manifest));
    assert!(text.contains("no contracting migration is missing"), "{text}");
    on.platform
        .world
        .execute("DELETE FROM schema_version WHERE version > 19");
    let (_, text) = problem(&migrate(&manifest));
    assert!(text.contains("is not of this version"), "{text}");
}
