//! Table `key_check`: whether the keys of a program are those that the database was made with. Under another index key
//! nothing that is there would be found, and every number could be imported and given out a second time.
//!
//! Never stores a key: a check value is a keyed digest. The keys of the first start are stored, and later each key from
//! the time when a program first uses it. A key that is only accepted yet is not: it may still be corrected or
//! withdrawn, and a node may not have it yet. A stored key is retired when nothing needs it any more; then a program may
//! lack it, and none may use it.

use super::{Database, DbError, Row, Run as _, Statement, Tx, chip, client, first, number, transaction};
use domain::error::{Error, Reason};
use domain::{HOUR_MS, MINUTE_MS, Timestamp};
use vault::{BlindIndex, Column, IndexKind, KeyCheck, Vault};

/// Bytes of a check value that name a key in a manifest.
const FINGERPRINT_BYTES: usize = 8;
/// How often a program checks its keys again, in milliseconds.
const KEYS_CHECKED_EVERY_MS: i64 = HOUR_MS;
/// A use is recorded again after this time, in milliseconds.
const USED_EVERY_MS: i64 = 30 * MINUTE_MS;

const ALL: &str = "SELECT name, value, stored_at, used_at, retired_at FROM key_check ORDER BY name";
const USE: &str = "INSERT INTO key_check (name, value, stored_at, used_at) VALUES ($1, $2, $3, $3) \
    ON CONFLICT (name) DO UPDATE SET used_at = excluded.used_at WHERE key_check.retired_at IS NULL";
const RETIRE: &str = "UPDATE key_check SET retired_at = $1 WHERE name = $2 AND used_at = $3 AND retired_at IS NULL RETURNING name";
const TABLES: Statement = Statement::new(
    "SELECT COUNT(*) AS n FROM sqlite_master WHERE type = 'table' AND name IN ('chip', 'number', 'client')",
    "SELECT COUNT(*) AS n FROM pg_tables WHERE schemaname = current_schema() AND tablename IN ('chip', 'number', 'client')",
);
const ANY_CHIP: &str = "SELECT eid_index, eid_sealed FROM chip LIMIT 1";
const ANY_NUMBER: &str = "SELECT iccid_index, iccid_sealed FROM number LIMIT 1";
const ANY_CLIENT: &str = "SELECT phone_index, phone_sealed, id FROM client LIMIT 1";

/// A key as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// Its name; see [`KeyCheck::name`].
    pub name: String,
    value: Vec<u8>,
    /// When it was first used.
    pub stored_at: Timestamp,
    /// When a program last used it, to within two hours.
    pub used_at: Timestamp,
    /// Since when nothing needs it.
    pub retired_at: Option<Timestamp>,
}

impl KeyRow {
    /// The beginning of its check value in hexadecimal, which tells keys apart and none of them.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex::encode(&self.value[..self.value.len().min(FINGERPRINT_BYTES)])
    }

    /// What the key is for; see [`KeyCheck::kind`].
    #[must_use]
    pub fn kind(&self) -> &str {
        self.name.split(':').next().unwrap_or_default()
    }
}

/// Every key that was ever used, by name.
pub async fn keys<D: Database>(db: &D) -> Result<Vec<KeyRow>, DbError> {
    let read = |row: &Row| {
        Ok(KeyRow {
            name: row.text(0)?.to_owned(),
            value: row.blob(1)?.to_owned(),
            stored_at: row.time(2)?,
            used_at: row.time(3)?,
            retired_at: row.optional(4, Row::time)?,
        })
    };
    db.run(ALL, &[]).await?.iter().map(read).collect()
}

/// Retires a key. False when it has been used since it was read.
pub async fn retire_key<D: Database>(tx: &Tx<'_, D>, key: &KeyRow, now: Timestamp) -> Result<bool, DbError> {
    let params = [now.into(), key.name.as_str().into(), key.used_at.into()];
    Ok(!tx.run(RETIRE, &params).await?.is_empty())
}

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

/// Whether keys that were found right at this time need no check yet. A time ahead comes from a clock that was set back.
#[must_use]
pub fn keys_checked_lately(at: Timestamp, now: Timestamp) -> bool {
    at <= now && now < at.plus(KEYS_CHECKED_EVERY_MS)
}

