//! Imports as a list, and withdrawing one: its unused rows are removed with all their keys, those in use are named.

use super::Context;
use super::unreadable::RowOpener;
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{ImportId, Timestamp, mask_identifiers};
use store::{
    Database, chip,
    import::{self, ImportKind, ImportRow, ImportedRow},
    number,
};

/// Most rows in use that the answer names.
const MAX_NAMED_IN_USE: usize = 100;
/// Most imports of one page.
pub const MAX_IMPORTS_PER_PAGE: u32 = 100;

/// What becomes of the rows of an import that is withdrawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawn {
    /// The table that the import filled.
    pub kind: &'static str,
    /// Rows that are removed.
    pub removed: usize,
    /// Rows that stay, because they are in use.
    pub in_use: usize,
    /// EIDs or ICCIDs of those, masked; 100 at most. Those that cannot be opened are left out.
    pub named: Vec<String>,
}

/// Withdraws an import: removes the chips that were never applied for and never opened a session, and the numbers that
/// are free and were never reserved, with their keys; the others stay. With `preview` the result is the same and
/// nothing changes. Repeating the call removes what has become unused since, if anything.
///
/// # Errors
/// [`Reason::UnknownImport`].
pub async fn withdraw_import<D: Database>(
    cx: &Context<'_, D>,
    id: ImportId,
    preview: bool,
) -> Result<Withdrawn, Error> {
    if preview {
        let (_, rows, import) = examined(cx.db, id).await?;
        return Ok(withdrawn(cx, &import, &rows));
    }
    transaction(cx, async |tx| {
        let (unused, rows, import) = examined(tx, id).await?;
        let withdrawn = withdrawn(cx, &import, &rows);
        if withdrawn.removed > 0 {
            let keys = serde_json::to_string(&unused).map_err(Error::internal)?;
            import::remove(tx, &import, keys, withdrawn.removed, cx.now).await?;
        }
        cx.note_result("removed", withdrawn.removed);
        Ok(withdrawn)
    })
    .await
}

/// An import with its rows, and the keys of the unused ones in hexadecimal.
async fn examined<D: Database>(
    db: &D,
    id: ImportId,
) -> Result<(Vec<String>, Vec<ImportedRow>, ImportRow), Error> {
    let import = import::find(db, id).await?.ok_or(Reason::UnknownImport)?;
    let rows = import::rows(db, &import).await?;
    let unused = rows.iter().filter(|row| row.is_unused);
    Ok((unused.map(|row| row.index.hex()).collect(), rows, import))
}

fn withdrawn<D>(cx: &Context<'_, D>, import: &ImportRow, rows: &[ImportedRow]) -> Withdrawn {
    let column = match import.kind {
        ImportKind::Chip => chip::EID,
        ImportKind::Number => number::ICCID,
    };
    let in_use: Vec<_> = rows.iter().filter(|row| !row.is_unused).collect();
    let named = in_use.iter().take(MAX_NAMED_IN_USE).filter_map(|row| {
        let mut opener = RowOpener::new(cx, row.index.as_bytes());
        opener.identifier("in_use", column, Some(&row.sealed))
    });
    Withdrawn {
        kind: import.kind.code(),
        removed: rows.len() - in_use.len(),
        in_use: in_use.len(),
        named: named.map(|text| mask_identifiers(&text)).collect(),
    }
}

/// An import as administrators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportView {
    /// Identifier.
    pub id: ImportId,
    /// The table it filled.
    pub kind: &'static str,
    /// Rows in its file: all, new, unchanged, corrected, not imported.
    pub counts: [u64; 5],
    /// Rows that were withdrawn.
    pub removed: u64,
    /// Who made a correction; none if nobody, or if it cannot be opened.
    pub person: Option<String>,
    /// Why; none if there is nothing, or if it cannot be opened.
    pub note: Option<String>,
    /// When it was made.
    pub at: Timestamp,
    /// When it was last withdrawn.
    pub withdrawn_at: Option<Timestamp>,
    /// The fields whose values cannot be opened.
    pub unreadable: Vec<&'static str>,
}

/// Imports before `before`, the latest first. Where the next page begins comes with a page that is full. A value that
/// cannot be opened hides no import.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn list_imports<D: Database>(
    cx: &Context<'_, D>,
    before: Option<ImportId>,
    limit: u32,
) -> Result<(Vec<ImportView>, Option<ImportId>), Error> {
    let limit = limit.clamp(1, MAX_IMPORTS_PER_PAGE);
    let rows = import::latest(cx.db, before.unwrap_or(ImportId::last()), limit).await?;
    let last = rows.last().map(|row| row.id);
    let next = last.filter(|_| rows.len() == limit as usize);
    Ok((rows.into_iter().map(|row| view(cx, row)).collect(), next))
}

fn view<D>(cx: &Context<'_, D>, row: ImportRow) -> ImportView {
    let id = row.id.text();
    let mut opener = RowOpener::new(cx, id.as_bytes());
    let sealed = row.sealed_note.as_ref();
    let person = opener.text(
        "person",
        import::PERSON,
        sealed.map(|[person, _]| person.as_slice()),
    );
    let note = opener.text("note", import::NOTE, sealed.map(|[_, note]| note.as_slice()));
    ImportView {
        id: row.id,
        kind: row.kind.code(),
        counts: row.counts,
        removed: row.removed,
        person,
        note,
        at: row.at,
        withdrawn_at: row.withdrawn_at,
        unreadable: opener.unreadable,
    }
}
