//! Key-value stores on SQLite, in memory or in a file with Spin's own table, so that `spin up` and
//! this host can read each other's files.
//!
//! Each operation is one transaction.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{OptionalExtension as _, Transaction, TransactionBehavior, params};

use crate::key_value_failure::{Failure, check_size};
use crate::runtime_config::Location;

/// Spin's table: one file may hold several stores.
const CREATE: &str = "CREATE TABLE IF NOT EXISTS spin_key_value (\
    store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (store, key))";
const GET: &str = "SELECT value FROM spin_key_value WHERE store = $1 AND key = $2";
const SET: &str = "INSERT INTO spin_key_value (store, key, value) VALUES ($1, $2, $3) \
    ON CONFLICT (store, key) DO UPDATE SET value = $3";
const DELETE: &str = "DELETE FROM spin_key_value WHERE store = $1 AND key = $2";
const KEYS: &str = "SELECT key FROM spin_key_value WHERE store = $1";

/// One store, under its label.
#[derive(Clone)]
pub(crate) struct SqliteStore {
    label: Arc<str>,
    connection: Arc<Mutex<rusqlite::Connection>>,
}

/// The value of a key at one time, to be replaced only if it is still the same.
#[derive(Clone)]
pub(crate) struct SqliteSwap {
    store: SqliteStore,
    key: String,
    observed: Option<Vec<u8>>,
}

fn open(location: &Location) -> rusqlite::Result<rusqlite::Connection> {
    let connection = match location {
        Location::Memory => rusqlite::Connection::open_in_memory(),
        Location::File(path) => rusqlite::Connection::open(path),
    }?;
    connection.execute(CREATE, [])?;
    Ok(connection)
}

impl SqliteStore {
    /// Opens the store.
    ///
    /// # Errors
    /// SQLite cannot open the file.
    pub(crate) fn open(label: &str, location: &Location) -> rusqlite::Result<Self> {
        Ok(Self {
            label: label.into(),
            connection: Arc::new(Mutex::new(open(location)?)),
        })
    }

    pub(crate) async fn get(&self, key: String) -> Result<Option<Vec<u8>>, Failure> {
        self.transact(move |transaction, label| {
            let value = read(transaction, label, &key)?;
            check_size(value.as_ref().map_or(0, Vec::len))?;
            Ok(value)
        })
        .await
    }

    pub(crate) async fn get_many(
        &self,
        keys: Vec<String>,
    ) -> Result<Vec<(String, Option<Vec<u8>>)>, Failure> {
        self.transact(move |transaction, label| {
            let mut found = Vec::with_capacity(keys.len());
            let mut bytes = 0;
            for key in keys {
                let value = read(transaction, label, &key)?;
                bytes += key.len() + value.as_ref().map_or(0, Vec::len);
                check_size(bytes)?;
                found.push((key, value));
            }
            Ok(found)
        })
        .await
    }

    pub(crate) async fn set_many(&self, pairs: Vec<(String, Vec<u8>)>) -> Result<(), Failure> {
        self.transact(move |transaction, label| {
            pairs
                .iter()
                .try_for_each(|(key, value)| write(transaction, label, key, value))
        })
        .await
    }

    pub(crate) async fn delete_many(&self, keys: Vec<String>) -> Result<(), Failure> {
        self.transact(move |transaction, label| {
            for key in keys {
                transaction.prepare_cached(DELETE)?.execute([label, &key])?;
            }
            Ok(())
        })
        .await
    }

    pub(crate) async fn keys(&self) -> Result<Vec<String>, Failure> {
        self.transact(|transaction, label| {
            let mut statement = transaction.prepare_cached(KEYS)?;
            let mut rows = statement.query([label])?;
            let mut keys = Vec::new();
            let mut bytes = 0;
            while let Some(row) = rows.next()? {
                let key: String = row.get(0)?;
                bytes += size_of::<String>() + key.len();
                check_size(bytes)?;
                keys.push(key);
            }
            Ok(keys)
        })
        .await
    }

    /// Adds to the counter under the key, eight bytes little-endian as in Spin; an absent counter is zero.
    ///
    /// # Errors
    /// [`Failure`] when the value is no counter or would overflow, or of SQLite.
    pub(crate) async fn increment(&self, key: String, delta: i64) -> Result<i64, Failure> {
        self.transact(move |transaction, label| {
            let before = match read(transaction, label, &key)? {
                Some(bytes) => bytes
                    .try_into()
                    .map(i64::from_le_bytes)
                    .map_err(|_| Failure(format!("the value of {key:?} is no counter")))?,
                None => 0,
            };
            let after = before
                .checked_add(delta)
                .ok_or_else(|| Failure(format!("the counter {key:?} would overflow")))?;
            write(transaction, label, &key, &after.to_le_bytes())?;
            Ok(after)
        })
        .await
    }

    pub(crate) async fn compare_and_swap(&self, key: String) -> Result<SqliteSwap, Failure> {
        let observed = self.get(key.clone()).await?;
        Ok(SqliteSwap {
            store: self.clone(),
            key,
            observed,
        })
    }

    async fn transact<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>, &str) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let Self { label, connection } = self.clone();
        let run = move || {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = work(&transaction, &label)?;
            transaction.commit()?;
            Ok(result)
        };
        tokio::task::spawn_blocking(run)
            .await
            .map_err(|error| Failure(error.to_string()))?
    }
}

impl SqliteSwap {
    /// The value at the handle's creation.
    pub(crate) fn observed(&self) -> Option<Vec<u8>> {
        self.observed.clone()
    }

    /// Replaces the value if it is still the observed one; otherwise returns a new handle with the
    /// present value.
    pub(crate) async fn swap(self, value: Vec<u8>) -> Result<Result<(), Self>, Failure> {
        let store = self.store.clone();
        store
            .transact(move |transaction, label| {
                let present = read(transaction, label, &self.key)?;
                if present != self.observed {
                    return Ok(Err(Self {
                        observed: present,
                        ..self
                    }));
                }
                write(transaction, label, &self.key, &value)?;
                Ok(Ok(()))
            })
            .await
    }
}

fn read(transaction: &Transaction<'_>, label: &str, key: &str) -> Result<Option<Vec<u8>>, Failure> {
    Ok(transaction
        .prepare_cached(GET)?
        .query_row([label, key], |row| row.get(0))
        .optional()?)
}

fn write(transaction: &Transaction<'_>, label: &str, key: &str, value: &[u8]) -> Result<(), Failure> {
    transaction
        .prepare_cached(SET)?
        .execute(params![label, key, value])?;
    Ok(())
}
