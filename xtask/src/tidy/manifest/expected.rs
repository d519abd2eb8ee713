//! What the tables of the manifest must hold, derived from the source.

use std::collections::BTreeSet;

use super::code::Component;
use super::host::{Function, Host, Read};
use super::toml::Value;

/// Where the functions of `spin-host` that send requests may send them, by their file. Those that call another
/// component may reach that component alone.
const DESTINATIONS: [(&str, &[&str]); 3] = [
    ("shared/spin-host/src/operator.rs", &["{{ operator_api_host }}"]),
    (
        "shared/spin-host/src/post.rs",
        &["https://*:*", "{{ callback_extra_host }}"],
    ),
    ("shared/spin-host/src/chain.rs", &[]),
];
/// What changes a component that uses `spin-host`, besides its own files. `domain` uses `uicc`.
const WATCHED: [&str; 5] = [
    "shared/**/*.rs",
    "shared/**/*.sql",
    "shared/**/Cargo.toml",
    "uicc/src/**/*.rs",
    "uicc/Cargo.toml",
];

/// Keys and their values, in no particular order.
pub(super) type Entries = Vec<(String, Value)>;

/// The entries of `[component.name]`; of its description only that it is there.
pub(super) fn component(component: &Component, host: &Host, all: &[&str]) -> Entries {
    let name = &component.name;
    let file = name.replace('-', "_");
    let source = format!("target/wasm32-wasip2/component/{file}.wasm");
    let mut entries = vec![("source".to_owned(), Value::text(source))];
    if component.host_functions.is_some() {
        entries.push((
            "sqlite_databases".to_owned(),
            Value::list([host.database.as_str()]),
        ));
    }
    let destinations = destinations(component, host, all);
    if !destinations.is_empty() {
        entries.push(("allowed_outbound_hosts".to_owned(), Value::list(destinations)));
    }
    entries
}

/// The destinations of its requests.
fn destinations(component: &Component, host: &Host, all: &[&str]) -> Vec<String> {
    let used = used_functions(component, host);
    let files: BTreeSet<&str> = used
        .iter()
        .filter(|function| function.is_sending)
        .map(|function| function.file.as_str())
        .collect();
    let mut found = Vec::new();
    for (file, destinations) in DESTINATIONS {
        if !files.contains(file) {
            continue;
        }
        found.extend(destinations.iter().map(|one| (*one).to_owned()));
        if destinations.is_empty() {
            let called = component
                .literals
                .iter()
                .filter(|text| all.contains(&text.as_str()));
            found.extend(called.map(|name| format!("http://{name}.spin.internal")));
        }
    }
    found
}

/// Whether it is known where the functions of a file send requests.
pub(super) fn has_destinations(file: &str) -> bool {
    DESTINATIONS.iter().any(|(known, _)| *known == file)
}

/// The entries of `[component.name.build]`.
pub(super) fn build(component: &Component) -> Entries {
    let name = &component.name;
    let command = format!("cargo build --target wasm32-wasip2 --profile component -p {name}");
    let mut watched = vec![
        format!("functions/{name}/**/*.rs"),
        format!("functions/{name}/Cargo.toml"),
    ];
    watched.extend(component.included.iter().cloned());
    if component.host_functions.is_some() {
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

/// The variables that a component reads: those that every component does, those of its flags and functions, and its
/// secret.
pub(super) fn reads(component: &Component, host: &Host) -> Vec<Read> {
    if component.host_functions.is_none() {
        return Vec::new();
    }
    let mut reads = host.always.clone();
    let flags = host
        .flags
        .iter()
        .filter(|(flag, _)| component.flags.contains(flag));
    reads.extend(flags.map(|(_, read)| read.clone()));
    reads.extend(
        used_functions(component, host)
            .iter()
            .flat_map(|function| function.reads.clone()),
    );
    reads.extend(component.secret.iter().map(|name| Read {
        name: name.clone(),
        is_secret: true,
    }));
    reads
}

fn used_functions<'a>(component: &Component, host: &'a Host) -> Vec<&'a Function> {
    let names = component.host_functions.as_ref();
    let is_used = |name: &str| names.is_some_and(|names| names.contains(name));
    host.functions
        .iter()
        .filter(|function| is_used(&function.name))
        .collect()
}

/// The flags that stand for no variable.
pub(super) fn unknown_flags<'a>(
    component: &'a Component,
    host: &'a Host,
) -> impl Iterator<Item = &'a String> {
    let is_known = |flag: &String| host.flags.iter().any(|(known, _)| known == flag);
    component.flags.iter().filter(move |flag| !is_known(flag))
}
