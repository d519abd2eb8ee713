//! Numbers that were retired.

use super::settings::{NUMBERS, TASKS};
use super::{Error, MAX_WHOLE, Run};
use store::{Database, number};

/// Destroys numbers that were retired and that no living chip has, with what operators reported of them and the tasks
/// that wrote them. A chip that may come back, a data card that takes its MSISDN over, and a task, session or message
/// that is still kept, keep a number.
pub(super) async fn destroy<D: Database>(run: &mut Run<'_, '_, D>) -> Result<(), Error> {
    let before = run.before(&[NUMBERS, TASKS]);
    run.destroy("numbers", MAX_WHOLE, async |tx, most| {
        Ok(number::purge(tx, before, most).await?)
    })
    .await
}
