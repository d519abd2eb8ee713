//! Public items of the crates below `shared/` that no other crate names.
//!
//! Items are looked for by name: one counts as used when its name stands anywhere outside its crate; the crate's own
//! `tests/` are outside, and so is what its macros name by `$crate`. Methods count like functions. A method with a
//! common name, such as `new`, is therefore never listed: what is listed is certain, what is not listed may still be
//! unused.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use crate::source::{Source, Token, is_identifier, without_tests};
use crate::walk::{files, is_below, package_of, packages};

/// The folder of the crates that are examined.
const EXAMINED: &str = "shared";
/// Most items that may be listed.
const MAX_UNUSED: usize = 20;
/// What may stand between `pub` and the word that says what an item is.
const QUALIFIERS: [&str; 4] = ["async", "const", "unsafe", "extern"];
/// What an item can be.
const KINDS: [&str; 8] = [
    "fn", "struct", "enum", "trait", "const", "static", "type", "union",
];

/// A public item.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Item {
    path: String,
    line: usize,
    kind: &'static str,
    name: String,
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            line,
            kind,
            name,
        } = self;
        write!(f, "{path}:{line}: {kind} {name}")
    }
}

/// Prints the items and their number against all; fails when there are too many.
pub(crate) fn run(root: &Path) -> Result<ExitCode, String> {
    let (unused, all) = examine(root)?;
    for item in &unused {
        println!("{item}");
    }
    println!(
        "{} of {all} public items are named by no other crate (at most {MAX_UNUSED})",
        unused.len()
    );
    Ok(ExitCode::from(u8::from(unused.len() > MAX_UNUSED)))
}

/// The items that no other crate names, and how many items there are.
fn examine(root: &Path) -> Result<(Vec<Item>, usize), String> {
    let packages = packages(root)?;
    let sources: Vec<Source> = files(root, &[".rs"])?.into_iter().map(Source::new).collect();
    let mut words: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut expanded: BTreeSet<&str> = BTreeSet::new();
    for source in &sources {
        let unit = unit_of(&packages, &source.path);
        words.entry(unit).or_default().extend(named(source));
        expanded.extend(named_by_macros(&source.tokens));
    }
    let (mut unused, mut all) = (Vec::new(), 0);
    for package in packages
        .iter()
        .filter(|package| package == &EXAMINED || is_below(package, EXAMINED))
    {
        for item in items_of(package, &packages, &sources) {
            all += 1;
            let name = item.name.as_str();
            let is_used = words
                .iter()
                .any(|(unit, words)| unit != package && words.contains(name));
            if !is_used && !expanded.contains(name) {
                unused.push(item);
            }
        }
    }
    unused.sort();
    Ok((unused, all))
}

/// The package of a file; a name of its own for what tests are made of, which see only what is public.
fn unit_of<'a>(packages: &'a [String], path: &'a str) -> &'a str {
    let package = package_of(packages, path).unwrap_or_default();
    let within = path.strip_prefix(package).unwrap_or(path).trim_start_matches('/');
    let is_outside = ["tests/", "examples/", "benches/"]
        .iter()
        .any(|folder| within.starts_with(folder));
    if is_outside { path } else { package }
}

/// The distinct public items of a package; where one name is exported twice, the first place counts.
fn items_of(package: &str, packages: &[String], sources: &[Source]) -> Vec<Item> {
    let mut seen = BTreeSet::new();
    let own = sources
        .iter()
        .filter(|source| unit_of(packages, &source.path) == package);
    let items = own.flat_map(items);
    items.filter(|item| seen.insert(item.name.clone())).collect()
}

/// The identifiers of a file, those that its literals format included.
fn named(source: &Source) -> impl Iterator<Item = &str> {
    let formatted = source
        .strings
        .iter()
        .flat_map(|text| text.text.split('{').skip(1));
    let formatted = formatted.map(|rest| {
        let end = rest.find(|next: char| !next.is_alphanumeric() && next != '_');
        &rest[..end.unwrap_or(rest.len())]
    });
    source
        .tokens
        .iter()
        .map(|token| token.text.as_str())
        .chain(formatted)
        .filter(|name| is_identifier(name))
}

/// What macros name in the crate that has them, such as `Route` and `of` in `$crate::Route::of`: it is used where the
/// macro is.
fn named_by_macros(tokens: &[Token]) -> Vec<&str> {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let mut names = Vec::new();
    for at in 0..tokens.len() {
        let mut end = at + 2;
        if (text(at), text(at + 1)) == ("$", "crate") {
            while text(end) == "::" && is_identifier(text(end + 1)) {
                names.push(text(end + 1));
                end += 2;
            }
        }
    }
    names
}

