//! What the tables of the manifest must hold, derived from the source.

use std::collections::BTreeSet;

use super::FUNCTIONS;
use super::code::Component;
use super::host::{Host, Read};
use super::outbound::{DATABASE_HOSTS, Outbound};
use super::toml::Value;

/// What changes a component that is built from the shared crates, besides its own files. `domain` uses `uicc`.
const WATCHED: [&str; 5] = [
    "shared/**/*.rs",
    "shared/**/*.sql",
    "shared/**/Cargo.toml",
    "uicc/src/**/*.rs",
    "uicc/Cargo.toml",
];

/// The beginnings of paths that business systems, operators and gateways call.
const PROMPT: [&str; 3] = ["/v1/", "/ingest/", "/internal/gateway/"];

/// Keys and their values, in no particular order.
pub(super) type Entries = Vec<(String, Value)>;

/// The entries of `[component.name]`; of its description only that it is there.
pub(super) fn component(component: &Component, host: &Host, outbound: &Outbound, others: &[&str]) -> Entries {
    let file = component.name.replace('-', "_");
    let source = format!("target/wasm32-wasip2/{}/{file}.wasm", profile(component));
    let mut entries = vec![("source".to_owned(), Value::text(source))];
    if component.has_database {
        for (key, labels) in [
            ("sqlite_databases", &host.databases),
            ("key_value_stores", &host.stores),
        ] {
            if !labels.is_empty() {
                entries.push((key.to_owned(), Value::list(labels)));
            }
        }
    }
    let databases = DATABASE_HOSTS.iter().filter(|_| component.has_database);
    let mut hosts: Vec<String> = databases.map(|host| (*host).to_owned()).collect();
    hosts.extend(outbound.hosts(&component.uses, others));
    if !hosts.is_empty() {
        entries.push(("allowed_outbound_hosts".to_owned(), Value::list(hosts)));
    }
    entries
}

/// The profile of `Cargo.toml` that a component is built with.
fn profile(component: &Component) -> &'static str {
    let mut paths = component
        .operations
        .iter()
        .filter_map(|operation| operation.path.as_ref());
    if paths.any(|path| PROMPT.iter().any(|prompt| path.starts_with(prompt))) {
        "component"
    } else {
        "component-small"
    }
}

/// The entries of `[component.name.build]`.
pub(super) fn build(component: &Component) -> Entries {
    let name = &component.name;
    let command = format!(
        "cargo build --target wasm32-wasip2 --profile {} -p {name}",
        profile(component)
    );
    let mut watched = vec![
        format!("{FUNCTIONS}{name}/**/*.rs"),
        format!("{FUNCTIONS}{name}/**/Cargo.toml"),
    ];
    watched.extend(component.included.iter().cloned());
    if component.is_sharing {
        watched.extend(WATCHED.map(str::to_owned));
    }
    vec![
        ("command".to_owned(), Value::text(command)),
        ("watch".to_owned(), Value::list(watched)),
    ]
}

/// The entries of `[component.name.variables]`.
pub(super) fn variables(component: &Component, host: &Host) -> Entries {
    let names: BTreeSet<String> = reads(component, host).into_iter().map(|read| read.name).collect();
    names
        .into_iter()
        .map(|name| {
            let value = Value::text(format!("{{{{ {name} }}}}"));
            (name, value)
        })
        .collect()
}

/// The variables that a component reads: those that every component does, those of its flags, and its secret.
pub(super) fn reads(component: &Component, host: &Host) -> Vec<Read> {
    if !component.has_database {
        return Vec::new();
    }
    let mut reads = host.always.clone();
    let flags = host
        .flags
        .iter()
        .filter(|(flag, _)| component.flags.contains(flag));
    reads.extend(flags.map(|(_, read)| read.clone()));
    reads.extend(component.secret.iter().map(|name| Read {
        name: name.clone(),
        is_secret: true,
    }));
    reads
}

/// The flags that stand for no variable.
pub(super) fn unknown_flags<'a>(
    component: &'a Component,
    host: &'a Host,
) -> impl Iterator<Item = &'a String> {
    let is_known = |flag: &String| host.flags.iter().any(|(known, _)| known == flag);
    component.flags.iter().filter(move |flag| !is_known(flag))
}
