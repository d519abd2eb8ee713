//! The periodic work on batches: their rows in slices, each slice a transaction with its results.

use serde_json::Map;

use super::carry_out::{OpenedNote, Outcome, carry_out};
use super::file::RowContent;
use super::{MAX_BATCHES_OF_RUN, MAX_ROWS_OF_RUN, MAX_ROWS_OF_SLICE, PAUSED_MS};
use crate::audit::{self, Act};
use crate::job_run::Done;
use crate::{CallFacts, Context};
use domain::error::{Error, Reason};
use domain::{BatchId, BatchKind, BatchResult, BatchState, Timestamp};
use store::{
    Database, Tx,
    batch::{self, BatchCounts, BatchRow, NextState},
    batch_row::{self, OpenRow, RowResult, bound_to},
    client,
};
use vault::IndexKind;

/// Where no more rows of a province come.
const END_OF_PROVINCE: u64 = i64::MAX as u64;

/// Works on the batches that are due, a bounded number of rows. When a batch fails, or a row at which the platform itself
/// fails is refused, the others go on, and the first reason is the error.
pub(crate) async fn run_batches<D: Database>(cx: &Context<'_, D>) -> Result<Done, Error> {
    // This look takes no lock.
    let due = batch::due(cx.db, cx.now, MAX_BATCHES_OF_RUN).await?;
    let share = MAX_ROWS_OF_RUN / u32::try_from(due.len()).unwrap_or(1).max(1);
    let mut done = Done {
        count: 0,
        more: due.len() == MAX_BATCHES_OF_RUN as usize,
    };
    let mut first_error = None;
    for id in due {
        match work_on(cx, id, share, &mut first_error).await {
            Ok(one) => {
                done.count += one.count;
                done.more |= one.more;
            }
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    first_error.map_or(Ok(done), Err)
}

/// How far a run has come with a batch.
#[derive(Clone, Debug, Default)]
struct Reached {
    /// The last row that it looked at: its province and its line.
    row: (String, u64),
    /// The provinces whose pools have no number.
    exhausted: Vec<String>,
}

/// What a slice did.
struct Slice {
    /// How many rows have their result.
    count: usize,
    /// Where the next one begins; none when there is nothing more to do now.
    next: Option<Reached>,
}

/// Carries out up to `most` rows of a batch. Rows of a slice that failed are carried out one by one: so one that cannot be
/// carried out is refused alone, and why is kept in `failed`.
async fn work_on<D: Database>(
    cx: &Context<'_, D>,
    id: BatchId,
    most: u32,
    failed: &mut Option<Error>,
) -> Result<Done, Error> {
    let mut done = Done::default();
    let mut reached = Reached::default();
    let (mut left, mut alone) = (most, 0);
    while left > 0 {
        let rows = if alone > 0 { 1 } else { left.min(MAX_ROWS_OF_SLICE) };
        let slice = match carry_out_slice(cx, id, &reached, rows).await {
            Err(error) if error.reason() == Reason::Unavailable => return Err(error),
            Err(_) if rows > 1 => {
                alone = rows;
                continue;
            }
            Err(error) => {
                let slice = refuse_next(cx, id, &reached, &error).await?;
                failed.get_or_insert(error);
                slice
            }
            Ok(slice) => slice,
        };
        (left, alone) = (left - rows, u32::saturating_sub(alone, rows));
        done.count += slice.count;
        match slice.next {
            Some(next) => reached = next,
            None => return Ok(done),
        }
    }
    done.more = true;
    Ok(done)
}

/// Carries out rows after `reached` in one transaction, and changes the state of the batch when it has come to its end.
async fn carry_out_slice<D: Database>(
    cx: &Context<'_, D>,
    id: BatchId,
    reached: &Reached,
    most: u32,
) -> Result<Slice, Error> {
    store::transaction(cx.db, async |tx| {
        let Some(batch) = live(tx, id).await? else {
            return Ok(Slice { count: 0, next: None });
        };
        if !is_served(tx, &batch).await? {
            pause(cx, tx, &batch, Reason::ClientDisabled, Vec::new()).await?;
            return Ok(Slice { count: 0, next: None });
        }
        let (province, line) = &reached.row;
        let rows = batch_row::open(tx, id, (province, *line), most).await?;
        let mut next = reached.clone();
        let act = act_of(cx, &batch);
        let acting = cx.at(cx.now).acting(Some(&act));
        let results = carried_out(&acting, tx, &batch, &rows, &mut next).await?;
        record(cx, tx, &batch, &results).await?;
        if !results.is_empty() {
            note(&acting, &results);
            audit::record_done(&acting, tx).await?;
        }
        let is_last = rows.len() < most as usize;
        settle(cx, tx, &batch, (is_last, !results.is_empty()), &next).await?;
        Ok(Slice {
            count: results.len(),
            next: (!is_last).then_some(next),
        })
    })
    .await
}

/// The batch, if it is to be worked on.
async fn live<D: Database>(tx: &Tx<'_, D>, id: BatchId) -> Result<Option<BatchRow>, Error> {
    let batch = batch::to_change(tx, id).await?;
    Ok(batch.filter(|batch| matches!(batch.state, BatchState::Running | BatchState::Paused)))
}

/// Whether applications may be made for the client of a batch: those of a disabled one wait.
async fn is_served<D: Database>(tx: &Tx<'_, D>, batch: &BatchRow) -> Result<bool, Error> {
    match (&batch.client_id, batch.kind) {
        (Some(id), BatchKind::Apply) => Ok(client::by_id(tx, id).await?.is_some_and(|client| client.active)),
        _ => Ok(true),
    }
}

/// The act of staff that the rows are: by who made the batch, with the right to do the same to one row.
fn act_of<D>(cx: &Context<'_, D>, batch: &BatchRow) -> Act {
    let act = Act::new(
        batch.who.clone(),
        batch.kind.right(),
        batch.address.clone(),
        batch.request_id.clone(),
    );
    let fields = [
        ("batch_id".to_owned(), batch.id.text().into()),
        ("kind".to_owned(), batch.kind.code().into()),
    ];
    act.ask(cx.vault, Map::from_iter(fields));
    act
}

/// Carries out rows one after the other, and notes how far it has come.
async fn carried_out<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    batch: &BatchRow,
    rows: &[OpenRow],
    reached: &mut Reached,
) -> Result<Vec<RowResult>, Error> {
    let opened = OpenedNote::of(cx, batch)?;
    let mut results = Vec::with_capacity(rows.len());
    let mut contents = Vec::with_capacity(rows.len());
    for row in rows {
        if reached.exhausted.last() == Some(&row.province) && !row.province.is_empty() {
            continue;
        }
        let content = content(cx, batch, row)?;
        // What is found out about a card is not that of the row before.
        let one = cx.at(cx.now).sharing(&CallFacts::default());
        match carry_out(&one, tx, (batch, &opened), row.line, &content).await? {
            Outcome::Result(result) => {
                reached.row = (row.province.clone(), row.line);
                results.push(result);
                contents.push(content);
            }
            Outcome::Exhausted => {
                reached.row = (row.province.clone(), END_OF_PROVINCE);
                reached.exhausted.push(row.province.clone());
            }
        }
    }
    // What single rows noted is in the history of their cards.
    audit::begin(cx);
    for content in &contents {
        if let Some(eid) = &content.eid {
            cx.note_sealed_object("eid", eid.as_str(), cx.eid_index(eid));
        } else if let Some(iccid) = &content.iccid {
            let index = cx.vault.blind_index(IndexKind::Iccid, iccid.as_str().as_bytes());
            cx.note_sealed_object("iccid", iccid.as_str(), index);
        }
    }
    Ok(results)
}

fn content<D>(cx: &Context<'_, D>, batch: &BatchRow, row: &OpenRow) -> Result<RowContent, Error> {
    let missing = || Error::internal("a row of a batch without its content");
    let sealed = row.content_sealed.as_ref().ok_or_else(missing)?;
    let bound = bound_to(batch.id, row.line);
    let opened = cx.vault.open(batch_row::CONTENT, &bound, sealed)?;
    let text = std::str::from_utf8(&opened).map_err(Error::internal)?;
    RowContent::stored(text, &row.province)
}

/// Stores the results of rows, and counts them.
async fn record<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    batch: &BatchRow,
    results: &[RowResult],
) -> Result<(), Error> {
    if results.is_empty() {
        return Ok(());
    }
    let stored = batch_row::set_results(tx, batch.id, results, cx.now).await?;
    let is_counted = batch::advance(tx, batch.id, counts(results), cx.now).await?;
    if stored == results.len() && is_counted {
        Ok(())
    } else {
        Err(Reason::Conflict.into())
    }
}

