//! Packs the migrations, which every component carries, without their comments: those are for who reads the files.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

/// The files for SQLite, one for each version from 1 on.
const SQLITE: &str = "migrations";

/// The files for PostgreSQL. The first has the whole schema up to its version. A later version that has no file here is
/// made from that of SQLite.
const POSTGRES: &str = "migrations/postgres";

/// The words of SQLite's definitions of tables, and what they are on PostgreSQL.
const WORDS: [(&str, &str); 4] = [
    (" INTEGER", " BIGINT"),
    (" BLOB", " BYTEA"),
    (" TEXT", " TEXT COLLATE \"C\""),
    (") STRICT;", ");"),
];

/// The first line of a migration that removes what earlier programs read.
const CONTRACTING: &str = "-- contracting";

/// The best compression of the library.
const LEVEL: u8 = 10;

fn main() {
    println!("cargo::rerun-if-changed={SQLITE}");
    let sqlite = files(SQLITE);
    let postgres = files(POSTGRES);
    let whole = *postgres.keys().next().expect("the whole schema");
    let mut texts = String::new();
    for (expected, (version, text)) in (1..).zip(&sqlite) {
        assert_eq!(*version, expected, "the versions have no gap");
        let translated = || {
            WORDS
                .iter()
                .fold(text.clone(), |text, (from, to)| text.replace(from, to))
        };
        let of_postgres = match postgres.get(version) {
            Some(own) => own.clone(),
            None if *version > whole => translated(),
            None => String::new(),
        };
        for text in [text, &of_postgres] {
            texts.push_str(text);
            texts.push('\0');
        }
    }
    let to = env::var_os("OUT_DIR").expect("cargo says where");
    let packed = miniz_oxide::deflate::compress_to_vec(texts.as_bytes(), LEVEL);
    fs::write(Path::new(&to).join("migrations.deflate"), packed).expect("written");
    fs::write(Path::new(&to).join("schema_version"), sqlite.len().to_string()).expect("written");
    fs::write(Path::new(&to).join("contracting"), format!("{:?}", contracting())).expect("written");
}

/// The statements of the migrations in a folder by their versions, with whose four digits their names begin.
fn files(folder: &str) -> BTreeMap<u32, String> {
    let entries = fs::read_dir(folder).expect("the folder of migrations");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut files = BTreeMap::new();
    for path in paths.filter(|path| path.is_file()) {
        let before = files.insert(version(&path), statements(&path));
        assert!(
            before.is_none(),
            "{} has the number of another file",
            path.display()
        );
    }
    files
}

/// The versions of migrations that contract.
fn contracting() -> Vec<u32> {
    let (entries, mut found) = (
        fs::read_dir(SQLITE).expect("the folder of migrations"),
        Vec::new(),
    );
    for path in entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_file())
    {
        let text = fs::read_to_string(&path).expect("a text");
        if text.lines().next().is_some_and(|line| line.trim() == CONTRACTING) {
            found.push(version(&path));
        }
    }
    found.sort_unstable();
    found
}

/// The version of a file: the four digits with which its name begins.
fn version(path: &Path) -> u32 {
    let name = path.file_name().expect("a name").to_string_lossy();
    name[..4].parse().expect("a number")
}

fn statements(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a text");
    let mut statements = String::new();
    for line in text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("--"))
    {
        statements.push_str(line);
        statements.push('\n');
    }
    statements
}
