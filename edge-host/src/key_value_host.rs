//! `spin:key-value@3.0.0` and `wasi:keyvalue@0.2.0-draft2` for components: which stores a component may open.
//!
//! Both interfaces see the same stores under the same labels.

use wasmtime::component::{Accessor, FutureReader, Resource, StreamReader};

use crate::bindings::spin::key_value::key_value::{
    Error as SpinError, Host as SpinHost, HostStore, HostStoreWithStore,
};
use crate::bindings::wasi::keyvalue::atomics::{CasError, Host as AtomicsHost, HostCas};
use crate::bindings::wasi::keyvalue::batch::Host as BatchHost;
use crate::bindings::wasi::keyvalue::store::{Error, Host as StoreHost, HostBucket, KeyResponse};
use crate::instance::{Guest, GuestData};
use crate::key_value::{CompareAndSwap, Store};
use crate::key_value_failure::Failure;

/// The keys of a store and the outcome of listing them, as a component receives them.
type KeyStream = (StreamReader<String>, FutureReader<Result<(), SpinError>>);

impl From<Failure> for SpinError {
    fn from(failure: Failure) -> Self {
        Self::Other(failure.0)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Other(failure.0)
    }
}

impl Guest {
    /// The store of that label, if the manifest grants it to this component.
    fn granted_store(&self, label: &str) -> Result<Store, SpinError> {
        if !self.component.key_value_stores.contains(label) {
            return Err(SpinError::AccessDenied);
        }
        self.host.stores.get(label).ok_or(SpinError::NoSuchStore)
    }

    fn bucket(&self, bucket: &Resource<Store>) -> Result<Store, Error> {
        self.table.get(bucket).cloned().map_err(|_| Error::NoSuchStore)
    }

    fn add_cas(&mut self, cas: CompareAndSwap) -> Result<Resource<CompareAndSwap>, Error> {
        self.table
            .push(cas)
            .map_err(|_| Error::Other("too many compare-and-swap handles".to_owned()))
    }
}

/// The store behind a handle of `spin:key-value`.
fn opened<T: Send + 'static>(
    accessor: &Accessor<T, GuestData>,
    store: &Resource<Store>,
) -> Result<Store, SpinError> {
    accessor
        .with(|mut access| access.get().table.get(store).cloned())
        .map_err(|_| SpinError::NoSuchStore)
}

impl SpinHost for Guest {}

impl HostStore for Guest {
    async fn drop(&mut self, store: Resource<Store>) -> wasmtime::Result<()> {
        self.table.delete(store)?;
        Ok(())
    }
}

impl<T: Send + 'static> HostStoreWithStore<T> for GuestData {
    async fn open(accessor: &Accessor<T, Self>, label: String) -> Result<Resource<Store>, SpinError> {
        let store = accessor.with(|mut access| access.get().granted_store(&label))?;
        store.connect().await?;
        accessor.with(|mut access| {
            let opened = access.get().table.push(store);
            opened.map_err(|_| SpinError::StoreTableFull)
        })
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
    ) -> Result<Option<Vec<u8>>, SpinError> {
        Ok(opened(accessor, &store)?.get(key).await?)
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
        value: Vec<u8>,
    ) -> Result<(), SpinError> {
        Ok(opened(accessor, &store)?.set_many(vec![(key, value)]).await?)
    }

    async fn delete(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
    ) -> Result<(), SpinError> {
        Ok(opened(accessor, &store)?.delete_many(vec![key]).await?)
    }

    async fn exists(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
    ) -> Result<bool, SpinError> {
        Ok(opened(accessor, &store)?.get(key).await?.is_some())
    }

    async fn get_keys(accessor: &Accessor<T, Self>, store: Resource<Store>) -> wasmtime::Result<KeyStream> {
        let keys = match opened(accessor, &store) {
            Ok(store) => store.keys().await.map_err(Into::into),
            Err(error) => Err(error),
        };
        let (keys, outcome) = match keys {
            Ok(keys) => (keys, Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        };
        accessor.with(|mut access| {
            let keys = StreamReader::new(&mut access, keys)?;
            let outcome = FutureReader::new(&mut access, async move { wasmtime::error::Ok(outcome) })?;
            Ok((keys, outcome))
        })
    }
}

