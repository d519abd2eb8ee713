//! The tables of the manifest by what they are for, and their comparison with what they must hold.

use super::fault::Fault;
use super::toml::{Table, Value};

use super::MANIFEST;
const COMPONENT: &str = "component.";
const TRIGGER: &str = "trigger.http";
/// In place of a table that is missing.
static NOTHING: Table = Table {
    name: String::new(),
    is_repeated: false,
    line: 1,
    entries: Vec::new(),
};

/// The manifest.
pub(super) struct Manifest<'a> {
    tables: &'a [Table],
    /// The entries above the first heading.
    pub(super) top: &'a Table,
    pub(super) application: &'a Table,
    pub(super) variables: &'a Table,
    /// `[[trigger.http]]`.
    pub(super) triggers: Vec<&'a Table>,
    /// `[component.name]` with its name.
    pub(super) components: Vec<(&'a str, &'a Table)>,
}

impl<'a> Manifest<'a> {
    pub(super) fn of(tables: &'a [Table]) -> Self {
        let one = |name: &str| {
            tables
                .iter()
                .find(|table| table.name == name && !table.is_repeated)
                .unwrap_or(&NOTHING)
        };
        let is_trigger = |table: &&Table| table.name == TRIGGER && table.is_repeated;
        Self {
            tables,
            top: one(""),
            application: one("application"),
            variables: one("variables"),
            triggers: tables.iter().filter(is_trigger).collect(),
            components: tables.iter().filter_map(component).collect(),
        }
    }

    pub(super) fn table(&self, name: &str) -> Option<&'a Table> {
        self.tables
            .iter()
            .find(|table| table.name == name && !table.is_repeated)
    }

    /// `[component.name]`.
    pub(super) fn component(&self, name: &str) -> Option<&'a Table> {
        self.table(&format!("{COMPONENT}{name}"))
    }

    /// Whether requests may be sent to what a variable names.
    pub(super) fn is_destination(&self, variable: &str) -> bool {
        let reference = Value::text(format!("{{{{ {variable} }}}}"));
        self.components.iter().any(|(_, table)| {
            let hosts = table.entry("allowed_outbound_hosts").map(|entry| &entry.value);
            matches!(hosts, Some(Value::List(hosts)) if hosts.contains(&reference))
        })
    }

    /// Tables that are not expected.
    pub(super) fn unknown_tables(&self) -> Vec<Fault> {
        let is_part = |table: &Table| {
            let name = table
                .name
                .strip_prefix(COMPONENT)
                .and_then(|name| name.split_once('.'));
            name.is_some_and(|(name, part)| {
                matches!(part, "variables" | "build") && self.component(name).is_some()
            })
        };
        let is_known = |table: &Table| match table.is_repeated {
            true => table.name == TRIGGER,
            false => {
                matches!(table.name.as_str(), "" | "application" | "variables")
                    || component(table).is_some()
                    || is_part(table)
            }
        };
        let unknown = self.tables.iter().filter(|table| !is_known(table));
        unknown
            .map(|table| {
                Fault::new(
                    MANIFEST,
                    table.line,
                    format!("`[{}]` does not belong here", table.name),
                )
            })
            .collect()
    }
}

/// A table `[component.name]` with the name.
fn component(table: &Table) -> Option<(&str, &Table)> {
    let name = table.name.strip_prefix(COMPONENT)?;
    (!table.is_repeated && !name.contains('.')).then_some((name, table))
}

/// Entries that are missing, differ, or do not belong there. An expected text that is empty is one that must be given.
pub(super) fn compare(table: &Table, expected: &[(String, Value)]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (key, value) in expected {
        let text = match table.entry(key) {
            None => format!("`{key}` is missing in `[{}]`", table.name),
            // A default may be empty.
            Some(_) if key == "default" => continue,
            Some(_) if *value == Value::text("") => {
                format!("`{key}` of `[{}]` is empty or no text", table.name)
            }
            Some(entry) if entry.value != *value => {
                faults.push(Fault::new(
                    MANIFEST,
                    entry.line,
                    format!("`{key}` has to be {value}"),
                ));
                continue;
            }
            Some(_) => continue,
        };
        let line = table.entry(key).map_or(table.line, |entry| entry.line);
        faults.push(Fault::new(MANIFEST, line, text));
    }
    let additional = table
        .entries
        .iter()
        .filter(|entry| expected.iter().all(|(key, _)| *key != entry.key));
    faults.extend(additional.map(|entry| {
        let text = format!("`{}` does not belong into `[{}]`", entry.key, table.name);
        Fault::new(MANIFEST, entry.line, text)
    }));
    faults
}
