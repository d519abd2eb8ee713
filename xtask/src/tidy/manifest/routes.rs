//! The routes of the manifest against the paths that the components serve.

use super::MANIFEST;
use super::code::Component;
use super::fault::Fault;
use super::tables::{Manifest, compare};
use super::toml::{Table, Value};

/// The end of a route that leads everything below it to its component.
const BELOW: &str = "...";

/// The value of a route to which nothing leads from outside.
const PRIVATE: &str = "{ private = true }";
/// Where a path leads that has no route.
const NOTHING: &str = "nothing";

/// Routes that lead elsewhere or nowhere, and operations without a route.
pub(super) fn check(manifest: &Manifest<'_>, components: &[Component]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for table in &manifest.triggers {
        faults.extend(trigger(table, manifest, components));
    }
    for component in components {
        faults.extend(served(component, manifest));
    }
    faults
}

/// One `[[trigger.http]]`.
fn trigger(table: &Table, manifest: &Manifest<'_>, components: &[Component]) -> Vec<Fault> {
    let (route, name) = (table.text("route"), table.text("component"));
    let own = |key: &str| (key.to_owned(), Value::text(table.text(key)));
    if let Some(private) = private(table) {
        // Other components call it by its name, and no path from outside leads to it.
        return compare(table, &[("route".to_owned(), private.clone()), own("component")]);
    }
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
    let paths = component.map_or_else(Vec::new, paths);
    let is_used = paths.iter().any(|path| {
        let leading = leading(manifest, path);
        leading.is_some_and(|leading| leading.text("route") == route)
    });
    if !is_used {
        faults.push(fault(format!("`{route}` leads to no path that `{name}` serves")));
    }
    faults
}

/// What a component serves: each path has a route that leads to the component.
fn served(component: &Component, manifest: &Manifest<'_>) -> Vec<Fault> {
    let mut faults: Vec<Fault> = component
        .operations
        .iter()
        .flat_map(|operation| operation.faults())
        .collect();
    if component.operations.is_empty() && component.own_paths.is_empty() {
        let text = "serves nothing that this check understands";
        faults.push(Fault::new(&component.router, 1, text));
    }
    let is_private = |table: &&Table| private(table).is_some() && table.text("component") == component.name;
    let expected = if manifest.triggers.iter().any(is_private) {
        NOTHING
    } else {
        &component.name
    };
    for path in paths(component) {
        let found = leading(manifest, path).map_or(NOTHING, |table| table.text("component"));
        if found != expected {
            let line = manifest.component(&component.name).map_or(1, |table| table.line);
            let text = format!("`{path}`, which `{}` serves, leads to `{found}`", component.name);
            faults.push(Fault::new(MANIFEST, line, text));
        }
    }
    faults
}

/// The route of a component that only other components call.
fn private(table: &Table) -> Option<&Value> {
    let route = table.entry("route").map(|entry| &entry.value);
    route.filter(|value| value.to_string() == PRIVATE)
}

/// The paths that a component serves. Two operations may have the same, for a method each.
fn paths(component: &Component) -> Vec<&str> {
    let documented = component
        .operations
        .iter()
        .filter_map(|operation| operation.path.as_deref());
    let mut paths: Vec<&str> = documented
        .chain(component.own_paths.iter().map(String::as_str))
        .collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

/// The route that Spin takes: the path itself, or else one with a variable segment, or else the longest one that it is
/// below.
fn leading<'a>(manifest: &Manifest<'a>, path: &str) -> Option<&'a Table> {
    let covering = manifest.triggers.iter().filter_map(|table| {
        let route = table.text("route");
        let length = match route.strip_suffix(BELOW) {
            Some(folder) if path.starts_with(folder) => folder.len(),
            None => usize::MAX - variables(route, path)?,
            Some(_) => return None,
        };
        Some((length, *table))
    });
    covering.max_by_key(|(length, _)| *length).map(|(_, table)| table)
}

/// The variable segments of a route that a path has: `:code` stands for any segment, `{code}` among them. None for a
/// route of other paths.
fn variables(route: &str, path: &str) -> Option<usize> {
    let (expected, found): (Vec<&str>, Vec<&str>) = (route.split('/').collect(), path.split('/').collect());
    let is_variable = |segment: &&str| segment.starts_with(':');
    let is_covered = |(expected, found): (&&str, &&str)| is_variable(expected) || expected == found;
    let is_same = expected.len() == found.len() && expected.iter().zip(&found).all(is_covered);
    is_same.then(|| expected.iter().filter(|segment| is_variable(segment)).count())
}
