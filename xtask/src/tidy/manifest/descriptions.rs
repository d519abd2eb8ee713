//! The descriptions of the manifest against what they speak of: clauses, components, variables, routes and files.

use std::collections::BTreeSet;

use super::MANIFEST;
use super::code::Component;
use super::fault::Fault;
use super::tables::Manifest;
use super::toml::{Entry, Value};
use crate::walk::File;

/// The folder of the documents.
const DOCUMENTS: &str = "docs/";
/// How the paths of business systems begin; the summaries of their operations name a clause.
const BUSINESS: &str = "/v1/";

/// Descriptions that name something that is not there, or another clause than the source.
pub(super) fn check(manifest: &Manifest<'_>, components: &[Component], files: &[&File]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (line, text) in descriptions(manifest) {
        let unknown = words(text).filter(|word| !exists(word, manifest, files));
        let said = |word: &str| {
            Fault::new(
                MANIFEST,
                line,
                format!("the description names `{word}`, which is not there"),
            )
        };
        faults.extend(unknown.map(said));
        let quoted = text.split('`').skip(1).step_by(2);
        let unknown = quoted.filter(|name| manifest.component(name).is_none());
        let said = |name: &str| {
            Fault::new(
                MANIFEST,
                line,
                format!("the description names `{name}`, which is no component"),
            )
        };
        faults.extend(unknown.map(said));
    }
    for component in components {
        faults.extend(clauses(component, manifest));
    }
    faults
}

/// Every description with its line.
fn descriptions<'a>(manifest: &Manifest<'a>) -> Vec<(usize, &'a str)> {
    let is_meant = |entry: &&Entry| entry.key == "description";
    let of_entry = |entry: &'a Entry| (entry.line, entry.value.as_text());
    let mut found = Vec::new();
    for (_, table) in &manifest.components {
        found.extend(table.entries.iter().filter(is_meant).map(of_entry));
    }
    for entry in &manifest.variables.entries {
        if let Value::Fields(fields) = &entry.value {
            found.extend(fields.iter().filter(is_meant).map(of_entry));
        }
    }
    found
}

/// The words of a text, without the punctuation around them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_mark = |mark: char| matches!(mark, '.' | ',' | ':' | ';' | '(' | ')' | '`');
    text.split_whitespace()
        .map(move |word| word.trim_matches(is_mark))
}

/// Whether a variable, a route or a document is there; other words mean nothing here.
fn exists(word: &str, manifest: &Manifest<'_>, files: &[&File]) -> bool {
    if word.starts_with('/') {
        manifest.triggers.iter().any(|table| table.text("route") == word)
    } else if word.starts_with(DOCUMENTS) {
        files.iter().any(|file| file.path == word)
    } else {
        !word.contains('_') || manifest.variables.entry(word).is_some()
    }
}

/// The clauses of the business operations that a component serves: the description names each.
fn clauses(component: &Component, manifest: &Manifest<'_>) -> Vec<Fault> {
    let table = manifest.component(&component.name);
    let Some(entry) = table.and_then(|table| table.entry("description")) else {
        return Vec::new();
    };
    let is_business = |path: &Option<String>| path.as_deref().is_some_and(|path| path.starts_with(BUSINESS));
    let mut faults: Vec<Fault> = Vec::new();
    let mut missing = BTreeSet::new();
    for operation in component.operations.iter().filter(|one| is_business(&one.path)) {
        let name = operation.path.as_deref().unwrap_or_default();
        let Some(clause) = operation.clause.as_deref() else {
            let text = format!("the summary of `{name}` does not end with its clause, as in `(§7.1)`");
            faults.push(Fault::new(&operation.file, operation.line, text));
            continue;
        };
        let expected = format!("(clause {clause})");
        // The forms of an operation by GET and by POST have the same clause.
        if !entry.value.as_text().contains(&expected) && missing.insert(clause) {
            let text = format!("the description lacks `{expected}`, that of `{name}`");
            faults.push(Fault::new(MANIFEST, entry.line, text));
        }
    }
    faults
}
