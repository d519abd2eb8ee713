//! What `shared/spin-host` reads for the components that use it.

use super::fault::Fault;
use super::find::{below, brackets, literals, literals_within, rows, unquoted};
use crate::source::{Source, Token, separated, without_tests};

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
/// The lists of what is read, and whether it is secret.
const LISTS: [(&str, bool); 2] = [("secrets", true), ("texts", false)];
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
        faults.extend(reads.into_iter().map(|(line, name)| {
            let text = format!("`{name}` is read outside of {VARIABLES}");
            Fault::new(&source.path, line, text)
        }));
    }
    (host, faults)
}

/// Where a variable is read in some tokens: the lines of the calls of `text`, and the names, as far as they are known.
fn reads(source: &Source, tokens: &[Token]) -> (Vec<(usize, String)>, Vec<Fault>) {
    let mut reads = Vec::new();
    let mut faults = Vec::new();
    for (at, call) in rows(tokens, &["text", "(", ")"]) {
        let is_method = at > 0 && tokens[at - 1].text == ".";
        if is_method {
            continue;
        }
        let line = call[0].line;
        match literals_within(source, call).as_slice() {
            [name] => reads.push((line, unquoted(&name.text).to_owned())),
            _ => faults.push(unread(source, line)),
        }
    }
    (reads, faults)
}

/// Reads the rows of the lists of secrets and of texts.
fn read_variables(source: &Source, tokens: &[Token], host: &mut Host) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (list, is_secret) in LISTS {
        let row = ["let", list, "=", "["];
        let mut lists = rows(tokens, &row).peekable();
        if lists.peek().is_none() {
            faults.push(unread(source, 1));
        }
        for (at, _) in lists {
            let inner = brackets(tokens, at + 3);
            let inner = &inner[1..inner.len() - 1];
            for row in separated(inner) {
                faults.extend(read_row(source, &inner[row], is_secret, host));
            }
        }
    }
    faults
}

/// Reads one row: the flag that says whether the component has the variable, and its name.
fn read_row(source: &Source, row: &[Token], is_secret: bool, host: &mut Host) -> Option<Fault> {
    let flag = rows(row, &["required", ".", ""]).next();
    let flag = flag.map(|(_, row)| row[2].text.as_str());
    if flag == Some(OWN_SECRET) {
        return None;
    }
    let names = literals_within(source, row);
    let is_always = rows(row, &["(", "true", ","]).next().is_some();
    match (names.as_slice(), flag) {
        ([name], flag) if flag.is_some() || is_always => {
            let name = unquoted(&name.text).to_owned();
            let read = Read { name, is_secret };
            match flag {
                Some(flag) => host.flags.push((flag.to_owned(), read)),
                None => host.always.push(read),
            }
            None
        }
        _ => Some(unread(source, row[0].line)),
    }
}

fn unread(source: &Source, line: usize) -> Fault {
    Fault::new(
        &source.path,
        line,
        "a variable is read in a way that this check does not understand",
    )
}
