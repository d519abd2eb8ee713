//! Table `import`: the imports of chips and numbers, and the rows of tables `chip` and `number` that are from one.
//!
//! A row is used once anything has happened to it, and is never removed from then on.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::{Database, DbError, Row, Run as _, Statement, Tx, Value, first};
use domain::{ImportId, Timestamp};
use vault::{BlindIndex, Column};

/// Sealed column: the person who made a correction.
pub const PERSON: Column = Column("import.person");
/// Sealed column: why that person did.
pub const NOTE: Column = Column("import.note");

const INSERT: &str = "INSERT INTO import (id, kind, row_count, imported_count, unchanged_count, corrected_count, \
    rejected_count, person_sealed, note_sealed, imported_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

macro_rules! columns {
    () => {
        "SELECT id, kind, row_count, imported_count, unchanged_count, corrected_count, rejected_count, \
         removed_count, person_sealed, note_sealed, imported_at, withdrawn_at FROM import "
    };
}
const FIND: &str = concat!(columns!(), "WHERE id = $1");
const LATEST: &str = concat!(columns!(), "WHERE id < $1 ORDER BY id DESC LIMIT $2");
const SET_WITHDRAWN: &str =
    "UPDATE import SET removed_count = removed_count + $1, withdrawn_at = $2 WHERE id = $3";

// 1: 待写卡. A chip that was ever applied for, opened a session or was reported on has rows that name it.
const CHIPS: &str = "SELECT eid_index, eid_sealed, CASE WHEN status = 1 AND faulty = 0 AND blocked = 0 \
    AND replaced = 0 AND used_bytes = 0 AND NOT EXISTS (SELECT 1 FROM task t WHERE t.eid_index = chip.eid_index) \
    AND NOT EXISTS (SELECT 1 FROM device_session s WHERE s.eid_index = chip.eid_index) \
    AND NOT EXISTS (SELECT 1 FROM message m WHERE m.eid_index = chip.eid_index) \
    AND NOT EXISTS (SELECT 1 FROM chip_destruction d WHERE d.eid_index = chip.eid_index) \
    AND NOT EXISTS (SELECT 1 FROM number n WHERE n.eid_index = chip.eid_index) THEN 1 ELSE 0 END \
    FROM chip WHERE import_id = $1 ORDER BY eid_index";
// A number that was ever reserved has a task that names it.
const NUMBERS: &str = "SELECT iccid_index, iccid_sealed, CASE WHEN status IN ('available', 'allotted') \
    AND exposed = 0 AND replaced = 0 AND quarantined = 0 AND eid_index IS NULL \
    AND NOT EXISTS (SELECT 1 FROM task t WHERE t.iccid_index = number.iccid_index) THEN 1 ELSE 0 END \
    FROM number WHERE import_id = $1 ORDER BY iccid_index";
const REMOVE_CHIPS: [&str; 3] = [
    "DELETE FROM card_history WHERE eid_index IN (SELECT unhex(value) FROM json_each($1))",
    "DELETE FROM temporary_number_history WHERE eid_index IN (SELECT unhex(value) FROM json_each($1))",
    "DELETE FROM chip WHERE eid_index IN (SELECT unhex(value) FROM json_each($1))",
];
const REMOVE_NUMBERS: [&str; 4] = [
    "DELETE FROM number_usage WHERE iccid_index IN (SELECT unhex(value) FROM json_each($1))",
    "DELETE FROM number_location WHERE iccid_index IN (SELECT unhex(value) FROM json_each($1))",
    "DELETE FROM operator_inquiry WHERE iccid_index IN (SELECT unhex(value) FROM json_each($1))",
    "DELETE FROM number WHERE iccid_index IN (SELECT unhex(value) FROM json_each($1))",
];

/// The table that an import fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportKind {
    /// Chips.
    Chip,
    /// Operator numbers.
    Number,
}

impl ImportKind {
    /// Its stable name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Chip => "chip",
            Self::Number => "number",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        [Self::Chip, Self::Number]
            .into_iter()
            .find(|kind| kind.code() == code)
    }
}

/// An import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRow {
    /// Identifier.
    pub id: ImportId,
    /// The table it filled.
    pub kind: ImportKind,
    /// Rows in its file: all, new, unchanged, corrected, not imported.
    pub counts: [u64; 5],
    /// Rows that were withdrawn.
    pub removed: u64,
    /// Who made a correction and why, both sealed.
    pub sealed_note: Option<[Vec<u8>; 2]>,
    /// When it was made.
    pub at: Timestamp,
    /// When it was last withdrawn.
    pub withdrawn_at: Option<Timestamp>,
}

