//! Table `key_check`: whether the keys of a program are those that the database was made with. Under another index key
//! nothing that is there would be found, and every number could be imported and given out a second time.
//!
//! Never stores a key: a check value is a keyed digest. The keys of the first start are stored. A sealing key that joins
//! later is not: it may still be corrected or withdrawn, and a node may not have it yet.

use super::{Database, DbError, Row, Run as _, chip, client, first, number, transaction};
use domain::Timestamp;
use domain::error::{Error, Reason};
use vault::{BlindIndex, Column, IndexKind, KeyCheck, Vault};

const ALL: &str = "SELECT name, value FROM key_check";
const ADD: &str = "INSERT INTO key_check (name, value, stored_at) VALUES ($1, $2, $3)";
const TABLES: &str =
    "SELECT COUNT(*) AS n FROM sqlite_master WHERE type = 'table' AND name IN ('chip', 'number', 'client')";
const ANY_CHIP: &str = "SELECT eid_index, eid_sealed FROM chip LIMIT 1";
const ANY_NUMBER: &str = "SELECT iccid_index, iccid_sealed FROM number LIMIT 1";
const ANY_CLIENT: &str = "SELECT phone_index, phone_sealed, id FROM client LIMIT 1";

/// Whether rows are what some keys make of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowsFit {
    /// There are none.
    Empty,
    /// A row of each table was opened and found.
    Yes,
    /// The program has no key that opens them.
    Unknown,
}

/// Compares the keys of a program with the check values of the database. A database without any, which is new or of an
/// older program, is taken over only if its rows can be opened and found.
///
/// Returns false when the program cannot tell; then nothing is stored.
///
/// # Errors
/// [`Reason::KeysWrong`], whose cause names the key; [`Reason::Unavailable`] when the database is busy.
pub async fn check_keys<D: Database>(db: &D, vault: &Vault, now: Timestamp) -> Result<bool, Error> {
    let own = vault.key_checks();
    let stored = all(db).await?;
    if !stored.is_empty() {
        return compare(&own, &stored).map(|()| true);
    }
    if rows_fit(db, vault).await? == RowsFit::Unknown {
        return Ok(false);
    }
    // A program without sealing keys leaves the first start to one that has them.
    if !vault.can_open() {
        return Ok(false);
    }
    transaction(db, async |tx| {
        // Another program may have been first, with other keys.
        let stored = all(tx).await?;
        if stored.is_empty() {
            for check in &own {
                let params = [
                    check.name.as_str().into(),
                    check.value.to_vec().into(),
                    now.into(),
                ];
                tx.run(ADD, &params).await?;
            }
        }
        compare(&own, &stored)
    })
    .await?;
    Ok(true)
}

/// Whether a row of each table that holds identifiers is what these keys make of it, in a database of any schema.
///
/// # Errors
/// [`Reason::KeysWrong`] when one is not; [`Reason::Unavailable`] when the database is busy.
pub async fn rows_fit<D: Database>(db: &D, vault: &Vault) -> Result<RowsFit, Error> {
    let tables = first(&db.run(TABLES, &[]).await?, |row| row.integer(0))?;
    if tables == Some(0) {
        return Ok(RowsFit::Empty);
    }
    let by_index = |row: &Row| Ok((row.index(0)?, row.blob(1)?.to_owned(), row.blob(0)?.to_owned()));
    let by_id = |row: &Row| {
        Ok((
            row.index(0)?,
            row.blob(1)?.to_owned(),
            row.text(2)?.as_bytes().to_owned(),
        ))
    };
    let mut fit = RowsFit::Empty;
    for (kind, column, found) in [
        (
            IndexKind::Eid,
            chip::EID,
            first(&db.run(ANY_CHIP, &[]).await?, by_index)?,
        ),
        (
            IndexKind::Iccid,
            number::ICCID,
            first(&db.run(ANY_NUMBER, &[]).await?, by_index)?,
        ),
        (
            IndexKind::Phone,
            client::PHONE,
            first(&db.run(ANY_CLIENT, &[]).await?, by_id)?,
        ),
    ] {
        let Some(found) = found else { continue };
        if !vault.can_open() {
            return Ok(RowsFit::Unknown);
        }
        if !is_right(vault, kind, column, &found) {
            let cause = format!("{} was made with other keys", column.0);
            return Err(Error::new(Reason::KeysWrong).with_cause(cause));
        }
        fit = RowsFit::Yes;
    }
    Ok(fit)
}

/// Index, sealed value and row of an identifier: opened, it has this index.
fn is_right(vault: &Vault, kind: IndexKind, column: Column, found: &(BlindIndex, Vec<u8>, Vec<u8>)) -> bool {
    let (index, sealed, row) = found;
    let opened = vault.open_text(column, row, sealed);
    opened.is_ok_and(|text| vault.blind_index(kind, text.as_bytes()) == *index)
}

async fn all<D: Database>(db: &D) -> Result<Vec<(String, Vec<u8>)>, DbError> {
    let read = |row: &Row| Ok((row.text(0)?.to_owned(), row.blob(1)?.to_owned()));
    db.run(ALL, &[]).await?.iter().map(read).collect()
}

/// Every own key is the one of its name, and where there are sealing keys none of the first start is missing.
fn compare(own: &[KeyCheck], stored: &[(String, Vec<u8>)]) -> Result<(), Error> {
    let wrong = |name: &str, what: &str| {
        let cause = format!("{name} {what}");
        Err(Error::new(Reason::KeysWrong).with_cause(cause))
    };
    for (name, value) in stored {
        match own.iter().find(|check| check.name == *name) {
            Some(check) if check.is(value) => (),
            Some(_) => return wrong(name, "is not the key that this database was made with"),
            None if own.iter().any(|check| check.seals) => {
                return wrong(name, "is missing, and values of this database are sealed with it");
            }
            None => (),
        }
    }
    Ok(())
}
