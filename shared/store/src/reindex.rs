//! Gives a database another index key: every blind index is made anew from the identifier that it stands for, in one
//! transaction.
//!
//! A blind index stands for its identifier in several tables, is part of what sealed values are bound to, and is in the
//! subject of incidents and alerts. So the identifiers are opened first, into a temporary table of old and new indexes,
//! and everything else follows that table: the sealed values by [`SEALED_TABLES`], the columns by the schema. Nothing
//! else may use the database meanwhile ([`keep_to_this_connection`]): a program that has checked its keys before would
//! go on with the old one, and find nothing.
//!
//! Never in a component. Never writes an identifier unsealed, not even into the temporary table.

use std::collections::BTreeMap;

use super::sealed::{RowKey, SEALED_TABLES, SealedTable};
use super::{Database, DbError, Row, Run as _, Tx, Value, chip, client, number};
use domain::Timestamp;
use vault::{BlindIndex, Column, IndexKind, Random, Vault};

/// Rows that are held in memory at a time.
const PAGE_ROWS: u32 = 500;
/// Tables whose column `subject` can name a chip by its index; see [`super::Subject::chip`].
const WITH_SUBJECT: [&str; 3] = ["incident", "alert", "deviation"];
/// Tables with the digest of an imported row.
const WITH_DIGEST: [&str; 2] = ["chip", "number"];

// A row and the rows that refer to it change in different statements.
const DEFER: &str = "PRAGMA defer_foreign_keys = ON";
const BEGIN: &str =
    "CREATE TEMP TABLE reindexed (old_index BLOB PRIMARY KEY, new_index BLOB NOT NULL) WITHOUT ROWID";
const END: &str = "DROP TABLE temp.reindexed";
const MAP: &str = "INSERT INTO temp.reindexed (old_index, new_index) \
    SELECT unhex(value ->> 0), unhex(value ->> 1) FROM json_each($1) WHERE true ON CONFLICT DO NOTHING";
const FIND: &str = "SELECT old_index, new_index FROM temp.reindexed \
    WHERE old_index IN (SELECT unhex(value) FROM json_each($1))";

// An index is needed where it finds a chip, a number or a client, names one, or has to be there.
const COLUMNS: &str = "SELECT t.schema AS schema_name, t.name AS name, c.name AS column_name, CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 \
    OR t.name IN ('chip', 'number', 'client') OR EXISTS \
    (SELECT 1 FROM pragma_foreign_key_list(t.name, t.schema) f WHERE f.\"from\" = c.name) THEN 1 ELSE 0 END AS needed \
    FROM pragma_table_list t JOIN pragma_table_info(t.name, t.schema) c WHERE t.type = 'table' AND t.schema <> 'temp' \
    AND c.type = 'BLOB' AND c.name LIKE '%^_index' ESCAPE '^' ORDER BY t.schema, t.name, c.cid";

const CHIPS: &str = "SELECT eid_index, eid_index, eid_sealed, temp_msisdn_index, temp_msisdn_sealed, temp_iccid_index, \
    temp_iccid_sealed, temp_imsi_index, temp_imsi_sealed, psk_identity_index, psk_identity_sealed FROM chip \
    WHERE eid_index > $1 ORDER BY eid_index LIMIT $2";
const NUMBERS: &str = "SELECT iccid_index, iccid_index, iccid_sealed, msisdn_index, msisdn_sealed, imsi_index, \
    imsi_sealed FROM number WHERE iccid_index > $1 ORDER BY iccid_index LIMIT $2";
const CLIENTS: &str = "SELECT id, phone_index, phone_sealed FROM client WHERE id > $1 ORDER BY id LIMIT $2";

const OLD_SECRETS: &str = "SELECT DISTINCT client_id FROM client_secret WHERE length(hash) = 32 \
    AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1) ORDER BY client_id";
const END_OLD_SECRETS: &str = "UPDATE client_secret SET revoked_at = $1 WHERE length(hash) = 32 \
    AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1) RETURNING client_id";
// What is remembered of a pass is a position in the order of the old indexes.
const FORGET_PASSES: [&str; 2] = ["DELETE FROM reseal", "DELETE FROM supervision"];
const SET_KEY: &str =
    "UPDATE key_check SET value = $1, stored_at = $2, used_at = $2, retired_at = NULL WHERE name = $3";

