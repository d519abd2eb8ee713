//! Takes comments out of the migrations, which every component carries: they are for those who read the files. Lists
//! those of PostgreSQL.

use std::path::{Path, PathBuf};
use std::{env, fs};

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

fn main() {
    let to = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where"));
    println!("cargo::rerun-if-changed=migrations");
    let sqlite = files(Path::new("migrations"));
    let postgres = files(Path::new(POSTGRES));
    for (name, path) in &sqlite {
        fs::write(to.join(name), statements(path)).expect("written");
    }
    let (first, _) = postgres.first().expect("the whole schema");
    let later = sqlite.iter().filter(|(name, _)| name[..4] > first[..4]);
    let made = later.filter(|(name, _)| postgres.iter().all(|(own, _)| own[..4] != name[..4]));
    let translated = made.map(|(name, path)| {
        let text = WORDS
            .iter()
            .fold(statements(path), |text, (from, to)| text.replace(from, to));
        (name, text)
    });
    let own = postgres.iter().map(|(name, path)| (name, statements(path)));
    let mut all: Vec<_> = own.chain(translated).collect();
    all.sort();
    let mut list = String::from("&[");
    for (name, text) in all {
        fs::write(to.join(format!("postgres_{name}")), text).expect("written");
        list.push_str(&format!(
            "({}, include_str!(concat!(env!(\"OUT_DIR\"), \"/postgres_{name}\"))),",
            name[..4].parse::<i64>().expect("a number")
        ));
    }
    list.push(']');
    fs::write(to.join("postgres.rs"), list).expect("written");
}

/// The migrations in a folder by their names, which begin with four digits.
fn files(folder: &Path) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder of migrations") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            let name = path.file_name().expect("a name").to_string_lossy();
            found.push((name.into_owned(), path));
        }
    }
    found.sort();
    found
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
