//! `spin:sqlite@3.1.0` for components: who may open what, and the two ways to run a statement.
//!
//! The plain functions hold the whole instance while they wait, the `-async` ones only the request;
//! that is the interface's nature, not a choice made here.

use wasmtime::component::{Access, Accessor, FutureReader, Resource, StreamReader};

use crate::bindings::spin::sqlite::sqlite::{
    Error, Host, HostConnection, HostConnectionWithStore, QueryResult, RowResult, Value,
};
use crate::runtime_config::Location;
use crate::sqlite::{Connection, Streaming};
use crate::streams::ChannelProducer;
use crate::worker::{Guest, GuestData};

type Rows = (
    Vec<String>,
    StreamReader<RowResult>,
    FutureReader<Result<(), Error>>,
);

impl Guest {
    /// The place of a database, if the manifest grants it to this component.
    fn database(&self, label: &str) -> Result<Location, Error> {
        if !self.component.sqlite_databases.contains(label) {
            return Err(Error::AccessDenied);
        }
        self.app
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
        self.connection(&connection)?.execute(statement, parameters).await
    }

    async fn last_insert_rowid(&mut self, connection: Resource<Connection>) -> wasmtime::Result<i64> {
        Ok(self.connection(&connection)?.last_insert_rowid().await?)
    }

    async fn changes(&mut self, connection: Resource<Connection>) -> wasmtime::Result<u64> {
        Ok(self.connection(&connection)?.changes().await?)
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
    ) -> Result<Rows, Error> {
        let connection = accessor.with(|mut access| access.get().connection(&connection))?;
        let streaming = connection.stream(statement, parameters).await?;
        accessor
            .with(|access| hand_over(access, streaming))
            .map_err(|error| Error::Io(error.to_string()))
    }

    async fn last_insert_rowid_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
    ) -> wasmtime::Result<i64> {
        let connection = accessor.with(|mut access| access.get().connection(&connection))?;
        Ok(connection.last_insert_rowid().await?)
    }

    async fn changes_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
    ) -> wasmtime::Result<u64> {
        let connection = accessor.with(|mut access| access.get().connection(&connection))?;
        Ok(connection.changes().await?)
    }
}

fn hand_over<T: 'static>(
    mut access: Access<'_, T, GuestData>,
    Streaming { columns, rows, end }: Streaming,
) -> wasmtime::Result<Rows> {
    let rows = StreamReader::new(&mut access, ChannelProducer(rows))?;
    let end = FutureReader::new(&mut access, end)?;
    Ok((columns, rows, end))
}
