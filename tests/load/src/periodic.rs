//! The cost of the periodic work with two million chips, and a year of temporary numbers in which each expiry is
//! reported exactly once.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Result, anyhow, ensure};
use domain::{AlertId, DAY_MS, Zone};
use futures::executor::block_on;
use hdrhistogram::Histogram;
use operations::{
    AlertView, Context, Job, MAX_ALERTS_PER_PAGE, MaintenanceSettings, POOL_LOW_WATER, REFUSALS_PER_HOUR,
    Retention, STUCK_AFTER_MINUTES, STUCK_GROUP_CARDS, STUCK_GROUP_PERCENT, StuckSettings, list_alerts,
    run_job,
};
use serde_json::Value;
use store::Sqlite;
use xieka::api::Api;

use crate::generate::{self, OsRandom, now};
use crate::platform::MeasuredPlatform;
use crate::table::goal;

/// Ticks that are measured.
const TICKS: usize = 500;
/// Days of the year, and those after which the last period is over.
const DAYS: i64 = 366;

/// Measures ticks with nothing due.
pub(crate) async fn idle_ticks(platform: &MeasuredPlatform) -> Result<()> {
    let count = platform.count;
    let api = Api::new(format!("http://{}", platform.host.addr()));
    let cron = platform.cron_secret()?;
    let mut times = Histogram::<u64>::new_with_max(60_000_000, 3)?;
    for tick in 0..=TICKS {
        let started = Instant::now();
        let tick_result = api
            .post_json(&cron, "/internal/cron", &Value::Null)
            .await?
            .ok("ticking")?;
        ensure!(tick_result["more"] == false, "work is due: {tick_result}");
        // The first tick fills caches and creates the rows of the job log.
        if tick > 0 {
            times.record(u64::try_from(started.elapsed().as_micros())?.max(1))?;
        }
    }
    println!("\n### A tick with nothing due, {count} chips and numbers\n");
    let ms = |quantile| times.value_at_quantile(quantile) as f64 / 1_000.0;
    println!("{TICKS} ticks: p50 {:.2} ms, p99 {:.2} ms", ms(0.5), ms(0.99));
    goal("a tick with nothing due, p50, ms", ms(0.5), 5.0, false);
    Ok(())
}

/// Runs the job of temporary numbers for each day of a year; some numbers expire on every day.
pub(crate) fn year(count: u32) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (file, secrets) = (folder.path().join("sqlite_db.db"), generate::secrets()?);
    futures::executor::block_on(generate::fill(&file, &secrets, count))?;
    let db = Sqlite::open(&file).map_err(|problem| anyhow!("{problem}"))?;
    let start = now();
    // Fresh numbers end on day 31 and later, so that each has its warning within the year.
    db.connection().execute(
        "UPDATE chip SET temp_expires_at = ?1 + (31 + abs(rowid) % 335) * ?2, \
         temp_next_at = ?1 + (1 + abs(rowid) % 335) * ?2, temp_stage = 0",
        [start.millis(), DAY_MS],
    )?;
    db.connection().execute_batch("PRAGMA synchronous = OFF")?;
    let vault = generate::vault(&secrets)?;
    let at = |now| Context::new((&db, &db), &vault, now, &OsRandom, Zone::UTC);
    let maintenance = MaintenanceSettings {
        writing_limit_hours: 0,
        retention: Retention::DEFAULT,
        pool_low_water: POOL_LOW_WATER,
        stuck: StuckSettings {
            after_minutes: STUCK_AFTER_MINUTES,
            group_cards: STUCK_GROUP_CARDS,
            group_percent: STUCK_GROUP_PERCENT,
        },
        refusals_per_hour: REFUSALS_PER_HOUR,
        backup_days: 0,
        drill_days: 0,
        clock_trusted: false,
        clock_held: false,
    };
    let (started, mut runs) = (Instant::now(), 0);
    for day in 0..=DAYS {
        let cx = at(start.plus(day * DAY_MS));
        loop {
            runs += 1;
            let done = block_on(run_job(&cx, Job::TemporaryNumbers, &maintenance));
            if !done.map_err(|problem| anyhow!("{problem}"))?.more {
                break;
            }
        }
    }
    let secs = started.elapsed().as_secs_f64();
    let reported = count_reports(&at(start.plus(DAYS * DAY_MS)))?;
    let chips = count as usize;
    for kind in ["temporary_numbers_expiring", "temporary_numbers_expired"] {
        let of_kind = reported.get(kind).ok_or_else(|| anyhow!("no {kind}"))?;
        ensure!(
            of_kind.len() == chips && of_kind.values().all(|times| *times == 1),
            "{kind}: {} of {chips} chips, at most {:?} times",
            of_kind.len(),
            of_kind.values().max()
        );
    }
    println!("\n### A year of temporary numbers, {count} chips\n");
    println!(
        "{count} chips, {DAYS} days, {runs} runs in {secs:.0} s: each reported once before its end and once after"
    );
    Ok(())
}

/// How often each chip was reported, by kind of alert.
fn count_reports(cx: &Context<'_, Sqlite>) -> Result<BTreeMap<String, BTreeMap<String, u32>>> {
    let mut reported: BTreeMap<String, BTreeMap<String, u32>> = BTreeMap::new();
    let mut cursor: Option<AlertId> = None;
    loop {
        let page: Vec<AlertView> = block_on(list_alerts(cx, true, cursor, MAX_ALERTS_PER_PAGE))
            .map_err(|problem| anyhow!("{problem}"))?;
        let Some(last) = page.last() else {
            return Ok(reported);
        };
        cursor = Some(last.id);
        for alert in page {
            let of_kind = reported.entry(alert.kind).or_default();
            let eids = alert.body.get("eids").map(String::as_str).unwrap_or_default();
            for eid in eids.split(',').filter(|eid| !eid.is_empty()) {
                *of_kind.entry(eid.to_owned()).or_default() += 1;
            }
        }
    }
}
