//! `card-sim`: powers up simulated modules with the chips of a chip file against a running gateway, and prints a
//! report for each.
//!
//! It must never print a key or a whole identifier.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use card_sim::inventory::{Inventory, InventoryError};
use card_sim::{ChipId, Event, Module, ModuleSettings, Observer, VirtualNetwork, power_all};
use clap::Parser;

/// Simulated modules and chips for testing a gateway.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// TOML or JSON file that describes the chips and names the gateway.
    chips: PathBuf,
    /// How many times to power every module up, one after the other.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    power_ups: u16,
    /// Print every event of every chip.
    #[arg(long)]
    verbose: bool,
}

/// Prints every event.
struct Printer;

impl Observer for Printer {
    fn event(&self, chip: &ChipId, event: &Event) {
        println!("{chip}  {event}");
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("card-sim: {}: {error}", arguments.chips.display());
            ExitCode::from(2)
        }
    }
}

/// Powers all modules up; returns whether the last session of every chip finished.
async fn run(arguments: &Arguments) -> Result<bool, InventoryError> {
    let inventory = Inventory::read(&arguments.chips)?;
    let network = Arc::new(VirtualNetwork::open());
    let mut modules: Vec<Module> = inventory
        .personalise()?
        .into_iter()
        .map(|card| {
            let mut module = Module::new(card, ModuleSettings::default(), Arc::clone(&network));
            if arguments.verbose {
                module.observe(Arc::new(Printer));
            }
            module
        })
        .collect();
    let mut all_finished = true;
    for _ in 0..arguments.power_ups {
        all_finished = true;
        let mut done = Vec::with_capacity(modules.len());
        power_all(modules, inventory.concurrency, |module, report| {
            println!("{}  {report}", module.id());
            all_finished &= report.finished();
            done.push(module);
        })
        .await;
        modules = done;
    }
    Ok(all_finished)
}
