//! `chaos [KILLS]`: kills platform and gateway at random moments while cards are written, and proves that nothing was
//! lost, doubled or invented. See `xieka_tests::chaos`.
//!
//! `chaos part …` is one of the processes that are killed, so that this one program is all that needs to be built.

use anyhow::{Context as _, Result};
use test_support::part::{PART, serve};
use xieka_tests::chaos::{Plan, run};

/// Kills when the command line names no number.
const KILLS: u32 = 60;
/// Cards there are for each kill.
const CARDS_PER_KILL: u32 = 60;
/// Most cards of one run: what one import takes.
const MAX_CARDS: u32 = 5_000;

#[tokio::main]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.split_first() {
        Some((first, rest)) if first == PART => serve(rest).await,
        Some((kills, _)) => kill(kills.parse().context("KILLS")?).await,
        None => kill(KILLS).await,
    }
}

async fn kill(kills: u32) -> Result<()> {
    let root = xieka::components::application_root()?;
    xieka::components::build(&root)?;
    let plan = Plan {
        kills,
        cards: (kills * CARDS_PER_KILL).min(MAX_CARDS),
        seed: u64::from(std::process::id()),
        program: std::env::current_exe()?,
        root,
    };
    println!("{} kills, {} cards, seed {}", plan.kills, plan.cards, plan.seed);
    let tally = run(&plan).await?;
    println!("{tally}");
    Ok(())
}
