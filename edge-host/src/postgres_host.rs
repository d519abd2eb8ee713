//! `spin:postgres@4.2.0` for components: which servers a component may reach, and the two forms of the interface.
//!
//! The interface makes the plain functions hold the whole instance while they wait, the `-async` ones only the request.

#![expect(
    clippy::result_large_err,
    reason = "errors are as large as the interface makes them"
)]

use wasmtime::component::{Accessor, FutureReader, Resource, StreamReader};

use crate::bindings::spin::postgres::postgres::{
    Column, DbValue, Error, Host, HostConnection, HostConnectionBuilder, HostConnectionBuilderWithStore,
    HostConnectionWithStore, ParameterValue, RowSet,
};
use crate::instance::{Guest, GuestData};
use crate::postgres::{Client, Connection, ConnectionBuilder, Failure, certificate, check_address};
use crate::postgres_query;
use crate::streams::ChannelProducer;

/// Columns, rows and outcome of a query, as a component receives them.
type ComponentStreams = (
    Vec<Column>,
    StreamReader<Vec<DbValue>>,
    FutureReader<Result<(), Error>>,
);

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::ConnectionFailed(failure.0)
    }
}

impl Guest {
    /// Opens a connection, if the manifest lets this component reach the server.
    fn open_postgres(
        &self,
        builder: ConnectionBuilder,
    ) -> impl Future<Output = Result<Connection, Error>> + Send + use<> {
        let (component, pools) = (self.component.clone(), self.postgres.clone());
        let limit = self.host.postgres_limit.clone();
        async move {
            check_address(&component.allowed_hosts, &builder.address).inspect_err(|error| {
                tracing::warn!(component = &*component.name, "PostgreSQL denied: {}", error.0);
            })?;
            Ok(Connection::open(&pools, &limit, &builder).await?)
        }
    }

    fn add_postgres(&mut self, connection: Connection) -> Result<Resource<Connection>, Error> {
        let added = self.table.push(connection);
        added.map_err(|_| Error::ConnectionFailed("too many connections".to_owned()))
    }

    fn postgres_client(&self, connection: &Resource<Connection>) -> Result<Client, Error> {
        let connection = self.table.get(connection);
        connection
            .map(Connection::client)
            .map_err(|_| Error::ConnectionFailed("no connection found".to_owned()))
    }

    fn postgres_builder(&self, builder: &Resource<ConnectionBuilder>) -> Result<ConnectionBuilder, Error> {
        self.table.get(builder).cloned().map_err(|_| no_builder())
    }
}

fn no_builder() -> Error {
    Error::ConnectionFailed("no builder found".to_owned())
}

fn plain(address: String) -> ConnectionBuilder {
    ConnectionBuilder {
        address,
        ca_root: None,
    }
}

async fn open<T: Send + 'static>(
    accessor: &Accessor<T, GuestData>,
    builder: ConnectionBuilder,
) -> Result<Resource<Connection>, Error> {
    let opening = accessor.with(|mut access| access.get().open_postgres(builder));
    let connection = opening.await?;
    accessor.with(|mut access| access.get().add_postgres(connection))
}

impl Host for Guest {}

impl HostConnectionBuilder for Guest {
    async fn new(&mut self, address: String) -> wasmtime::Result<Resource<ConnectionBuilder>> {
        Ok(self.table.push(plain(address))?)
    }

    async fn set_ca_root(&mut self, builder: Resource<ConnectionBuilder>, pem: String) -> Result<(), Error> {
        certificate(&pem).map_err(|error| Error::Other(format!("invalid root certificate: {error}")))?;
        self.table.get_mut(&builder).map_err(|_| no_builder())?.ca_root = Some(pem);
        Ok(())
    }

    async fn build(&mut self, builder: Resource<ConnectionBuilder>) -> Result<Resource<Connection>, Error> {
        let builder = self.postgres_builder(&builder)?;
        let connection = self.open_postgres(builder).await?;
        self.add_postgres(connection)
    }

    async fn drop(&mut self, builder: Resource<ConnectionBuilder>) -> wasmtime::Result<()> {
        self.table.delete(builder)?;
        Ok(())
    }
}

impl<T: Send + 'static> HostConnectionBuilderWithStore<T> for GuestData {
    async fn build_async(
        accessor: &Accessor<T, Self>,
        builder: Resource<ConnectionBuilder>,
    ) -> Result<Resource<Connection>, Error> {
        let builder = accessor.with(|mut access| access.get().postgres_builder(&builder))?;
        open(accessor, builder).await
    }
}

impl HostConnection for Guest {
    async fn open(&mut self, address: String) -> Result<Resource<Connection>, Error> {
        let connection = self.open_postgres(plain(address)).await?;
        self.add_postgres(connection)
    }

    async fn query(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<RowSet, Error> {
        postgres_query::query(&self.postgres_client(&connection)?, &statement, &parameters).await
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<u64, Error> {
        postgres_query::execute(&self.postgres_client(&connection)?, &statement, &parameters).await
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

impl<T: Send + 'static> HostConnectionWithStore<T> for GuestData {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        address: String,
    ) -> Result<Resource<Connection>, Error> {
        open(accessor, plain(address)).await
    }

    async fn query_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<ComponentStreams, Error> {
        let client = accessor.with(|mut access| access.get().postgres_client(&connection))?;
        let query = postgres_query::stream(&client, &statement, &parameters).await?;
        let streams = accessor.with(|mut access| {
            let rows = StreamReader::new(&mut access, ChannelProducer(query.rows))?;
            let outcome = FutureReader::new(&mut access, query.outcome)?;
            wasmtime::error::Ok((query.columns, rows, outcome))
        });
        streams.map_err(|error| Error::Other(error.to_string()))
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<u64, Error> {
        let client = accessor.with(|mut access| access.get().postgres_client(&connection))?;
        postgres_query::execute(&client, &statement, &parameters).await
    }
}
