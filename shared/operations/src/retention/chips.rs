//! Chips that were replaced or destroyed.

use super::settings::{CHIPS, HISTORY, TASKS};
use super::{Error, MAX_WHOLE, Run};
use store::{Database, chip};

/// Destroys chips that were replaced or recorded as destroyed, with their keys, temporary numbers, faults, tasks and
/// steps. A number that the chip has, a session or message that is still kept, and an open incident keep a chip; one
/// that is neither replaced nor destroyed lives.
pub(super) async fn destroy<D: Database>(run: &mut Run<'_, '_, D>) -> Result<(), Error> {
    let before = run.before(&[CHIPS, TASKS, HISTORY]);
    run.destroy("chips", MAX_WHOLE, async |tx, most| {
        Ok(chip::purge(tx, before, most).await?)
    })
    .await
}
