//! Inventory from CSV files: chips with their temporary numbers, and operator numbers (§5.3.1.1).

use super::Context;
use crate::domain::ClientId;
use crate::error::{Error, Reason};
use crate::store::Database;

/// Most rows in one file.
pub const MAX_IMPORT_ROWS: usize = 5_000;
/// Largest file, in bytes.
pub const MAX_IMPORT_BYTES: usize = 4 * 1024 * 1024;

/// What became of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Rows in the file, without its header.
    pub rows: usize,
    /// Rows that are new.
    pub imported: usize,
    /// Rows that were imported before, exactly as they are.
    pub unchanged: usize,
    /// Rows that were left out, with the reason.
    pub errors: Vec<RowError>,
}

/// One row that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    /// Line in the file, the header being line 1.
    pub line: u64,
    /// Name of the column, if one column is to blame.
    pub column: Option<&'static str>,
    /// Why.
    pub reason: Reason,
    /// The broken rule, in Chinese.
    pub zh: String,
    /// The broken rule, in English.
    pub en: String,
}

/// Imports chips. A row without `client_id` belongs to `default_client`.
///
/// # Errors
/// [`Reason::BadCsv`], [`Reason::BadUtf8`], [`Reason::BodyTooLarge`], [`Reason::UnknownClient`] for the
/// file as a whole; a bad row is reported and leaves the others alone.
pub async fn import_chips<D: Database>(
    cx: &Context<'_, D>,
    csv: &[u8],
    default_client: Option<&ClientId>,
) -> Result<ImportReport, Error> {
    let _ = (cx, csv, default_client);
    Err(Reason::Unavailable.into())
}

/// Imports operator numbers. A row with `client_id` is allotted to that client.
///
/// # Errors
/// As [`import_chips`].
pub async fn import_numbers<D: Database>(cx: &Context<'_, D>, csv: &[u8]) -> Result<ImportReport, Error> {
    let _ = (cx, csv);
    Err(Reason::Unavailable.into())
}
