//! Key-value stores on Redis, and what speaks its protocol.
//!
//! As in Spin a store is the whole database of the address: keys have no prefix and never expire, and a counter is a
//! number as text.

use std::sync::Arc;

use redis::aio::ConnectionManager;
use redis::{AsyncCommands as _, Client};
use tokio::sync::OnceCell;

use crate::key_value_failure::{Failure, check_size};

/// One store: one connection for all components, made again when it breaks.
#[derive(Clone)]
pub(crate) struct RedisStore {
    client: Client,
    connection: Arc<OnceCell<ConnectionManager>>,
}

/// The value of a key at one time, watched by a connection of its own: Redis remembers for each connection which keys
/// changed.
#[derive(Clone)]
pub(crate) struct RedisSwap {
    connection: ConnectionManager,
    key: String,
    observed: Option<Vec<u8>>,
}

impl RedisStore {
    /// A store at an address such as `redis://127.0.0.1:6379/0`; connects to nothing.
    ///
    /// # Errors
    /// The address is malformed.
    pub(crate) fn new(url: &str) -> redis::RedisResult<Self> {
        Ok(Self {
            client: Client::open(url)?,
            connection: Arc::default(),
        })
    }

    pub(crate) async fn connect(&self) -> Result<(), Failure> {
        self.connection().await.map(drop)
    }

    async fn connection(&self) -> Result<ConnectionManager, Failure> {
        let connect = || self.client.get_connection_manager();
        Ok(self.connection.get_or_try_init(connect).await?.clone())
    }

    pub(crate) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Failure> {
        let value: Option<Vec<u8>> = self.connection().await?.get(key).await?;
        check_size(value.as_ref().map_or(0, Vec::len))?;
        Ok(value)
    }

    pub(crate) async fn set_many(&self, pairs: &[(String, Vec<u8>)]) -> Result<(), Failure> {
        Ok(self.connection().await?.mset(pairs).await?)
    }

    pub(crate) async fn delete_many(&self, keys: &[String]) -> Result<(), Failure> {
        Ok(self.connection().await?.del(keys).await?)
    }

    pub(crate) async fn keys(&self) -> Result<Vec<String>, Failure> {
        let keys: Vec<String> = self.connection().await?.keys("*").await?;
        let bytes = keys.iter().map(|key| size_of::<String>() + key.len());
        check_size(bytes.sum())?;
        Ok(keys)
    }

    pub(crate) async fn increment(&self, key: &str, delta: i64) -> Result<i64, Failure> {
        Ok(self.connection().await?.incr(key, delta).await?)
    }

    pub(crate) async fn compare_and_swap(&self, key: String) -> Result<RedisSwap, Failure> {
        RedisSwap::observe(self.client.get_connection_manager().await?, key).await
    }
}

impl RedisSwap {
    async fn observe(mut connection: ConnectionManager, key: String) -> Result<Self, Failure> {
        let () = redis::cmd("WATCH").arg(&key).query_async(&mut connection).await?;
        let observed = connection.get(&key).await?;
        Ok(Self {
            connection,
            key,
            observed,
        })
    }

    /// The value at the handle's creation.
    pub(crate) fn observed(&self) -> Option<Vec<u8>> {
        self.observed.clone()
    }

    /// Replaces the value unless it was written since; otherwise returns a new handle with the present value.
    pub(crate) async fn swap(mut self, value: Vec<u8>) -> Result<Result<(), Self>, Failure> {
        // Nothing is answered instead of the outcomes when the watched key was written.
        let mut transaction = redis::pipe();
        let written: Option<Vec<redis::Value>> = transaction
            .atomic()
            .set(&self.key, value)
            .query_async(&mut self.connection)
            .await?;
        if written.is_some() {
            return Ok(Ok(()));
        }
        Ok(Err(Self::observe(self.connection, self.key).await?))
    }
}
