//! What refused calls of an unauthenticated caller cost the others: a client asks for states alone and beside them, in
//! turns, and the rows of the call log that the refused calls took are counted.
//!
//! The refused calls come from one address over as many connections as other measurements have: with a token that
//! nobody issued, with a wrong client secret, and with a wrong administrator's secret. Their address is far beyond what
//! it may make in a minute, so most are answered 429. The client has one connection and sends one call after another.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::client::{Callers, Requests, Round, Until, run, run_as};
use crate::platform::MeasuredPlatform;
use crate::table::{goal, head, line, together};
use crate::work::{CONNECTIONS, ROUNDS, SMALL, queries};

/// The address of the refused caller.
const REFUSED_FROM: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// A token of the right length that nobody issued, and a secret.
const UNKNOWN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// How long each side of a round takes.
const ROUND: Duration = Duration::from_secs(4);
/// Refused calls that may take at most [`MAX_ROWS`].
const CALLS: u64 = 10_000;
/// Most rows of the call log.
const MAX_ROWS: f64 = 100.0;
/// Largest p99 of the client beside the refused calls, as a multiple of that alone.
const MAX_RATIO: f64 = 1.2;
/// How long rows of the call log may wait to be written.
const MAX_WAIT: Duration = Duration::from_secs(10);
/// Between two looks at the call log.
const LOOK: Duration = Duration::from_millis(200);

/// Measures with `rate` refused calls a second; 0: as many as are answered.
pub(crate) async fn refusals(rate: u32) -> Result<()> {
    let platform = MeasuredPlatform::with(SMALL).await?;
    let (client, unauthenticated) = (
        queries(platform.count, &platform.token)?,
        refused_calls(&platform)?,
    );
    let callers = Callers {
        from: REFUSED_FROM,
        connections: CONNECTIONS,
        pace: Duration::from_secs(1).checked_div(rate).unwrap_or_default(),
    };
    let addr = platform.host.addr();
    let mut sides = [Vec::new(), Vec::new(), Vec::new()];
    let mut sent = 0;
    // One round of each to warm up, of which only the rows count.
    for round in 0..=ROUNDS {
        let until = Until::Passed(ROUND);
        let alone = run(addr, 1, until, client.clone()).await?;
        let flood = tokio::spawn(run_as(callers, addr, until, unauthenticated.clone()));
        let beside = run(addr, 1, until, client.clone()).await?;
        let flood = flood.await??;
        for done in [&alone, &beside] {
            done.all_good()?;
        }
        ensure!(
            flood
                .statuses
                .iter()
                .all(|(status, _)| (400..500).contains(status)),
            "answers to refused calls: {:?}",
            flood.statuses
        );
        sent += flood.latencies.len();
        if round > 0 {
            for (side, done) in sides.iter_mut().zip([alone, beside, flood]) {
                side.push(done);
            }
        }
    }
    let [alone, beside, flood] = sides.map(together);
    report(rate, &alone?, &beside?, &flood?);
    rows(&platform, sent).await?;
    platform.shutdown().await;
    Ok(())
}

/// Calls that are refused before anybody is authenticated.
fn refused_calls(platform: &MeasuredPlatform) -> Result<Arc<Requests>> {
    let client = platform.client_id()?.to_owned();
    Ok(Arc::new(Requests {
        target: Box::new(move |n| match n % 4 {
            0 => "/v1/write/status?eid=89086030202200000022000000000090".to_owned(),
            1 => "/v1/write/apply?eid=89086030202200000022000000000090&write_type=1&province_code=37"
                .to_owned(),
            2 => format!("/v1/token?client_id={client}&client_secret={UNKNOWN}"),
            _ => "/admin/v1/clients".to_owned(),
        }),
        bearer: UNKNOWN.to_owned(),
        keep_bodies: false,
    }))
}

fn report(rate: u32, alone: &Round, beside: &Round, flood: &Round) {
    let pace = if rate == 0 {
        "as fast as they are answered".to_owned()
    } else {
        format!("{rate} a second")
    };
    head(&format!("A client beside refused calls, {pace}"));
    line("status, 1 connection, alone", alone);
    line("the same beside refused calls", beside);
    line(&format!("refused calls, {CONNECTIONS} connections"), flood);
    println!();
    for (status, count) in &flood.statuses {
        println!("- refused calls answered {status}: {count}");
    }
    goal(
        "p99 beside refused calls / alone",
        beside.quantile_ms(0.99) / alone.quantile_ms(0.99),
        MAX_RATIO,
        false,
    );
}

/// Waits until the call log has every refused call, and prints how many rows it has for them.
async fn rows(platform: &MeasuredPlatform, sent: u64) -> Result<()> {
    let waiting = Instant::now();
    let mut found = platform.refused_calls()?;
    while found.1 < sent && waiting.elapsed() < MAX_WAIT {
        tokio::time::sleep(LOOK).await;
        found = platform.refused_calls()?;
    }
    let (rows, calls) = found;
    ensure!(calls == sent, "the call log has {calls} of {sent} refused calls");
    ensure!(sent >= CALLS, "{sent} refused calls, fewer than {CALLS}");
    goal(
        &format!("rows of {sent} refused calls"),
        rows as f64,
        MAX_ROWS,
        false,
    );
    Ok(())
}
