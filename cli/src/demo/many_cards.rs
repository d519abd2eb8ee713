//! The demonstration of many cards: a progress bar, a summary, and the checks of a single card for each.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use card_sim::Module;
use indicatif::{ProgressBar, ProgressStyle};

use super::check;
use super::screen::Screen;
use super::world::World;
use crate::language::text;

/// Modules that are powered at the same time.
const POWERED_AT_ONCE: usize = 16;
/// How long the last callbacks may take after the last card was written.
const CALLBACK_TIMEOUT: Duration = Duration::from_secs(60);
/// How often the number of callbacks is checked.
const CALLBACK_INTERVAL: Duration = Duration::from_millis(100);
/// Most failures that are printed one by one.
const MAX_SHOWN: usize = 10;

/// Modules after their power cycle, and the time each phase took.
struct Run {
    modules: Vec<Module>,
    applied_in: Duration,
    written_in: Duration,
}

/// Results of the checks of all chips.
#[derive(Default)]
struct Results {
    /// Number of chips in each card state.
    states: BTreeMap<String, usize>,
    /// ICCIDs of the numbers in the chips.
    iccids: HashSet<String>,
    failures: Vec<String>,
}

/// Applies for every chip, powers them all, and checks each.
///
/// # Errors
/// A call that the platform refuses, or a check that does not hold.
pub(crate) async fn run(screen: &Screen, world: &World) -> Result<()> {
    let count = world.inventory.chips.len();
    screen.heading(&text(
        format!("为 {count} 个芯片申请写卡，每次上电 {POWERED_AT_ONCE} 个"),
        format!("Apply for {count} chips, power {POWERED_AT_ONCE} at a time"),
    ));
    let run = write_all(world).await?;
    wait_for_callbacks(world, count).await;
    let results = check_all(world, &run.modules).await?;
    summarise(screen, world, &run, &results);
    let callbacks = world.demo_env.receiver.received().len();
    if !results.failures.is_empty() || results.iccids.len() != count || callbacks != count {
        bail!(text("并非每项核对都成立", "not every check holds"));
    }
    screen.check(
        true,
        text(
            "每个芯片都已写入，每次回调都只收到一次，没有重复使用的码号",
            "every chip written, every callback received once, no number used twice",
        ),
    );
    Ok(())
}

async fn write_all(world: &World) -> Result<Run> {
    let count = world.inventory.chips.len();
    let started = Instant::now();
    let bar = progress_bar(count)?;
    let mut off = Vec::with_capacity(count);
    for chip in &world.inventory.chips {
        world.apply(&chip.eid).await?;
        off.push(world.module(chip)?);
        bar.inc(1);
    }
    let applied_in = started.elapsed();
    bar.reset();
    bar.set_message(text("已写入", "written"));
    let mut modules = Vec::with_capacity(count);
    card_sim::power_all(off, POWERED_AT_ONCE, |module, _| {
        bar.inc(1);
        modules.push(module);
    })
    .await;
    bar.finish_and_clear();
    Ok(Run {
        modules,
        applied_in,
        written_in: started.elapsed() - applied_in,
    })
}

async fn check_all(world: &World, modules: &[Module]) -> Result<Results> {
    let callbacks = world.demo_env.receiver.received();
    let mut results = Results::default();
    for module in modules {
        let eid = module.chip().personalisation().eid.to_string();
        let status = world.status(&eid).await?;
        let checks = check::examine(&world.inventory, module.chip(), &eid, &status, &callbacks)?;
        let state = status["card_status"].as_str().unwrap_or("?");
        *results.states.entry(state.to_owned()).or_default() += 1;
        if let Some(number) = checks.number
            && !results.iccids.insert(number.iccid.clone())
        {
            let iccid = &number.iccid;
            results.failures.push(text(
                format!("{eid}：{iccid} 也在另一个芯片中"),
                format!("{eid}: {iccid} is in another chip too"),
            ));
        }
        let failed = checks.results.into_iter().filter(|(holds, _)| !holds);
        results
            .failures
            .extend(failed.map(|(_, result)| format!("{eid}: {result}")));
    }
    Ok(results)
}

fn summarise(screen: &Screen, world: &World, run: &Run, results: &Results) {
    screen.heading(text("汇总", "Summary"));
    for (state, chips) in &results.states {
        screen.line("platform", &format!("{chips} × {state}"));
    }
    let receiver = &world.demo_env.receiver;
    let (received, refused) = (receiver.received().len(), receiver.refused().len());
    screen.line(
        "client",
        &text(
            format!("收到 {received} 次回调，拒绝 {refused} 次"),
            format!("{received} callbacks, {refused} refused"),
        ),
    );
    let (numbers, chips) = (results.iccids.len(), run.modules.len());
    screen.line(
        "chip",
        &text(
            format!("{chips} 个芯片中有 {numbers} 个不同的码号"),
            format!("{numbers} different numbers in {chips} chips"),
        ),
    );
    let (applied, written) = (run.applied_in.as_secs_f32(), run.written_in.as_secs_f32());
    screen.line(
        "",
        &text(
            format!("申请用时 {applied:.1} s，写入用时 {written:.1} s"),
            format!("applied in {applied:.1} s, written in {written:.1} s"),
        ),
    );
    for failure in results.failures.iter().take(MAX_SHOWN) {
        screen.check(false, failure);
    }
}

fn progress_bar(count: usize) -> Result<ProgressBar> {
    let style = ProgressStyle::with_template("{msg:>10} {bar:40} {pos}/{len} {per_sec} {eta}")?;
    Ok(ProgressBar::new(count as u64)
        .with_style(style)
        .with_message(text("已申请", "applied")))
}

async fn wait_for_callbacks(world: &World, count: usize) {
    let arrived = async {
        while world.demo_env.receiver.received().len() < count {
            tokio::time::sleep(CALLBACK_INTERVAL).await;
        }
    };
    // After the time-out the checks show which callbacks are missing.
    let _ = tokio::time::timeout(CALLBACK_TIMEOUT, arrived).await;
}
