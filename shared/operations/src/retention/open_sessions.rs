//! Sessions that were left open: their gateway stopped without a report, and their chip opened no other.

use super::settings::OPEN_SESSIONS;
use super::{Error, MAX_DESTROYED, Run};
use store::{Database, device_session};

/// Closes sessions of which nothing was heard for too long: they ended with their last report. A late report of one is
/// refused as for every session that has ended.
pub(super) async fn close<D: Database>(run: &mut Run<'_, '_, D>) -> Result<(), Error> {
    let before = run.before(&[OPEN_SESSIONS]);
    let closed = store::transaction(run.cx.journal, async |tx| {
        Ok::<_, Error>(device_session::close_left_open(tx, before, MAX_DESTROYED).await?)
    })
    .await?;
    run.done.count += closed;
    run.done.more |= closed >= MAX_DESTROYED as usize;
    Ok(())
}
