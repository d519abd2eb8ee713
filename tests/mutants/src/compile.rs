//! Builds the copy, and says which mutants the compiler refuses.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::schema;

/// What the compiler does not know about a type, or may not call in a constant, only because all mutants are in one
/// text: such a mutant gets a build of its own.
const OF_THE_QUESTION: [&str; 5] = ["E0015", "E0282", "E0283", "E0284", "E0658"];

/// A program with tests.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    /// The folder of its package: the tests run in it.
    pub(crate) folder: PathBuf,
}

/// What the compiler refuses.
#[derive(Default)]
pub(crate) struct Refused {
    /// In what a mutant puts there: it is unviable.
    pub(crate) unviable: BTreeSet<usize>,
    /// Around it: a build of its own has to tell.
    pub(crate) alone: BTreeSet<usize>,
}

impl Refused {
    pub(crate) fn is_empty(&self) -> bool {
        self.unviable.is_empty() && self.alone.is_empty()
    }
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    code: Option<Code>,
    spans: Vec<Span>,
    children: Vec<Diagnostic>,
    rendered: Option<String>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    byte_start: usize,
    is_primary: bool,
}

/// Checks the libraries of the packages, without their tests.
///
/// # Errors
/// A refusal that no mutant explains.
pub(crate) fn check(root: &Path, packages: &BTreeSet<String>) -> Result<Refused> {
    let (succeeded, messages) = cargo(root, &["check", "--keep-going", "--lib"], packages)?;
    refused(root, succeeded, &messages)
}

/// Whether one mutant in a build of its own compiles.
pub(crate) fn compiles(root: &Path, package: &str) -> Result<bool> {
    let packages = BTreeSet::from([package.to_owned()]);
    Ok(cargo(root, &["check", "--lib"], &packages)?.0)
}

/// Builds the tests of the packages.
///
/// # Errors
/// A refusal that no mutant explains.
pub(crate) fn tests(root: &Path, packages: &BTreeSet<String>) -> Result<(Vec<Program>, Refused)> {
    let (succeeded, messages) = cargo(root, &["test", "--no-run"], packages)?;
    let refused = refused(root, succeeded, &messages)?;
    let mut programs = Vec::new();
    for message in &messages {
        let (Some(path), Some(manifest)) =
            (message["executable"].as_str(), message["manifest_path"].as_str())
        else {
            continue;
        };
        if message["profile"]["test"] == true {
            programs.push(Program {
                path: path.into(),
                folder: Path::new(manifest).parent().unwrap_or(root).to_path_buf(),
            });
        }
    }
    Ok((programs, refused))
}

fn refused(root: &Path, succeeded: bool, messages: &[Value]) -> Result<Refused> {
    let mut refused = Refused::default();
    for message in messages
        .iter()
        .filter(|message| message["reason"] == "compiler-message")
    {
        let diagnostic: Diagnostic = serde_json::from_value(message["message"].clone())?;
        if diagnostic.level != "error" || diagnostic.spans.is_empty() {
            continue;
        }
        let code = diagnostic.code.as_ref().map_or("", |code| code.code.as_str());
        match blamed(root, &diagnostic) {
            Some((id, true)) if !OF_THE_QUESTION.contains(&code) => refused.unviable.insert(id),
            Some((id, _)) => refused.alone.insert(id),
            None => bail!("no mutant explains: {}", diagnostic.rendered.unwrap_or_default()),
        };
    }
    if !succeeded && refused.is_empty() {
        bail!("the copy in {} does not build", root.display());
    }
    Ok(refused)
}

/// The mutant in which an error lies, by its main span, then by any other; and whether its main span is in what replaces
/// the original.
fn blamed(root: &Path, diagnostic: &Diagnostic) -> Option<(usize, bool)> {
    let mut spans: Vec<&Span> = diagnostic.spans.iter().collect();
    spans.extend(diagnostic.children.iter().flat_map(|child| &child.spans));
    spans.sort_by_key(|span| !span.is_primary);
    spans.into_iter().find_map(|span| {
        let text = std::fs::read_to_string(root.join(&span.file_name)).ok()?;
        let (id, is_replacement) = schema::at(&text, span.byte_start)?;
        Some((id, is_replacement && span.is_primary))
    })
}

fn cargo(root: &Path, arguments: &[&str], packages: &BTreeSet<String>) -> Result<(bool, Vec<Value>)> {
    let mut command = Command::new("cargo");
    command
        .args(arguments)
        .args(["--locked", "--message-format=json"]);
    for package in packages {
        command.args(["--package", package]);
    }
    // What cargo says of this program would have build scripts of dependencies run again.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CARGO_PKG_")) {
        command.env_remove(name);
    }
    command
        .env_remove("CARGO_MANIFEST_DIR")
        .env_remove("CARGO_MANIFEST_PATH");
    command
        .current_dir(root)
        .env("CARGO_TARGET_DIR", root.with_file_name("build"));
    // Names of variables and lines are not needed, and parts that did not change are not compiled again.
    command
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_INCREMENTAL", "1");
    let printed = command.stderr(Stdio::null()).output()?;
    let lines = printed
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| line.starts_with(b"{"));
    let messages: Result<Vec<Value>, _> = lines.map(serde_json::from_slice).collect();
    Ok((printed.status.success(), messages?))
}
