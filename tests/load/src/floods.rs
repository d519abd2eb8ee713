//! Thousands of connections at the gateway that never send a ClientHello: how long the chips beside them take.
//!
//! Half of the connections send nothing, the others one byte, the first of a TLS record. The flood is a thread with a
//! runtime of its own, so that it shares the machine with platform and gateway and no scheduler. Each chip is written
//! and verified, one after another, from another address than the flood and from an address of it.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use futures::future::try_join_all;
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use xieka::demo::demo_env::DemoEnv;
use xieka::demo::world::World;
use xieka::inventory::{ChipRow, Inventory, SAMPLE_TRANSPORT_KEY, SAMPLE_TRANSPORT_KEY_NAME};

use crate::client::{LONGEST_US, Round, connect};
use crate::table::{goal, head, line};

/// Connections of a flood at a time.
const HELD: usize = 5_000;
/// New connections of a flood in each [`BEAT`], 500 a second. Each takes the place of the oldest.
const NEW_PER_BEAT: usize = 10;
const BEAT: Duration = Duration::from_millis(20);
/// Least new connections a second, for which the rest is measured.
const MIN_RATE: f64 = 490.0;
/// The first byte of a TLS record of a handshake.
const FIRST_BYTE: u8 = 22;
/// Open files that this process needs: the flood, what the gateway keeps of it, platform and gateway themselves.
const OPEN_FILES: usize = 8_192;
/// Chips of each measurement.
const CHIPS: usize = 40;
/// Chips that are written before, to warm up.
const WARM_UP: usize = 5;
/// Between two chips, so that a measurement sees ten seconds of a flood.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a flood may take to open its first connections.
const MAX_FILLING: Duration = Duration::from_secs(60);
/// The address of chips elsewhere.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// Largest time of a chip elsewhere, as a multiple of its quiet time.
const MAX_RATIO: f64 = 2.0;
/// Longest time of a chip behind an address of the flood, in seconds.
const MAX_BEHIND_SECS: f64 = 5.0;

/// Where a flood comes from.
#[derive(Clone, Copy)]
enum From {
    /// One address.
    One,
    /// An address for each connection.
    Many,
}

impl From {
    fn address(self, connection: usize) -> Ipv4Addr {
        let of_all = u32::from(Ipv4Addr::new(127, 1, 0, 1));
        match self {
            Self::One => Ipv4Addr::new(127, 0, 0, 2),
            Self::Many => (of_all + (connection % 0xFFFF) as u32).into(),
        }
    }
}

/// Writes chips without a flood and with both.
pub(crate) async fn floods() -> Result<()> {
    enough_open_files()?;
    let root = xieka::components::application_root()?;
    xieka::components::build(&root)?;
    let demo_env = DemoEnv::new().await?;
    let stack = demo_env.launch(root).start().await?;
    let (api, gateway) = (stack.api.clone(), stack.gateway.addr());
    let count = u32::try_from(WARM_UP + 6 * CHIPS)?;
    let inventory = Inventory::generate(1, count, SAMPLE_TRANSPORT_KEY_NAME, &SAMPLE_TRANSPORT_KEY)?;
    let world = World::prepare(demo_env, api, gateway, inventory, &|_, _| {}).await?;
    let mut chips = world.inventory.chips.chunks(CHIPS);
    let mut next = || chips.next().context("chips");
    write(
        &world,
        &[(&world.inventory.chips[count as usize - WARM_UP..], ELSEWHERE)],
    )
    .await?;
    for (from, name) in [(From::One, "one address"), (From::Many, "an address each")] {
        let [quiet] = write(&world, &[(next()?, ELSEWHERE)]).await?;
        let flood = Flood::start(gateway, from).await?;
        let behind = from.address(0);
        let [elsewhere, same] = write(&world, &[(next()?, ELSEWHERE), (next()?, behind)]).await?;
        let rate = flood.stop()?;
        report(name, &quiet, &elsewhere, &same);
        goal("new connections of the flood, a second", rate, MIN_RATE, true);
        for refused in refusals(stack.gateway.metrics_addr()).await? {
            println!("- closed by the gateway so far, by limit: {refused}");
        }
    }
    stack.shutdown().await;
    Ok(())
}

fn report(name: &str, quiet: &Round, elsewhere: &Round, behind: &Round) {
    head(&format!(
        "{HELD} connections without a ClientHello, 500 new ones a second, from {name}"
    ));
    line("a chip, without them", quiet);
    line("a chip elsewhere, beside them", elsewhere);
    line("a chip behind an address of them", behind);
    println!();
    for (what, quantile) in [("p50", 0.5), ("longest", 1.0)] {
        goal(
            &format!("a chip elsewhere, {what}, beside them / without them"),
            elsewhere.quantile_ms(quantile) / quiet.quantile_ms(quantile),
            MAX_RATIO,
            false,
        );
    }
    goal(
        "a chip behind an address of them, longest, s",
        behind.max_ms() / 1_000.0,
        MAX_BEHIND_SECS,
        false,
    );
}

