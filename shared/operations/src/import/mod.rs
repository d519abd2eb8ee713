//! Inventory from CSV files: chips with their temporary numbers, and operator numbers (§5.3.1.1).
//!
//! A file is read row by row. Good rows are imported; bad ones are reported with line, column and reason. A corrected
//! file can be imported again as a whole: rows that were imported before, exactly as they are, stay unchanged.

mod chips;
mod columns;
mod numbers;
mod secrets;

pub use chips::import_chips;
pub use numbers::import_numbers;

use std::collections::BTreeMap;

use columns::ColumnError;
use domain::ClientId;
use domain::error::{Error, Reason};
use store::{Database, Tx, client};

/// Most rows in one file.
pub const MAX_IMPORT_ROWS: usize = 5_000;
/// Largest file, in bytes.
pub const MAX_IMPORT_BYTES: usize = 4 * 1024 * 1024;
/// Most errors that are reported one by one.
pub const MAX_REPORTED_ERRORS: usize = 1_000;

/// The result of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Rows in the file, without its header.
    pub rows: usize,
    /// Rows that are new.
    pub imported: usize,
    /// Rows that were imported before with the same values.
    pub unchanged: usize,
    /// Rows that were not imported.
    pub rejected: usize,
    /// Why rows were not imported, the first [`MAX_REPORTED_ERRORS`].
    pub errors: Vec<RowError>,
}

/// One error in a row that was not imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    /// Line in the file, the header being line 1.
    pub line: u64,
    /// Name of the column, if one column is wrong.
    pub column: Option<&'static str>,
    /// Why the row was not imported.
    pub reason: Reason,
    /// The broken rule, in Chinese.
    pub zh: String,
    /// The broken rule, in English.
    pub en: String,
}

impl ImportReport {
    fn reject(&mut self, line: u64, errors: Vec<ColumnError>) {
        self.rejected += 1;
        let room = MAX_REPORTED_ERRORS.saturating_sub(self.errors.len());
        self.errors
            .extend(errors.into_iter().take(room).map(|error| RowError {
                line,
                column: error.column,
                reason: error.reason,
                zh: error.zh,
                en: error.en,
            }));
    }

    fn in_order_of_lines(mut self) -> Self {
        self.errors.sort_by_key(|error| error.line);
        self
    }
}

/// Whether a client exists; each is looked up once per file.
async fn client_exists<D: Database>(
    tx: &Tx<'_, D>,
    id: &ClientId,
    known: &mut BTreeMap<ClientId, bool>,
) -> Result<bool, Error> {
    if let Some(found) = known.get(id) {
        return Ok(*found);
    }
    let found = client::by_id(tx, id).await?.is_some();
    known.insert(id.clone(), found);
    Ok(found)
}
