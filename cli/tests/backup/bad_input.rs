//! Bad input of each command is refused by name, and leaves nothing.

use std::fs;

use super::{Platform, problem};

/// A command line, and what the refusal says. OWN is the key of the recipient, FILE a good backup.
const REFUSED: [(&str, &str); 22] = [
    ("backup @out --data @data", "--recipient"),
    ("backup --recipient OWN --data @data", "<INTO>"),
    ("backup @out --recipient age1qqqq --data @data", "is no recipient"),
    (
        "backup @out --recipient ssh-ed25519 --data @data",
        "is no recipient",
    ),
    (
        "backup @out --recipient OWN --data @elsewhere",
        "there is no database",
    ),
    (
        "backup @out --recipient OWN --database @elsewhere",
        "there is no database",
    ),
    ("backup @out --recipient OWN --calls @data", "--database"),
    (
        "backup @out --recipient OWN --database @empty.db",
        "has no data of a platform",
    ),
    ("backup @out --recipient OWN --database @text.db", "text.db"),
    ("backup @env --recipient OWN --data @data", "env"),
    ("verify --identity @identity", "<FILE>"),
    ("verify FILE", "--identity"),
    ("verify @elsewhere --identity @identity --env @env", "cannot read"),
    ("verify FILE --identity @elsewhere --env @env", "cannot read"),
    (
        "verify FILE --identity @empty --env @env",
        "has no usable age key",
    ),
    ("verify FILE --identity @half --env @env", "has no usable age key"),
    ("verify FILE --identity @identity --env @elsewhere", "cannot read"),
    ("verify FILE --identity @identity --env @empty", "is not set"),
    (
        "verify FILE --identity @identity --env @env --record --data @elsewhere",
        "there is no database",
    ),
    ("restore FILE --identity @identity --env @env", "--into"),
    (
        "restore FILE --identity @identity --env @env --into @data",
        "never overwrites",
    ),
    ("restore FILE --identity @identity --env @env --into @env", "env"),
];

#[test]
fn bad_input_of_each_command_is_refused_by_name_and_leaves_nothing() {
    let platform = Platform::new();
    platform.world.stocked(1, 1);
    let file = platform.backup().to_string_lossy().into_owned();
    let own = platform.identity.to_public().to_string();
    fs::write(platform.path("empty"), "# no key\n").unwrap();
    fs::write(platform.path("half"), "AGE-SECRET-KEY-1QQQQ\n").unwrap();
    fs::write(platform.path("empty.db"), "").unwrap();
    fs::write(
        platform.path("text.db"),
        "this is no database, whatever its name says",
    )
    .unwrap();
    let before = platform.world.dump();
    for (line, expected) in REFUSED {
        let line = line.replace("OWN", &own).replace("FILE", &file);
        let words: Vec<&str> = line.split(' ').collect();
        let (_, text) = problem(&platform.xieka(&words));
        assert!(text.contains(expected), "{line}: {text}");
        assert!(!text.contains("AGE-SECRET-KEY-1QQQQ"), "{text}");
    }
    assert_eq!(platform.world.dump(), before);
    let left = fs::read_dir(platform.path("out")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "no half of a backup is left");
}
