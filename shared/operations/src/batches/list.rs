//! Batches and their rows, as lists.

use super::file::parts;
use crate::Context;
use crate::unreadable::RowOpener;
use domain::error::{Error, Reason};
use domain::{BatchId, BatchKind, BatchResult, BatchState, ClientId, TaskId, Timestamp};
use store::{
    Database,
    batch::{self, BatchCounts, BatchRow},
    batch_row::{self, ListedRow, bound_to},
};

/// Most batches of one page.
pub const MAX_BATCHES_PER_PAGE: u32 = 100;
/// Most rows of a batch of one page.
pub const MAX_BATCH_ROWS_PER_PAGE: u32 = 500;

/// A batch as administrators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchView {
    /// Identifier.
    pub id: BatchId,
    /// By which a repeated request is recognised.
    pub key: String,
    /// What is done to each row.
    pub kind: BatchKind,
    /// For which client.
    pub client_id: Option<ClientId>,
    /// Whether a row for which the pool has no number is refused instead of waiting for one.
    pub fail_when_exhausted: bool,
    /// Who made it.
    pub who: String,
    /// Who acts, as far as its kind asks for it; none if it cannot be opened.
    pub person: Option<String>,
    /// Why; none if it cannot be opened.
    pub note: Option<String>,
    /// What it does now.
    pub state: BatchState,
    /// Why it is paused.
    pub reason: Option<Reason>,
    /// The codes of the provinces without a number that it waits for.
    pub provinces: Vec<String>,
    /// Its rows.
    pub rows: u64,
    /// Rows that were carried out.
    pub done: u64,
    /// Rows that were so already.
    pub unchanged: u64,
    /// Rows that were refused.
    pub refused: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last worked on, or changed.
    pub changed_at: Timestamp,
    /// When it was done or stopped.
    pub ended_at: Option<Timestamp>,
    /// The fields whose values cannot be opened.
    pub unreadable: Vec<&'static str>,
}

/// A row of a batch as administrators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchRowView {
    /// Its line in the file.
    pub line: u64,
    /// EID of the chip, ICCID and MSISDN of the number: as far as the row names them and they can be opened.
    pub identifiers: [Option<String>; 3],
    /// Code of the province whose pool it takes a number from.
    pub province: Option<String>,
    /// What became of it; none while it is to be carried out.
    pub result: Option<BatchResult>,
    /// Why it was refused.
    pub reason: Option<Reason>,
    /// The task that it is about.
    pub task: Option<TaskId>,
    /// When it was carried out or refused.
    pub done_at: Option<Timestamp>,
    /// The fields whose values cannot be opened.
    pub unreadable: Vec<&'static str>,
}

/// Batches before `before`, the latest first, or the one of an identifier alone; and where the next page begins, if there
/// may be one.
///
/// # Errors
/// [`Reason::UnknownBatch`]; [`Reason::Unavailable`] when the database is busy.
pub async fn list_batches<D: Database>(
    cx: &Context<'_, D>,
    id: Option<BatchId>,
    before: Option<BatchId>,
    limit: u32,
) -> Result<(Vec<BatchView>, Option<BatchId>), Error> {
    if let Some(id) = id {
        let batch = batch::by_id(cx.db, id).await?.ok_or(Reason::UnknownBatch)?;
        return Ok((vec![view(cx, batch)], None));
    }
    let limit = limit.clamp(1, MAX_BATCHES_PER_PAGE);
    let rows = batch::latest(cx.db, before.unwrap_or(BatchId::last()), limit).await?;
    let last = rows.last().map(|row| row.id);
    let next = last.filter(|_| rows.len() == limit as usize);
    Ok((rows.into_iter().map(|row| view(cx, row)).collect(), next))
}

/// Rows of a batch after line `after`, by their lines: all of them, or those with this result. And the line after which the
/// next page begins, if there may be one.
///
/// # Errors
/// [`Reason::UnknownBatch`]; [`Reason::Unavailable`] when the database is busy.
pub async fn batch_rows<D: Database>(
    cx: &Context<'_, D>,
    id: BatchId,
    result: Option<BatchResult>,
    after: Option<u64>,
    limit: u32,
) -> Result<(Vec<BatchRowView>, Option<u64>), Error> {
    batch::by_id(cx.db, id).await?.ok_or(Reason::UnknownBatch)?;
    let limit = limit.clamp(1, MAX_BATCH_ROWS_PER_PAGE);
    let rows = batch_row::list(cx.db, id, after.unwrap_or_default(), result, limit).await?;
    let last = rows.last().map(|row| row.line);
    let next = last.filter(|_| rows.len() == limit as usize);
    let rows = rows.into_iter().map(|row| row_view(cx, id, row));
    Ok((rows.collect(), next))
}

pub(super) fn view<D>(cx: &Context<'_, D>, row: BatchRow) -> BatchView {
    let id = row.id.text();
    let mut opener = RowOpener::new(cx, id.as_bytes());
    let sealed = row.sealed_note.as_ref();
    let person = opener.text(
        "person",
        batch::PERSON,
        sealed.map(|[person, _]| person.as_slice()),
    );
    let note = opener.text("note", batch::NOTE, sealed.map(|[_, note]| note.as_slice()));
    let BatchCounts {
        done,
        unchanged,
        refused,
    } = row.counts;
    BatchView {
        id: row.id,
        key: row.key,
        kind: row.kind,
        client_id: row.client_id,
        fail_when_exhausted: row.fail_when_exhausted,
        who: row.who,
        person,
        note,
        state: row.state,
        reason: row.reason.as_deref().and_then(Reason::from_code),
        provinces: row.provinces,
        rows: row.rows,
        done,
        unchanged,
        refused,
        created_at: row.created_at,
        changed_at: row.changed_at,
        ended_at: row.ended_at,
        unreadable: opener.unreadable,
    }
}

fn row_view<D>(cx: &Context<'_, D>, batch: BatchId, row: ListedRow) -> BatchRowView {
    let bound = bound_to(batch, row.line);
    let mut opener = RowOpener::new(cx, &bound);
    let text = opener.text("identifiers", batch_row::CONTENT, row.content_sealed.as_deref());
    let some = |part: &str| (!part.is_empty()).then(|| part.to_owned());
    let identifiers = text.as_deref().map(|text| parts(text).map(some));
    BatchRowView {
        line: row.line,
        identifiers: identifiers.unwrap_or_default(),
        province: some(&row.province),
        result: row.result,
        reason: row.reason.as_deref().and_then(Reason::from_code),
        task: row.task,
        done_at: row.done_at,
        unreadable: opener.unreadable,
    }
}