const EXCLUSIVE: &str = "PRAGMA locking_mode = EXCLUSIVE";
const ATTACH: &str = "ATTACH DATABASE $1 AS calls";
const FILES: &str = "SELECT name FROM pragma_database_list WHERE name <> 'temp' ORDER BY seq";
const WITH_WAL: &str = "PRAGMA journal_mode = WAL";
const TAKE: [&str; 2] = ["BEGIN EXCLUSIVE", "COMMIT"];

/// The identifiers of a table, with the columns of their indexes and under which they are sealed.
struct Identifiers {
    /// Key of the row, then index and sealed value of each identifier.
    page: &'static str,
    /// Before the first key.
    first: Value,
    kinds: &'static [(&'static str, Column, IndexKind)],
}

/// Which keys, and what else there is to know.
#[derive(Clone, Copy)]
pub struct Reindex<'a> {
    /// The keys as they are.
    pub old: &'a Vault,
    /// The same keys with another index key.
    pub new: &'a Vault,
    /// Where random bytes come from.
    pub random: &'a dyn Random,
    /// The time.
    pub now: Timestamp,
    /// Whether secrets of clients whose hashes are under the old key are revoked. Otherwise a live one is refused.
    pub end_old_secrets: bool,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reindexed {
    /// Blind indexes that were made anew.
    pub indexes: u64,
    /// Values that were sealed anew, because they are bound to an index.
    pub sealed: u64,
    /// Such values that no key opens. They stay, and no key will.
    pub unopened: u64,
    /// Indexes of what is not stored, such as an EID in the call log that no chip has. They are gone.
    pub forgotten: u64,
    /// Secrets of clients that were revoked.
    pub ended_secrets: u64,
}

