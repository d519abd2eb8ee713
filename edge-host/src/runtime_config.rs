//! The runtime configuration file, and the locations of databases and stores.
//!
//! Opens no database. Unknown tables and back ends stop the start.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
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

/// Where a key-value store is kept.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum StoreLocation {
    Sqlite(Location),
    /// The address of a Redis server. It may hold a password.
    Redis(String),
}

impl fmt::Debug for StoreLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(location) => location.fmt(f),
            Self::Redis(_) => f.write_str("Redis"),
        }
    }
}

/// A resolved runtime configuration: every label an application may use, with its location.
#[derive(Debug)]
pub(crate) struct RuntimeConfig {
    pub(crate) databases: BTreeMap<String, Location>,
    pub(crate) stores: BTreeMap<String, StoreLocation>,
    pub(crate) blocked_networks: BlockedNetworks,
    pub(crate) pool_connections: bool,
    /// The number of PostgreSQL connections that all components together may hold, if it has a limit.
    pub(crate) postgres_connections: Option<usize>,
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
    #[serde(default)]
    outbound_pg: OutboundPg,
}

#[derive(Debug, Deserialize)]
struct Backend {
    r#type: String,
    path: Option<PathBuf>,
    url: Option<String>,
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

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct OutboundPg {
    max_connections: Option<usize>,
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
            databases: databases(file.sqlite_database, state_dir.join(DEFAULT_DATABASE), base)?,
            stores: stores(file.key_value_store, state_dir.join(DEFAULT_STORE), base)?,
            blocked_networks: BlockedNetworks::parse(&file.outbound_networking.block_networks)?,
            // As in Spin, where the mere presence of the table turns pooling off.
            pool_connections: file.outbound_http.is_none_or(|http| http.connection_pooling),
            postgres_connections: file.outbound_pg.max_connections,
        })
    }
}

fn databases(
    backends: BTreeMap<String, Backend>,
    default: PathBuf,
    base: &Path,
) -> anyhow::Result<BTreeMap<String, Location>> {
    let mut databases = BTreeMap::from([(DEFAULT_LABEL.to_owned(), Location::File(default))]);
    for (label, backend) in backends {
        let Backend { r#type, url, .. } = &backend;
        if r#type != "spin" {
            bail!("{label:?} is of type {type:?}; this host knows only \"spin\"");
        }
        ensure!(url.is_none(), "{label:?} of type \"spin\" has no url");
        databases.insert(label, backend.location(base));
    }
    Ok(databases)
}

fn stores(
    backends: BTreeMap<String, Backend>,
    default: PathBuf,
    base: &Path,
) -> anyhow::Result<BTreeMap<String, StoreLocation>> {
    let default = StoreLocation::Sqlite(Location::File(default));
    let mut stores = BTreeMap::from([(DEFAULT_LABEL.to_owned(), default)]);
    for (label, backend) in backends {
        let Backend { r#type, path, url } = &backend;
        let store = match (r#type.as_str(), url) {
            ("spin", None) => StoreLocation::Sqlite(backend.location(base)),
            ("redis", Some(url)) if path.is_none() => StoreLocation::Redis(url.clone()),
            ("spin" | "redis", _) => bail!("{label:?}: \"spin\" takes a path, \"redis\" a url"),
            _ => bail!("{label:?} is of type {type:?}; this host knows \"spin\" and \"redis\""),
        };
        stores.insert(label, store);
    }
    Ok(stores)
}

impl Backend {
    /// Where SQLite keeps it.
    fn location(self, base: &Path) -> Location {
        self.path
            .map_or(Location::Memory, |path| Location::File(base.join(path)))
    }
}

/// Checks that every label the components ask for is configured.
///
/// # Errors
/// A label that is not; the error names it and the component.
pub(crate) fn check_labels<'a, T>(
    kind: &str,
    wanted: impl Iterator<Item = (&'a str, &'a BTreeSet<String>)>,
    known: &BTreeMap<String, T>,
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
            StoreLocation::Sqlite(Location::File("/state/sqlite_key_value.db".into()))
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
        assert_eq!(config.stores["limits"], StoreLocation::Sqlite(Location::Memory));
    }

    #[test]
    fn other_back_ends_and_unknown_tables_are_refused() {
        parse("[key_value_store.limits]\ntype = \"azure_cosmos\"\n").unwrap_err();
        parse("[sqlite_database.default]\ntype = \"libsql\"\nurl = \"https://h\"\n").unwrap_err();
        parse("[llm_compute]\ntype = \"spin\"\n").unwrap_err();
    }

    #[test]
    fn a_store_may_be_a_redis_server_and_needs_its_address() {
        let table = "[key_value_store.limits]\ntype = \"redis\"\n";
        let config = parse(&format!("{table}url = \"redis://h\"\n")).unwrap();
        assert_eq!(
            config.stores["limits"],
            StoreLocation::Redis("redis://h".to_owned())
        );
        parse(table).unwrap_err();
        parse(&format!("{table}url = \"redis://h\"\npath = \"x\"\n")).unwrap_err();
        parse("[key_value_store.limits]\ntype = \"spin\"\nurl = \"redis://h\"\n").unwrap_err();
    }

    #[test]
    fn connections_to_postgresql_have_no_limit_but_that_of_the_file() {
        let limit = |text| parse(text).unwrap().postgres_connections;
        assert_eq!(limit("[outbound_pg]\nmax_connections = 20\n"), Some(20));
        assert_eq!(limit("[outbound_pg]\n"), None);
        assert_eq!(limit(""), None);
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
