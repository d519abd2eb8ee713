//! What must hold in the end, read from the database as it is on disk and from what arrived at the receiver.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Result, ensure};
use rusqlite::Connection;
use xieka::demo::world::World;

use super::Tally;
use super::life::Fate;

fn open(folder: &Path) -> Result<Connection> {
    Ok(Connection::open(folder.join("sqlite_db.db"))?)
}

/// How many callbacks wait.
pub(super) fn waiting(folder: &Path) -> Result<i64> {
    count(
        &open(folder)?,
        "SELECT count(*) FROM message WHERE state = 'pending'",
    )
}

fn count(db: &Connection, sql: &str) -> Result<i64> {
    Ok(db.query_row(sql, [], |row| row.get(0))?)
}

fn column(db: &Connection, sql: &str) -> Result<BTreeSet<String>> {
    let mut statement = db.prepare(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Examines everything; what happened, if it was right.
pub(super) fn examine(
    world: &World,
    folder: &Path,
    fates: &BTreeMap<String, Fate>,
    cards: u32,
) -> Result<Tally> {
    let db = open(folder)?;
    whole(&db)?;
    pool_adds_up(&db, cards)?;
    histories_are_whole(&db)?;
    let written: BTreeSet<String> = fates.values().map(|fate| fate.written.clone()).collect();
    let cancelled: BTreeSet<String> = fates.values().flat_map(|fate| fate.cancelled.clone()).collect();
    tasks_are_as_acknowledged(&db, &written, &cancelled)?;
    let arrivals = callbacks_report_what_happened(world, &written)?;
    Ok(Tally {
        written: written.len(),
        cancelled: cancelled.len(),
        power_ups: fates.values().map(|fate| fate.power_ups).sum(),
        arrivals,
        ..Tally::default()
    })
}

fn whole(db: &Connection) -> Result<()> {
    let verdict: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    ensure!(verdict == "ok", "the database file: {verdict}");
    ensure!(
        count(db, "SELECT count(*) FROM pragma_foreign_key_check")? == 0,
        "dangling references"
    );
    Ok(())
}

/// A number has one card, a card one number, and every number is somewhere.
fn pool_adds_up(db: &Connection, cards: u32) -> Result<()> {
    let states = "SELECT count(*) FROM number WHERE status IN ('available', 'allotted', 'reserved', 'written', 'suspended', 'retired')";
    ensure!(count(db, states)? == i64::from(cards), "numbers are missing");
    let shared = "SELECT count(*) FROM (SELECT eid_index FROM number WHERE eid_index IS NOT NULL GROUP BY eid_index HAVING count(*) > 1)";
    ensure!(count(db, shared)? == 0, "a card holds two numbers");
    let free = "SELECT count(*) FROM number WHERE (status = 'available') <> (eid_index IS NULL)";
    ensure!(
        count(db, free)? == 0,
        "a free number belongs to a card, or one that is not free to none"
    );
    let written = count(db, "SELECT count(*) FROM number WHERE status = 'written'")?;
    let succeeded = count(db, "SELECT count(*) FROM task WHERE state = 'succeeded'")?;
    ensure!(
        written == succeeded,
        "{written} numbers written by {succeeded} tasks"
    );
    Ok(())
}

/// Each card's steps are numbered without gaps, begin where the one before ended, and end in its state.
fn histories_are_whole(db: &Connection) -> Result<()> {
    let gaps = "SELECT count(*) FROM (SELECT eid_index FROM card_history GROUP BY eid_index HAVING max(seq) <> count(*) OR min(seq) <> 1)";
    ensure!(count(db, gaps)? == 0, "a history has gaps");
    let breaks = "SELECT count(*) FROM card_history h JOIN card_history p ON p.eid_index = h.eid_index AND p.seq = h.seq - 1 \
        WHERE h.from_status IS NOT p.to_status";
    ensure!(count(db, breaks)? == 0, "a history jumps");
    let ends = "SELECT count(*) FROM chip c WHERE c.status <> (SELECT to_status FROM card_history h WHERE h.eid_index = c.eid_index ORDER BY seq DESC LIMIT 1)";
    ensure!(count(db, ends)? == 0, "a card is not where its history ends");
    Ok(())
}

fn tasks_are_as_acknowledged(
    db: &Connection,
    written: &BTreeSet<String>,
    cancelled: &BTreeSet<String>,
) -> Result<()> {
    let succeeded = column(db, "SELECT id FROM task WHERE state = 'succeeded'")?;
    ensure!(
        succeeded == *written,
        "acknowledged as written: {}, in the database: {}",
        written.len(),
        succeeded.len()
    );
    let withdrawn = column(db, "SELECT id FROM task WHERE state = 'cancelled'")?;
    let lost = cancelled.difference(&withdrawn).count();
    ensure!(lost == 0, "{lost} withdrawals are lost");
    // An application whose answer was lost is answered again with the same task, so there are no others.
    let others = column(
        db,
        "SELECT id FROM task WHERE state NOT IN ('succeeded', 'cancelled')",
    )?;
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
