//! This checkout against another revision, measured in turns on the same machine.
//!
//! Each side is its own program, built from its own sources, and starts its own platform and its own native server. Only
//! what it prints is read, so that an older program with fewer commands can be compared as well.

mod revision;
mod table;

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use xieka::components::application_root;

use revision::Revision;
use table::{Rate, Series};

/// The measurements that both sides know.
const MEASUREMENTS: [&str; 2] = ["status", "apply"];

/// Measures both sides `pairs` times and prints the medians and their ratios.
///
/// The sides take turns at going first: what the machine does slower or faster in the second run of a pair then falls
/// on both.
pub(crate) fn compare(against: &str, pairs: u32) -> Result<()> {
    let root = application_root()?;
    let own = std::env::current_exe()?;
    let other = Revision::built(&root, against)?;
    let (mut here, mut there) = (Series::default(), Series::default());
    for pair in 1..=pairs {
        for measurement in MEASUREMENTS {
            eprintln!("pair {pair} of {pairs}: {measurement}");
            if pair % 2 == 0 {
                there.add(measure(&mut other.command(other.program()), measurement)?);
            }
            here.add(measure(Command::new(&own).current_dir(&root), measurement)?);
            if pair % 2 == 1 {
                there.add(measure(&mut other.command(other.program()), measurement)?);
            }
        }
    }
    println!(
        "\n### This checkout against {against} ({}), {pairs} pairs\n",
        other.id()
    );
    print!("{}", table::compared(&here, &there));
    Ok(())
}

/// Runs one measurement and reads the rates that it prints.
fn measure(program: &mut Command, measurement: &str) -> Result<Vec<Rate>> {
    let name = Path::new(program.get_program()).display().to_string();
    let output = program
        .arg(measurement)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {name}"))?;
    ensure!(output.status.success(), "{name} {measurement}: {}", output.status);
    let rates = table::read(&String::from_utf8_lossy(&output.stdout));
    ensure!(!rates.is_empty(), "{name} {measurement} prints no rates");
    Ok(rates)
}