/// The public items of a file, without those of its tests.
fn items(source: &Source) -> Vec<Item> {
    let tokens = without_tests(&source.tokens);
    let mut items = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        // `pub(crate)` and its like are not public.
        if token.text != "pub" || tokens.get(index + 1).is_none_or(|next| next.text == "(") {
            continue;
        }
        for (kind, name) in exported(&tokens[index + 1..]) {
            items.push(Item {
                path: source.path.clone(),
                line: token.line,
                kind,
                name,
            });
        }
    }
    items
}

/// What is exported by the tokens after `pub`: kind and name. Fields and modules are not items here.
fn exported(tokens: &[Token]) -> Vec<(&'static str, String)> {
    if tokens[0].text == "use" {
        return reexported(tokens).into_iter().map(|name| ("use", name)).collect();
    }
    let mut at = 0;
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    // `const` is a qualifier only before another one or before `fn`.
    while QUALIFIERS.contains(&text(at)) && (text(at) != "const" || is_kind_or_qualifier(text(at + 1))) {
        at += 1;
    }
    let Some(kind) = KINDS.into_iter().find(|kind| *kind == text(at)) else {
        return Vec::new();
    };
    match text(at + 1) {
        name if is_identifier(name) && name != "_" => vec![(kind, name.to_owned())],
        _ => Vec::new(),
    }
}

fn is_kind_or_qualifier(text: &str) -> bool {
    text == "fn" || (QUALIFIERS.contains(&text) && text != "const")
}

/// The names that a `use` declaration brings in.
fn reexported(tokens: &[Token]) -> Vec<String> {
    let end = tokens
        .iter()
        .position(|token| token.text == ";")
        .unwrap_or(tokens.len());
    let tokens = &tokens[1..end];
    let mut names = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let next = tokens.get(index + 1).map_or(",", |next| next.text.as_str());
        let ends = matches!(next, "," | "}");
        if ends && is_identifier(&token.text) && !matches!(token.text.as_str(), "self" | "_") {
            names.push(token.text.clone());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::temp::Folder;

    #[test]
    fn few_public_items_of_this_checkout_are_named_by_no_other_crate() {
        let (unused, _) = examine(&crate::root()).unwrap();
        let lines: Vec<String> = unused.iter().map(Item::to_string).collect();
        assert!(
            lines.len() <= MAX_UNUSED,
            "xtask unused-pub: {} items, at most {MAX_UNUSED}:\n{}",
            lines.len(),
            lines.join("\n")
        );
    }

    fn names(folder: &Folder) -> (Vec<String>, usize) {
        let (unused, all) = examine(folder.path()).unwrap();
        (unused.into_iter().map(|item| item.name).collect(), all)
    }

    const ITEMS: &str = "
        mod a;
        pub use a::{B, C as D};
        pub const MOST: u32 = 1;
        pub const fn quick() {}
        pub async unsafe fn slow() {}
        pub struct Thing { pub field: u8 }
        impl Thing { pub fn act(&self) {} pub(crate) fn own(&self) {} }
        #[cfg(test)] mod tests { pub fn helps() {} }
    ";

    #[test]
    fn items_that_no_other_crate_names_are_listed() {
        let folder = Folder::new();
        folder.write("shared/Cargo.toml", "[package]\nname = \"shared\"\n");
        folder.write("shared/src/lib.rs", ITEMS);
        folder.write(
            "shared/src/a.rs",
            "// D, quick: a crate's own use does not count\nfn e() { crate::act() }",
        );
        folder.write("other/Cargo.toml", "[package]\nname = \"other\"\n");
        folder.write(
            "other/src/lib.rs",
            "// quick\nuse shared::{B, D}; fn f() { format!(\"{MOST} slow\") }",
        );
        assert_eq!(
            names(&folder),
            (["quick", "slow", "Thing", "act"].map(str::to_owned).to_vec(), 7)
        );
        folder.write("shared/tests/it.rs", "fn a() { shared::quick() }");
        assert_eq!(names(&folder).0, ["slow", "Thing", "act"]);
    }

    #[test]
    fn what_a_macro_names_by_crate_counts_as_named() {
        let folder = Folder::new();
        folder.write("shared/Cargo.toml", "[package]\nname = \"shared\"\n");
        folder.write(
            "shared/src/lib.rs",
            "#[macro_export] macro_rules! routes { ($a:ident) => { $crate::Route::of::<$a>($crate::join!($a)) }; }
            pub struct Route; impl Route { pub fn of() {} pub fn not() {} } pub use a::join;",
        );
        assert_eq!(names(&folder), (vec!["not".to_owned()], 4));
    }

    #[test]
    fn crates_in_folders_below_are_examined_each_for_itself() {
        let folder = Folder::new();
        for name in ["one", "two"] {
            folder.write(&format!("shared/{name}/Cargo.toml"), "[package]\nname = \"x\"\n");
        }
        folder.write("shared/one/src/lib.rs", "pub fn used() {}\npub fn unused() {}\n");
        folder.write("shared/two/src/lib.rs", "fn a() { one::used() }\n");
        assert_eq!(names(&folder), (vec!["unused".to_owned()], 2));
    }
}
