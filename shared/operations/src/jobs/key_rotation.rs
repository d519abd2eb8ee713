//! §5.3.1.2: seals stored values anew under the sealing key in use, a bounded number at a time, and retires keys that
//! nothing needs any more.
//!
//! A node that has not got the new order of keys yet still seals under the old one. So a key is retired only after no
//! program has used it for [`KEY_OVERLAP_MS`], a sealing key also only after a pass over every sealed column that began
//! later than that.

use crate::job_run::Done;
use crate::{Context, transaction};
use domain::error::Error;
use domain::{HOUR_MS, Timestamp};
use store::sealed::{self, Pass, RowKey, SEALED_TABLES, SealedRow, SealedTable};
use store::{Database, KeyRow, Tx, retire_key};
use vault::Vault;

/// How long a key stays after its last use, in milliseconds: tokens are valid for 24 h, and a use is known to within
/// two hours.
const KEY_OVERLAP_MS: i64 = 26 * HOUR_MS;
/// Rows of one transaction.
const PAGE_ROWS: u32 = 100;
/// Most transactions of one run.
const MAX_PAGES: usize = 20;
/// Kind of the keys that seal.
const SEALING: &str = "sealing_key";

/// Seals anew what is left under other keys, and retires what nothing needs.
pub(super) async fn run<D: Database>(cx: &Context<'_, D>, is_held: bool) -> Result<Done, Error> {
    let keys = store::keys(cx.db).await?;
    let live: Vec<&KeyRow> = keys.iter().filter(|key| key.retired_at.is_none()).collect();
    let mut done = Done::default();
    let mut retired = Vec::new();
    for key in &live {
        let newer = |other: &&&KeyRow| other.kind() == key.kind() && other.used_at > key.used_at;
        let is_unused = live.iter().any(|other| newer(&other)) && cx.now >= key.used_at.plus(KEY_OVERLAP_MS);
        if is_unused && !is_held && key.kind() != SEALING {
            retired.push(*key);
        }
    }
    let target = format!("{SEALING}:{}", cx.vault.sealing_id());
    let (own, others): (Vec<&KeyRow>, Vec<&KeyRow>) = live
        .iter()
        .filter(|key| key.kind() == SEALING)
        .partition(|key| key.name == target);
    if let (Some(own), Some(last_used)) = (own.first(), others.iter().map(|key| key.used_at).max()) {
        let free_at = last_used.plus(KEY_OVERLAP_MS);
        // Nodes that disagree for a while must not undo each other's work.
        let is_newest = others.iter().all(|key| key.stored_at <= own.stored_at);
        if is_newest || cx.now >= free_at {
            let pass = go_on(cx, free_at, &mut done).await?;
            let is_through = pass.done_at.is_some() && pass.began_at >= free_at && pass.unopened == 0;
            if is_through && !is_held {
                retired.extend(others);
            }
            if pass.done_at.is_some() && pass.unopened > 0 {
                let cause = format!("{} sealed values cannot be opened with any key", pass.unopened);
                return Err(Error::internal(cause));
            }
        }
    }
    if !retired.is_empty() {
        transaction(cx, async |tx| {
            for key in &retired {
                retire_key(tx, key, cx.now).await?;
            }
            Ok::<_, Error>(())
        })
        .await?;
        done.count += retired.len();
    }
    Ok(done)
}

/// Goes on with the pass under the key in use, or begins one if the last is not enough.
async fn go_on<D: Database>(cx: &Context<'_, D>, free_at: Timestamp, done: &mut Done) -> Result<Pass, Error> {
    let begun = Pass {
        key_id: cx.vault.sealing_id(),
        place: 0,
        after: RowKey::default(),
        unopened: 0,
        began_at: cx.now,
        done_at: None,
    };
    let known = sealed::find_pass(cx.db).await?;
    let is_enough = |pass: &Pass| {
        let Some(done_at) = pass.done_at else { return true };
        // One that could not open everything is repeated: somebody may have mended that.
        let is_sound = pass.unopened == 0 || cx.now < done_at.plus(KEY_OVERLAP_MS);
        is_sound && (pass.began_at >= free_at || cx.now < free_at)
    };
    let mut pass = known
        .filter(|pass| pass.key_id == begun.key_id && is_enough(pass))
        .unwrap_or(begun);
    for _ in 0..MAX_PAGES {
        let Some(table) = SEALED_TABLES.get(pass.place).filter(|_| pass.done_at.is_none()) else {
            break;
        };
        let (next, count) = transaction(cx, async |tx| seal_page(cx, tx, table, &pass).await).await?;
        pass = next;
        done.count += count;
    }
    done.more = pass.done_at.is_none();
    Ok(pass)
}

/// Seals one page of a table anew, and stores how far the pass has come. Two nodes that do the same page do it twice.
async fn seal_page<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    table: &SealedTable,
    pass: &Pass,
) -> Result<(Pass, usize), Error> {
    let rows = table.page(tx, &pass.after, PAGE_ROWS).await?;
    let mut next = pass.clone();
    if rows.len() < PAGE_ROWS as usize {
        next.place += 1;
        next.after = RowKey::default();
        next.done_at = (next.place == SEALED_TABLES.len()).then_some(cx.now);
    } else if let Some(last) = rows.last() {
        next.after = last.key.clone();
    }
    let mut count = 0;
    for mut row in rows {
        let changed = seal_row(cx, table, &mut row, &mut next.unopened);
        if changed > 0 {
            table.set(tx, row).await?;
            count += changed;
        }
    }
    sealed::put_pass(tx, next.clone()).await?;
    Ok((next, count))
}

/// Seals the values of a row anew that are under another key; returns how many. One that cannot be opened stays.
fn seal_row<D>(cx: &Context<'_, D>, table: &SealedTable, row: &mut SealedRow, unopened: &mut u32) -> usize {
    let (place, mut changed) = (table.row(&row.key), 0);
    for (column, value) in table.columns.iter().zip(&mut row.values) {
        let Some(sealed) = value.as_mut() else { continue };
        if Vault::key_of(sealed) == Some(cx.vault.sealing_id()) {
            continue;
        }
        let plain = cx.vault.open(*column, &place, sealed);
        match plain.and_then(|plain| cx.vault.seal(cx.random, *column, &place, &plain)) {
            Ok(anew) => {
                *sealed = anew;
                changed += 1;
            }
            Err(_) => *unopened = unopened.saturating_add(1),
        }
    }
    changed
}

/// Every key that was ever used.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn key_views<D: Database>(cx: &Context<'_, D>) -> Result<Vec<KeyRow>, Error> {
    Ok(store::keys(cx.db).await?)
}
