//! Chaos: business systems apply and cancel, cards are powered and written, and all the while platform and gateway, and
//! on PostgreSQL that and Redis, are killed (`kill -9`) at random moments and started again. In the end nothing that was acknowledged is lost, no number
//! has two cards, the pool adds up, every card's history is without gaps, and each outcome was called back.
//!
//! The moments come from a seed; what runs between them is real and does not repeat exactly.

mod life;
mod proof;
mod servers;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::Value;
use test_support::address::own_address;
use test_support::components::inventory;
use test_support::platform_database::PlatformDatabase;
use test_support::process::{Node, Part, Starter};
use xieka::api::Api;
use xieka::demo::demo_env::DemoEnv;
use xieka::demo::world::World;

use life::{Fate, live};
pub use servers::Engine;
use servers::{PROCESSES, Servers, Victim};

/// Cards that are under way at the same time.
const WORKERS: u32 = 4;
/// Pauses between two kills, in milliseconds.
const PAUSE_MS: std::ops::Range<u64> = 150..900;
/// By how much the platform's clock is put ahead at the end, in seconds: beyond every lease, and still within what
/// receivers accept of a signature's age.
const AHEAD_SECS: u64 = 150;
/// Ticks within which every callback has been delivered in the end.
const LAST_TICKS: u32 = 50;

/// What to do.
pub struct Plan {
    /// How often something is killed.
    pub kills: u32,
    /// Cards and numbers there are.
    pub cards: u32,
    /// Where the moments come from.
    pub seed: u64,
    /// The program that runs one part when asked to: `chaos`.
    pub program: PathBuf,
    /// The application's root, with built components.
    pub root: PathBuf,
    /// What the state and the counters are on.
    pub engine: Engine,
}

/// What happened.
#[derive(Debug, Default)]
pub struct Tally {
    /// How often each was killed.
    pub killed: BTreeMap<&'static str, u32>,
    /// Cards that were written.
    pub written: usize,
    /// Applications that were withdrawn.
    pub cancelled: usize,
    /// Power-ups it took.
    pub power_ups: u32,
    /// Callbacks that arrived, repetitions included.
    pub arrivals: usize,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, times) in &self.killed {
            write!(f, "{name} killed {times} times, ")?;
        }
        write!(
            f,
            "{} cards written in {} power-ups, {} applications withdrawn; \
             {} callbacks arrived for {} outcomes; nothing lost, nothing doubled, pool and histories whole",
            self.written, self.power_ups, self.cancelled, self.arrivals, self.written
        )
    }
}

/// Runs the plan and proves the outcome.
///
/// # Errors
/// What was lost, doubled or invented; or that nothing happened.
pub async fn run(plan: &Plan) -> Result<Tally> {
    let mut demo_env = DemoEnv::new().await?;
    let folder = demo_env.state_dir().to_owned();
    let servers = Servers::start(plan.engine)?;
    let mut database = match &servers {
        Some(servers) => servers.database(&plan.root, &folder, &mut demo_env.secrets)?,
        None => PlatformDatabase::Files(folder.clone()),
    };
    demo_env.secrets.write_new(&folder.join(".env"))?;
    let mut starter = Starter {
        program: plan.program.clone(),
        root: plan.root.clone(),
        folder: folder.clone(),
        platform: own_address()?,
        gateway: own_address()?,
        ahead_secs: 0,
    };
    let (host, gateway) = (
        starter.start(Part::Host).await?,
        starter.start(Part::Gateway).await?,
    );
    let api = Api::new(format!("http://{}", starter.platform));
    let world =
        Arc::new(World::prepare(demo_env, api, starter.gateway, inventory(plan.cards), &|_, _| {}).await?);

    let over = Arc::new(AtomicBool::new(false));
    let next = Arc::new(AtomicU32::new(0));
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| tokio::spawn(work(world.clone(), next.clone(), over.clone(), plan.cards)))
        .collect();
    let (nodes, killed) = kill(plan, &starter, [host, gateway], servers.as_ref()).await?;
    over.store(true, Ordering::Relaxed);
    let mut fates = BTreeMap::new();
    for worker in workers {
        fates.extend(worker.await??);
    }
    if let Some(servers) = &servers {
        database = servers.last(database);
    }
    // What a killed platform had on its way is due when its lease ends.
    drop(nodes);
    starter.ahead_secs = AHEAD_SECS;
    let _host = starter.start(Part::Host).await?;
    deliver_the_rest(&world, &database).await?;
    let mut tally = proof::examine(&world, &database, &fates, plan.cards)?;
    tally.killed = killed;
    ensure!(
        tally.written > 0 && tally.cancelled > 0,
        "nothing happened: {tally}"
    );
    Ok(tally)
}

/// Lives one card after the other until the killing is over.
async fn work(
    world: Arc<World>,
    next: Arc<AtomicU32>,
    over: Arc<AtomicBool>,
    cards: u32,
) -> Result<Vec<(String, Fate)>> {
    let mut fates = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let index = next.fetch_add(1, Ordering::Relaxed);
        ensure!(index < cards, "{cards} cards are too few");
        fates.push(live(&world, index).await?);
    }
    Ok(fates)
}

/// Kills and starts again; what runs in the end, and how often each was killed.
async fn kill(
    plan: &Plan,
    starter: &Starter,
    mut nodes: [Node; 2],
    servers: Option<&Servers>,
) -> Result<([Node; 2], BTreeMap<&'static str, u32>)> {
    let (mut killed, mut state) = (BTreeMap::new(), plan.seed | 1);
    let mut random = || {
        // Xorshift: the moments need no better.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for kill in 0..plan.kills {
        let pause = PAUSE_MS.start + random() % (PAUSE_MS.end - PAUSE_MS.start);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        if kill == plan.kills / 2 && servers.is_some_and(Servers::fail_over) {
            *killed.entry("the first server").or_default() += 1;
            continue;
        }
        let victims = servers.map_or(PROCESSES, Servers::victims);
        let (name, victim) = victims[usize::try_from(random() % 1_000)? % victims.len()];
        match (victim, servers) {
            (Victim::Part(part), _) => {
                let node = &mut nodes[usize::from(part == Part::Gateway)];
                node.victim().kill();
                *node = starter.start(part).await?;
            }
            (Victim::Server(end), Some(servers)) => end(servers),
            (Victim::Server(_), None) => {}
        }
        *killed.entry(name).or_default() += 1;
    }
    Ok((nodes, killed))
}

/// Ticks until no callback waits.
async fn deliver_the_rest(world: &World, database: &PlatformDatabase) -> Result<()> {
    let cron = world.demo_env.secrets.get("SPIN_VARIABLE_CRON_SECRET")?;
    for _ in 0..LAST_TICKS {
        let answer = world.api.post_json(cron, "/internal/cron", &Value::Null).await?;
        answer.ok("ticking")?;
        if proof::waiting(database)? == 0 {
            return Ok(());
        }
    }
    anyhow::bail!("{} callbacks still wait", proof::waiting(database)?)
}
