//! PostgreSQL for operations: one server for the process, and a database for each test.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use domain::Timestamp;
use store::{Database, DbError, Postgres, PostgresPool, Row, Statement, Value};
use tokio::runtime::Runtime;

use crate::postgres_server::{PostgresServer, in_its_words};

/// The database of the server that is always there.
const MAINTENANCE: &str = "postgres";
/// The database that has the schema; the others are copies of it.
const TEMPLATE: &str = "xieka";
/// Ends a test that is about SQLite where the tests run on PostgreSQL.
#[macro_export]
macro_rules! of_sqlite {
    () => {
        if $crate::postgres_server::is_chosen() {
            return;
        }
    };
}

/// The server of the process.
struct Server {
    server: &'static PostgresServer,
    runtime: Runtime,
    databases: AtomicU32,
    of_files: Mutex<HashMap<PathBuf, String>>,
}

impl Server {
    fn get() -> &'static Self {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(Self::start)
    }

    fn start() -> Self {
        let server = PostgresServer::shared().expect("PostgreSQL from the package postgresql");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        server.create_database(TEMPLATE);
        let server = Self {
            server,
            runtime,
            databases: AtomicU32::new(0),
            of_files: Mutex::default(),
        };
        let connection = server.connect(TEMPLATE).unwrap();
        futures::executor::block_on(store::migrate(&connection, Timestamp(1))).unwrap();
        server
    }

    fn connect(&self, database: &str) -> Result<Postgres, DbError> {
        let pool = PostgresPool::new(&self.server.url(database), 1)?;
        self.runtime.block_on(pool.take())
    }

    fn batch(&self, connection: &Postgres, sql: &str) {
        let client = connection.client().unwrap();
        self.runtime.block_on(client.batch_execute(sql)).expect(sql);
    }

    fn administer(&self, sql: &str) {
        // A template is copied by one at a time.
        static ONE: Mutex<()> = Mutex::new(());
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        self.batch(&self.connect(MAINTENANCE).unwrap(), sql);
    }

    fn new_database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.administer(&format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}"));
        name
    }
}

/// A database of the server, and a connection to it.
pub struct PostgresDatabase {
    connection: Option<Postgres>,
    name: String,
    // The database of a file stays for others.
    is_own: bool,
}

impl PostgresDatabase {
    /// A database of its own, which goes with this value.
    #[must_use]
    pub fn new() -> Self {
        Self::named(Server::get().new_database(), true)
    }

    /// The database that stands for a file of SQLite.
    #[must_use]
    pub fn in_file(path: &Path) -> Self {
        let server = Server::get();
        let mut of_files = server.of_files.lock().unwrap_or_else(PoisonError::into_inner);
        let name = of_files
            .entry(path.to_owned())
            .or_insert_with(|| server.new_database())
            .clone();
        Self::named(name, false)
    }

    /// The database of this name, which stays.
    #[must_use]
    pub fn existing(name: &str) -> Self {
        Self::named(name.to_owned(), false)
    }

    fn named(name: String, is_own: bool) -> Self {
        Self {
            connection: Some(Server::get().connect(&name).unwrap()),
            name,
            is_own,
        }
    }

    /// The connection.
    #[must_use]
    pub fn connection(&self) -> &Postgres {
        self.connection.as_ref().expect("it stays until this is dropped")
    }

    /// Runs statements that no operation has.
    pub fn batch(&self, sql: &str) {
        Server::get().batch(self.connection(), &in_its_words(sql));
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        Server::get().server.url(&self.name)
    }

    /// Another connection to it.
    ///
    /// # Errors
    /// That of the server.
    pub fn connect(&self) -> Result<Postgres, DbError> {
        Server::get().connect(&self.name)
    }

    /// The rows of a query, each value as text.
    #[must_use]
    pub fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let sql = in_its_words(sql);
        let client = self.connection().client().unwrap();
        let answer = Server::get()
            .runtime
            .block_on(client.simple_query(&sql))
            .expect(&sql);
        let rows = answer.iter().filter_map(|part| match part {
            tokio_postgres::SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        rows.map(|row| (0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect())
            .collect()
    }
}

impl Default for PostgresDatabase {
    fn default() -> Self {
        Self::new()
    }
}

impl Database for PostgresDatabase {
    async fn execute(&self, statement: Statement, params: &[Value]) -> Result<Vec<Row>, DbError> {
        self.connection().execute(statement, params).await
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        self.connection = None;
        if self.is_own && !std::thread::panicking() {
            Server::get().administer(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
    }
}
