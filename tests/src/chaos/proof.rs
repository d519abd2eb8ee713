//! What must hold in the end, read from the database as it is on disk and from what arrived at the receiver.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use test_support::platform_database::PlatformDatabase;
use xieka::demo::world::World;

use super::Tally;
use super::life::Fate;

/// How many callbacks wait.
pub(super) fn waiting(database: &PlatformDatabase) -> Result<i64> {
    count(database, "SELECT count(*) FROM message WHERE state = 'pending'")
}

fn count(database: &PlatformDatabase, sql: &str) -> Result<i64> {
    let rows = database.rows(sql);
    let row = rows.first().and_then(|row| row.first());
    row.context("no row")?.parse().with_context(|| sql.to_owned())
}

fn column(database: &PlatformDatabase, sql: &str) -> BTreeSet<String> {
    database.rows(sql).into_iter().flatten().collect()
}

/// Examines everything; what happened, if it was right.
pub(super) fn examine(
    world: &World,
    database: &PlatformDatabase,
    fates: &BTreeMap<String, Fate>,
    cards: u32,
) -> Result<Tally> {
    whole(database)?;
    pool_adds_up(database, cards)?;
    histories_are_whole(database)?;
    let written: BTreeSet<String> = fates.values().map(|fate| fate.written.clone()).collect();
    let cancelled: BTreeSet<String> = fates.values().flat_map(|fate| fate.cancelled.clone()).collect();
    tasks_are_as_acknowledged(database, &written, &cancelled)?;
    let arrivals = callbacks_report_what_happened(world, &written)?;
    Ok(Tally {
        written: written.len(),
        cancelled: cancelled.len(),
        power_ups: fates.values().map(|fate| fate.power_ups).sum(),
        arrivals,
        ..Tally::default()
    })
}

/// The files are sound. PostgreSQL checks references whenever it writes.
fn whole(database: &PlatformDatabase) -> Result<()> {
    if matches!(database, PlatformDatabase::Files(_)) {
        let verdict = column(database, "PRAGMA integrity_check");
        ensure!(
            verdict == BTreeSet::from(["ok".to_owned()]),
            "the database file: {verdict:?}"
        );
        ensure!(
            count(database, "SELECT count(*) FROM pragma_foreign_key_check")? == 0,
            "dangling references"
        );
    }
    Ok(())
}

/// A number has one card, a card one number, and every number is somewhere.
fn pool_adds_up(database: &PlatformDatabase, cards: u32) -> Result<()> {
    let states = "SELECT count(*) FROM number WHERE status IN ('available', 'allotted', 'reserved', 'written', 'suspended', 'retired')";
    ensure!(
        count(database, states)? == i64::from(cards),
        "numbers are missing"
    );
    let shared = "SELECT count(*) FROM (SELECT eid_index FROM number WHERE eid_index IS NOT NULL GROUP BY eid_index HAVING count(*) > 1) AS shared";
    ensure!(count(database, shared)? == 0, "a card holds two numbers");
    let free = "SELECT count(*) FROM number WHERE (status = 'available') <> (eid_index IS NULL)";
    ensure!(
        count(database, free)? == 0,
        "a free number belongs to a card, or one that is not free to none"
    );
    let written = count(database, "SELECT count(*) FROM number WHERE status = 'written'")?;
    let succeeded = count(database, "SELECT count(*) FROM task WHERE state = 'succeeded'")?;
    ensure!(
        written == succeeded,
        "{written} numbers written by {succeeded} tasks"
    );
    Ok(())
}

/// Each card's steps are numbered without gaps, begin where the one before ended, and end in its state.
fn histories_are_whole(database: &PlatformDatabase) -> Result<()> {
    let gaps = "SELECT count(*) FROM (SELECT eid_index FROM card_history GROUP BY eid_index HAVING max(seq) <> count(*) OR min(seq) <> 1) AS gaps";
    ensure!(count(database, gaps)? == 0, "a history has gaps");
    let breaks = "SELECT count(*) FROM card_history h JOIN card_history p ON p.eid_index = h.eid_index AND p.seq = h.seq - 1 \
        WHERE h.from_status IS DISTINCT FROM p.to_status";
    ensure!(count(database, breaks)? == 0, "a history jumps");
    let ends = "SELECT count(*) FROM chip c WHERE c.status <> (SELECT to_status FROM card_history h WHERE h.eid_index = c.eid_index ORDER BY seq DESC LIMIT 1)";
    ensure!(
        count(database, ends)? == 0,
        "a card is not where its history ends"
    );
    Ok(())
}

fn tasks_are_as_acknowledged(
    database: &PlatformDatabase,
    written: &BTreeSet<String>,
    cancelled: &BTreeSet<String>,
) -> Result<()> {
    let succeeded = column(database, "SELECT id FROM task WHERE state = 'succeeded'");
    ensure!(
        succeeded == *written,
        "acknowledged as written: {}, in the database: {}",
        written.len(),
        succeeded.len()
    );
    let withdrawn = column(database, "SELECT id FROM task WHERE state = 'cancelled'");
    let lost = cancelled.difference(&withdrawn).count();
    ensure!(lost == 0, "{lost} withdrawals are lost");
    // An application whose answer was lost is answered again with the same task, so there are no others.
    let others = column(
        database,
        "SELECT id FROM task WHERE state NOT IN ('succeeded', 'cancelled')",
    );
    ensure!(others.is_empty(), "tasks nobody knows of: {others:?}");
    Ok(())
}

/// Every outcome was reported, none invented; a repetition has the identifier of what it repeats.
fn callbacks_report_what_happened(world: &World, written: &BTreeSet<String>) -> Result<usize> {
    let mut refused = world.demo_env.receiver.refused();
    // A platform that is killed while it sends leaves half a callback; it comes again.
    refused.retain(|why| !why.starts_with("body not read"));
    ensure!(
        refused.is_empty(),
        "callbacks that the receiver refused: {refused:?}"
    );
    let received = world.demo_env.receiver.received();
    let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for callback in &received {
        let task = callback.body["task_id"].as_str().unwrap_or_default().to_owned();
        ids.entry(task).or_default().insert(callback.id.clone());
    }
    let reported: BTreeSet<String> = ids.keys().cloned().collect();
    ensure!(
        reported == *written,
        "{} outcomes, {} reported",
        written.len(),
        reported.len()
    );
    ensure!(
        ids.values().all(|ids| ids.len() == 1),
        "an outcome was reported under two identifiers"
    );
    Ok(received.len())
}
