//! The measurements. Rounds of the servers alternate and the median round of each counts, because other work runs on
//! the same machine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use edge_host::Reuse;
use xieka::inventory::{Inventory, SAMPLE_TRANSPORT_KEY, SAMPLE_TRANSPORT_KEY_NAME};

use crate::client::{Requests, Round, Until, run};
use crate::periodic::idle_ticks;
use crate::platform::{MeasuredPlatform, component_sizes};
use crate::table::{goal, head, line, median};

/// Connections of a measurement with many.
pub(crate) const CONNECTIONS: usize = 16;
/// Measured rounds of each side.
pub(crate) const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(3);
/// Applications of one round.
pub(crate) const APPLICATIONS: usize = 1_500;
/// Chips and numbers of the small database.
pub(crate) const SMALL: u32 = 10_000;
/// Largest component, in bytes.
const MAX_COMPONENT_BYTES: u64 = 1_200 * 1_024;
/// Longest instantiation of a component, in milliseconds.
const MAX_INSTANTIATION_MS: f64 = 1.0;
/// Longest first answer of a fresh instance beyond opening the database, in milliseconds.
const MAX_FIRST_ANSWER_MS: f64 = 3.0;

pub(crate) fn eids(first: u32, count: u32) -> Result<Arc<Vec<String>>> {
    let part = Inventory::generate(first, count, SAMPLE_TRANSPORT_KEY_NAME, &SAMPLE_TRANSPORT_KEY)?;
    Ok(Arc::new(part.chips.into_iter().map(|chip| chip.eid).collect()))
}

/// Requests to the bare component.
fn hello() -> Arc<Requests> {
    same_target("/hello")
}

/// Requests that are all the same.
pub(crate) fn same_target(path: &'static str) -> Arc<Requests> {
    Arc::new(Requests {
        target: Box::new(move |_| path.to_owned()),
        bearer: String::new(),
        keep_bodies: false,
    })
}

/// Status queries of chips spread over the whole database.
pub(crate) fn queries(count: u32, token: &str) -> Result<Arc<Requests>> {
    let step = (count / 1_000).max(1);
    let mut spread = Vec::new();
    for first in (1..=count).step_by(step as usize) {
        spread.extend(eids(first, 1)?.iter().cloned());
    }
    Ok(Arc::new(Requests {
        target: Box::new(move |n| format!("/v1/write/status?eid={}", spread[n * 7 % spread.len()])),
        bearer: token.to_owned(),
        keep_bodies: false,
    }))
}

/// One round in which every answer must be a success.
pub(crate) async fn successful_round(
    addr: SocketAddr,
    connections: usize,
    requests: &Arc<Requests>,
    until: Until,
) -> Result<Round> {
    let round = run(addr, connections, until, requests.clone()).await?;
    round.all_good()?;
    Ok(round)
}

/// Measures these sides in turns, each a server and its requests, and returns the median rounds.
pub(crate) async fn in_turns<const N: usize>(
    connections: usize,
    sides: [(SocketAddr, &Arc<Requests>); N],
) -> Result<[Round; N]> {
    let mut rounds = [const { Vec::new() }; N];
    // One round of each to warm up, which does not count.
    for round in 0..=ROUNDS {
        for (side, (addr, requests)) in sides.into_iter().enumerate() {
            let done = successful_round(addr, connections, requests, Until::Passed(ROUND)).await?;
            if round > 0 {
                rounds[side].push(done);
            }
        }
    }
    Ok(rounds.map(median))
}