/// Why a database was not given another index key. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReindexError {
    /// A statement did not run.
    #[error(transparent)]
    Database(#[from] DbError),
    /// A value could not be sealed.
    #[error(transparent)]
    Vault(#[from] vault::VaultError),
    /// These clients have live secrets whose hashes are under the old key.
    #[error("live secrets of earlier versions: {}", .0.join(", "))]
    OldSecrets(Vec<String>),
    /// So many identifiers of a column cannot be opened, so no index can be made of them.
    #[error("{count} values of {column} cannot be opened")]
    Unopened {
        /// Table and column.
        column: &'static str,
        /// How many.
        count: u64,
    },
    /// So many indexes of a column are of no identifier that is stored, and the column needs them.
    #[error("{count} values of {column} belong to no identifier")]
    Unmatched {
        /// Table and column.
        column: String,
        /// How many.
        count: u64,
    },
}

/// Makes every blind index anew under another index key, in the open transaction.
///
/// A file that is imported again is compared with what is stored value by value, because the digests of the rows are
/// gone with the old key.
///
/// # Errors
/// [`ReindexError`]; then the transaction must be rolled back.
pub async fn reindex<D: Database>(tx: &Tx<'_, D>, how: &Reindex<'_>) -> Result<Reindexed, ReindexError> {
    let mut done = Reindexed {
        ended_secrets: end_old_secrets(tx, how).await?,
        ..Reindexed::default()
    };
    tx.run(DEFER, &[]).await?;
    tx.run(BEGIN, &[]).await?;
    map_identifiers(tx, how).await?;
    for table in SEALED_TABLES.iter().filter(|table| table.is_bound_to_index()) {
        seal_anew(tx, how, table, &mut done).await?;
    }
    for table in WITH_SUBJECT {
        replace_subjects(tx, how, table, &mut done).await?;
    }
    replace_columns(tx, &mut done).await?;
    for table in WITH_DIGEST {
        let set = format!("UPDATE {table} SET imported_digest = zeroblob(16)");
        tx.run(statement(set), &[]).await?;
    }
    for forget in FORGET_PASSES {
        tx.run(forget, &[]).await?;
    }
    for check in how
        .new
        .key_checks()
        .iter()
        .filter(|check| check.kind == "index_key")
    {
        let params = [
            check.value.to_vec().into(),
            how.now.into(),
            check.name.as_str().into(),
        ];
        tx.run(SET_KEY, &params).await?;
    }
    tx.run(END, &[]).await?;
    Ok(done)
}

async fn end_old_secrets<D: Database>(tx: &Tx<'_, D>, how: &Reindex<'_>) -> Result<u64, ReindexError> {
    let sql = if how.end_old_secrets {
        END_OLD_SECRETS
    } else {
        OLD_SECRETS
    };
    let rows = tx.run(sql, &[how.now.into()]).await?;
    if rows.is_empty() || how.end_old_secrets {
        return Ok(rows.len() as u64);
    }
    let clients = rows.iter().map(|row| row.text(0).map(str::to_owned));
    Err(ReindexError::OldSecrets(clients.collect::<Result<_, _>>()?))
}

/// Fills the table of old and new indexes from everything that has an identifier.
async fn map_identifiers<D: Database>(tx: &Tx<'_, D>, how: &Reindex<'_>) -> Result<(), ReindexError> {
    let none = Value::Blob(Vec::new());
    let tables = [
        Identifiers {
            page: CHIPS,
            first: none.clone(),
            kinds: &[
                ("chip.eid_sealed", chip::EID, IndexKind::Eid),
                ("chip.temp_msisdn_sealed", chip::TEMP_MSISDN, IndexKind::Msisdn),
                ("chip.temp_iccid_sealed", chip::TEMP_ICCID, IndexKind::Iccid),
                ("chip.temp_imsi_sealed", chip::TEMP_IMSI, IndexKind::Imsi),
                (
                    "chip.psk_identity_sealed",
                    chip::PSK_IDENTITY,
                    IndexKind::PskIdentity,
                ),
            ],
        },
        Identifiers {
            page: NUMBERS,
            first: none,
            kinds: &[
                ("number.iccid_sealed", number::ICCID, IndexKind::Iccid),
                ("number.msisdn_sealed", number::MSISDN, IndexKind::Msisdn),
                ("number.imsi_sealed", number::IMSI, IndexKind::Imsi),
            ],
        },
        Identifiers {
            page: CLIENTS,
            first: "".into(),
            kinds: &[("client.phone_sealed", client::PHONE, IndexKind::Phone)],
        },
    ];
    for table in tables {
        map_table(tx, how, table).await?;
    }
    Ok(())
}

async fn map_table<D: Database>(
    tx: &Tx<'_, D>,
    how: &Reindex<'_>,
    table: Identifiers,
) -> Result<(), ReindexError> {
    let mut after = table.first;
    let mut unopened = vec![0; table.kinds.len()];
    loop {
        let rows = tx.run(table.page, &[after, i64::from(PAGE_ROWS).into()]).await?;
        let mut pairs = Vec::new();
        for row in &rows {
            for (at, count) in unopened.iter_mut().enumerate() {
                let (_, column, kind) = table.kinds[at];
                let Some(sealed) = row.optional(2 * at + 2, Row::blob)? else {
                    continue;
                };
                let key = bytes(&row.0[0]);
                if let Ok(plain) = how.old.open(column, key, sealed) {
                    pairs.push((
                        how.old.blind_index(kind, &plain),
                        how.new.blind_index(kind, &plain),
                    ));
                } else if at == 0 || bytes(&row.0[2 * at + 1]) != key {
                    // A value that was given up has the index of its row in its place, and needs no other.
                    *count += 1;
                }
            }
        }
        map(tx, &pairs).await?;
        match rows.into_iter().next_back() {
            Some(row) => after = row.0.into_iter().next().unwrap_or(Value::Null),
            None => break,
        }
    }
    match table.kinds.iter().zip(unopened).find(|(_, count)| *count > 0) {
        Some(((column, ..), count)) => Err(ReindexError::Unopened { column, count }),
        None => Ok(()),
    }
}

fn bytes(value: &Value) -> &[u8] {
    match value {
        Value::Blob(bytes) => bytes,
        Value::Text(text) => text.as_bytes(),
        _ => &[],
    }
}

async fn map<D: Database>(tx: &Tx<'_, D>, pairs: &[(BlindIndex, BlindIndex)]) -> Result<(), DbError> {
    if pairs.is_empty() {
        return Ok(());
    }
    let pairs: Vec<[String; 2]> = pairs.iter().map(|(old, new)| [old.hex(), new.hex()]).collect();
    let pairs = serde_json::to_string(&pairs).map_err(unwritten)?;
    tx.run(MAP, &[pairs.into()]).await.map(drop)
}

fn unwritten(error: serde_json::Error) -> DbError {
    DbError::Shape(error.to_string())
}

/// Seals the values of a table anew that are bound to an index of their row. The columns of the indexes follow later.
async fn seal_anew<D: Database>(
    tx: &Tx<'_, D>,
    how: &Reindex<'_>,
    table: &SealedTable,
    done: &mut Reindexed,
) -> Result<(), ReindexError> {
    let mut after = RowKey::default();
    loop {
        let rows = table.page(tx, &after, PAGE_ROWS).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.key.clone();
        let new_indexes = find(tx, rows.iter().map(|row| &row.key.bytes)).await?;
        for mut row in rows {
            // One that is not there is found with its column.
            let Some(index) = new_indexes.get(&row.key.bytes) else {
                continue;
            };
            let new_key = RowKey {
                bytes: index.clone(),
                number: row.key.number,
            };
            let (old_place, new_place) = (table.row(&row.key), table.row(&new_key));
            let before = done.sealed;
            for (column, value) in table.columns.iter().zip(&mut row.values) {
                let Some(sealed) = value.as_mut() else { continue };
                match how.old.open(*column, &old_place, sealed) {
                    Ok(plain) => {
                        *sealed = how.new.seal(how.random, *column, &new_place, &plain)?;
                        done.sealed += 1;
                    }
                    Err(_) => done.unopened += 1,
                }
            }
            if done.sealed > before {
                table.set(tx, row).await?;
            }
        }
    }
}

/// The new indexes of these old ones, as far as there are any.
async fn find<D: Database>(
    tx: &Tx<'_, D>,
    old: impl Iterator<Item = &Vec<u8>>,
) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, DbError> {
    let old: Vec<String> = old.map(hex::encode).collect();
    let old = serde_json::to_string(&old).map_err(unwritten)?;
    let rows = tx.run(FIND, &[old.into()]).await?;
    let pair = |row: &Row| Ok((row.blob(0)?.to_owned(), row.blob(1)?.to_owned()));
    rows.iter().map(pair).collect()
}

/// Replaces the subjects that name a chip. One that is not there any more gets an index that is of nothing: what is
/// about the same chip stays together.
async fn replace_subjects<D: Database>(
    tx: &Tx<'_, D>,
    how: &Reindex<'_>,
    table: &str,
    done: &mut Reindexed,
) -> Result<(), ReindexError> {
    const OF_CHIP: &str = "subject LIKE 'chip:%' AND length(unhex(substr(subject, 6))) = 16";
    let unknown = format!(
        "SELECT DISTINCT unhex(substr(subject, 6)) AS old_index FROM {table} WHERE {OF_CHIP} \
         AND NOT EXISTS (SELECT 1 FROM temp.reindexed WHERE old_index = unhex(substr(subject, 6))) LIMIT $1"
    );
    let unknown = statement(unknown);
    loop {
        let rows = tx.run(unknown, &[i64::from(PAGE_ROWS).into()]).await?;
        let old: Vec<BlindIndex> = rows.iter().map(|row| row.index(0)).collect::<Result<_, _>>()?;
        if old.is_empty() {
            break;
        }
        let new = |old: &BlindIndex| how.new.blind_index(IndexKind::ImportedRow, old.as_bytes());
        let pairs: Vec<_> = old.iter().map(|old| (*old, new(old))).collect();
        map(tx, &pairs).await?;
        done.forgotten += old.len() as u64;
    }
    let count = format!("SELECT COUNT(*) AS n FROM {table} WHERE {OF_CHIP}");
    done.indexes += integer(&tx.run(statement(count), &[]).await?, 0)?;
    let replace = format!(
        "UPDATE {table} SET subject = (SELECT 'chip:' || lower(hex(new_index)) FROM temp.reindexed \
         WHERE old_index = unhex(substr(subject, 6))) WHERE {OF_CHIP}"
    );
    tx.run(statement(replace), &[]).await.map(drop)?;
    Ok(())
}

/// Replaces the index in every column of every table that has one. What stands for nothing that is stored is forgotten,
/// unless the row needs it.
async fn replace_columns<D: Database>(tx: &Tx<'_, D>, done: &mut Reindexed) -> Result<(), ReindexError> {
    // The call log has tables of the names that the state may have, too.
    let mut tables: BTreeMap<String, Vec<(String, bool)>> = BTreeMap::new();
    for row in tx.run(COLUMNS, &[]).await? {
        let table = format!("{}.{}", row.text(0)?, row.text(1)?);
        let columns = tables.entry(table).or_default();
        columns.push((row.text(2)?.to_owned(), row.flag(3)?));
    }
    for (table, columns) in tables {
        let mut sets = Vec::new();
        for (column, is_needed) in columns {
            let count = format!(
                "SELECT COUNT(t.{column}) AS n, COUNT(m.new_index) AS known FROM {table} t \
                 LEFT JOIN temp.reindexed m ON m.old_index = t.{column}"
            );
            let rows = tx.run(statement(count), &[]).await?;
            let (all, known) = (integer(&rows, 0)?, integer(&rows, 1)?);
            if all > known && is_needed {
                let table = table.strip_prefix("main.").unwrap_or(&table);
                let (column, count) = (format!("{table}.{column}"), all - known);
                return Err(ReindexError::Unmatched { column, count });
            }
            done.indexes += known;
            done.forgotten += all - known;
            if all > 0 {
                sets.push(format!(
                    "{column} = (SELECT new_index FROM temp.reindexed WHERE old_index = {column})"
                ));
            }
        }
        if !sets.is_empty() {
            let set = format!("UPDATE {table} SET {}", sets.join(", "));
            tx.run(statement(set), &[]).await?;
        }
    }
    Ok(())
}

fn integer(rows: &[Row], at: usize) -> Result<u64, DbError> {
    rows.first().map_or(Ok(0), |row| row.unsigned(at))
}

/// A statement about tables that only the schema knows. There are a few for each table, once in a process.
fn statement(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// Takes the file of the call log in, so that it changes together with the state.
///
/// # Errors
/// [`DbError`] when it cannot be opened.
pub async fn attach_calls<D: Database>(db: &D, file: &str) -> Result<(), DbError> {
    db.run(ATTACH, &[file.into()]).await.map(drop)
}

/// The databases of a connection.
async fn files<D: Database>(db: &D) -> Result<Vec<String>, DbError> {
    let rows = db.run(FILES, &[]).await?;
    rows.iter().map(|row| row.text(0).map(str::to_owned)).collect()
}

/// Keeps every other connection away from the database until this one is closed.
///
/// # Errors
/// [`DbError::Busy`] when another connection is open.
pub async fn keep_to_this_connection<D: Database>(db: &D) -> Result<(), DbError> {
    db.run(EXCLUSIVE, &[]).await?;
    // Without it a connection that only reads would not be noticed, and the log would grow to several databases.
    // A transaction on two files is committed as a whole only without it, too.
    for file in files(db).await? {
        let without_wal = statement(format!("PRAGMA {file}.journal_mode = DELETE"));
        let mode = db.run(without_wal, &[]).await?;
        if mode.first().is_some_and(|row| row.text(0) == Ok("wal")) {
            return Err(DbError::Busy("another connection is open".to_owned()));
        }
    }
    for sql in TAKE {
        db.run(sql, &[]).await?;
    }
    Ok(())
}

/// Writes the file anew: an old index in a place that is free now would still be one. May be repeated.
///
/// # Errors
/// [`DbError`] when there is no room for a copy; the database stays as it is.
pub async fn leave_nothing_old<D: Database>(db: &D) -> Result<(), DbError> {
    for file in files(db).await? {
        db.run(statement(format!("VACUUM {file}")), &[]).await?;
    }
    Ok(())
}

/// Brings a database that was kept to one connection back to the mode in which components use it.
///
/// # Errors
/// [`DbError`] when the mode cannot be changed.
pub async fn share_again<D: Database>(db: &D) -> Result<(), DbError> {
    db.run(WITH_WAL, &[]).await.map(drop)
}