/// Applies for chips, powers each up once, and measures how long it takes until it is written and verified. Chips of
/// several addresses take turns.
async fn write<const N: usize>(world: &World, sides: &[(&[ChipRow], Ipv4Addr); N]) -> Result<[Round; N]> {
    let mut times = Vec::new();
    for _ in sides {
        times.push(Histogram::<u64>::new_with_max(LONGEST_US, 3)?);
    }
    for at in 0..sides[0].0.len() {
        for ((chips, from), times) in sides.iter().zip(&mut times) {
            let chip = &chips[at];
            world.apply(&chip.eid).await?;
            let mut module = world.module(chip)?;
            module.settings_mut().source = Some((*from).into());
            let started = Instant::now();
            let done = module.power_on().await;
            let took = u64::try_from(started.elapsed().as_micros())?;
            let state = world.status(&chip.eid).await?;
            ensure!(
                done.finished() && state["card_status"] == "写卡成功",
                "a chip from {from} was not written: {done}, {state}"
            );
            times.record(took.clamp(1, LONGEST_US))?;
            tokio::time::sleep(PAUSE).await;
        }
    }
    let rounds: Vec<_> = times.into_iter().map(round).collect();
    rounds.try_into().map_err(|_| anyhow!("as many rounds as sides"))
}

/// Times of chips that were written one after another.
fn round(latencies: Histogram<u64>) -> Round {
    Round {
        rate: 1_000_000.0 / latencies.mean(),
        latencies,
        statuses: Vec::new(),
        bodies: Vec::new(),
    }
}

/// A running flood.
struct Flood {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<f64>>,
}

impl Flood {
    /// Starts a flood, and waits until it has opened all its first connections.
    async fn start(gateway: SocketAddr, from: From) -> Result<Self> {
        let (stop, opened) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let (until, count) = (stop.clone(), opened.clone());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(flood(gateway, from, &until, &count))
        });
        let started = Instant::now();
        while opened.load(Ordering::Relaxed) < HELD {
            ensure!(
                !thread.is_finished() && started.elapsed() < MAX_FILLING,
                "only {} connections were opened",
                opened.load(Ordering::Relaxed)
            );
            tokio::time::sleep(BEAT).await;
        }
        eprintln!(
            "{HELD} connections after {:.1} s",
            started.elapsed().as_secs_f64()
        );
        Ok(Self { stop, thread })
    }

    /// Ends the flood; returns how many connections a second it opened after its first.
    fn stop(self) -> Result<f64> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("the flood panicked"))?
    }
}

/// Opens connections until `stop` is set; returns how many a second after the first ones.
async fn flood(gateway: SocketAddr, from: From, stop: &AtomicBool, opened: &AtomicUsize) -> Result<f64> {
    let mut held = VecDeque::with_capacity(HELD);
    while held.len() < HELD {
        held.extend(some_more(gateway, from, held.len()).await?);
        opened.store(held.len(), Ordering::Relaxed);
    }
    let (started, mut count) = (Instant::now(), 0);
    let mut beat = tokio::time::interval(BEAT);
    while !stop.load(Ordering::Relaxed) {
        beat.tick().await;
        held.drain(..NEW_PER_BEAT);
        held.extend(some_more(gateway, from, HELD + count).await?);
        count += NEW_PER_BEAT;
    }
    Ok(count as f64 / started.elapsed().as_secs_f64())
}

/// The connections of a beat, at the same time.
async fn some_more(gateway: SocketAddr, from: From, first: usize) -> Result<Vec<TcpStream>> {
    let numbers = first..first + NEW_PER_BEAT;
    try_join_all(numbers.map(|number| half_open(gateway, from.address(number), number))).await
}

/// A connection that sends nothing, or every other one a byte.
async fn half_open(gateway: SocketAddr, from: Ipv4Addr, number: usize) -> Result<TcpStream> {
    let mut stream = connect(from, gateway)
        .await
        .context("a connection of the flood")?;
    if number % 2 == 1 {
        // The gateway may have closed it already.
        let _ = stream.write_all(&[FIRST_BYTE]).await;
    }
    Ok(stream)
}

/// The gateway's counts of connections that it closed for a limit.
async fn refusals(metrics: SocketAddr) -> Result<Vec<String>> {
    let mut stream = TcpStream::connect(metrics).await?;
    let request = format!("GET /metrics HTTP/1.1\r\nhost: {metrics}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    let counts = text
        .lines()
        .filter_map(|line| line.strip_prefix("xieka_gateway_refused_connections_total"));
    Ok(counts.map(str::to_owned).collect())
}

/// Refuses to run where a process may not have as many open files as both ends of the connections need.
fn enough_open_files() -> Result<()> {
    let Ok(limits) = std::fs::read_to_string("/proc/self/limits") else {
        return Ok(());
    };
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    let soft: usize = soft.unwrap_or(usize::MAX);
    ensure!(
        soft >= OPEN_FILES,
        "{soft} open files are allowed and {OPEN_FILES} needed: `ulimit -n {OPEN_FILES}` first"
    );
    Ok(())
}