fn counts(results: &[RowResult]) -> BatchCounts {
    let of = |wanted| results.iter().filter(|row| row.result == wanted).count() as u64;
    BatchCounts {
        done: of(BatchResult::Done),
        unchanged: of(BatchResult::Unchanged),
        refused: of(BatchResult::Refused),
    }
}

/// Notes for the audit trail what became of rows.
fn note<D>(cx: &Context<'_, D>, results: &[RowResult]) {
    let counts = counts(results);
    cx.note_result("done", counts.done);
    cx.note_result("unchanged", counts.unchanged);
    cx.note_result("refused", counts.refused);
}

/// Changes what the batch does: after its last row it is done, or waits for numbers; and one that had waited goes on.
async fn settle<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    batch: &BatchRow,
    (is_last, has_results): (bool, bool),
    reached: &Reached,
) -> Result<(), Error> {
    if !is_last {
        return match batch.state == BatchState::Paused && has_results {
            true => change(cx, tx, batch, next_state(BatchState::Running, Some(cx.now))).await,
            false => Ok(()),
        };
    }
    match reached.exhausted.is_empty() {
        true => change(cx, tx, batch, next_state(BatchState::Done, None)).await,
        false => {
            let provinces = reached.exhausted.clone();
            pause(cx, tx, batch, Reason::ProvinceWithoutNumber, provinces).await
        }
    }
}