impl StoreHost for Guest {
    async fn open(&mut self, identifier: String) -> Result<Resource<Store>, Error> {
        let store = self.granted_store(&identifier).map_err(|error| match error {
            SpinError::AccessDenied => Error::AccessDenied,
            _ => Error::NoSuchStore,
        })?;
        store.connect().await?;
        self.table
            .push(store)
            .map_err(|_| Error::Other("too many stores opened".to_owned()))
    }
}

impl HostBucket for Guest {
    async fn get(&mut self, bucket: Resource<Store>, key: String) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.bucket(&bucket)?.get(key).await?)
    }

    async fn set(&mut self, bucket: Resource<Store>, key: String, value: Vec<u8>) -> Result<(), Error> {
        Ok(self.bucket(&bucket)?.set_many(vec![(key, value)]).await?)
    }

    async fn delete(&mut self, bucket: Resource<Store>, key: String) -> Result<(), Error> {
        Ok(self.bucket(&bucket)?.delete_many(vec![key]).await?)
    }

    async fn exists(&mut self, bucket: Resource<Store>, key: String) -> Result<bool, Error> {
        Ok(self.bucket(&bucket)?.get(key).await?.is_some())
    }

    async fn list_keys(
        &mut self,
        bucket: Resource<Store>,
        cursor: Option<String>,
    ) -> Result<KeyResponse, Error> {
        if cursor.is_some() {
            return Err(Error::Other("list_keys: cursor not supported".to_owned()));
        }
        Ok(KeyResponse {
            keys: self.bucket(&bucket)?.keys().await?,
            cursor: None,
        })
    }

    async fn drop(&mut self, bucket: Resource<Store>) -> wasmtime::Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl BatchHost for Guest {
    async fn get_many(
        &mut self,
        bucket: Resource<Store>,
        keys: Vec<String>,
    ) -> Result<Vec<(String, Option<Vec<u8>>)>, Error> {
        Ok(self.bucket(&bucket)?.get_many(keys).await?)
    }

    async fn set_many(
        &mut self,
        bucket: Resource<Store>,
        key_values: Vec<(String, Vec<u8>)>,
    ) -> Result<(), Error> {
        Ok(self.bucket(&bucket)?.set_many(key_values).await?)
    }

    async fn delete_many(&mut self, bucket: Resource<Store>, keys: Vec<String>) -> Result<(), Error> {
        Ok(self.bucket(&bucket)?.delete_many(keys).await?)
    }
}

impl AtomicsHost for Guest {
    async fn increment(&mut self, bucket: Resource<Store>, key: String, delta: i64) -> Result<i64, Error> {
        Ok(self.bucket(&bucket)?.increment(key, delta).await?)
    }

    async fn swap(&mut self, cas: Resource<CompareAndSwap>, value: Vec<u8>) -> Result<(), CasError> {
        let invalid = |_| CasError::StoreError(Error::Other("no such handle".to_owned()));
        let cas = self.table.delete(cas).map_err(invalid)?;
        match cas.swap(value).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(newer)) => Err(self
                .add_cas(newer)
                .map_or_else(CasError::StoreError, CasError::CasFailed)),
            Err(failure) => Err(CasError::StoreError(failure.into())),
        }
    }
}

impl HostCas for Guest {
    async fn new(&mut self, bucket: Resource<Store>, key: String) -> Result<Resource<CompareAndSwap>, Error> {
        let cas = self.bucket(&bucket)?.compare_and_swap(key).await?;
        self.add_cas(cas)
    }

    async fn current(&mut self, cas: Resource<CompareAndSwap>) -> Result<Option<Vec<u8>>, Error> {
        self.table
            .get(&cas)
            .map(CompareAndSwap::observed)
            .map_err(|_| Error::Other("no such handle".to_owned()))
    }

    async fn drop(&mut self, cas: Resource<CompareAndSwap>) -> wasmtime::Result<()> {
        self.table.delete(cas)?;
        Ok(())
    }
}
