//! `spin.toml` against the source: what each component is built from, serves, reads and may send to.
//!
//! A component gets a route for each path that its router serves, the variables that it reads and no others, and
//! destinations only if it sends requests.

mod code;
mod descriptions;
mod expected;
mod fault;
mod find;
#[cfg(test)]
mod fixture;
mod host;
mod operations;
mod outbound;
mod routes;
mod tables;
#[cfg(test)]
mod tests;
mod toml;

use std::collections::BTreeSet;

use super::Finding;
use crate::source::Source;
use crate::walk::File;
use code::Component;
use fault::Fault;
use host::{Host, Read};
use outbound::{Outbound, Uses};
use tables::{Manifest, compare};
use toml::{Entry, Table, Value};

/// The manifest.
const MANIFEST: &str = "spin.toml";
/// The folder of the components.
const FUNCTIONS: &str = "functions/";
const RULE: &str = "manifest";

/// Whatever does not agree. `files` are the manifests and the documents.
pub(super) fn check(sources: &[Source], files: &[&File]) -> Vec<Finding> {
    let names: BTreeSet<&str> = sources.iter().filter_map(|source| folder(&source.path)).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let faults = match files.iter().find(|file| file.path == MANIFEST) {
        Some(file) => examine(file, &names, sources, files),
        None => vec![Fault::new(MANIFEST, 1, "is missing")],
    };
    let finding = |Fault { path, line, text }| Finding {
        path,
        line,
        rule: RULE,
        text,
    };
    faults.into_iter().map(finding).collect()
}

/// The folder below `functions/` of a router or a component, by its `lib.rs`.
fn folder(path: &str) -> Option<&str> {
    let folder = path.strip_prefix(FUNCTIONS)?.strip_suffix("/src/lib.rs")?;
    Some(folder.strip_suffix("/component").unwrap_or(folder))
}

fn examine(file: &File, names: &BTreeSet<&str>, sources: &[Source], files: &[&File]) -> Vec<Fault> {
    let (host, mut faults) = host::read(sources);
    let (outbound, unknown) = Outbound::read(sources);
    faults.extend(unknown);
    let (tables, unread) = toml::read(file);
    faults.extend(unread);
    let manifest = Manifest::of(&tables);
    let mut components = Vec::new();
    for name in names {
        match code::component(name, sources, files) {
            Ok(component) => components.push(component),
            Err(missing) => faults.extend(missing),
        }
    }
    let cargo = files.iter().find(|file| file.path == "Cargo.toml");
    faults.extend(application(&manifest, cargo));
    faults.extend(manifest.unknown_tables());
    faults.extend(variables(&manifest, &components, &host));
    for component in &components {
        faults.extend(stanza(&manifest, component, names, (&host, &outbound)));
        faults.extend(required_variables(component, &host, &outbound));
        faults.extend(code::packages(component, files));
        faults.extend(Uses::faults(&code::sources_of(component, sources)));
    }
    faults.extend(without_folder(&manifest, names));
    faults.extend(routes::check(&manifest, &components));
    faults.extend(descriptions::check(&manifest, &components, files));
    faults
}

/// The entries above the first table and those of `[application]`; the version is that of the packages.
fn application(manifest: &Manifest<'_>, cargo: Option<&&File>) -> Vec<Fault> {
    let package = cargo.and_then(|file| file.text.split_once("[workspace.package]\n"));
    let version =
        package.and_then(|(_, after)| after.lines().find_map(|line| line.strip_prefix("version = ")));
    let version = Value::text(version.unwrap_or_default().trim_matches('"'));
    let own = |key: &str| (key.to_owned(), Value::text(manifest.application.text(key)));
    let mut faults = compare(
        manifest.top,
        &[("spin_manifest_version".to_owned(), Value::Number(2))],
    );
    let expected = [own("name"), ("version".to_owned(), version), own("description")];
    faults.extend(compare(manifest.application, &expected));
    faults
}

