//! Key-value stores, whatever keeps them.
//!
//! Access is checked elsewhere, in `key_value_host`.

use std::collections::BTreeMap;

use anyhow::Context as _;

use crate::key_value_failure::Failure;
use crate::key_value_redis::{RedisStore, RedisSwap};
use crate::key_value_sqlite::{SqliteStore, SqliteSwap};
use crate::runtime_config::StoreLocation;

/// Every configured store.
pub(crate) struct Stores(BTreeMap<String, Store>);

/// One store.
#[derive(Clone)]
#[expect(
    unreachable_pub,
    reason = "generated code re-exports it inside its private module"
)]
pub enum Store {
    Sqlite(SqliteStore),
    Redis(RedisStore),
}

/// The value of a key at one time, to be replaced only if it is still the same.
#[derive(Clone)]
#[expect(
    unreachable_pub,
    reason = "generated code re-exports it inside its private module"
)]
pub enum CompareAndSwap {
    Sqlite(SqliteSwap),
    Redis(RedisSwap),
}

impl Stores {
    /// Opens the given stores; called once, at start. A server is connected to only when a component opens its store.
    ///
    /// # Errors
    /// A store that SQLite cannot open, or a malformed address; the error names the store.
    pub(crate) fn open<'a>(
        stores: impl Iterator<Item = (&'a String, &'a StoreLocation)>,
    ) -> anyhow::Result<Self> {
        let open = |label: &str, location: &StoreLocation| {
            anyhow::Ok(match location {
                StoreLocation::Sqlite(location) => Store::Sqlite(SqliteStore::open(label, location)?),
                StoreLocation::Redis(url) => Store::Redis(RedisStore::new(url)?),
            })
        };
        let opened = stores.map(|(label, location)| {
            let store = open(label, location);
            let store = store.with_context(|| format!("cannot open the key-value store {label:?}"))?;
            Ok((label.clone(), store))
        });
        opened.collect::<anyhow::Result<_>>().map(Self)
    }

    pub(crate) fn get(&self, label: &str) -> Option<Store> {
        self.0.get(label).cloned()
    }
}

impl Store {
    /// Connects to the server of the store, if it has one and no component did before.
    pub(crate) async fn connect(&self) -> Result<(), Failure> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Redis(store) => store.connect().await,
        }
    }

    pub(crate) async fn get(&self, key: String) -> Result<Option<Vec<u8>>, Failure> {
        match self {
            Self::Sqlite(store) => store.get(key).await,
            Self::Redis(store) => store.get(&key).await,
        }
    }

    pub(crate) async fn get_many(
        &self,
        keys: Vec<String>,
    ) -> Result<Vec<(String, Option<Vec<u8>>)>, Failure> {
        match self {
            Self::Sqlite(store) => store.get_many(keys).await,
            Self::Redis(_) => Err(Failure(
                "get-many fails on Redis, as in Spin: get one key at a time".to_owned(),
            )),
        }
    }

    pub(crate) async fn set_many(&self, pairs: Vec<(String, Vec<u8>)>) -> Result<(), Failure> {
        match self {
            Self::Sqlite(store) => store.set_many(pairs).await,
            Self::Redis(store) => store.set_many(&pairs).await,
        }
    }

    pub(crate) async fn delete_many(&self, keys: Vec<String>) -> Result<(), Failure> {
        match self {
            Self::Sqlite(store) => store.delete_many(keys).await,
            Self::Redis(store) => store.delete_many(&keys).await,
        }
    }

    pub(crate) async fn keys(&self) -> Result<Vec<String>, Failure> {
        match self {
            Self::Sqlite(store) => store.keys().await,
            Self::Redis(store) => store.keys().await,
        }
    }

    /// Adds to the counter under the key; an absent counter is zero.
    ///
    /// # Errors
    /// [`Failure`] when the value is no counter or would overflow, or of the engine.
    pub(crate) async fn increment(&self, key: String, delta: i64) -> Result<i64, Failure> {
        match self {
            Self::Sqlite(store) => store.increment(key, delta).await,
            Self::Redis(store) => store.increment(&key, delta).await,
        }
    }

    pub(crate) async fn compare_and_swap(&self, key: String) -> Result<CompareAndSwap, Failure> {
        match self {
            Self::Sqlite(store) => store.compare_and_swap(key).await.map(CompareAndSwap::Sqlite),
            Self::Redis(store) => store.compare_and_swap(key).await.map(CompareAndSwap::Redis),
        }
    }
}

impl CompareAndSwap {
    /// The value at the handle's creation.
    pub(crate) fn observed(&self) -> Option<Vec<u8>> {
        match self {
            Self::Sqlite(swap) => swap.observed(),
            Self::Redis(swap) => swap.observed(),
        }
    }

    /// Replaces the value if it is still the observed one; otherwise returns a new handle with the present value.
    pub(crate) async fn swap(self, value: Vec<u8>) -> Result<Result<(), Self>, Failure> {
        Ok(match self {
            Self::Sqlite(swap) => swap.swap(value).await?.map_err(Self::Sqlite),
            Self::Redis(swap) => swap.swap(value).await?.map_err(Self::Redis),
        })
    }
}
