//! What the source says about the components: what each is built from, serves, requires and sends.

use super::FUNCTIONS;
use super::fault::Fault;
use super::find::{below, brackets, constant, is_test, literals, literals_within, rows, unquoted};
use super::operations::{self, Operation};
use super::outbound::Uses;
use crate::source::{Source, Text, Token, without_tests};
use crate::walk::File;

/// The folder of the routes that gateways know too.
const PROTOCOL: &str = "shared/gateway-protocol/src/";
/// The folder of the crates that components share.
const SHARED: &str = "shared/";
/// How a build script names a file that it reads.
const READ_BY_BUILD: [&str; 2] = ["cargo::rerun-if-changed=", "cargo:rerun-if-changed="];
/// The tables of a package whose crates it is built from.
const BUILT_FROM: [&str; 2] = ["[dependencies]", "[build-dependencies]"];

/// A component and its router, as their source has them.
#[derive(Debug)]
pub(super) struct Component {
    pub(super) name: String,
    /// The `lib.rs` of its router.
    pub(super) router: String,
    /// Its own `lib.rs`.
    pub(super) file: String,
    /// Whether it answers through `spin-host`, with a database.
    pub(super) has_database: bool,
    /// Whether it is built from crates that components share.
    pub(super) is_sharing: bool,
    /// What `REQUIRED_VARIABLES` sets to true.
    pub(super) flags: Vec<String>,
    /// The secret that `REQUIRED_VARIABLES` names.
    pub(super) secret: Option<String>,
    /// The operations that its router documents.
    pub(super) operations: Vec<Operation>,
    /// The paths of a router that documents no operation.
    pub(super) own_paths: Vec<String>,
    /// Files that it includes, within the checkout.
    pub(super) included: Vec<String>,
    /// What it uses to send requests.
    pub(super) uses: Uses,
}

/// The component of a folder below `functions/`; a fault for what that folder lacks.
pub(super) fn component(name: &str, sources: &[Source], files: &[&File]) -> Result<Component, Vec<Fault>> {
    let folder = format!("{FUNCTIONS}{name}/");
    let own_folder = format!("{folder}component/");
    let (router, file) = (format!("{folder}src/lib.rs"), format!("{own_folder}src/lib.rs"));
    let find = |path: &str| sources.iter().find(|source| source.path == path);
    let Some(library) = find(&file).filter(|_| find(&router).is_some()) else {
        let missing = [&router, &file].into_iter().filter(|path| find(path).is_none());
        return Err(missing.map(|path| Fault::new(path, 1, "is missing")).collect());
    };
    let all: Vec<&Source> = below(sources, &folder)
        .into_iter()
        .filter(|source| !is_test(&source.path))
        .collect();
    let mut constants = all.clone();
    constants.extend(below(sources, PROTOCOL));
    let operations = operations::read(&all, &constants);
    let own_paths = if operations.is_empty() {
        own_paths(&all)
    } else {
        Vec::new()
    };
    let tokens = without_tests(&library.tokens);
    let required = constant(&tokens, "REQUIRED_VARIABLES").unwrap_or_default();
    let secret = rows(required, &["secret", ":", "Some", "("]).next();
    Ok(Component {
        name: name.to_owned(),
        has_database: tokens.iter().any(|token| token.text == "RequiredVariables"),
        is_sharing: is_sharing(&[folder, own_folder], files),
        flags: rows(required, &["", ":", "true"])
            .map(|(_, row)| row[0].text.clone())
            .collect(),
        secret: secret.and_then(|(_, row)| literals(library, row).next().map(str::to_owned)),
        operations,
        own_paths,
        included: included(&all),
        uses: Uses::read(&all),
        router,
        file,
    })
}

/// The sources of a component that run in it.
pub(super) fn sources_of<'a>(component: &Component, sources: &'a [Source]) -> Vec<&'a Source> {
    let all = below(sources, &format!("{FUNCTIONS}{}/", component.name));
    all.into_iter().filter(|source| !is_test(&source.path)).collect()
}

/// What is written out like a path, the names of included files aside.
fn own_paths(sources: &[&Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        let tokens = without_tests(&source.tokens);
        let included = inclusions(source, &tokens);
        let texts = source.strings.iter().filter(|text| !included.contains(text));
        let paths = texts
            .map(|text| unquoted(&text.text))
            .filter(|text| text.starts_with('/'));
        found.extend(paths.map(str::to_owned));
    }
    found
}

/// The files that sources include, and those that their build script reads.
fn included(sources: &[&Source]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for source in sources {
        let folder = source.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let texts = source.strings.iter().map(|text| unquoted(&text.text));
        let read = texts.filter_map(|text| READ_BY_BUILD.iter().find_map(|mark| text.strip_prefix(mark)));
        let tokens = without_tests(&source.tokens);
        let included = inclusions(source, &tokens).into_iter();
        let included = included.map(|text| unquoted(&text.text));
        let included = included.filter(|path| path.contains('.') && !path.starts_with('/'));
        for path in read.chain(included).filter(|path| !path.ends_with(".rs")) {
            let path = resolved(folder, path);
            if !found.contains(&path) {
                found.push(path);
            }
        }
    }
    found
}

/// The literals that name included files; the name of one that a build script made begins with `/`.
fn inclusions<'a>(source: &'a Source, tokens: &[Token]) -> Vec<&'a Text> {
    let mut found = Vec::new();
    for name in ["include_str", "include_bytes"] {
        for (at, _) in rows(tokens, &[name, "!", "("]) {
            found.extend(literals_within(source, brackets(tokens, at + 2)));
        }
    }
    found
}

/// A path from a folder on, within the checkout.
fn resolved(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in path.split('/') {
        match part {
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Whether one of the packages in some folders is built from a crate below `shared/`.
fn is_sharing(folders: &[String], files: &[&File]) -> bool {
    let shared = files.iter().filter_map(|file| {
        let within = file.path.strip_prefix(SHARED)?.strip_suffix("/Cargo.toml")?;
        (!within.contains('/')).then_some(within)
    });
    let shared: Vec<&str> = shared.collect();
    let manifests = folders.iter().filter_map(|folder| {
        let path = format!("{folder}Cargo.toml");
        files.iter().find(|file| file.path == path)
    });
    let mut crates = manifests.flat_map(|manifest| dependencies(&manifest.text));
    crates.any(|name| shared.contains(&name))
}

/// The crates that a package is built from.
fn dependencies(manifest: &str) -> Vec<&str> {
    let mut is_meant = false;
    let mut found = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            is_meant = BUILT_FROM.contains(&line);
        } else if is_meant && let Some((name, _)) = line.split_once([' ', '.', '=']) {
            found.push(name);
        }
    }
    found
}

/// The packages of a component and its router have other names than the manifest and the component expect.
pub(super) fn packages(component: &Component, files: &[&File]) -> Vec<Fault> {
    let name = &component.name;
    let expected = [
        (format!("{FUNCTIONS}{name}/Cargo.toml"), format!("{name}-router")),
        (format!("{FUNCTIONS}{name}/component/Cargo.toml"), name.clone()),
    ];
    let said = |(path, expected): (String, String)| {
        let Some(manifest) = files.iter().find(|file| file.path == path) else {
            return Some(Fault::new(&path, 1, "is missing"));
        };
        let line = format!("name = \"{expected}\"");
        let is_right = manifest.text.lines().any(|one| one == line);
        (!is_right).then(|| Fault::new(&path, 1, format!("the package has to be `{expected}`")))
    };
    expected.into_iter().filter_map(said).collect()
}
