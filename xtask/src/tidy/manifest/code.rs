//! What the source says about the components: the interfaces that there are, and what each component serves and uses.

use std::collections::BTreeSet;

use crate::source::{Source, Token, is_identifier, matching, without_tests};
use crate::tidy::paths;

/// The folder of the interfaces.
const INTERFACES: &str = "shared/web/src/interface/";
/// The folder of the routes that gateways know too.
const PROTOCOL: &str = "shared/gateway-protocol/src/";
/// How the name of a constant ends that holds such a route.
const PATH_SUFFIX: &str = "_PATH";
/// Above the constant of an interface, before the number of its clause.
const CLAUSE: &str = "Clause ";

/// An interface.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Interface {
    /// The name of its constant.
    pub(super) constant: String,
    /// `None` if none is found, or several.
    pub(super) path: Option<String>,
    /// The clause of the standard that its documentation begins with.
    pub(super) clause: Option<String>,
    pub(super) file: String,
    /// Counted from one.
    pub(super) line: usize,
}

/// A component, as its source has it.
#[derive(Debug)]
pub(super) struct Component {
    pub(super) name: String,
    /// Its `lib.rs`.
    pub(super) file: String,
    /// The functions of `spin-host` that it names; `None` if it does not use that crate.
    pub(super) host_functions: Option<BTreeSet<String>>,
    /// What `REQUIRED_VARIABLES` sets to true.
    pub(super) flags: Vec<String>,
    /// The secret that `REQUIRED_VARIABLES` names.
    pub(super) secret: Option<String>,
    /// The constants of the interfaces that it serves.
    pub(super) serves: Vec<String>,
    /// Paths that it writes out itself.
    pub(super) own_paths: Vec<String>,
    /// Files that it includes, within the checkout.
    pub(super) included: Vec<String>,
    /// The texts of its constants.
    pub(super) literals: Vec<String>,
}

/// Every interface.
pub(super) fn interfaces(sources: &[Source]) -> Vec<Interface> {
    let protocol: Vec<&Source> = below(sources, PROTOCOL).collect();
    let mut found = Vec::new();
    for source in below(sources, INTERFACES) {
        let tokens = without_tests(&source.tokens);
        for (at, _) in rows(&tokens, &["const", "", ":", "Interface", "="]) {
            let item = item(&tokens, at);
            let paths = paths_of(source, item, &protocol);
            if paths == [""] {
                // The interface of paths that do not exist.
                continue;
            }
            let line = tokens[at].line;
            found.push(Interface {
                constant: tokens[at + 1].text.clone(),
                path: (paths.len() == 1).then(|| paths[0].clone()),
                clause: clause_above(source, line),
                file: source.path.clone(),
                line,
            });
        }
    }
    found
}

/// The paths in a constant: written out, or by the name of a constant of the protocol.
fn paths_of(source: &Source, item: &[Token], protocol: &[&Source]) -> Vec<String> {
    let written = literals(source, item).filter(|text| text.is_empty() || text.starts_with('/'));
    let named = item.iter().filter(|token| token.text.ends_with(PATH_SUFFIX));
    let named = named.filter_map(|token| protocol.iter().find_map(|source| text_of(source, &token.text)));
    written.chain(named).map(str::to_owned).collect()
}

/// The clause that the documentation above a line begins with.
fn clause_above(source: &Source, line: usize) -> Option<String> {
    let comment = |line: usize| source.comments.iter().find(|comment| comment.line == line);
    let mut first = line;
    while first > 1 && comment(first - 1).is_some() {
        first -= 1;
    }
    let text = comment(first)?.text.strip_prefix("///")?.trim_start();
    let (clause, _) = text.strip_prefix(CLAUSE)?.split_once(':')?;
    Some(clause.to_owned())
}

/// The component of a folder below `functions/`.
pub(super) fn component(name: &str, sources: &[Source]) -> Option<Component> {
    let folder = format!("functions/{name}/src/");
    let file = format!("{folder}lib.rs");
    let library = sources.iter().find(|source| source.path == file)?;
    let tokens = without_tests(&library.tokens);
    let required = constant(&tokens, "REQUIRED_VARIABLES").unwrap_or_default();
    let host_functions = host_functions(below(sources, &folder));
    let own_paths = library.strings.iter().map(|text| unquoted(&text.text));
    let own_paths = own_paths.filter(|text| text.starts_with('/') && host_functions.is_none());
    let included = below(sources, &folder).flat_map(|source| included(name, source));
    let literals = rows(&tokens, &["const", "", ":", "&", "str", "="])
        .flat_map(|(at, _)| literals(library, item(&tokens, at)));
    Some(Component {
        name: name.to_owned(),
        own_paths: own_paths.map(str::to_owned).collect(),
        included: included.collect(),
        literals: literals.map(str::to_owned).collect(),
        flags: rows(required, &["", ":", "true"])
            .map(|(_, row)| row[0].text.clone())
            .collect(),
        secret: rows(required, &["secret", ":", "Some"])
            .flat_map(|(_, row)| literals_of(library, row))
            .next(),
        serves: served(&tokens),
        host_functions,
        file,
    })
}

