//! The application manifest, `spin.toml`, version 2: the part of it that this host supports.
//!
//! An unknown table or key stops the start: a permission or a file mount that is silently dropped would
//! only show up in production.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;

/// A parsed manifest.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    spin_manifest_version: u32,
    pub(crate) application: Application,
    #[serde(default)]
    pub(crate) variables: BTreeMap<String, Variable>,
    #[serde(rename = "trigger")]
    triggers: Triggers,
    #[serde(rename = "component")]
    pub(crate) components: BTreeMap<String, Component>,
}

/// `[application]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Application {
    pub(crate) name: String,
    pub(crate) version: Option<String>,
    #[serde(rename = "description")]
    _description: Option<String>,
    #[serde(default, rename = "authors")]
    _authors: Vec<String>,
    #[serde(default, rename = "tool")]
    _tool: toml::Table,
}

/// One entry of `[variables]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Variable {
    pub(crate) default: Option<String>,
    #[serde(default)]
    required: bool,
    #[serde(default, rename = "secret")]
    _secret: bool,
    #[serde(rename = "description")]
    _description: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Triggers {
    #[serde(default)]
    http: Vec<HttpTrigger>,
}

/// `[[trigger.http]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HttpTrigger {
    #[serde(rename = "id")]
    _id: Option<String>,
    pub(crate) component: String,
    pub(crate) route: Route,
    executor: Option<Executor>,
}

/// The route of a trigger.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Route {
    /// A pattern, matched against the path of requests from outside.
    Pattern(String),
    /// `{ private = true }`: by service chaining only.
    Private {
        /// Must be true.
        private: bool,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Executor {
    r#type: String,
}

/// `[component.<name>]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Component {
    pub(crate) source: PathBuf,
    #[serde(default)]
    pub(crate) allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    pub(crate) key_value_stores: BTreeSet<String>,
    #[serde(default)]
    pub(crate) sqlite_databases: BTreeSet<String>,
    #[serde(default)]
    pub(crate) variables: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) environment: BTreeMap<String, String>,
    #[serde(rename = "description")]
    _description: Option<String>,
    #[serde(rename = "build")]
    _build: Option<toml::Table>,
    #[serde(rename = "tool")]
    _tool: Option<toml::Table>,
}

impl Manifest {
    /// Reads and checks a manifest. Component sources become absolute, or relative to the working
    /// directory instead of to the manifest.
    ///
    /// # Errors
    /// The file cannot be read, or holds something that this host does not support.
    pub(crate) fn load(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the manifest {}", path.display()))?;
        let mut manifest = Self::parse(&text).with_context(|| format!("the manifest {}", path.display()))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for component in manifest.components.values_mut() {
            component.source = folder.join(&component.source);
        }
        Ok(manifest)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let manifest: Self = toml::from_str(text)?;
        ensure!(
            manifest.spin_manifest_version == 2,
            "spin_manifest_version is {}, this host runs version 2",
            manifest.spin_manifest_version
        );
        for (name, variable) in &manifest.variables {
            ensure!(
                variable.required != variable.default.is_some(),
                "variable {name:?} must have either `required = true` or a default"
            );
        }
        for trigger in &manifest.triggers.http {
            let component = &trigger.component;
            ensure!(
                manifest.components.contains_key(component),
                "a trigger names the component {component:?}, which does not exist"
            );
            if let Route::Private { private: false } = trigger.route {
                bail!("the route of {component:?} must be a pattern or {{ private = true }}");
            }
            if let Some(Executor { r#type }) = trigger.executor.as_ref() {
                ensure!(
                    r#type == "http",
                    "the executor {type:?} of {component:?} is not supported"
                );
            }
        }
        Ok(manifest)
    }

    /// Every `[[trigger.http]]`, in the order of the manifest.
    pub(crate) fn http_triggers(&self) -> &[HttpTrigger] {
        &self.triggers.http
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "spin_manifest_version = 2\n[application]\nname = \"x\"\n";

    fn parse_error(rest: &str) -> String {
        format!("{:#}", Manifest::parse(&format!("{HEAD}{rest}")).unwrap_err())
    }

    #[test]
    fn a_key_the_host_does_not_know_stops_the_start() {
        let error = parse_error(
            "[[trigger.http]]\nroute = \"/\"\ncomponent = \"a\"\n[component.a]\nsource = \"a.wasm\"\nfiles = [\"x\"]\n",
        );
        assert!(error.contains("files"), "{error}");
    }

    #[test]
    fn other_triggers_are_refused() {
        let error = parse_error(
            "[[trigger.redis]]\nchannel = \"c\"\ncomponent = \"a\"\n[component.a]\nsource = \"a\"\n",
        );
        assert!(error.contains("redis"), "{error}");
    }

    #[test]
    fn a_trigger_without_its_component_is_refused() {
        let error = parse_error(
            "[[trigger.http]]\nroute = \"/\"\ncomponent = \"b\"\n[component.a]\nsource = \"a.wasm\"\n",
        );
        assert!(error.contains("\"b\""), "{error}");
    }

    #[test]
    fn a_variable_is_either_required_or_has_a_default() {
        let rest = "[variables]\nv = { secret = true }\n[[trigger.http]]\nroute = \"/\"\ncomponent = \"a\"\n[component.a]\nsource = \"a\"\n";
        assert!(parse_error(rest).contains("variable \"v\""));
    }
}
