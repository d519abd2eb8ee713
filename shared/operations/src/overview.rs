//! The steps of a card, for administrators. Reads only: one bounded statement; identifiers stay sealed.

use super::Context;
use domain::Eid;
use domain::error::{Error, Reason};
use store::Database;
use store::card_history::{self, StepRow};

/// Most steps of one answer.
const MAX_OVERVIEW_ROWS: i64 = 200;

/// The latest steps of a card (§6.3 Table 2), the latest first.
///
/// # Errors
/// [`Reason::UnknownChip`]: a known chip has at least the step of its import.
pub async fn card_history<D: Database>(cx: &Context<'_, D>, eid: &Eid) -> Result<Vec<StepRow>, Error> {
    let index = cx.eid_index(eid);
    let steps = card_history::latest(cx.db, &index, MAX_OVERVIEW_ROWS).await?;
    if steps.is_empty() {
        Err(Reason::UnknownChip.into())
    } else {
        Ok(steps)
    }
}
