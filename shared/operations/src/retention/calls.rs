//! The call log: a day is dropped as a whole.

use super::settings::CALLS;
use super::{Error, MAX_DESTROYED, Run, Timestamp};
use store::{Database, call_log, destruction};

/// The kind under which destroyed calls are recorded.
const KIND: &str = "calls";

/// Drops a day of the call log, whose cost does not depend on how many days there are, and calls from before the log had
/// days. The database of which a day is dropped records it, in the same transaction.
pub(super) async fn destroy_days<D: Database>(run: &mut Run<'_, '_, D>) -> Result<(), Error> {
    let before = run.before(&[CALLS]);
    // The state has the days from before the log was a database of its own.
    for log in [run.cx.calls, run.cx.journal] {
        drop_day(run, log, before).await?;
    }
    run.destroy(KIND, MAX_DESTROYED, async |tx, most| {
        Ok(call_log::purge(tx, before, most).await?)
    })
    .await
}

async fn drop_day<D: Database>(run: &mut Run<'_, '_, D>, log: &D, before: Timestamp) -> Result<(), Error> {
    // Counted before anything is locked.
    let Some((oldest, count)) = call_log::oldest_day(log, before).await? else {
        return Ok(());
    };
    let dropped = store::transaction(log, async |tx| {
        let dropped = call_log::drop_day(tx, oldest).await?;
        if dropped && count > 0 {
            destruction::add(tx, &run.day, KIND, count).await?;
        }
        Ok::<_, Error>(dropped)
    })
    .await?;
    run.done.count += if dropped { count } else { 0 };
    run.done.more = true;
    Ok(())
}