/// Adds an import.
pub async fn insert<D: Database>(tx: &Tx<'_, D>, new: &ImportRow) -> Result<(), DbError> {
    let [rows, imported, unchanged, corrected, rejected] =
        new.counts.map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    let [person, note] = new
        .sealed_note
        .clone()
        .map_or([None, None], |both| both.map(Some));
    let params: [Value; 10] = [
        new.id.text().into(),
        new.kind.code().into(),
        rows.into(),
        imported.into(),
        unchanged.into(),
        corrected.into(),
        rejected.into(),
        person.into(),
        note.into(),
        new.at.into(),
    ];
    tx.run(INSERT, &params).await.map(drop)
}

/// Adds rows in one statement, whose parameters are time, import and rows; returns the keys of those that it added.
pub(super) async fn add_rows<D: Database>(
    tx: &Tx<'_, D>,
    sql: Statement,
    rows: impl Iterator<Item = Vec<Value>>,
    import: ImportId,
    now: Timestamp,
) -> Result<BTreeSet<BlindIndex>, DbError> {
    let params = [now.into(), import.text().into(), json_rows(rows).into()];
    tx.run(sql, &params)
        .await?
        .iter()
        .map(|row| row.index(0))
        .collect()
}

/// Rows `[[…], …]`; bytes are in hexadecimal.
pub(super) fn json_rows(rows: impl Iterator<Item = Vec<Value>>) -> String {
    let json = |value| match value {
        Value::Null => Json::Null,
        Value::Integer(value) => value.into(),
        Value::Real(value) => value.into(),
        Value::Text(text) => text.into(),
        Value::Blob(bytes) => hex::encode(bytes).into(),
    };
    let rows = rows.map(|row| row.into_iter().map(json).collect::<Json>());
    rows.collect::<Json>().to_string()
}

/// Finds an import.
pub async fn find<D: Database>(db: &D, id: ImportId) -> Result<Option<ImportRow>, DbError> {
    first(&db.run(FIND, &[id.text().into()]).await?, read)
}

/// Up to `limit` imports before `before`, the latest first.
pub async fn latest<D: Database>(db: &D, before: ImportId, limit: u32) -> Result<Vec<ImportRow>, DbError> {
    let params = [before.text().into(), i64::from(limit).into()];
    db.run(LATEST, &params).await?.iter().map(read).collect()
}

/// A row that an import added.
pub struct ImportedRow {
    /// Its key.
    pub index: BlindIndex,
    /// Its sealed EID or ICCID.
    pub sealed: Vec<u8>,
    /// True as long as nothing has happened to it.
    pub is_unused: bool,
}

/// The rows that are there of an import.
pub async fn rows<D: Database>(db: &D, import: &ImportRow) -> Result<Vec<ImportedRow>, DbError> {
    let sql = match import.kind {
        ImportKind::Chip => CHIPS,
        ImportKind::Number => NUMBERS,
    };
    let read = |row: &Row| {
        Ok(ImportedRow {
            index: row.index(0)?,
            sealed: row.blob(1)?.to_owned(),
            is_unused: row.flag(2)?,
        })
    };
    let rows = db.run(sql, &[import.id.text().into()]).await?;
    rows.iter().map(read).collect()
}

/// Removes unused rows of an import with all their keys. `keys` is a JSON list of their keys in hexadecimal, `count`
/// how many there are.
pub async fn remove<D: Database>(
    tx: &Tx<'_, D>,
    import: &ImportRow,
    keys: String,
    count: usize,
    now: Timestamp,
) -> Result<(), DbError> {
    let statements: &[&'static str] = match import.kind {
        ImportKind::Chip => &REMOVE_CHIPS,
        ImportKind::Number => &REMOVE_NUMBERS,
    };
    let keys: Value = keys.into();
    for sql in statements {
        tx.run(*sql, std::slice::from_ref(&keys)).await?;
    }
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let params = [count.into(), now.into(), import.id.text().into()];
    tx.run(SET_WITHDRAWN, &params).await.map(drop)
}

fn read(row: &Row) -> Result<ImportRow, DbError> {
    let bytes = |at| row.optional(at, Row::blob);
    let sealed_note = bytes(8)?.zip(bytes(9)?);
    Ok(ImportRow {
        id: row.code(0, |text| ImportId::parse(text).ok())?,
        kind: row.code(1, ImportKind::from_code)?,
        counts: [
            row.unsigned(2)?,
            row.unsigned(3)?,
            row.unsigned(4)?,
            row.unsigned(5)?,
            row.unsigned(6)?,
        ],
        removed: row.unsigned(7)?,
        sealed_note: sealed_note.map(|(person, note)| [person.to_owned(), note.to_owned()]),
        at: row.time(10)?,
        withdrawn_at: row.optional(11, Row::time)?,
    })
}