/// Compares the keys of a program with the check values of the database, and records that it uses them. A database
/// without any, which is new or of an older program, is taken over only if its rows can be opened and found.
///
/// Returns false when the program cannot tell; then nothing is stored.
///
/// # Errors
/// [`Reason::KeysWrong`], whose cause names the key; [`Reason::Unavailable`] when the database is busy.
pub async fn check_keys<D: Database>(db: &D, vault: &Vault, now: Timestamp) -> Result<bool, Error> {
    let own = vault.key_checks();
    let stored = keys(db).await?;
    // A program without sealing keys leaves the first start to one that has them.
    if stored.is_empty() && (rows_fit(db, vault).await? == RowsFit::Unknown || !vault.can_open()) {
        return Ok(false);
    }
    compare(&own, &stored)?;
    let is_new = own.iter().any(|check| is_unknown(check, &stored));
    if !is_new && own.iter().all(|check| is_recorded(check, &stored, now)) {
        return Ok(true);
    }
    let recorded = transaction(db, async |tx| {
        // Another program may have been first, with other keys.
        let stored = keys(tx).await?;
        compare(&own, &stored)?;
        for check in &own {
            if is_unknown(check, &stored) || !is_recorded(check, &stored, now) {
                let params = [
                    check.name.as_str().into(),
                    check.value.to_vec().into(),
                    now.into(),
                ];
                tx.run(USE, &params).await?;
            }
        }
        Ok::<_, Error>(())
    })
    .await;
    match recorded {
        // A use that could not be recorded is recorded in an hour.
        Err(error) if !is_new && error.reason() == Reason::Unavailable => Ok(true),
        outcome => outcome.map(|()| true),
    }
}

/// Whether the key has to be stored: it is in use, or this is the first start.
fn is_unknown(check: &KeyCheck, stored: &[KeyRow]) -> bool {
    (check.is_used || stored.is_empty()) && stored.iter().all(|row| row.name != check.name)
}

/// Whether nothing has to be recorded about the use of a key. A time ahead comes from a clock that was set back since.
fn is_recorded(check: &KeyCheck, stored: &[KeyRow], now: Timestamp) -> bool {
    let row = stored.iter().find(|row| row.name == check.name);
    !check.is_used || row.is_none_or(|row| row.used_at <= now && now < row.used_at.plus(USED_EVERY_MS))
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

/// Every own key is the one of its name. Of each kind that the program has, none is missing that values need, and the
/// one in use is not retired.
fn compare(own: &[KeyCheck], stored: &[KeyRow]) -> Result<(), Error> {
    let wrong = |name: &str, what: &str| {
        let cause = format!("{name} {what}");
        Err(Error::new(Reason::KeysWrong).with_cause(cause))
    };
    // In the order of the program, in which the index key is the first: others may follow from it.
    for check in own {
        match stored.iter().find(|row| row.name == check.name) {
            Some(row) if check.is_used && row.retired_at.is_some() => {
                return wrong(&row.name, "is an old key that is not used any more");
            }
            Some(row) if row.retired_at.is_none() && !check.is(&row.value) => {
                return wrong(&row.name, "is not the key that this database was made with");
            }
            _ => (),
        }
    }
    let is_missing = |row: &&KeyRow| {
        let is_of_kind = |check: &KeyCheck| check.kind == row.kind();
        row.retired_at.is_none()
            && own.iter().all(|check| check.name != row.name)
            && own.iter().any(is_of_kind)
    };
    match stored.iter().find(is_missing) {
        Some(row) => wrong(&row.name, "is missing, and is still needed"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::keys_checked_lately;
    use domain::Timestamp;

    #[test]
    fn a_check_of_the_keys_holds_for_an_hour_and_not_once_the_clock_was_set_back() {
        let checked = Timestamp(1_782_864_000_000);
        for (after_ms, holds) in [(-1, false), (0, true), (3_599_999, true), (3_600_000, false)] {
            assert_eq!(
                keys_checked_lately(checked, checked.plus(after_ms)),
                holds,
                "{after_ms}"
            );
        }
    }
}
