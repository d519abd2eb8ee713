//! `chaos [KILLS] [servers|replica]`: kills platform and gateway at random moments while cards are written, and proves that
//! nothing was lost, doubled or invented. With `servers` the state is on PostgreSQL and the counters are on Redis, of
//! Debian's packages, and both are killed as well; with `replica` a PostgreSQL server is ended for good, and the one that
//! followed it takes its place. See `xieka_tests::chaos`.
//!
//! `chaos part …` is one of the processes that are killed, so that this one program is all that needs to be built.

use anyhow::{Context as _, Result};
use test_support::part::{PART, serve};
use xieka_tests::chaos::{Engine, Plan, run};

/// Kills when the command line names no number.
const KILLS: u32 = 60;
/// The words that ask for servers.
const ENGINES: [(&str, Engine); 2] = [("servers", Engine::Servers), ("replica", Engine::Replica)];
/// Cards there are for each kill.
const CARDS_PER_KILL: u32 = 60;
/// Most cards of one run: what one import takes.
const MAX_CARDS: u32 = 5_000;

#[tokio::main]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.split_first() {
        Some((first, rest)) if first == PART => serve(rest).await,
        _ => {
            let engine_of = |word: &String| ENGINES.iter().find(|(name, _)| word == name);
            let engine = words.iter().find_map(engine_of).map(|(_, engine)| *engine);
            let kills = words.iter().find(|word| engine_of(word).is_none());
            let kills = kills.map_or(Ok(KILLS), |kills| kills.parse());
            kill(kills.context("KILLS")?, engine.unwrap_or(Engine::Files)).await
        }
    }
}

async fn kill(kills: u32, engine: Engine) -> Result<()> {
    let root = xieka::components::application_root()?;
    xieka::components::build(&root)?;
    let plan = Plan {
        kills,
        cards: (kills * CARDS_PER_KILL).min(MAX_CARDS),
        seed: u64::from(std::process::id()),
        program: std::env::current_exe()?,
        root,
        engine,
    };
    println!("{} kills, {} cards, seed {}", plan.kills, plan.cards, plan.seed);
    let tally = run(&plan).await?;
    println!("{tally}");
    Ok(())
}
