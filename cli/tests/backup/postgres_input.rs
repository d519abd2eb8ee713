//! Bad input about PostgreSQL is refused by name, and leaves nothing.

use std::fs;

use super::postgres::OnServer;
use super::{Platform, problem};

/// A command line, and what the refusal says. OWN is the key of the recipient, URL the platform's database, EMPTY one with
/// nothing in it, NONE one that is not there, AWAY a server that is not there, FILE a good backup and FILES one of SQLite.
const REFUSED: [(&str, &str); 19] = [
    (
        "backup @out --recipient OWN --database postgres://u:hunter2@h:port/x",
        "postgres://user:password@host",
    ),
    (
        "backup @out --recipient OWN --database NONE",
        "cannot reach the database",
    ),
    (
        "backup @out --recipient OWN --database AWAY",
        "cannot reach the database",
    ),
    (
        "backup @out --recipient OWN --database EMPTY",
        "has no data of a platform",
    ),
    (
        "backup @out --recipient OWN --database URL --calls @env",
        "leave out --calls",
    ),
    ("backup @out --recipient OWN --env @elsewhere", "cannot read"),
    (
        "verify FILE --identity @identity --env @env",
        "name an empty database",
    ),
    (
        "verify FILE --identity @identity --env @env --scratch NONE",
        "cannot reach the database",
    ),
    (
        "verify FILE --identity @identity --env @env --scratch URL",
        "is not empty",
    ),
    (
        "verify FILE --identity @identity --env @env --scratch @elsewhere",
        "postgres://user:password@host",
    ),
    (
        "verify FILE --identity @identity --env @env --scratch EMPTY --record --database NONE",
        "could not be recorded",
    ),
    (
        "verify FILES --identity @identity --env @env --scratch EMPTY",
        "is of SQLite files",
    ),
    (
        "verify @data --identity @identity --env @env",
        "there is no backup in",
    ),
    ("restore FILE --identity @identity --env @env", "--database"),
    (
        "restore FILE --identity @identity --env @env --into @new",
        "is of PostgreSQL",
    ),
    (
        "restore FILE --identity @identity --env @env --into @new --database EMPTY",
        "--into",
    ),
    (
        "restore FILE --identity @identity --env @env --database URL",
        "is not empty",
    ),
    (
        "restore FILE --identity @identity --env @env --database mysql://u:hunter2@h/x",
        "postgres://user:password@host",
    ),
    (
        "restore FILES --identity @identity --env @env --database EMPTY",
        "is of SQLite files",
    ),
];

#[test]
fn bad_input_about_postgresql_is_refused_by_name_and_leaves_nothing() {
    let Some(on) = OnServer::new() else { return };
    let platform = &on.platform;
    platform.world.stocked(1, 1);
    let file = on.backup().to_string_lossy().into_owned();
    // A backup of files for the same recipient.
    let of_files = Platform::new();
    of_files.world.stocked(1, 1);
    let recipient = platform.identity.to_public().to_string();
    let folder = platform.path("of_files").to_string_lossy().into_owned();
    super::printed(&of_files.xieka(&["backup", &folder, "--recipient", &recipient, "--data", "@data"]));
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files
        .filter(|file| file.extension().is_some_and(|end| end == "age"))
        .max()
        .unwrap();
    let (name, empty) = on.empty();
    let none = on
        .url
        .replace(on.url.rsplit('/').next().unwrap(), "none_such?sslmode=disable");
    let before = platform.world.dump();
    for (line, expected) in REFUSED {
        let line = line
            .replace("OWN", &recipient)
            .replace("URL", &on.url)
            .replace("EMPTY", &empty)
            .replace("NONE", &none)
            .replace("AWAY", "postgres://u:hunter2@127.0.0.1:1/x")
            .replace("FILES", &files.to_string_lossy())
            .replace("FILE", &file);
        let words: Vec<&str> = line.split(' ').collect();
        let (_, text) = problem(&platform.xieka(&words));
        assert!(text.contains(expected), "{line}: {text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
    assert_eq!(platform.world.dump(), before);
    let tables = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(on.server.run_sql(&name, tables), "0");
    let left = fs::read_dir(platform.path("out")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "no half of a backup is left");
    assert!(!platform.path("new/.spin").exists());
}