pub(crate) async fn status() -> Result<()> {
    let platform = MeasuredPlatform::with(SMALL).await?;
    let (bare, floor) = (hello(), same_target("/floor/sqlite"));
    let queries = queries(platform.count, &platform.token)?;
    let (host, native) = (platform.host.addr(), platform.native.addr);
    for connections in [CONNECTIONS, 1] {
        head(&format!("Status query, {connections} connection(s)"));
        let sides = [
            (host, &bare),
            (host, &floor),
            (host, &queries),
            (native, &queries),
        ];
        let [bare, floor, components, native] = in_turns(connections, sides).await?;
        line("bare component", &bare);
        line("two reads and a row of a log", &floor);
        line("platform: /v1/write/status", &components);
        line("native server, same work", &native);
        println!();
        if connections == 1 {
            goal(
                "longest answer on one connection, ms",
                components.max_ms(),
                40.0,
                false,
            );
        } else {
            goal(
                "platform / bare component",
                components.rate / bare.rate,
                0.5,
                true,
            );
            goal(
                "platform / two reads and a row of a log",
                components.rate / floor.rate,
                0.75,
                true,
            );
            goal(
                "platform / native server",
                components.rate / native.rate,
                0.4,
                true,
            );
            goal("p99, ms", components.quantile_ms(0.99), 15.0, false);
        }
    }
    platform.shutdown().await;
    Ok(())
}

/// Applications, each for a chip of its own.
pub(crate) fn applications(token: &str, eids: Arc<Vec<String>>, keep_bodies: bool) -> Arc<Requests> {
    Arc::new(Requests {
        target: Box::new(move |n| format!("/v1/write/apply?eid={}&write_type=1&province_code=37", eids[n])),
        bearer: token.to_owned(),
        keep_bodies,
    })
}

/// Measures applications on platform and native server in turns.
async fn measure_applications(platform: &MeasuredPlatform, rounds: usize) -> Result<[Round; 2]> {
    let mut sides = [Vec::new(), Vec::new()];
    for round in 0..rounds {
        let first = 1 + u32::try_from(round * APPLICATIONS)?;
        let eids = eids(first, u32::try_from(APPLICATIONS)?)?;
        for (side, addr) in [platform.host.addr(), platform.native.addr]
            .into_iter()
            .enumerate()
        {
            let requests = applications(&platform.token, eids.clone(), false);
            sides[side]
                .push(successful_round(addr, CONNECTIONS, &requests, Until::Sent(APPLICATIONS)).await?);
        }
    }
    Ok(sides.map(median))
}

pub(crate) async fn apply() -> Result<()> {
    let platform = MeasuredPlatform::with(SMALL).await?;
    head(&format!("Durable application, {CONNECTIONS} connections"));
    let [components, native] = measure_applications(&platform, ROUNDS).await?;
    line("platform: /v1/write/apply", &components);
    line("native server, same work", &native);
    println!();
    goal(
        "platform / native server",
        components.rate / native.rate,
        0.8,
        true,
    );
    goal("p99, ms", components.quantile_ms(0.99), 150.0, false);
    platform.shutdown().await;
    Ok(())
}

/// 1,500 applications over 16 connections for the last 1,000 numbers: 1,000 chips get one number each.
pub(crate) async fn last_numbers() -> Result<()> {
    const NUMBERS: usize = 1_000;
    const CHIPS: u32 = 1_500;
    let platform = MeasuredPlatform::with(CHIPS).await?;
    let surplus = CHIPS as usize - NUMBERS;
    platform.retire(surplus)?;
    let requests = applications(&platform.token, eids(1, CHIPS)?, true);
    let round = run(
        platform.host.addr(),
        CONNECTIONS,
        Until::Sent(CHIPS as usize),
        requests,
    )
    .await?;
    ensure!(
        round.statuses == [(200, NUMBERS), (409, surplus)],
        "answers: {:?}",
        round.statuses
    );
    let refusals = round.bodies.iter().filter(|body| body.contains("\"code\":409"));
    ensure!(
        refusals
            .clone()
            .all(|body| body.contains("province_without_number")),
        "another refusal"
    );
    let (reserved, chips) = platform.reserved()?;
    ensure!(
        reserved == NUMBERS && chips == NUMBERS,
        "{reserved} numbers for {chips} chips"
    );
    println!("\n### The last 1,000 numbers\n");
    println!(
        "{CHIPS} applications over {CONNECTIONS} connections: {NUMBERS} × 200, {surplus} × 409 province_without_number, {reserved} numbers reserved for {chips} chips"
    );
    platform.shutdown().await;
    Ok(())
}

