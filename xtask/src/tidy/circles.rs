//! Circles among the files of a target: files that name each other, directly or through others.
//!
//! A file names another by a path that begins with `crate` or `super`, in a `use` or anywhere else. Re-exports are
//! followed to the file that has the thing. A module and the one right above it may name each other, and what only
//! tests name does not count.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Finding;
use super::modules::{Arrow, Modules};
use crate::source::Source;
use crate::walk::package_of;

/// One finding for each set of files that all lead to each other.
pub(super) fn check(packages: &[String], sources: &[Source]) -> Vec<Finding> {
    let roots = sources
        .iter()
        .map(|source| source.path.as_str())
        .filter(|path| is_root(packages, path));
    let mut findings = Vec::new();
    for root in roots {
        let arrows = Modules::of(root, sources).arrows();
        findings.extend(circles(&arrows));
    }
    findings.sort();
    findings.dedup();
    findings
}

/// Whether cargo compiles a target from this file: `src/lib.rs`, `tests/one.rs`, `tests/many/main.rs`, …
fn is_root(packages: &[String], path: &str) -> bool {
    let Some(package) = package_of(packages, path) else {
        return false;
    };
    let within = path.strip_prefix(package).unwrap_or(path).trim_start_matches('/');
    let parts: Vec<&str> = within.split('/').collect();
    matches!(
        parts.as_slice(),
        ["build.rs"]
            | ["src", "lib.rs" | "main.rs"]
            | ["tests" | "examples" | "benches" | "fuzz_targets", _]
            | ["tests" | "examples" | "benches", _, "main.rs"]
            | ["src", "bin", _]
            | ["src", "bin", _, "main.rs"]
    )
}

/// The circles that arrows make.
fn circles(arrows: &[Arrow]) -> Vec<Finding> {
    let mut to: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for arrow in arrows {
        to.entry(&arrow.from).or_default().insert(&arrow.to);
    }
    let reached: BTreeMap<&str, BTreeSet<&str>> = to.keys().map(|file| (*file, reach(&to, file))).collect();
    let mut done = BTreeSet::new();
    let mut findings = Vec::new();
    for (file, others) in &reached {
        if !others.contains(file) || !done.insert(*file) {
            continue;
        }
        let leads_back = |other: &&&str| reached.get(**other).is_some_and(|back| back.contains(file));
        let members: Vec<&str> = others.iter().filter(leads_back).copied().collect();
        done.extend(&members);
        let circle = shortest(&to, file);
        let next = circle.get(1).copied().unwrap_or(file);
        let first = arrows
            .iter()
            .find(|arrow| arrow.from == *file && arrow.to == next);
        let mut text = circle.join(" → ");
        if members.len() + 1 > circle.len() {
            text.push_str(&format!(
                "; {} files in all: {}",
                members.len(),
                members.join(", ")
            ));
        }
        findings.push(Finding {
            path: (*file).to_owned(),
            line: first.map_or(1, |arrow| arrow.line),
            rule: "circle",
            text,
        });
    }
    findings
}

/// Every file that arrows lead to from `file`; itself only through a circle.
fn reach<'a>(to: &BTreeMap<&'a str, BTreeSet<&'a str>>, file: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![file];
    while let Some(next) = waiting.pop() {
        for target in to.get(next).into_iter().flatten() {
            if reached.insert(*target) {
                waiting.push(target);
            }
        }
    }
    reached
}

/// The shortest way from a file back to itself, both ends included.
fn shortest<'a>(to: &BTreeMap<&'a str, BTreeSet<&'a str>>, file: &'a str) -> Vec<&'a str> {
    let mut before: BTreeMap<&str, &str> = BTreeMap::new();
    let mut waiting = VecDeque::from([file]);
    while let Some(next) = waiting.pop_front() {
        for target in to.get(next).into_iter().flatten() {
            if *target == file {
                let mut way = vec![file, next];
                while let Some(previous) = before.get(way[way.len() - 1]) {
                    way.push(previous);
                }
                way.reverse();
                return way;
            }
            if !before.contains_key(target) {
                before.insert(target, next);
                waiting.push_back(target);
            }
        }
    }
    vec![file]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk::File;

    fn circles_of(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<Source> = files
            .iter()
            .map(|(path, text)| {
                Source::new(File {
                    path: format!("k/{path}"),
                    text: (*text).to_owned(),
                })
            })
            .collect();
        let findings = check(&["k".to_owned()], &sources);
        findings.into_iter().map(|finding| finding.text).collect()
    }

    #[test]
    fn a_circle_through_a_reexport_is_found() {
        let files = [
            ("src/lib.rs", "mod a; mod b;"),
            ("src/a/mod.rs", "mod c;\npub(crate) use c::C as D;"),
            ("src/a/c.rs", "use super::super::b::E;\npub(crate) struct C;"),
            ("src/b.rs", "use crate::a::D;"),
        ];
        assert_eq!(circles_of(&files), ["k/src/a/c.rs → k/src/b.rs → k/src/a/c.rs"]);
    }

    #[test]
    fn a_larger_circle_names_all_its_files() {
        let files = [
            ("src/lib.rs", "mod a; mod b; mod c;"),
            ("src/a.rs", "fn a() { super::b::b(); crate::c::c() }"),
            ("src/b.rs", "use crate::a;"),
            ("src/c.rs", "use crate::a::a;"),
        ];
        let found = circles_of(&files);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].ends_with("3 files in all: k/src/a.rs, k/src/b.rs, k/src/c.rs"),
            "{found:?}"
        );
    }

    #[test]
    fn parents_tests_and_other_crates_make_no_circle() {
        let files = [
            ("src/lib.rs", "mod a; mod d;"),
            (
                "src/a.rs",
                "mod b; use d::X; #[cfg(test)] mod tests { use crate::d::D; }",
            ),
            ("src/a/b.rs", "use super::A; use crate::d::D;"),
            ("src/d.rs", "use crate::a::A; mod e { use super::D; }"),
            ("tests/t.rs", "mod u; use crate::u::U;"),
            ("tests/u.rs", "use super::v;"),
        ];
        assert_eq!(circles_of(&files), Vec::<String>::new());
    }
}
