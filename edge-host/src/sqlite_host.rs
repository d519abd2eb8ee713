//! `spin:sqlite@3.1.0` for components: which databases a component may open, and the two forms of the interface.
//!
//! The interface makes the plain functions hold the whole instance while they wait, the `-async` ones only
//! the request.

use wasmtime::component::{Access, Accessor, FutureReader, Resource, StreamReader};

use crate::bindings::spin::sqlite::sqlite::{
    Error, Host, HostConnection, HostConnectionWithStore, QueryResult, RowResult, Value,
};
use crate::instance::{Guest, GuestData};
use crate::runtime_config::Location;
use crate::sqlite::Connection;
use crate::sqlite_query::{self, StreamedQuery};
use crate::streams::ChannelProducer;

/// Columns, rows and outcome of a query, as a component receives them.
type ComponentStreams = (
    Vec<String>,
    StreamReader<RowResult>,
    FutureReader<Result<(), Error>>,
);

impl Guest {
    /// The location of a database, if the manifest grants it to this component.
    fn database(&self, label: &str) -> Result<Location, Error> {
        if !self.component.sqlite_databases.contains(label) {
            return Err(Error::AccessDenied);
        }
        self.host
            .databases
            .get(label)
            .cloned()
            .ok_or(Error::NoSuchDatabase)
    }

    fn add_connection(&mut self, connection: Connection) -> Result<Resource<Connection>, Error> {
        self.table
            .push(connection)
            .map_err(|_| Error::Io("too many connections opened".to_owned()))
    }

    fn connection(&self, connection: &Resource<Connection>) -> Result<Connection, Error> {
        self.table
            .get(connection)
            .cloned()
            .map_err(|_| Error::InvalidConnection)
    }
}

impl Host for Guest {}

impl HostConnection for Guest {
    async fn open(&mut self, database: String) -> Result<Resource<Connection>, Error> {
        let connection = Connection::open(self.database(&database)?).await?;
        self.add_connection(connection)
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> Result<QueryResult, Error> {
        sqlite_query::execute(&self.connection(&connection)?, statement, parameters).await
    }

    async fn last_insert_rowid(&mut self, connection: Resource<Connection>) -> wasmtime::Result<i64> {
        Ok(sqlite_query::last_insert_rowid(&self.connection(&connection)?).await?)
    }

    async fn changes(&mut self, connection: Resource<Connection>) -> wasmtime::Result<u64> {
        Ok(sqlite_query::changes(&self.connection(&connection)?).await?)
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

impl<T: Send + 'static> HostConnectionWithStore<T> for GuestData {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        database: String,
    ) -> Result<Resource<Connection>, Error> {
        let location = accessor.with(|mut access| access.get().database(&database))?;
        let connection = Connection::open(location).await?;
        accessor.with(|mut access| access.get().add_connection(connection))
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> Result<ComponentStreams, Error> {
        let connection = accessor.with(|mut access| access.get().connection(&connection))?;
        let query = sqlite_query::stream(connection, statement, parameters).await;
        accessor
            .with(|access| into_component_streams(access, query))
            .map_err(|error| Error::Io(error.to_string()))
    }

    async fn last_insert_rowid_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
    ) -> wasmtime::Result<i64> {
        let connection = accessor.with(|mut access| access.get().connection(&connection))?;
        Ok(sqlite_query::last_insert_rowid(&connection).await?)
    }

    async fn changes_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
    ) -> wasmtime::Result<u64> {
        let connection = accessor.with(|mut access| access.get().connection(&connection))?;
        Ok(sqlite_query::changes(&connection).await?)
    }
}

/// Gives the component the reading ends of a running query.
fn into_component_streams<T: 'static>(
    mut access: Access<'_, T, GuestData>,
    query: StreamedQuery,
) -> wasmtime::Result<ComponentStreams> {
    let rows = StreamReader::new(&mut access, ChannelProducer(query.rows))?;
    let outcome = FutureReader::new(&mut access, query.outcome)?;
    Ok((query.columns, rows, outcome))
}