/// A state without a reason.
pub(super) fn next_state(state: BatchState, next_at: Option<Timestamp>) -> NextState {
    NextState {
        state,
        reason: None,
        provinces: Vec::new(),
        next_at,
    }
}

async fn pause<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    batch: &BatchRow,
    reason: Reason,
    provinces: Vec<String>,
) -> Result<(), Error> {
    let next = NextState {
        state: BatchState::Paused,
        reason: Some(reason.code()),
        provinces,
        next_at: Some(cx.now.plus(PAUSED_MS)),
    };
    change(cx, tx, batch, next).await
}

async fn change<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    batch: &BatchRow,
    next: NextState,
) -> Result<(), Error> {
    match batch::set_state(tx, batch.id, batch.state, next, cx.now).await? {
        true => Ok(()),
        false => Err(Reason::Conflict.into()),
    }
}

/// Refuses the row after `reached`, which could not be carried out: the platform failed at it alone.
async fn refuse_next<D: Database>(
    cx: &Context<'_, D>,
    id: BatchId,
    reached: &Reached,
    error: &Error,
) -> Result<Slice, Error> {
    store::transaction(cx.db, async |tx| {
        let Some(batch) = live(tx, id).await? else {
            return Ok(Slice { count: 0, next: None });
        };
        let (province, line) = &reached.row;
        let rows = batch_row::open(tx, id, (province, *line), 1).await?;
        let Some(row) = rows.first() else {
            return Ok(Slice { count: 0, next: None });
        };
        let refused = RowResult {
            line: row.line,
            result: BatchResult::Refused,
            reason: Some(error.reason().code()),
            task: None,
        };
        record(cx, tx, &batch, &[refused]).await?;
        let next = Reached {
            row: (row.province.clone(), row.line),
            exhausted: reached.exhausted.clone(),
        };
        Ok(Slice {
            count: 1,
            next: Some(next),
        })
    })
    .await
}
