//! What `shared/spin-host` reads for the components that use it.

use super::fault::Fault;
use super::find::{below, literals, rows};
use crate::source::{Source, Token, matching, separated, without_tests};

/// The folder of the crate.
const FOLDER: &str = "shared/spin-host/src/";
/// The file that reads what `RequiredVariables` says.
pub(super) const VARIABLES: &str = "shared/spin-host/src/variables.rs";
/// The file of the database.
const DATABASE: &str = "shared/spin-host/src/sqlite.rs";
/// The file of the counters.
const LIMITS: &str = "shared/spin-host/src/limits.rs";
/// How the constants are called that name a database or a store of the manifest.
const LABEL: &str = "LABEL";
/// The flag of the secret whose name the component gives.
const OWN_SECRET: &str = "secret";

/// A variable that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) name: String,
    pub(super) is_secret: bool,
}

/// The crate, as its source has it.
#[derive(Debug, Default)]
pub(super) struct Host {
    /// What every component reads that uses it.
    pub(super) always: Vec<Read>,
    /// What a flag of `RequiredVariables` stands for; a flag may stand for several.
    pub(super) flags: Vec<(String, Read)>,
    /// The databases that it opens.
    pub(super) databases: Vec<String>,
    /// The key-value stores that it opens.
    pub(super) stores: Vec<String>,
}

/// Reads the crate. A place where it reads a variable in a way that is not understood is a fault.
pub(super) fn read(sources: &[Source]) -> (Host, Vec<Fault>) {
    let mut host = Host::default();
    let mut faults = Vec::new();
    for source in below(sources, FOLDER) {
        let tokens = without_tests(&source.tokens);
        if source.path == VARIABLES {
            faults.extend(read_variables(source, &tokens, &mut host));
            continue;
        }
        for (file, opened) in [(DATABASE, &mut host.databases), (LIMITS, &mut host.stores)] {
            if source.path == file {
                let labels = rows(&tokens, &["const", "", ":", "&", "str"]);
                let labels = labels.filter(|(_, row)| row[1].text.ends_with(LABEL));
                opened.extend(labels.filter_map(|(_, row)| literals(source, row).next().map(str::to_owned)));
            }
        }
        let (reads, unread) = reads(source, &tokens);
        faults.extend(unread);
        faults.extend(reads.into_iter().map(|(line, read)| {
            let text = format!("`{}` is read outside of {VARIABLES}", read.name);
            Fault::new(&source.path, line, text)
        }));
    }
    (host, faults)
}

/// What the calls of `text` and `secret` in some tokens read, each with its line.
fn reads(source: &Source, tokens: &[Token]) -> (Vec<(usize, Read)>, Vec<Fault>) {
    let mut reads = Vec::new();
    let mut faults = Vec::new();
    for line in tokens.chunk_by(|one, next| one.line == next.line) {
        let number = line[0].line;
        let calls: Vec<bool> = rows(line, &["", "(", ")"])
            .filter(|(at, row)| {
                let is_method = *at > 0 && line[at - 1].text == ".";
                matches!(row[0].text.as_str(), "text" | "secret") && !is_method
            })
            .map(|(_, row)| row[0].text == "secret")
            .collect();
        if calls.is_empty() {
            continue;
        }
        let names: Vec<&str> = literals(source, line).collect();
        if names.len() != calls.len() {
            faults.push(unread(source, number));
            continue;
        }
        reads.extend(names.into_iter().zip(calls).map(|(name, is_secret)| {
            let name = name.to_owned();
            (number, Read { name, is_secret })
        }));
    }
    (reads, faults)
}

/// Reads the fields of every `Ok(Variables { … })`. What such a value takes over from another one is read there.
fn read_variables(source: &Source, tokens: &[Token], host: &mut Host) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut values = rows(tokens, &["Ok", "(", "Variables", "{"]).peekable();
    if values.peek().is_none() {
        faults.push(unread(source, 1));
    }
    for (at, _) in values {
        let open = at + 3;
        let inner = &tokens[open + 1..matching(tokens, open).min(tokens.len())];
        for field in separated(inner) {
            faults.extend(read_field(source, &inner[field], host));
        }
    }
    faults
}

/// Reads one field: a variable, and the flag that says whether the component has it.
fn read_field(source: &Source, field: &[Token], host: &mut Host) -> Option<Fault> {
    if field[0].text.starts_with('.') {
        return None;
    }
    let flag = rows(field, &["required", ".", ""]).next();
    let flag = flag.map(|(_, row)| row[2].text.as_str());
    if flag == Some(OWN_SECRET) {
        return None;
    }
    let (found, _) = reads(source, field);
    match (found.as_slice(), flag) {
        ([(_, read)], Some(flag)) => host.flags.push((flag.to_owned(), read.clone())),
        ([(_, read)], None) => host.always.push(read.clone()),
        _ => return Some(unread(source, field[0].line)),
    }
    None
}

fn unread(source: &Source, line: usize) -> Fault {
    Fault::new(
        &source.path,
        line,
        "a variable is read in a way that this check does not understand",
    )
}
