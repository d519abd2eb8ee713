//! The steps of a card, for administrators. Reads only: one bounded statement; identifiers stay sealed.

use super::Context;
use super::unreadable::RowOpener;
use domain::error::Error;
use domain::{CardStatus, Eid, TaskId, Timestamp, unknown_chip};
use store::Database;
use store::card_history;
use store::chip::{self, FailedHandshakes};

/// Most steps of one answer.
const MAX_OVERVIEW_ROWS: i64 = 200;

/// A step of a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardStep {
    /// Number of the step in the card's life, from 1.
    pub seq: u64,
    /// State it left; none for a new card.
    pub from: Option<CardStatus>,
    /// State it entered.
    pub to: CardStatus,
    /// Who caused it: `client:<id>`, `gateway`, `operator`, `admin` or `platform`.
    pub actor: String,
    /// Stable name of the cause.
    pub reason: String,
    /// The task it belongs to.
    pub task_id: Option<TaskId>,
    /// When the step was made.
    pub at: Timestamp,
    /// The person who caused it, if it was one.
    pub person: Option<String>,
    /// Why, as that person said.
    pub note: Option<String>,
    /// The fields whose values cannot be opened.
    pub unreadable: Vec<&'static str>,
}

/// The latest steps of a card (§6.3 Table 2), the latest first, and the handshakes that failed with the identity of its
/// chip. A value that cannot be opened hides no step.
///
/// # Errors
/// [`domain::error::Reason::UnknownChip`].
pub async fn card_history<D: Database>(
    cx: &Context<'_, D>,
    eid: &Eid,
) -> Result<(Vec<CardStep>, FailedHandshakes), Error> {
    let index = cx.eid_index(eid);
    let failed = chip::failed_handshakes(cx.db, &index)
        .await?
        .ok_or_else(|| unknown_chip("eid", eid))?;
    let steps = card_history::latest(cx.db, &index, MAX_OVERVIEW_ROWS).await?;
    let steps = steps.into_iter().map(|row| {
        let mut opener = RowOpener::new(cx, index.as_bytes());
        CardStep {
            seq: row.seq,
            from: row.from,
            to: row.to,
            actor: row.actor,
            reason: row.reason,
            task_id: row.task_id,
            at: row.at,
            person: opener.text("person", card_history::PERSON, row.person_sealed.as_deref()),
            note: opener.text("note", card_history::NOTE, row.note_sealed.as_deref()),
            unreadable: opener.unreadable,
        }
    });
    Ok((steps.collect(), failed))
}
