//! R507, R509: batches. One act on up to [`MAX_BATCH_ROWS`] cards or numbers of a file, row by row, by the periodic work
//! (`Job::Batches`). Each row is carried out by the use case that does the same to one card or number, and its result
//! commits with what it changed: a batch that was interrupted goes on with the rows that have none.
//!
//! Never makes an application 申请失败 because a pool is empty, unless its batch says so: the batch is paused, and goes on
//! when there are numbers.

mod act;
mod carry_out;
mod create;
mod file;
mod list;
mod preview;
mod run;

pub use act::{resume_batch, stop_batch};
pub use create::{CreatedBatch, NewBatch, create_batch};
pub use list::{
    BatchRowView, BatchView, MAX_BATCH_ROWS_PER_PAGE, MAX_BATCHES_PER_PAGE, batch_rows, list_batches,
};
pub use preview::{BatchPreview, ProvinceDemand, RefusedRow, preview_batch};
pub(super) use run::run_batches;

/// Most rows of a batch.
pub const MAX_BATCH_ROWS: usize = 100_000;
/// Most rows that are carried out in one transaction.
pub(super) const MAX_ROWS_OF_SLICE: u32 = 100;
/// Most rows that one run of the job carries out, of all batches together.
pub(super) const MAX_ROWS_OF_RUN: u32 = 1_000;
/// Most batches that one run works on.
pub(super) const MAX_BATCHES_OF_RUN: u32 = 8;
/// After this time a paused batch looks again whether it can go on, in milliseconds.
pub(super) const PAUSED_MS: i64 = 10_000;
