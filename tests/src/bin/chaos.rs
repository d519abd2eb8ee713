//! `chaos [KILLS]`: kills platform and gateway at random moments while cards are written, and proves that nothing was
//! lost, doubled or invented. See `xieka_tests::chaos`.

use anyhow::{Context as _, Result};
use xieka_tests::chaos::{Plan, run};
use xieka_tests::process::beside;

/// Kills unless told otherwise.
const KILLS: u32 = 60;
/// Cards there are for each kill.
const CARDS_PER_KILL: u32 = 60;

#[tokio::main]
async fn main() -> Result<()> {
    let kills = std::env::args()
        .nth(1)
        .map_or(Ok(KILLS), |text| text.parse())
        .context("KILLS")?;
    let root = xieka::components::application_root()?;
    xieka::components::build(&root)?;
    let plan = Plan {
        kills,
        cards: (kills * CARDS_PER_KILL).min(5_000),
        seed: u64::from(std::process::id()),
        node: beside("node")?,
        root,
    };
    println!("{} kills, {} cards, seed {}", plan.kills, plan.cards, plan.seed);
    let tally = run(&plan).await?;
    println!("{tally}");
    Ok(())
}