/// The interfaces in `INTERFACES`; without it, the one that is handed to `serve`.
fn served(tokens: &[Token]) -> Vec<String> {
    let names = |tokens: &[Token], row: &[&str]| -> Vec<String> {
        rows(tokens, row)
            .filter_map(|(_, row)| row.last().map(|token| token.text.clone()))
            .collect()
    };
    match constant(tokens, "INTERFACES") {
        Some(list) => names(list, &["interface", "::", ""]),
        None => names(tokens, &["serve", "(", "&", "interface", "::", ""]),
    }
}

/// The names that a component takes from `spin-host`; `None` if it does not name that crate.
fn host_functions<'a>(sources: impl Iterator<Item = &'a Source>) -> Option<BTreeSet<String>> {
    let mut found = None;
    for source in sources {
        let tokens = without_tests(&source.tokens);
        let imported = paths::read(&tokens).names.into_iter().map(|import| import.path);
        let imported = imported.filter_map(|path| match path.as_slice() {
            [krate, name, ..] if krate == "spin_host" => Some(name.clone()),
            _ => None,
        });
        let direct = rows(&tokens, &["spin_host", "::", ""]).map(|(_, row)| row[2].text.clone());
        if tokens.iter().any(|token| token.text == "spin_host") {
            found
                .get_or_insert_with(BTreeSet::new)
                .extend(imported.chain(direct));
        }
    }
    found
}

/// The files that a source includes from the folder of its package.
fn included<'a>(name: &'a str, source: &'a Source) -> impl Iterator<Item = String> + 'a {
    let tokens = &source.tokens;
    let rows = rows(tokens, &["include_str", "!", "("]);
    rows.flat_map(move |(_, row)| literals_of(source, row))
        .filter_map(move |text| Some(format!("functions/{name}/{}", text.strip_prefix("../")?)))
}

/// The sources in a folder or below it.
pub(super) fn below<'a>(sources: &'a [Source], folder: &'a str) -> impl Iterator<Item = &'a Source> {
    sources
        .iter()
        .filter(move |source| source.path.starts_with(folder))
}

/// Where tokens stand in a row, with their index. An empty text stands for any name.
pub(super) fn rows<'a>(tokens: &'a [Token], row: &'a [&str]) -> impl Iterator<Item = (usize, &'a [Token])> {
    let is_meant = |(token, text): (&Token, &&str)| match *text {
        "" => is_identifier(&token.text),
        text => token.text == text,
    };
    let windows = tokens.windows(row.len()).enumerate();
    windows.filter(move |(_, window)| window.iter().zip(row).all(is_meant))
}

/// The tokens from `at` to the semicolon that ends the item.
fn item(tokens: &[Token], at: usize) -> &[Token] {
    let mut end = at;
    while end < tokens.len() && tokens[end].text != ";" {
        let is_open = matches!(tokens[end].text.as_str(), "(" | "[" | "{");
        end = if is_open {
            matching(tokens, end) + 1
        } else {
            end + 1
        };
    }
    &tokens[at..end.min(tokens.len())]
}

/// The constant of a name.
fn constant<'a>(tokens: &'a [Token], name: &str) -> Option<&'a [Token]> {
    let (at, _) = rows(tokens, &["const", name, ":"]).next()?;
    Some(item(tokens, at))
}

/// The text of a constant.
fn text_of<'a>(source: &'a Source, name: &str) -> Option<&'a str> {
    let (at, _) = rows(&source.tokens, &["const", name, ":", "&", "str", "="]).next()?;
    let item = item(&source.tokens, at);
    // The item is handed on by its lines, which outlive it.
    let (first, last) = (item.first()?.line, item.last()?.line);
    let mut texts = source
        .strings
        .iter()
        .filter(|text| (first..=last).contains(&text.line));
    texts.next().map(|text| unquoted(&text.text))
}

/// The literals on the lines of some tokens.
pub(super) fn literals<'a>(source: &'a Source, tokens: &[Token]) -> impl Iterator<Item = &'a str> + use<'a> {
    let lines = tokens
        .first()
        .zip(tokens.last())
        .map(|(first, last)| first.line..=last.line);
    let texts = source
        .strings
        .iter()
        .filter(move |text| lines.as_ref().is_some_and(|lines| lines.contains(&text.line)));
    texts.map(|text| unquoted(&text.text))
}

fn literals_of(source: &Source, tokens: &[Token]) -> Vec<String> {
    literals(source, tokens).map(str::to_owned).collect()
}

fn unquoted(literal: &str) -> &str {
    literal.trim_matches('"')
}
