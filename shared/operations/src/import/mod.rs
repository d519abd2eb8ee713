//! Inventory from tables: chips with their temporary numbers, and operator numbers (§5.3.1.1).
//!
//! A file is read twice. First the whole of it, so that rows that contradict one another are known; then the good rows
//! are written. Bad ones are reported with line, column and reason. A corrected file can be imported again as a whole:
//! rows that were imported before, exactly as they are, stay unchanged.
//!
//! Each import has an identifier, which its rows keep, so that it can be withdrawn. A file of corrections adds no row.

mod chips;
mod columns;
mod contradictions;
mod decode;
mod header;
mod numbers;
mod parts;
mod records;
mod rounded;
mod rules;
mod secrets;
mod store_chip;
mod warnings;

pub(super) use columns::{ColumnError, RowLimit, RowReader, Table};
pub(super) use decode::decode;
pub(super) use rules::{ColumnRule, optional, required};

pub use chips::import_chips;
pub use decode::is_spreadsheet;
pub use numbers::import_numbers;
pub use parts::{TableKind, TablePart, table_parts};
pub use warnings::ImportWarning;

use std::collections::BTreeMap;

use super::Context;
use super::act_note::ActNote;
use super::audit;
use super::clients::receives;
use super::warning_kind::WarningKind;
use contradictions::{Compared, FileKeys, Key};
use domain::error::{Error, Reason};
use domain::{ClientId, Iccid, ImportId, NumberRanges};
use rounded::fails_check_digit;
use store::{
    Database, DbError, Tx,
    import::{self, ImportKind, ImportRow},
};
use vault::{BlindIndex, random_bytes};

/// Most rows in one file.
pub const MAX_IMPORT_ROWS: usize = 5_000;
/// Most rows that one statement adds.
const MAX_ROWS_TOGETHER: usize = 500;
/// Largest file, in bytes.
pub const MAX_IMPORT_BYTES: usize = 4 * 1024 * 1024;
/// Most errors that are reported one by one, contradictions not counted: of those, every one is reported.
pub const MAX_REPORTED_ERRORS: usize = 1_000;

/// How a file is imported.
#[derive(Clone, Debug, Default)]
pub struct ImportChoices<'a> {
    /// Take numeric ICCIDs that end in five or more zeros and have a wrong check digit, as a spreadsheet makes them.
    pub accept_zeros: bool,
    /// Report the same, and change nothing.
    pub preview: bool,
    /// Correct what is stored, instead of adding rows: by whom and why.
    pub correct: Option<ActNote<'a>>,
    /// The ranges that numbers may belong to.
    pub ranges: NumberRanges,
    /// Take EIDs of 32 hexadecimal digits without check digits.
    pub unchecked_eids: bool,
}

/// The result of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// The import; none for a preview.
    pub id: Option<ImportId>,
    /// Rows in the file, without its header.
    pub rows: usize,
    /// Rows that are new.
    pub imported: usize,
    /// Rows that were imported before with the same values, or stand in the file a second time.
    pub unchanged: usize,
    /// Rows that were there and have been corrected.
    pub corrected: usize,
    /// Rows that were not imported.
    pub rejected: usize,
    /// Why rows were not imported: every contradiction, and the first [`MAX_REPORTED_ERRORS`] others.
    pub errors: Vec<RowError>,
    /// What is not as usual, and did not keep any row from being imported.
    pub warnings: Vec<ImportWarning>,
    /// How many of the errors are no contradictions.
    others: usize,
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

/// The result of storing a good row.
enum Stored {
    New,
    Unchanged,
    Corrected,
    Refused(ColumnError),
}

impl Stored {
    /// A correction that changed something or not; a refusal refuses the row alone.
    fn corrected(changed: Result<bool, Error>) -> Result<Self, Error> {
        match changed {
            Ok(true) => Ok(Self::Corrected),
            Ok(false) => Ok(Self::Unchanged),
            Err(error) if error.reason().status() < 500 => Ok(Self::Refused(error.into())),
            Err(error) => Err(error),
        }
    }
}

impl ImportReport {
    fn count(&mut self, line: u64, stored: Stored) {
        match stored {
            Stored::New => self.imported += 1,
            Stored::Unchanged => self.unchanged += 1,
            Stored::Corrected => self.corrected += 1,
            Stored::Refused(error) => self.reject(line, vec![error]),
        }
    }

    fn reject(&mut self, line: u64, errors: Vec<ColumnError>) {
        self.rejected += 1;
        for error in errors {
            if error.reason != Reason::ImportConflict {
                if self.others == MAX_REPORTED_ERRORS {
                    continue;
                }
                self.others += 1;
            }
            self.errors.push(RowError {
                line,
                column: error.column,
                reason: error.reason,
                zh: error.zh,
                en: error.en,
            });
        }
    }

    fn in_order_of_lines(mut self) -> Self {
        self.errors.sort_by_key(|error| error.line);
        self
    }
}

/// A row that passed the checks of its own values.
trait ImportedRow: Sized {
    /// The columns that a file of such rows may have.
    const COLUMNS: &'static [ColumnRule];

    /// The row as it is stored.
    type Sealed;

    /// The keys of a row, as far as they can be read: two rows with one in common are about the same thing.
    fn keys(row: &RowReader<'_>, choices: &ImportChoices<'_>) -> Vec<Key>;

