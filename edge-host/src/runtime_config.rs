//! The runtime configuration file, and the locations of databases and stores.
//!
//! Opens no database. Unknown tables and back ends stop the start.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Deserialize;

use crate::blocked_networks::BlockedNetworks;

/// The label that needs no configuration.
const DEFAULT_LABEL: &str = "default";
/// Where Spin keeps the default database, inside the state directory.
const DEFAULT_DATABASE: &str = "sqlite_db.db";
/// Where Spin keeps the default store, inside the state directory.
const DEFAULT_STORE: &str = "sqlite_key_value.db";
/// The state directory beside the manifest when none is given.
const DEFAULT_STATE_DIR: &str = ".spin";

/// Where a database or a store is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    Memory,
    File(PathBuf),
}

/// A resolved runtime configuration: every label an application may use, with its location.
#[derive(Debug)]
pub(crate) struct RuntimeConfig {
    pub(crate) databases: BTreeMap<String, Location>,
    pub(crate) stores: BTreeMap<String, Location>,
    pub(crate) blocked_networks: BlockedNetworks,
    pub(crate) pool_connections: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    sqlite_database: BTreeMap<String, Backend>,
    #[serde(default)]
    key_value_store: BTreeMap<String, Backend>,
    #[serde(default)]
    outbound_networking: OutboundNetworking,
    outbound_http: Option<OutboundHttp>,
}

#[derive(Debug, Deserialize)]
struct Backend {
    r#type: String,
    path: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct OutboundNetworking {
    #[serde(default)]
    block_networks: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OutboundHttp {
    #[serde(default)]
    connection_pooling: bool,
}

impl RuntimeConfig {
    /// Reads the file, if there is one, and resolves its paths; `state_dir` as in
    /// [`crate::Options::state_dir`].
    ///
    /// # Errors
    /// The file cannot be read, or holds something that this host does not support.
    pub(crate) fn load(file: Option<&Path>, state_dir: &Path, manifest: &Path) -> anyhow::Result<Self> {
        let text = match file {
            Some(path) => std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the runtime configuration {}", path.display()))?,
            None => String::new(),
        };
        let manifest_dir = manifest.parent().unwrap_or(Path::new(""));
        let (state_dir, base) = if state_dir.as_os_str().is_empty() {
            (manifest_dir.join(DEFAULT_STATE_DIR), manifest_dir)
        } else {
            (state_dir.to_owned(), state_dir)
        };
        Self::parse(&text, &state_dir, base).context("the runtime configuration")
    }

    fn parse(text: &str, state_dir: &Path, base: &Path) -> anyhow::Result<Self> {
        let file: File = toml::from_str(text)?;
        Ok(Self {
            databases: locations(file.sqlite_database, state_dir.join(DEFAULT_DATABASE), base)?,
            stores: locations(file.key_value_store, state_dir.join(DEFAULT_STORE), base)?,
            blocked_networks: BlockedNetworks::parse(&file.outbound_networking.block_networks)?,
            // As in Spin, where the mere presence of the table turns pooling off.
            pool_connections: file.outbound_http.is_none_or(|http| http.connection_pooling),
        })
    }
}

fn locations(
    backends: BTreeMap<String, Backend>,
    default: PathBuf,
    base: &Path,
) -> anyhow::Result<BTreeMap<String, Location>> {
    let mut locations = BTreeMap::from([(DEFAULT_LABEL.to_owned(), Location::File(default))]);
    for (label, Backend { r#type, path }) in backends {
        if r#type != "spin" {
            bail!("{label:?} is of type {type:?}; this host knows only \"spin\"");
        }
        let location = path.map_or(Location::Memory, |path| Location::File(base.join(path)));
        locations.insert(label, location);
    }
    Ok(locations)
}

/// Checks that every label the components ask for is configured.
///
/// # Errors
/// A label that is not; the error names it and the component.
pub(crate) fn check_labels<'a>(
    kind: &str,
    wanted: impl Iterator<Item = (&'a str, &'a BTreeSet<String>)>,
    known: &BTreeMap<String, Location>,
) -> anyhow::Result<()> {
    for (component, labels) in wanted {
        if let Some(label) = labels.iter().find(|label| !known.contains_key(*label)) {
            bail!("component {component:?} asks for the {kind} {label:?}, which is not configured");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> anyhow::Result<RuntimeConfig> {
        RuntimeConfig::parse(text, Path::new("/state"), Path::new("/base"))
    }

    #[test]
    fn without_a_file_the_default_labels_live_in_the_state_directory() {
        let config = parse("").unwrap();
        assert_eq!(
            config.databases["default"],
            Location::File("/state/sqlite_db.db".into())
        );
        assert_eq!(
            config.stores["default"],
            Location::File("/state/sqlite_key_value.db".into())
        );
        assert!(config.pool_connections);
    }

    #[test]
    fn relative_paths_start_at_the_base_and_no_path_means_memory() {
        let config = parse(
            "[sqlite_database.default]\ntype = \"spin\"\npath = \"data/x.db\"\n[key_value_store.limits]\ntype = \"spin\"\n",
        )
        .unwrap();
        assert_eq!(
            config.databases["default"],
            Location::File("/base/data/x.db".into())
        );
        assert_eq!(config.stores["limits"], Location::Memory);
    }

    #[test]
    fn other_back_ends_and_unknown_tables_are_refused() {
        parse("[key_value_store.limits]\ntype = \"redis\"\nurl = \"redis://h\"\n").unwrap_err();
        parse("[llm_compute]\ntype = \"spin\"\n").unwrap_err();
    }

    #[test]
    fn an_outbound_http_table_without_pooling_turns_pooling_off() {
        assert!(!parse("[outbound_http]\n").unwrap().pool_connections);
        assert!(
            parse("[outbound_http]\nconnection_pooling = true\n")
                .unwrap()
                .pool_connections
        );
    }
}
