//! Plants faults in a copy of the product, one at a time, and counts those that a test notices.
//!
//! cargo-mutants says which faults there are. `cargo run -p xtask -- mutants` runs this.

mod compile;
mod list;
mod plant;
mod record;
mod run;
mod schema;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use clap::Parser;

use list::Mutant;
use record::{Outcome, Record};
use tree::Tree;

/// Whose tests need no component and no other process.
const PACKAGES: &str = "accounts-router,domain,gateway-protocol,operations,ota-gateway,spreadsheet,store,uicc,vault,web,\
    batches-router,cards-router,chip-router,clients-router,dispatcher-router,gateway-router,imports-router,incidents-router,\
    ingest-router,inventory-router,maintenance-router,messages-router,number-router,number-city-router,\
    number-open-time-router,number-usage-router,records-router,spreadsheets-router,token-router,write-apply-router,\
    write-cancel-router,write-provinces-router,write-status-router";

/// Whose tests compare the published document with what all routers say.
const ALSO_TESTED: &str = "api-document";

/// Plants faults in the product, and counts those that a test notices.
#[derive(Parser)]
struct Arguments {
    /// What chooses the sample.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many mutants of other files than those that are tried as a whole.
    #[arg(long, default_value_t = 300)]
    sample: usize,
    /// The packages in which the faults are planted, and whose tests judge them.
    #[arg(long, value_delimiter = ',', default_value = PACKAGES)]
    packages: Vec<String>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let manifest = std::env::var("CARGO_MANIFEST_DIR").context("started by `cargo run`")?;
    let checkout = Path::new(&manifest).ancestors().nth(2).context("a checkout")?;
    let folder = plant::folder(checkout);
    std::fs::create_dir_all(&folder)?;
    let all = list::all(checkout, &arguments.packages)?;
    let whole = list::of_whole_files(&all);
    let sample = list::sample(&all, arguments.seed, arguments.sample);
    println!(
        "{} mutants; {} of the files that are tried as a whole, {} of the others by seed {}",
        all.len(),
        whole.len(),
        sample.len(),
        arguments.seed
    );
    let tree = Tree::read(checkout, folder.join("tree"))?;
    let outcomes = folder.join("outcomes.jsonl");
    let record = Record::open(&outcomes, tree.digest())?;
    let mutants: Vec<Mutant> = whole.iter().chain(&sample).cloned().collect();
    let mut tested: BTreeSet<String> = arguments.packages.iter().cloned().collect();
    tested.insert(ALSO_TESTED.to_owned());
    plant::Plan::new(&tree, &record, &mutants)?.run(&tested)?;
    let record = Record::open(&outcomes, tree.digest())?;
    for (what, mutants) in [("tried as a whole", &whole), ("sample", &sample)] {
        report(what, mutants, &tree, &record)?;
    }
    Ok(())
}

/// Prints how many had each outcome, and those that no test noticed.
fn report(what: &str, mutants: &[Mutant], tree: &Tree, record: &Record) -> Result<()> {
    let mut by_outcome: BTreeMap<Outcome, Vec<&str>> = BTreeMap::new();
    for mutant in mutants {
        if let Some(outcome) = record.known(mutant, tree.text(&mutant.file)?) {
            by_outcome.entry(outcome).or_default().push(&mutant.name);
        }
    }
    let count = |outcome| by_outcome.get(&outcome).map_or(0, Vec::len);
    let (caught, missed) = (count(Outcome::Caught), count(Outcome::Missed));
    let (unviable, timed_out) = (count(Outcome::Unviable), count(Outcome::TimedOut));
    // A test that no longer ends is a test that notices.
    let (noticed, viable) = (caught + timed_out, caught + timed_out + missed);
    println!("\n{what}: {caught} caught, {missed} missed, {unviable} unviable, {timed_out} timed out");
    println!(
        "{noticed} of {viable} viable ones noticed: {:.1} %",
        percent(noticed, viable)
    );
    for name in by_outcome.get(&Outcome::Missed).into_iter().flatten() {
        println!("  missed: {name}");
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "a few thousand at most")]
fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        100.0
    } else {
        100.0 * part as f64 / whole as f64
    }
}
