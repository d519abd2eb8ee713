//! The card profiles a gateway knows: those that ship with it, and those of a directory over them.
//!
//! It must never start with a profile it could not read: one bad file refuses the whole directory.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};

use super::Profile;

/// The profiles that ship with the gateway: a generic USIM, and the enterprise-standard seed card.
pub const SHIPPED: [&str; 2] = [
    include_str!("../../profiles/generic-usim.toml"),
    include_str!("../../profiles/qibiao-seed.toml"),
];

/// Most files that are read from a directory.
const MAX_PROFILES: usize = 256;
/// Largest profile file, in bytes.
const MAX_PROFILE_BYTES: u64 = 64 * 1024;

/// Profiles by name.
#[derive(Debug, Clone)]
pub struct Catalogue(BTreeMap<String, Arc<Profile>>);

impl Catalogue {
    /// The shipped profiles and those of `directory`. One of the directory replaces a shipped one of the same name.
    ///
    /// # Errors
    /// A file that cannot be read or holds a bad profile, two files with one name, too many files.
    pub fn load(directory: Option<&Path>) -> anyhow::Result<Self> {
        let mut catalogue = Self(BTreeMap::new());
        for text in SHIPPED {
            catalogue.add(Profile::parse(text)?);
        }
        for profile in directory.map(read_directory).transpose()?.unwrap_or_default() {
            catalogue.add(profile);
        }
        Ok(catalogue)
    }

    fn add(&mut self, profile: Profile) {
        if let Some(warning) = profile.warning() {
            tracing::warn!(profile = profile.name, "{warning}");
        }
        self.0.insert(profile.name.clone(), Arc::new(profile));
    }

    /// The profile of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<Profile>> {
        self.0.get(name).cloned()
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

fn read_directory(directory: &Path) -> anyhow::Result<Vec<Profile>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            ensure!(
                paths.len() < MAX_PROFILES,
                "{}: more than {MAX_PROFILES} profiles",
                directory.display()
            );
            paths.push(path);
        }
    }
    paths.sort();
    let mut profiles: Vec<Profile> = Vec::with_capacity(paths.len());
    for path in paths {
        let profile = read_profile(&path).with_context(|| path.display().to_string())?;
        ensure!(
            !profiles.iter().any(|other| other.name == profile.name),
            "{}: another file of the directory holds {:?} already",
            path.display(),
            profile.name
        );
        profiles.push(profile);
    }
    Ok(profiles)
}

fn read_profile(path: &Path) -> anyhow::Result<Profile> {
    ensure!(
        std::fs::metadata(path)?.len() <= MAX_PROFILE_BYTES,
        "larger than {MAX_PROFILE_BYTES} bytes"
    );
    Profile::parse(&std::fs::read_to_string(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_adds_profiles_and_replaces_those_of_the_same_name() {
        let directory = tempfile::tempdir().unwrap();
        let own = SHIPPED[0].replace("max_script_bytes = 1024", "max_script_bytes = 512");
        std::fs::write(directory.path().join("own.toml"), &own).unwrap();
        std::fs::write(
            directory.path().join("new.toml"),
            own.replace("generic-usim", "vendor-x"),
        )
        .unwrap();
        std::fs::write(directory.path().join("notes.txt"), "not a profile").unwrap();
        let catalogue = Catalogue::load(Some(directory.path())).unwrap();
        assert_eq!(
            catalogue.names().collect::<Vec<_>>(),
            ["generic-usim", "qibiao-seed", "vendor-x"]
        );
        assert_eq!(catalogue.get("generic-usim").unwrap().max_script_bytes, 512);
        assert_eq!(catalogue.get("qibiao-seed").unwrap().max_script_bytes, 1024);
        assert!(catalogue.get("unknown").is_none());
    }

    #[test]
    fn one_bad_file_refuses_the_directory_and_is_named() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("bad.toml"), "name = 1").unwrap();
        let error = format!("{:#}", Catalogue::load(Some(directory.path())).unwrap_err());
        assert!(error.contains("bad.toml"), "{error}");
    }

    #[test]
    fn two_files_of_one_name_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["a.toml", "b.toml"] {
            std::fs::write(directory.path().join(name), SHIPPED[0]).unwrap();
        }
        assert!(format!("{:#}", Catalogue::load(Some(directory.path())).unwrap_err()).contains("b.toml"));
    }
}
