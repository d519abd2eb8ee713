//! What the source must keep to: no circles among files, limits of size, no glob re-exports, the words of the field,
//! pages that are alike in both languages, and a manifest that gives each component what its source asks for.

mod circles;
mod globs;
mod languages;
mod manifest;
mod markdown;
mod modules;
mod paths;
mod sizes;
mod spelling;
mod table;
mod words;

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use crate::source::Source;
use crate::walk::{File, files, packages};

/// Something to be mended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    /// Counted from one.
    line: usize,
    rule: &'static str,
    text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            line,
            rule,
            text,
        } = self;
        write!(f, "{path}:{line}: {rule}: {text}")
    }
}

/// Prints every finding and how many there are; fails when there is one.
pub(crate) fn run(root: &Path) -> Result<ExitCode, String> {
    let findings = examine(root)?;
    for finding in &findings {
        println!("{finding}");
    }
    for exception in table::EXCEPTIONS {
        let word = exception.word.unwrap_or("every word");
        println!(
            "not looked at in {}: {word}: {}",
            exception.within, exception.reason
        );
    }
    println!("routes that keep a word: {}", table::ROUTES.join(", "));
    println!("{} findings", findings.len());
    Ok(ExitCode::from(u8::from(!findings.is_empty())))
}

fn examine(root: &Path) -> Result<Vec<Finding>, String> {
    let packages = packages(root)?;
    let sources: Vec<Source> = files(root, &[".rs"])?.into_iter().map(Source::new).collect();
    let mut findings = circles::check(&packages, &sources);
    for source in &sources {
        findings.extend(sizes::check(source));
        findings.extend(globs::check(source));
        findings.extend(words::check_source(source));
    }
    let documents = files(root, &[".md"])?;
    for document in &documents {
        findings.extend(words::check_document(document));
    }
    findings.extend(languages::check(&documents));
    let manifests = files(root, &["Cargo.toml", "spin.toml"])?;
    let read: Vec<&File> = manifests.iter().chain(&documents).collect();
    findings.extend(manifest::check(&sources, &read));
    findings.sort();
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::temp::Folder;

    #[test]
    fn this_checkout_has_no_findings() {
        let findings = examine(&crate::root()).unwrap();
        let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
        assert!(lines.is_empty(), "xtask tidy:\n{}", lines.join("\n"));
    }

    /// A checkout in which everything is as it should be.
    fn checkout() -> Folder {
        let folder = Folder::new();
        folder.write("a/Cargo.toml", "[package]\nname = \"a\"\n");
        folder.write("a/src/lib.rs", "mod b;\nmod c;\npub use b::B;\n");
        folder.write("a/src/b.rs", "use crate::c::C;\npub struct B(C);\n");
        folder.write("a/src/c.rs", "pub(crate) struct C;\n");
        folder.write(
            "README.md",
            "[中文](README.zh-CN.md)\n\nOne job, then the next: its place, and a moment later the account.\n",
        );
        folder.write("README.zh-CN.md", "[English](README.md)\n");
        folder
    }

    fn found(folder: &Folder) -> Vec<(String, usize, &'static str)> {
        let findings = examine(folder.path()).unwrap();
        findings
            .into_iter()
            .map(|finding| (finding.path, finding.line, finding.rule))
            .collect()
    }

    fn assert_found(path: &str, text: &str, line: usize, rule: &'static str) {
        let folder = checkout();
        folder.write(path, text);
        assert_eq!(found(&folder), [(path.to_owned(), line, rule)], "{text}");
    }

    #[test]
    fn good_source_has_no_findings() {
        assert_eq!(found(&checkout()), []);
    }

    #[test]
    fn a_planted_circle_is_found() {
        let folder = checkout();
        folder.write(
            "a/src/c.rs",
            "pub(crate) struct C;\nimpl From<crate::b::B> for C {}\n",
        );
        assert_eq!(found(&folder), [("a/src/b.rs".to_owned(), 1, "circle")]);
    }

    #[test]
    fn a_planted_long_file_is_found() {
        assert_found("a/src/c.rs", &"// a\n".repeat(501), 501, "file-length");
    }

    #[test]
    fn a_planted_long_function_is_found() {
        let text = format!("pub struct C;\nfn c() {{\n{}}}\n", "    d();\n".repeat(69));
        assert_found("a/src/c.rs", &text, 2, "function-length");
    }

    #[test]
    fn a_planted_glob_reexport_is_found() {
        assert_found(
            "a/src/c.rs",
            "pub struct C;\npub use std::fs::*;\n",
            2,
            "glob-reexport",
        );
    }

    #[test]
    fn a_planted_word_is_found_in_code_and_documents() {
        assert_found("a/src/c.rs", "pub struct C;\nfn heed_blame() {}\n", 2, "word");
        assert_found("NOTES.md", "Good.\nIt keeps a diary.\n", 2, "word");
    }

    #[test]
    fn a_planted_page_in_one_language_is_found() {
        assert_found("docs/a.md", "# A\n", 1, "languages");
    }
}
