//! Whether every sealed value opens under the keys, and where one that does not belongs: a value is bound to its row, so
//! that one from another row opens only there.

use super::sealed::{RowKey, SEALED_TABLES, SealedTable};
use super::{Database, DbError};
use vault::{Column, Vault};

/// Rows that are held in memory at a time.
const PAGE_ROWS: u32 = 500;
/// Most values that do not open of which more than the number is kept.
const MAX_FAULTS: usize = 100;
/// Digits of a blind index that name a row.
const NAMED_DIGITS: usize = 8;

/// The sealed values of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SealedCheck {
    /// Values that open.
    pub opened: u64,
    /// Values that do not.
    pub unopened: u64,
    /// The first of those.
    pub faults: Vec<SealedFault>,
}

/// A value that does not open in its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedFault {
    /// Table and column.
    pub column: &'static str,
    /// The row, by its text, or by the beginning of its index.
    pub row: String,
    /// The row in which it opens, if one of the others that were found is.
    pub belongs_to: Option<String>,
}

/// A value, its place, and what it is.
struct Unopened {
    at: usize,
    key: RowKey,
    value: Vec<u8>,
}

/// Opens every sealed value.
///
/// # Errors
/// [`DbError`] when a row cannot be read.
pub async fn check_sealed<D: Database>(db: &D, vault: &Vault) -> Result<SealedCheck, DbError> {
    let mut check = SealedCheck::default();
    for table in SEALED_TABLES {
        let mut unopened = Vec::new();
        let mut after = RowKey::default();
        loop {
            let rows = table.page(db, &after, PAGE_ROWS).await?;
            let Some(last) = rows.last() else { break };
            after = last.key.clone();
            for row in rows {
                let place = table.row(&row.key);
                for (at, value) in row.values.into_iter().enumerate() {
                    let Some(value) = value else { continue };
                    if vault.open(table.columns[at], &place, &value).is_ok() {
                        check.opened += 1;
                        continue;
                    }
                    check.unopened += 1;
                    if check.faults.len() + unopened.len() < MAX_FAULTS {
                        let key = row.key.clone();
                        unopened.push(Unopened { at, key, value });
                    }
                }
            }
        }
        let faults = unopened.iter().map(|value| fault(table, vault, value, &unopened));
        check.faults.extend(faults);
    }
    Ok(check)
}

fn fault(table: &SealedTable, vault: &Vault, found: &Unopened, all: &[Unopened]) -> SealedFault {
    let column: Column = table.columns[found.at];
    let owner = all
        .iter()
        .find(|other| vault.open(column, &table.row(&other.key), &found.value).is_ok());
    SealedFault {
        column: column.0,
        row: named(&found.key),
        belongs_to: owner.map(|owner| named(&owner.key)),
    }
}

/// A row without more of its index than names it.
fn named(key: &RowKey) -> String {
    let text = std::str::from_utf8(&key.bytes).ok();
    let is_text = |text: &&str| text.chars().all(|next| next.is_ascii_graphic());
    let mut name = match text.filter(is_text) {
        Some(text) => text.to_owned(),
        None => hex::encode(&key.bytes).chars().take(NAMED_DIGITS).collect(),
    };
    if key.number != 0 {
        name.push_str(&format!("/{}", key.number));
    }
    name
}
