//! Many cards: a progress bar, then figures, then the same checks as for one, for each.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use card_sim::Module;
use indicatif::{ProgressBar, ProgressStyle};

use super::screen::Screen;
use super::world::World;
use super::{check, tally};

/// Modules that are powered at the same time.
const POWERED_AT_ONCE: usize = 16;
/// How long the last callbacks may take after the last card was written.
const CALLBACK_TIMEOUT: Duration = Duration::from_secs(60);
/// How often the number of callbacks is looked at.
const CALLBACK_INTERVAL: Duration = Duration::from_millis(100);
/// Most failures that are printed one by one.
const MAX_SHOWN: usize = 10;

/// Applies for every chip, powers them all, and checks every outcome.
pub(crate) async fn run(screen: &Screen, world: &World) -> Result<()> {
    let count = world.inventory.chips.len();
    screen.chapter(&format!(
        "Apply for {count} chips, power {POWERED_AT_ONCE} at a time"
    ));
    let started = Instant::now();
    let bar = bar(count)?;
    let mut modules = Vec::with_capacity(count);
    for chip in &world.inventory.chips {
        world.apply(&chip.eid).await?;
        modules.push(world.module(chip)?);
        bar.inc(1);
    }
    let applied = started.elapsed();
    bar.reset();
    bar.set_message("written");
    let mut done: Vec<Module> = Vec::with_capacity(count);
    card_sim::power_all(modules, POWERED_AT_ONCE, |module, _| {
        bar.inc(1);
        done.push(module);
    })
    .await;
    let written = started.elapsed() - applied;
    bar.finish_and_clear();
    wait_for_callbacks(world, count).await;

    let callbacks = world.ground.receiver.received();
    let mut states = Vec::with_capacity(count);
    let mut numbers = HashSet::new();
    let mut failures = Vec::new();
    for module in &done {
        let eid = module.chip().personalisation().eid.to_string();
        let status = world.status(&eid).await?;
        let findings = check::examine(&world.inventory, module.chip(), &eid, &status, &callbacks)?;
        states.push(status["card_status"].as_str().unwrap_or("?").to_owned());
        match findings.number {
            Some(number) if !numbers.insert(number.iccid.clone()) => {
                failures.push(format!("{eid}: {} is in another chip too", number.iccid));
            }
            _ => {}
        }
        failures.extend(
            findings
                .claims
                .into_iter()
                .filter(|(holds, _)| !holds)
                .map(|(_, claim)| format!("{eid}: {claim}")),
        );
    }

    screen.chapter("Summary");
    for (state, chips) in tally(states.iter().map(String::as_str)) {
        screen.line("platform", &format!("{chips} × {state}"));
    }
    screen.line(
        "client",
        &format!(
            "{} callbacks, {} refused",
            callbacks.len(),
            world.ground.receiver.refused().len()
        ),
    );
    screen.line(
        "chip",
        &format!("{} different numbers in {} chips", numbers.len(), done.len()),
    );
    screen.line(
        "",
        &format!(
            "applied in {:.1} s, written in {:.1} s",
            applied.as_secs_f32(),
            written.as_secs_f32()
        ),
    );
    for failure in failures.iter().take(MAX_SHOWN) {
        screen.check(false, failure);
    }
    let whole = failures.is_empty() && numbers.len() == count && callbacks.len() == count;
    if !whole {
        bail!("not everything holds");
    }
    screen.check(
        true,
        "every chip written, every callback received once, no number used twice",
    );
    Ok(())
}

fn bar(count: usize) -> Result<ProgressBar> {
    let style = ProgressStyle::with_template("{msg:>10} {bar:40} {pos}/{len} {per_sec} {eta}")?;
    Ok(ProgressBar::new(count as u64)
        .with_style(style)
        .with_message("applied"))
}

async fn wait_for_callbacks(world: &World, count: usize) {
    let arrived = async {
        while world.ground.receiver.received().len() < count {
            tokio::time::sleep(CALLBACK_INTERVAL).await;
        }
    };
    let _ = tokio::time::timeout(CALLBACK_TIMEOUT, arrived).await;
}
