//! Table `key_check`: whether the keys of a program are those that the database was made with. Under another index key
//! nothing that is there would be found, and every number could be imported and given out a second time.
//!
//! Never stores a key: a check value is a keyed digest.

use super::{Database, DbError, Row, Run as _, chip, first};
use domain::Timestamp;
use domain::error::{Error, Reason};
use vault::{IndexKind, KeyCheck, Vault};

const ALL: &str = "SELECT name, value FROM key_check";
const ADD: &str = "INSERT INTO key_check (name, value, stored_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
const ANY_CHIP: &str = "SELECT eid_index, eid_sealed FROM chip LIMIT 1";

/// Compares the keys of a program with the check values of the database, and stores those that are missing. A database
/// without any, which is new or of an older program, is taken over only if its rows can be opened and found.
///
/// # Errors
/// [`Reason::KeysWrong`], whose cause names the key; [`Reason::Unavailable`] when the database is busy.
pub async fn check_keys<D: Database>(db: &D, vault: &Vault, now: Timestamp) -> Result<(), Error> {
    let own = vault.key_checks();
    let stored = all(db).await?;
    compare(&own, &stored)?;
    if stored.is_empty() && !fits_rows(db, vault).await? {
        return Ok(());
    }
    let is_missing = |check: &&KeyCheck| !stored.iter().any(|(name, _)| *name == check.name);
    let missing: Vec<&KeyCheck> = own.iter().filter(is_missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    for check in missing {
        let params = [
            check.name.as_str().into(),
            check.value.to_vec().into(),
            now.into(),
        ];
        db.run(ADD, &params).await?;
    }
    // Another process may have been first, with other keys.
    compare(&own, &all(db).await?)
}

async fn all<D: Database>(db: &D) -> Result<Vec<(String, Vec<u8>)>, DbError> {
    let read = |row: &Row| Ok((row.text(0)?.to_owned(), row.blob(1)?.to_owned()));
    db.run(ALL, &[]).await?.iter().map(read).collect()
}

/// Every own key is the one of its name, and no sealing key is missing where there are any.
fn compare(own: &[KeyCheck], stored: &[(String, Vec<u8>)]) -> Result<(), Error> {
    let wrong = |name: &str, what: &str| {
        let cause = format!("{name} {what}");
        Err(Error::new(Reason::KeysWrong).with_cause(cause))
    };
    for (name, value) in stored {
        match own.iter().find(|check| check.name == *name) {
            Some(check) if check.is(value) => (),
            Some(_) => return wrong(name, "is not the key that this database was made with"),
            None if own.iter().any(|check| check.seals) && name.starts_with(KeyCheck::SEALING) => {
                return wrong(name, "is missing, and values of this database are sealed with it");
            }
            None => (),
        }
    }
    Ok(())
}

/// Whether a row of a database without check values is what these keys make of it. False when the program cannot tell.
async fn fits_rows<D: Database>(db: &D, vault: &Vault) -> Result<bool, Error> {
    let chip = first(&db.run(ANY_CHIP, &[]).await?, |row| {
        Ok((row.index(0)?, row.blob(1)?.to_owned()))
    })?;
    let Some((index, sealed)) = chip else {
        return Ok(true);
    };
    if !vault.can_open() {
        return Ok(false);
    }
    let opened = vault.open_text(chip::EID, index.as_bytes(), &sealed);
    let is_right = opened.is_ok_and(|eid| vault.blind_index(IndexKind::Eid, eid.as_bytes()) == index);
    if is_right {
        return Ok(true);
    }
    Err(Error::new(Reason::KeysWrong).with_cause("the rows of this database were made with other keys"))
}
