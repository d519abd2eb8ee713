//! One run: plants the mutants that have no outcome yet, builds, and lets the tests judge.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};

use crate::compile::{self, Program, Refused};
use crate::list::Mutant;
use crate::record::{Outcome, Record};
use crate::run::{self, Ended, Test};
use crate::schema::{self, offset};
use crate::tree::Tree;

/// The mutants of a run by number, and how each is built.
pub(crate) struct Plan<'a> {
    tree: &'a Tree,
    record: &'a Record,
    mutants: &'a [Mutant],
    /// Those in the common build.
    together: BTreeSet<usize>,
    /// Those that need a build of their own.
    alone: BTreeSet<usize>,
}

impl<'a> Plan<'a> {
    pub(crate) fn new(tree: &'a Tree, record: &'a Record, mutants: &'a [Mutant]) -> Result<Self> {
        let mut plan = Self {
            tree,
            record,
            mutants,
            together: BTreeSet::new(),
            alone: BTreeSet::new(),
        };
        for (id, mutant) in mutants.iter().enumerate() {
            if record.known(mutant, tree.text(&mutant.file)?).is_none() {
                plan.together.insert(id);
            }
        }
        Ok(plan)
    }

    /// Builds and judges everything that has no outcome, with the tests of the packages.
    pub(crate) fn run(mut self, packages: &BTreeSet<String>) -> Result<()> {
        println!("{} mutants have no outcome yet", self.together.len());
        if self.together.is_empty() {
            return Ok(());
        }
        let programs = self.build(packages)?;
        println!(
            "{} in one build, {} in builds of their own",
            self.together.len(),
            self.alone.len()
        );
        let tests = run::reached(&programs, &self.tree.root.with_file_name("reached"))?;
        println!("{} tests", tests.len());
        self.judge_together(&tests)?;
        self.judge_alone(packages, &tests)
    }

    /// Takes mutants out of the common build until the compiler accepts it.
    fn build(&mut self, packages: &BTreeSet<String>) -> Result<Vec<Program>> {
        loop {
            self.write_together()?;
            let mutated: BTreeSet<String> = self
                .together
                .iter()
                .map(|&id| self.mutants[id].package.clone())
                .collect();
            // Without a package, cargo would check all of them.
            if !mutated.is_empty() {
                let refused = compile::check(&self.tree.root, &mutated)?;
                if !refused.is_empty() {
                    self.take_out(&refused)?;
                    continue;
                }
            }
            let (programs, refused) = compile::tests(&self.tree.root, packages)?;
            if refused.is_empty() {
                return Ok(programs);
            }
            self.take_out(&refused)?;
        }
    }

    fn take_out(&mut self, refused: &Refused) -> Result<()> {
        println!(
            "the compiler refuses {} mutants, and {} together with others",
            refused.unviable.len(),
            refused.alone.len()
        );
        for &id in &refused.unviable {
            self.together.remove(&id);
            self.note(id, Outcome::Unviable, "the compiler".to_owned())?;
        }
        for &id in &refused.alone {
            self.together.remove(&id);
            self.alone.insert(id);
        }
        Ok(())
    }

    fn write_together(&mut self) -> Result<()> {
        let mut refused = Refused::default();
        let changed = self.instrumented(&mut refused)?;
        self.tree.write(&changed)?;
        if refused.is_empty() {
            Ok(())
        } else {
            self.take_out(&refused)
        }
    }

    /// The files of the common build.
    fn instrumented(&self, refused: &mut Refused) -> Result<BTreeMap<String, String>> {
        let mut by_file: BTreeMap<&str, Vec<(usize, &Mutant)>> = BTreeMap::new();
        for &id in &self.together {
            let mutant = &self.mutants[id];
            by_file.entry(&mutant.file).or_default().push((id, mutant));
        }
        let mut changed = BTreeMap::new();
        for (file, mutants) in by_file {
            let done =
                schema::instrument(self.tree.text(file)?, &mutants).with_context(|| file.to_owned())?;
            refused.alone.extend(done.left_out);
            refused.unviable.extend(done.unviable);
            changed.insert(file.to_owned(), done.text);
        }
        Ok(changed)
    }

    fn judge_together(&self, tests: &[Test]) -> Result<()> {
        let ids: Vec<usize> = self.together.iter().copied().collect();
        run::in_parallel(&ids, |_, &id| {
            let reaching: Vec<&Test> = tests.iter().filter(|test| test.reaches.contains(&id)).collect();
            let (ended, by) = run::judge(&reaching, id)?;
            self.note(id, outcome(ended), by)
        })?;
        Ok(())
    }

    /// Each in a build of its own; first the tests that reach another mutant of the same file.
    fn judge_alone(&self, packages: &BTreeSet<String>, tests: &[Test]) -> Result<()> {
        let together = self.instrumented(&mut Refused::default())?;
        for &id in &self.alone {
            let mutant = &self.mutants[id];
            let mut changed = together.clone();
            changed.insert(
                mutant.file.clone(),
                replaced(self.tree.text(&mutant.file)?, mutant)?,
            );
            self.tree.write(&changed)?;
            if !compile::compiles(&self.tree.root, &mutant.package)? {
                self.note(id, Outcome::Unviable, "the compiler".to_owned())?;
                continue;
            }
            compile::tests(&self.tree.root, packages)?;
            let beside = |test: &Test| {
                test.reaches
                    .iter()
                    .any(|&other| self.mutants[other].file == mutant.file)
            };
            let mut ordered: Vec<&Test> = tests.iter().collect();
            ordered.sort_by_key(|test| !beside(test));
            let (ended, by) = run::judge(&ordered, usize::MAX)?;
            self.note(id, outcome(ended), by)?;
        }
        Ok(())
    }

    fn note(&self, id: usize, outcome: Outcome, by: String) -> Result<()> {
        let mutant = &self.mutants[id];
        if outcome != Outcome::Caught && outcome != Outcome::Unviable {
            println!("{outcome:?}: {} ({by})", mutant.name);
        }
        self.record
            .add(mutant, self.tree.text(&mutant.file)?, outcome, by)
    }
}

/// Where everything of these runs is.
pub(crate) fn folder(checkout: &Path) -> std::path::PathBuf {
    checkout.join("target/mutants")
}

fn outcome(ended: Ended) -> Outcome {
    match ended {
        Ended::Passed => Outcome::Missed,
        Ended::Failed => Outcome::Caught,
        Ended::TimedOut => Outcome::TimedOut,
    }
}

fn replaced(text: &str, mutant: &Mutant) -> Result<String> {
    let start = offset(text, mutant.span.start).context("a position outside of its file")?;
    let end = offset(text, mutant.span.end).context("a position outside of its file")?;
    Ok(format!(
        "{}{}{}",
        &text[..start],
        mutant.replacement,
        &text[end..]
    ))
}