/// The tables of one component.
fn stanza(
    manifest: &Manifest<'_>,
    component: &Component,
    all: &BTreeSet<&str>,
    (host, outbound): (&Host, &Outbound),
) -> Vec<Fault> {
    let name = &component.name;
    let Some(table) = manifest.component(name) else {
        return vec![Fault::new(
            MANIFEST,
            1,
            format!("`[component.{name}]` is missing"),
        )];
    };
    let others: Vec<&str> = all.iter().copied().filter(|other| other != name).collect();
    let mut entries = expected::component(component, host, outbound, &others);
    entries.push(("description".to_owned(), Value::text(table.text("description"))));
    let mut faults = compare(table, &entries);
    for (part, entries) in [
        ("variables", expected::variables(component, host)),
        ("build", expected::build(component)),
    ] {
        match manifest.table(&format!("component.{name}.{part}")) {
            Some(table) => faults.extend(compare(table, &entries)),
            None if entries.is_empty() => {}
            None => {
                let text = format!("`[component.{name}.{part}]` is missing");
                faults.push(Fault::new(MANIFEST, table.line, text));
            }
        }
    }
    faults
}

/// `REQUIRED_VARIABLES` of one component: every flag stands for a variable, and for something that is used.
fn required_variables(component: &Component, host: &Host, outbound: &Outbound) -> Vec<Fault> {
    let unknown = expected::unknown_flags(component, host).map(|flag| {
        format!(
            "`{flag}` of REQUIRED_VARIABLES stands for no variable in {}",
            host::VARIABLES
        )
    });
    let flags = outbound.flags(&component.uses, &component.flags);
    let texts = unknown.chain(flags);
    texts.map(|text| Fault::new(&component.file, 1, text)).collect()
}

/// `[variables]`: each is read or names a destination, and a secret is marked as one.
fn variables(manifest: &Manifest<'_>, components: &[Component], host: &Host) -> Vec<Fault> {
    let reads: Vec<Read> = components
        .iter()
        .flat_map(|component| expected::reads(component, host))
        .collect();
    let is_read = |name: &str| reads.iter().any(|read| read.name == name);
    let is_secret = |name: &str| reads.iter().any(|read| read.name == name && read.is_secret);
    let mut faults = Vec::new();
    for entry in &manifest.variables.entries {
        let Value::Fields(fields) = &entry.value else {
            faults.push(Fault::new(
                MANIFEST,
                entry.line,
                format!("`{}` is no `{{ … }}`", entry.key),
            ));
            continue;
        };
        if !is_read(&entry.key) && !manifest.is_destination(&entry.key) {
            let text = format!("no component reads `{}`", entry.key);
            faults.push(Fault::new(MANIFEST, entry.line, text));
        }
        faults.extend(variable(entry, fields, is_secret(&entry.key)));
    }
    let mut missing: Vec<&str> = reads.iter().map(|read| read.name.as_str()).collect();
    missing.sort_unstable();
    missing.dedup();
    missing.retain(|name| manifest.variables.entry(name).is_none());
    let line = manifest.variables.line;
    faults.extend(
        missing
            .into_iter()
            .map(|name| Fault::new(MANIFEST, line, format!("`{name}` is missing"))),
    );
    faults
}

/// One variable: required or with a default, secret or not, and described.
fn variable(entry: &Entry, fields: &[Entry], is_secret: bool) -> Vec<Fault> {
    let table = Table {
        name: format!("variables.{}", entry.key),
        is_repeated: false,
        line: entry.line,
        entries: fields.to_vec(),
    };
    let first = match table.entry("default") {
        Some(default) => ("default".to_owned(), Value::text(default.value.as_text())),
        None => ("required".to_owned(), Value::Flag(true)),
    };
    let mut expected = vec![first];
    if is_secret {
        expected.push(("secret".to_owned(), Value::Flag(true)));
    }
    expected.push(("description".to_owned(), Value::text(table.text("description"))));
    compare(&table, &expected)
}

/// Tables of components that have no folder.
fn without_folder(manifest: &Manifest<'_>, names: &BTreeSet<&str>) -> Vec<Fault> {
    let unknown = manifest
        .components
        .iter()
        .filter(|(name, _)| !names.contains(name));
    unknown
        .map(|(name, table)| Fault::new(MANIFEST, table.line, format!("{FUNCTIONS}{name} is missing")))
        .collect()
}