pub(crate) async fn instances() -> Result<()> {
    println!("\n### Components\n");
    let mut largest = 0;
    for (name, bytes) in component_sizes()? {
        println!("- {name}: {bytes} bytes");
        largest = largest.max(bytes);
    }
    goal(
        "largest component, KB",
        largest as f64 / 1_024.0,
        MAX_COMPONENT_BYTES as f64 / 1_024.0,
        false,
    );
    let alone = Reuse {
        max_requests: 1,
        max_concurrent: 1,
        ..Reuse::default()
    };
    head("A fresh instance for every request, 1 connection");
    let (fresh, reused) = (
        MeasuredPlatform::with_reuse(100, alone).await?,
        MeasuredPlatform::with(100).await?,
    );
    // Idle instances of other components keep connections open. Without one, SQLite would copy its write-ahead log and
    // delete it whenever an instance ends.
    let _other_instance = fresh.open_database()?;
    let mut latencies = Vec::new();
    for (name, platform) in [("fresh instances", &fresh), ("reused instances", &reused)] {
        for (what, requests) in [
            ("openapi, which has no database", same_target("/docs")),
            ("/v1/write/status", queries(platform.count, &platform.token)?),
        ] {
            let mut rounds = Vec::new();
            for _ in 0..ROUNDS {
                rounds.push(
                    successful_round(
                        platform.host.addr(),
                        1,
                        &requests,
                        Until::Passed(Duration::from_secs(1)),
                    )
                    .await?,
                );
            }
            let round = median(rounds);
            line(&format!("{what}, {name}"), &round);
            latencies.push(round.quantile_ms(0.5));
        }
    }
    println!();
    goal(
        "instantiation of a component of the platform, ms",
        latencies[0] - latencies[2],
        MAX_INSTANTIATION_MS,
        false,
    );
    let opening_ms = fresh.opening_ms()?;
    println!("- opening the database, p50, ms: {opening_ms:.2}");
    goal(
        "first answer of a fresh instance beyond opening the database, ms",
        latencies[1] - opening_ms,
        MAX_FIRST_ANSWER_MS,
        false,
    );
    fresh.shutdown().await;
    reused.shutdown().await;
    Ok(())
}

pub(crate) async fn scale(large: u32) -> Result<()> {
    let started = Instant::now();
    let (small, large) = (
        MeasuredPlatform::with(SMALL).await?,
        MeasuredPlatform::with(large).await?,
    );
    eprintln!("both databases after {:.0} s", started.elapsed().as_secs_f64());
    head(&format!(
        "{SMALL} and {} chips and numbers, {CONNECTIONS} connections",
        large.count
    ));
    let (few, many) = (
        queries(small.count, &small.token)?,
        queries(large.count, &large.token)?,
    );
    let mut queried = [Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        for (side, (platform, requests)) in [(&small, &few), (&large, &many)].into_iter().enumerate() {
            let done =
                successful_round(platform.host.addr(), CONNECTIONS, requests, Until::Passed(ROUND)).await?;
            if round > 0 {
                queried[side].push(done);
            }
        }
    }
    let mut applied = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        let first = 1 + u32::try_from(round * APPLICATIONS)?;
        for (side, platform) in [&small, &large].into_iter().enumerate() {
            let requests = applications(&platform.token, eids(first, u32::try_from(APPLICATIONS)?)?, false);
            applied[side].push(
                successful_round(
                    platform.host.addr(),
                    CONNECTIONS,
                    &requests,
                    Until::Sent(APPLICATIONS),
                )
                .await?,
            );
        }
    }
    let [few_queries, many_queries] = queried.map(median);
    let [few_applied, many_applied] = applied.map(median);
    line("status, small database", &few_queries);
    line("status, large database", &many_queries);
    line("application, small database", &few_applied);
    line("application, large database", &many_applied);
    println!();
    goal(
        "status, small / large",
        few_queries.rate / many_queries.rate,
        1.3,
        false,
    );
    goal(
        "application, small / large",
        few_applied.rate / many_applied.rate,
        1.3,
        false,
    );
    idle_ticks(&large).await?;
    small.shutdown().await;
    large.shutdown().await;
    Ok(())
}
