//! The routes of the manifest against the interfaces that the components serve.

use super::MANIFEST;
use super::code::{Component, Interface};
use super::fault::Fault;
use super::tables::{Manifest, compare};
use super::toml::{Table, Value};

/// The end of a route that leads everything below it to its component.
const BELOW: &str = "...";

/// Routes that lead elsewhere or nowhere, and interfaces without a component or a route.
pub(super) fn check(
    manifest: &Manifest<'_>,
    components: &[Component],
    interfaces: &[Interface],
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for table in &manifest.triggers {
        faults.extend(trigger(table, manifest, components, interfaces));
    }
    for component in components {
        faults.extend(served(component, manifest, interfaces));
    }
    for interface in interfaces {
        let Interface {
            constant, file, line, ..
        } = interface;
        if interface.path.is_none() {
            faults.push(Fault::new(
                file,
                *line,
                format!("`{constant}` has no path, or several"),
            ));
        }
        if components
            .iter()
            .all(|component| !component.serves.contains(constant))
        {
            faults.push(Fault::new(
                file,
                *line,
                format!("no component serves `{constant}`"),
            ));
        }
    }
    faults
}

/// One `[[trigger.http]]`.
fn trigger(
    table: &Table,
    manifest: &Manifest<'_>,
    components: &[Component],
    interfaces: &[Interface],
) -> Vec<Fault> {
    let (route, name) = (table.text("route"), table.text("component"));
    let own = |key: &str| (key.to_owned(), Value::text(table.text(key)));
    let mut faults = compare(table, &[own("route"), own("component")]);
    let fault = |text: String| Fault::new(MANIFEST, table.line, text);
    let earlier = manifest
        .triggers
        .iter()
        .take_while(|other| other.line < table.line);
    if earlier.into_iter().any(|other| other.text("route") == route) {
        faults.push(fault(format!("the route `{route}` is there already")));
    }
    let component = components.iter().find(|component| component.name == name);
    let paths = component.map_or_else(Vec::new, |component| paths(component, interfaces));
    let is_used = paths.iter().any(|path| {
        let leading = leading(manifest, path);
        leading.is_some_and(|leading| leading.text("route") == route)
    });
    if !is_used {
        faults.push(fault(format!(
            "`{route}` leads to no interface that `{name}` serves"
        )));
    }
    faults
}

/// What a component serves: each exists and has a route that leads to the component.
fn served(component: &Component, manifest: &Manifest<'_>, interfaces: &[Interface]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let is_known = |constant: &String| interfaces.iter().any(|interface| interface.constant == *constant);
    if component.serves.is_empty() && component.own_paths.is_empty() {
        faults.push(Fault::new(
            &component.file,
            1,
            "serves nothing that this check understands",
        ));
    }
    for constant in component.serves.iter().filter(|constant| !is_known(constant)) {
        let text = format!("`interface::{constant}` does not exist");
        faults.push(Fault::new(&component.file, 1, text));
    }
    for path in paths(component, interfaces) {
        let found = leading(manifest, path).map_or("nothing", |table| table.text("component"));
        if found != component.name {
            let line = manifest.component(&component.name).map_or(1, |table| table.line);
            let text = format!("`{path}`, which `{}` serves, leads to `{found}`", component.name);
            faults.push(Fault::new(MANIFEST, line, text));
        }
    }
    faults
}

/// The paths that a component serves. Two interfaces may have the same, for a method each.
fn paths<'a>(component: &'a Component, interfaces: &'a [Interface]) -> Vec<&'a str> {
    let served = interfaces
        .iter()
        .filter(|interface| component.serves.contains(&interface.constant));
    let mut paths: Vec<&str> = served
        .filter_map(|interface| interface.path.as_deref())
        .chain(component.own_paths.iter().map(String::as_str))
        .collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

/// The route that Spin takes: the path itself, or else the longest one that it is below.
fn leading<'a>(manifest: &Manifest<'a>, path: &str) -> Option<&'a Table> {
    let covering = manifest.triggers.iter().filter_map(|table| {
        let route = table.text("route");
        let length = match route.strip_suffix(BELOW) {
            Some(folder) if path.starts_with(folder) => folder.len(),
            None if route == path => usize::MAX,
            _ => return None,
        };
        Some((length, *table))
    });
    covering.max_by_key(|(length, _)| *length).map(|(_, table)| table)
}