    /// The column of its ICCID, and the ICCID.
    fn iccid(&self) -> (&'static str, &Iccid);

    /// The digest of what the row says, which is the same for rows that say the same.
    fn digest<D>(&self, cx: &Context<'_, D>) -> BlindIndex;

    /// Seals the row.
    fn seal<D>(&self, cx: &Context<'_, D>, digest: BlindIndex) -> Result<Self::Sealed, Error>;
}

/// Sealed rows, each with its line.
type SealedRows<R> = Vec<(u64, <R as ImportedRow>::Sealed)>;

/// Reads a file, and seals the rows that may be written, each with its line; the others are in the report.
fn checked<R: ImportedRow, D>(
    cx: &Context<'_, D>,
    file: &[u8],
    rules: &'static [ColumnRule],
    choices: &ImportChoices<'_>,
    read: impl Fn(RowReader<'_>) -> Result<R, Vec<ColumnError>>,
) -> Result<(SealedRows<R>, ImportReport), Error> {
    let mut table = Table::read(file, rules)?;
    let mut warnings = std::mem::take(&mut table.warnings);
    let mut report = ImportReport {
        rows: table.rows.len(),
        ..ImportReport::default()
    };
    let mut keys = FileKeys::default();
    let mut rows = Vec::with_capacity(table.rows.len());
    for record in &table.rows {
        let row = table.row(record);
        let row_keys = R::keys(&row, choices);
        let row = read(row).map(|row| (row.digest(cx), row));
        let content = match &row {
            Ok((digest, _)) => digest.as_bytes().to_vec(),
            Err(_) => record.fields.join("\u{1f}").into_bytes(),
        };
        keys.add(record.line, row_keys, content);
        rows.push((record.line, row));
    }
    let mut good = Vec::new();
    for (at, (line, row)) in rows.into_iter().enumerate() {
        match (row, keys.compare(at)) {
            (row, Compared::Contradicted(contradiction)) => {
                let mut errors = row.err().unwrap_or_default();
                errors.push(contradiction.into());
                report.reject(line, errors);
            }
            (Err(errors), _) => report.reject(line, errors),
            (Ok(_), Compared::Repeated) => report.unchanged += 1,
            (Ok((digest, row)), Compared::Alone) => {
                let (column, iccid) = row.iccid();
                if fails_check_digit(iccid) {
                    warnings.add(WarningKind::CheckDigitWrong, Some(column.to_owned()), line);
                }
                good.push((line, row.seal(cx, digest)?));
            }
        }
    }
    report.warnings = warnings.0;
    Ok((good, report))
}

/// Why an import was not committed.
enum NotWritten {
    /// It was only asked for what would happen.
    Previewed(ImportReport),
    Failed(Error),
}

impl From<Error> for NotWritten {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<DbError> for NotWritten {
    fn from(error: DbError) -> Self {
        Self::Failed(error.into())
    }
}

/// Writes in one transaction, which a preview rolls back.
async fn written<D: Database>(
    cx: &Context<'_, D>,
    choices: &ImportChoices<'_>,
    kind: ImportKind,
    write: impl AsyncFn(&Tx<'_, D>, ImportId) -> Result<ImportReport, Error>,
) -> Result<ImportReport, Error> {
    let result = store::transaction(cx.db, async |tx| {
        let id = ImportId::new(cx.now, random_bytes(cx.random));
        let report = write(tx, id).await?;
        // What single rows noted is in the history of their cards.
        audit::begin(cx);
        if choices.preview {
            return Err(NotWritten::Previewed(report));
        }
        let columns = [import::PERSON, import::NOTE];
        let sealed = |note: &ActNote<'_>| note.sealed_for(cx, columns, id.text().as_bytes());
        let counts = [
            report.rows,
            report.imported,
            report.unchanged,
            report.corrected,
            report.rejected,
        ];
        let row = ImportRow {
            id,
            kind,
            counts: counts.map(|count| count as u64),
            removed: 0,
            sealed_note: choices.correct.as_ref().map(sealed).transpose()?,
            at: cx.now,
            withdrawn_at: None,
        };
        import::insert(tx, &row).await?;
        cx.note_object("import_id", &id.text());
        for (name, count) in ["rows", "imported", "unchanged", "corrected", "rejected"]
            .iter()
            .zip(counts)
        {
            cx.note_result(name, count as u64);
        }
        let is_recorded = audit::record_done(cx, tx).await?;
        let report = ImportReport {
            id: Some(id),
            ..report
        };
        Ok((report, is_recorded))
    });
    match result.await {
        Ok((report, is_recorded)) => {
            audit::committed(cx, is_recorded);
            Ok(report.in_order_of_lines())
        }
        Err(NotWritten::Previewed(report)) => Ok(report.in_order_of_lines()),
        Err(NotWritten::Failed(error)) => Err(error),
    }
}

/// Clients of a file, and why a row for one is refused.
type KnownClients = BTreeMap<ClientId, Option<Reason>>;

/// Why a row for a client is refused, if it is; each is looked up once per file.
async fn refusal_for<D: Database>(
    tx: &Tx<'_, D>,
    id: &ClientId,
    known: &mut KnownClients,
) -> Result<Option<Reason>, Error> {
    if let Some(refusal) = known.get(id) {
        return Ok(*refusal);
    }
    let refusal = match receives(tx, id).await {
        Ok(()) => None,
        Err(error) if matches!(error.reason(), Reason::UnknownClient | Reason::ClientClosed) => {
            Some(error.reason())
        }
        Err(error) => return Err(error),
    };
    known.insert(id.clone(), refusal);
    Ok(refusal)
}
