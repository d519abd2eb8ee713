//! The mutants that cargo-mutants knows, and a choice of them that a seed repeats.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// The files of which every mutant is tried: where a card changes its state.
const WHOLE_FILES: [&str; 5] = [
    "shared/operations/src/apply.rs",
    "shared/operations/src/report.rs",
    "shared/operations/src/open_session.rs",
    "shared/operations/src/cancel.rs",
    "shared/domain/src/card_status.rs",
];

/// One planted fault, as `cargo mutants --list --json` prints it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Mutant {
    /// `file:line:column: what is replaced by what`.
    pub(crate) name: String,
    pub(crate) package: String,
    /// Within the checkout.
    pub(crate) file: String,
    pub(crate) span: Span,
    pub(crate) replacement: String,
    pub(crate) genre: Genre,
}

/// What is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum Genre {
    FnValue,
    BinaryOperator,
    UnaryOperator,
    MatchArm,
    MatchArmGuard,
    #[serde(other)]
    Other,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Span {
    pub(crate) start: Position,
    pub(crate) end: Position,
}

/// Line and column, both from one; a column is a character.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// Every mutant of the packages.
pub(crate) fn all(root: &Path, packages: &[String]) -> Result<Vec<Mutant>> {
    let mut command = Command::new("cargo");
    command.args(["mutants", "--list", "--json"]).current_dir(root);
    for package in packages {
        command.args(["--package", package]);
    }
    let printed = command.stderr(Stdio::inherit()).output()?;
    ensure!(
        printed.status.success(),
        "`cargo mutants --list` failed; `cargo install --locked cargo-mutants` installs it"
    );
    let mutants: Vec<Mutant> =
        serde_json::from_slice(&printed.stdout).context("what `cargo mutants --list --json` prints")?;
    // A program's own file is not in its library, which is what is built.
    let of_libraries = mutants
        .into_iter()
        .filter(|mutant| !mutant.file.ends_with("src/main.rs"));
    Ok(of_libraries.collect())
}

/// Those of the files that are tried as a whole.
pub(crate) fn of_whole_files(all: &[Mutant]) -> Vec<Mutant> {
    let mutants = all.iter().filter(|mutant| is_whole(mutant));
    mutants.cloned().collect()
}

/// So many of the other files, chosen by the seed. An edit elsewhere in a file does not change the choice.
pub(crate) fn sample(all: &[Mutant], seed: u64, size: usize) -> Vec<Mutant> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut others = Vec::new();
    for mutant in all.iter().filter(|mutant| !is_whole(mutant)) {
        let what = without_position(mutant);
        let count = seen.entry(what.clone()).or_default();
        let lot = Sha256::digest(format!("{seed}\n{what}\n{count}"));
        *count += 1;
        others.push((lot, mutant));
    }
    others.sort_by_key(|(lot, _)| *lot);
    let chosen = others.into_iter().take(size);
    chosen.map(|(_, mutant)| mutant.clone()).collect()
}

fn is_whole(mutant: &Mutant) -> bool {
    WHOLE_FILES.contains(&mutant.file.as_str())
}

/// The name without line and column.
fn without_position(mutant: &Mutant) -> String {
    let position = format!(":{}:{}", mutant.span.start.line, mutant.span.start.column);
    mutant.name.replacen(&position, "", 1)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A mutant of `file` whose text from `start` to `end` (line and column) is replaced.
    pub(crate) fn mutant(
        genre: Genre,
        start: (usize, usize),
        end: (usize, usize),
        replacement: &str,
    ) -> Mutant {
        let file = "a/src/b.rs".to_owned();
        let position = |(line, column)| Position { line, column };
        Mutant {
            name: format!("{file}:{}:{}: replace with {replacement}", start.0, start.1),
            package: "a".to_owned(),
            file,
            span: Span {
                start: position(start),
                end: position(end),
            },
            replacement: replacement.to_owned(),
            genre,
        }
    }

    fn lines(count: usize, first: usize) -> Vec<Mutant> {
        let lines = first..first + count;
        let each =
            lines.map(|line| mutant(Genre::FnValue, (line, 1), (line, 9), &(line - first).to_string()));
        each.collect()
    }

    fn chosen(all: &[Mutant], seed: u64) -> Vec<String> {
        let sample = sample(all, seed, 5);
        sample.into_iter().map(|mutant| mutant.replacement).collect()
    }

    #[test]
    fn a_seed_repeats_its_choice_after_an_edit_above_and_another_seed_chooses_others() {
        let all = lines(40, 1);
        assert_eq!(chosen(&all, 7).len(), 5);
        assert_eq!(chosen(&all, 7), chosen(&lines(40, 3), 7));
        assert_ne!(chosen(&all, 7), chosen(&all, 8));
    }

    #[test]
    fn what_is_tried_as_a_whole_is_not_in_the_sample() {
        let mut all = lines(4, 1);
        all[0].file = WHOLE_FILES[0].to_owned();
        assert_eq!(of_whole_files(&all).len(), 1);
        assert_eq!(chosen(&all, 1).len(), 3);
    }
}
