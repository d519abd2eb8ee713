//! §8.2.1 Table 3, §8.2.3 Table 5: the periodic job that opens an incident of a client whose calls are refused again and
//! again: applications that are invalid or for written cards, and calls from addresses that are not on its list.
//!
//! It reads the call log. Only calls of a client that proved who it is count.

use super::super::Context;
use super::super::job_run::Done;
use super::automatic::{close_incident, open_since};
use crate::transaction;
use domain::error::Error;
use domain::{HOUR_MS, IncidentKind};
use store::{
    Database, Subject,
    call_log::{self, RefusalRow},
    incident,
};

/// Default number of refused calls of a client within an hour that are an incident.
pub const REFUSALS_PER_HOUR: u32 = 60;
/// Time within which refusals are counted, in milliseconds.
const COUNTED_MS: i64 = HOUR_MS;
/// Most clients and kinds that one run looks at, those with most refusals first.
const MAX_COUNTED: u32 = 1_000;
/// The kinds that this job opens.
const KINDS: [IncidentKind; 3] = [
    IncidentKind::ApplicationInvalid,
    IncidentKind::AlreadyWritten,
    IncidentKind::CallTimeout,
];

/// Opens the incidents of clients with at least `per_hour` refusals of a kind within an hour, and settles those of
/// which there was none in the hour. 0 means that no number is an incident.
pub(crate) async fn watch_refusals<D: Database>(cx: &Context<'_, D>, per_hour: u32) -> Result<Done, Error> {
    let counts = call_log::refusals(cx.calls, cx.now.plus(-COUNTED_MS), MAX_COUNTED).await?;
    let mut over = Vec::new();
    for kind in KINDS {
        for row in incident::opened_by_platform(cx.db, kind).await? {
            let goes_on =
                |found: &RefusalRow| found.kind == kind && Subject::client(&found.client_id) == row.subject;
            if counts.len() < MAX_COUNTED as usize && !counts.iter().any(goes_on) {
                over.push((kind, row.subject));
            }
        }
    }
    let mut fresh = Vec::new();
    let are_many = |row: &&RefusalRow| per_hour > 0 && row.count >= i64::from(per_hour);
    for row in counts.iter().filter(are_many) {
        let subject = Subject::client(&row.client_id);
        if incident::open_of(cx.db, &[row.kind], &subject).await?.is_empty() {
            fresh.push((row.kind, subject, row.count));
        }
    }
    if over.is_empty() && fresh.is_empty() {
        return Ok(Done::default());
    }
    transaction(cx, async |tx| {
        for (kind, subject) in &over {
            close_incident(cx, tx, *kind, subject).await?;
        }
        for (kind, subject, count) in &fresh {
            let note = format!("1 h 内被拒绝 {count} 次 / refused {count} times within an hour");
            open_since(cx, tx, *kind, subject, cx.now, Some(&note)).await?;
        }
        Ok(Done {
            count: over.len() + fresh.len(),
            more: false,
        })
    })
    .await
}
