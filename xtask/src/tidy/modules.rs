//! The modules of a compiled target, and which file a path leads to.

use std::collections::BTreeMap;

use super::paths::{Paths, read};
use crate::source::{Source, without_tests};

/// Longest chain of re-exports that is followed.
const MAX_REEXPORTS: usize = 8;

type ModulePath = Vec<String>;

/// The modules of one target, from its root file on.
pub(super) struct Modules<'a> {
    sources: BTreeMap<&'a str, &'a Source>,
    /// The file of each module, by its path; inline modules lie in the file around them.
    files: BTreeMap<ModulePath, &'a str>,
    /// What names stand for within each module.
    names: BTreeMap<ModulePath, BTreeMap<String, Vec<String>>>,
    /// Each file with the path of its module and what it names.
    read: Vec<(ModulePath, &'a str, Paths)>,
}

/// A file names another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arrow {
    pub(super) from: String,
    pub(super) line: usize,
    pub(super) to: String,
}

impl<'a> Modules<'a> {
    /// Follows the `mod` declarations from a target's root file.
    pub(super) fn of(root: &'a str, sources: &'a [Source]) -> Self {
        let mut modules = Self {
            sources: sources
                .iter()
                .map(|source| (source.path.as_str(), source))
                .collect(),
            files: BTreeMap::new(),
            names: BTreeMap::new(),
            read: Vec::new(),
        };
        let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder);
        modules.load(Vec::new(), root, folder);
        modules
    }

    fn load(&mut self, module: ModulePath, file: &'a str, folder: &str) {
        let Some(source) = self.sources.get(file).copied() else {
            return;
        };
        let paths = read(&without_tests(&source.tokens));
        self.files.insert(module.clone(), file);
        for inline in &paths.inline {
            self.files.insert(joined(&module, inline), file);
        }
        for import in &paths.names {
            let names = self.names.entry(joined(&module, &import.around)).or_default();
            names.insert(import.name.clone(), import.path.clone());
        }
        for (around, name) in &paths.modules {
            let path = joined(&joined(&module, around), std::slice::from_ref(name));
            let mut below = vec![folder.to_owned()];
            below.extend(around.iter().cloned());
            let stem = format!("{}/{name}", below.join("/"));
            let candidates = [format!("{stem}.rs"), format!("{stem}/mod.rs")];
            let found = candidates
                .iter()
                .find_map(|candidate| self.sources.get_key_value(candidate.as_str()))
                .map(|(file, _)| *file);
            if let Some(file) = found {
                self.load(path, file, &stem);
            }
        }
        self.read.push((module, file, paths));
    }

    /// Every naming of another file, without those between a module and the one right above it.
    pub(super) fn arrows(&self) -> Vec<Arrow> {
        let mut arrows = Vec::new();
        for (module, file, paths) in &self.read {
            for mention in &paths.uses {
                if !matches!(mention.path.first().map(String::as_str), Some("crate" | "super")) {
                    continue;
                }
                let from = joined(module, &mention.around);
                let Some((found, to)) = self.resolve(&from, &mention.path, MAX_REEXPORTS) else {
                    continue;
                };
                let is_parent = |child: &[String], parent: &[String]| {
                    child.split_last().is_some_and(|(_, above)| above == parent)
                };
                let own = self.module_of(to).unwrap_or(found);
                if to != *file && !is_parent(module, &own) && !is_parent(&own, module) {
                    arrows.push(Arrow {
                        from: (*file).to_owned(),
                        line: mention.line,
                        to: to.to_owned(),
                    });
                }
            }
        }
        arrows
    }

    /// The module that a file is, the inline ones within it aside.
    fn module_of(&self, file: &str) -> Option<ModulePath> {
        let read = self.read.iter().find(|(_, own, _)| *own == file);
        read.map(|(module, _, _)| module.clone())
    }

    /// The module and the file in which the thing stands that `path` names, seen from a module; re-exports are
    /// followed. None for another crate's.
    fn resolve(&self, from: &[String], path: &[String], reexports: usize) -> Option<(ModulePath, &'a str)> {
        let (mut at, rest) = self.start(from, path, reexports)?;
        for (index, segment) in rest.iter().enumerate() {
            let below = joined(&at, std::slice::from_ref(segment));
            if self.files.contains_key(&below) {
                at = below;
                continue;
            }
            let stands_for = self.names.get(&at).and_then(|names| names.get(segment));
            if let Some(target) = stands_for.filter(|_| reexports > 0) {
                let target = joined(target, &rest[index + 1..]);
                if let Some(found) = self.resolve(&at, &target, reexports - 1) {
                    return Some(found);
                }
            }
            break;
        }
        self.files.get(&at).map(|file| (at.clone(), *file))
    }

    /// The module that a path begins at, and what is left of the path.
    fn start<'p>(
        &self,
        from: &[String],
        path: &'p [String],
        reexports: usize,
    ) -> Option<(ModulePath, &'p [String])> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some((Vec::new(), rest)),
            "self" => Some((from.to_vec(), rest)),
            "super" => {
                let above = from.split_last()?.1;
                match rest.first().map(String::as_str) {
                    Some("super") => self.start(above, rest, reexports),
                    _ => Some((above.to_vec(), rest)),
                }
            }
            // A child, or a name that another `use` brought in.
            name if self.files.contains_key(&joined(from, &[name.to_owned()])) => Some((from.to_vec(), path)),
            name => {
                let names = self.names.get(from)?;
                let target = names
                    .get(name)
                    .filter(|target| reexports > 0 && *target != path)?;
                let (module, _) = self.resolve(from, target, reexports - 1)?;
                Some((module, rest))
            }
        }
    }
}

fn joined(one: &[String], other: &[String]) -> Vec<String> {
    [one, other].concat()
}
