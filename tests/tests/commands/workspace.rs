//! What this checkout has: packages, targets, features, profiles.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The packages of the checkout and what its settings name.
pub(crate) struct Workspace {
    pub(crate) packages: Vec<Package>,
    /// Profiles that may be named.
    pub(crate) profiles: BTreeSet<String>,
    /// Targets that the toolchain file names.
    pub(crate) targets: BTreeSet<String>,
}

/// A package.
pub(crate) struct Package {
    pub(crate) name: String,
    /// Whether commands without `-p` select it.
    pub(crate) is_default: bool,
    /// The binary that `cargo run` prefers.
    pub(crate) default_run: Option<String>,
    /// Kind and name of each target.
    pub(crate) targets: Vec<(String, String)>,
    pub(crate) features: BTreeSet<String>,
}

/// Profiles that every workspace has.
const PROFILES: [&str; 4] = ["dev", "release", "test", "bench"];

impl Workspace {
    /// Asks cargo, without resolving dependencies.
    pub(crate) fn of(root: &Path) -> Self {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let output = Command::new(cargo)
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .current_dir(root)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
        let defaults = metadata["workspace_default_members"].as_array().unwrap();
        let packages = metadata["packages"].as_array().unwrap();
        let manifest = table(&root.join("Cargo.toml"));
        let profiles = manifest["profile"].as_table().unwrap().keys().cloned();
        let toolchain = table(&root.join("rust-toolchain.toml"));
        let targets = toolchain["toolchain"]["targets"].as_array().unwrap();
        Self {
            packages: packages
                .iter()
                .map(|package| Package::read(package, defaults))
                .collect(),
            profiles: profiles.chain(PROFILES.map(str::to_owned)).collect(),
            targets: targets
                .iter()
                .map(|target| target.as_str().unwrap().to_owned())
                .collect(),
        }
    }
}

impl Package {
    fn read(package: &Value, defaults: &[Value]) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let targets = package["targets"].as_array().unwrap();
        Self {
            name: text(&package["name"]),
            is_default: defaults.contains(&package["id"]),
            default_run: package["default_run"].as_str().map(str::to_owned),
            targets: targets
                .iter()
                .map(|target| (text(&target["kind"][0]), text(&target["name"])))
                .collect(),
            features: package["features"].as_object().unwrap().keys().cloned().collect(),
        }
    }

    pub(crate) fn has(&self, kind: &str, name: &str) -> bool {
        self.targets
            .iter()
            .any(|target| target.0 == kind && target.1 == name)
    }

    pub(crate) fn binaries(&self) -> Vec<&str> {
        let binaries = self.targets.iter().filter(|target| target.0 == "bin");
        binaries.map(|target| target.1.as_str()).collect()
    }
}

fn table(path: &Path) -> toml::Table {
    std::fs::read_to_string(path).unwrap().parse().unwrap()
}
