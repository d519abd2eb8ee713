//! The files of a checkout that people write.

use std::path::Path;

/// Folders of builds and of running programs.
const SKIPPED_FOLDERS: [&str; 4] = ["target", "xieka-data", "corpus", "artifacts"];
/// What a folder holds that is not of this checkout: a build of any name, a Python environment, another checkout.
const FOREIGN: [&str; 3] = ["CACHEDIR.TAG", "pyvenv.cfg", ".git"];

/// A file, and its path within the checkout with `/` between folders.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Every file with one of the endings, by path. Leaves out builds, hidden folders and other checkouts.
pub(crate) fn files(root: &Path, endings: &[&str]) -> Result<Vec<File>, String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|problem| said(&folder, &problem))? {
            let entry = entry.map_err(|problem| said(&folder, &problem))?;
            let (path, kind) = (entry.path(), entry.file_type());
            let kind = kind.map_err(|problem| said(&path, &problem))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if kind.is_dir() {
                let is_skipped = name.starts_with('.') || SKIPPED_FOLDERS.contains(&name.as_str());
                if !is_skipped && !FOREIGN.iter().any(|mark| path.join(mark).exists()) {
                    folders.push(path);
                }
            } else if kind.is_file() && endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    let mut files = Vec::new();
    for path in found {
        let bytes = std::fs::read(&path).map_err(|problem| said(&path, &problem))?;
        files.push(File {
            path: within(root, &path),
            text: String::from_utf8_lossy(&bytes).into_owned(),
        });
    }
    Ok(files)
}

/// The folders of the packages: those with a `Cargo.toml` that has a `[package]`.
pub(crate) fn packages(root: &Path) -> Result<Vec<String>, String> {
    let manifests = files(root, &["Cargo.toml"])?;
    let packages = manifests
        .into_iter()
        .filter(|file| file.text.lines().any(|line| line.trim() == "[package]"));
    Ok(packages
        .map(|file| {
            file.path
                .trim_end_matches("Cargo.toml")
                .trim_end_matches('/')
                .to_owned()
        })
        .collect())
}

/// The package a file belongs to: the innermost one around it.
pub(crate) fn package_of<'a>(packages: &'a [String], path: &str) -> Option<&'a str> {
    packages
        .iter()
        .filter(|package| is_below(path, package))
        .max_by_key(|package| package.len())
        .map(String::as_str)
}

/// Whether a path is in a folder or below it; every path is below the root, whose name is empty.
pub(crate) fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty()
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
}

fn within(root: &Path, path: &Path) -> String {
    let names = path.strip_prefix(root).unwrap_or(path);
    let names: Vec<_> = names.iter().map(|name| name.to_string_lossy()).collect();
    names.join("/")
}

fn said(path: &Path, problem: &std::io::Error) -> String {
    format!("{}: {problem}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::temp::Folder;

    #[test]
    fn builds_hidden_folders_and_other_checkouts_are_left_out() {
        let folder = Folder::new();
        let left_out = [
            "a/target/c.rs",
            ".git/d.rs",
            "e.md",
            "out/f.rs",
            "out/CACHEDIR.TAG",
            "tree/g.rs",
            "tree/.git",
        ];
        for path in left_out.into_iter().chain(["a/b.rs"]) {
            folder.write(path, "");
        }
        let found = files(folder.path(), &[".rs"]).unwrap();
        let paths: Vec<_> = found.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["a/b.rs"]);
    }

    #[test]
    fn a_file_belongs_to_the_innermost_package() {
        let folder = Folder::new();
        folder.write("Cargo.toml", "[workspace]\n");
        folder.write("a/Cargo.toml", "[package]\nname = \"a\"\n");
        folder.write("a/b/Cargo.toml", "[package]\nname = \"b\"\n");
        let packages = packages(folder.path()).unwrap();
        assert_eq!(package_of(&packages, "a/b/src/lib.rs"), Some("a/b"));
        assert_eq!(package_of(&packages, "a/bc/lib.rs"), Some("a"));
        assert_eq!(package_of(&packages, "c.rs"), None);
    }
}
