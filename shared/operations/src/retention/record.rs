//! The record of what was destroyed.

use crate::Context;
use domain::error::Error;
use store::{
    Database,
    destruction::{self, DestructionRow},
};

/// How much was deleted lately, by day and kind of data.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn destructions<D: Database>(
    cx: &Context<'_, D>,
    limit: u32,
) -> Result<Vec<DestructionRow>, Error> {
    let mut rows = destruction::latest(cx.db, limit).await?;
    if !std::ptr::eq(cx.db, cx.calls) {
        // A day may be in both while the state has calls from before the log was a database of its own.
        for row in destruction::latest_of_calls(cx.calls, limit).await? {
            let is_same = |other: &&mut DestructionRow| other.day == row.day && other.kind == row.kind;
            match rows.iter_mut().find(is_same) {
                Some(known) => known.count = known.count.saturating_add(row.count),
                None => rows.push(row),
            }
        }
    }
    rows.sort_by(|one, other| other.day.cmp(&one.day).then_with(|| one.kind.cmp(&other.kind)));
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(rows)
}
