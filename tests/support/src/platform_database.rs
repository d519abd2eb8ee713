//! The database of a platform, which tests read and damage beside it: SQLite files, or a database on the PostgreSQL
//! server of the process where the environment asks for it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use xieka::secrets::Secrets;

use crate::address::own_address;
use crate::postgres_server::{PostgresServer, in_its_words, is_chosen};

/// The file of the state in a platform's folder.
const STATE_FILE: &str = "sqlite_db.db";
/// The file of the call log.
const CALLS_FILE: &str = "calls.db";

/// A platform's database.
pub enum PlatformDatabase {
    /// Two files in this folder.
    Files(PathBuf),
    /// The database of this name.
    Server(&'static PostgresServer, String),
}

impl PlatformDatabase {
    /// An empty database for a platform with its files in `folder`, on the engine that the environment asks for.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        if !is_chosen() {
            return Self::Files(folder.to_owned());
        }
        Self::on(PostgresServer::shared().expect("PostgreSQL from the package postgresql"))
    }

    /// An empty database on a server.
    #[must_use]
    pub fn on(server: &'static PostgresServer) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("platform_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        server.create_database(&name);
        Self::Server(server, name)
    }

    /// Sets the variables with which components find it.
    pub fn configure(&self, secrets: &mut Secrets) {
        if let Self::Server(server, name) = self {
            secrets.set("SPIN_VARIABLE_DATABASE", server.url(name));
            let host = format!("postgres://{}", server.address());
            secrets.set("SPIN_VARIABLE_DATABASE_HOST_1", host);
        }
    }

    /// Sets the variables of a node with its files in `folder` that cannot open a database.
    pub(crate) fn configure_unreachable(&self, folder: &Path, secrets: &mut Secrets) {
        match self {
            Self::Files(_) => std::fs::create_dir(Self::file(folder)).unwrap(),
            Self::Server(..) => {
                // Nobody listens there.
                let address = own_address().unwrap();
                secrets.set(
                    "SPIN_VARIABLE_DATABASE",
                    format!("postgres://postgres@{address}/x"),
                );
                secrets.set("SPIN_VARIABLE_DATABASE_HOST_1", format!("postgres://{address}"));
            }
        }
    }

    /// The columns whose names match a pattern of LIKE, as table and column.
    pub(crate) fn columns_like(&self, pattern: &str) -> Vec<(String, String)> {
        let columns = match self {
            Self::Files(_) => {
                "(SELECT t.name, c.name AS column_name FROM sqlite_master t JOIN pragma_table_info(t.name) c \
                 WHERE t.type = 'table')"
            }
            Self::Server(..) => {
                "(SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public')"
            }
        };
        let rows = self.rows(&format!(
            "SELECT * FROM {columns} AS known WHERE column_name LIKE '{pattern}'"
        ));
        let pair = |row: Vec<String>| <[String; 2]>::try_from(row).map(Into::into).unwrap();
        rows.into_iter().map(pair).collect()
    }

    /// Runs statements on the state.
    pub(crate) fn batch(&self, sql: &str) {
        match self {
            Self::Files(folder) => open(folder, STATE_FILE).execute_batch(sql).expect(sql),
            Self::Server(server, name) => drop(server.run_sql(name, &in_its_words(sql))),
        }
    }

    /// The rows of a query of the state, each value as text; NULL is empty.
    #[must_use]
    pub fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        self.query(STATE_FILE, sql)
    }

    /// The rows of a query of the call log.
    pub(crate) fn call_rows(&self, sql: &str) -> Vec<Vec<String>> {
        self.query(CALLS_FILE, sql)
    }

    fn query(&self, file: &str, sql: &str) -> Vec<Vec<String>> {
        match self {
            Self::Files(folder) => {
                let db = open(folder, file);
                let mut statement = db.prepare(sql).expect(sql);
                let columns = statement.column_count();
                let row =
                    |row: &rusqlite::Row<'_>| (0..columns).map(|at| Ok(text(row.get_ref(at)?))).collect();
                let rows = statement.query_map([], row).expect(sql);
                rows.collect::<Result<_, _>>().expect(sql)
            }
            Self::Server(server, name) => {
                let printed = server.run_sql(name, &in_its_words(sql));
                let row = |line: &str| line.split('|').map(str::to_owned).collect();
                printed.lines().map(row).collect()
            }
        }
    }

    /// The file of the state.
    pub(crate) fn file(folder: &Path) -> PathBuf {
        folder.join(STATE_FILE)
    }
}

fn open(folder: &Path, file: &str) -> Connection {
    Connection::open(folder.join(file)).unwrap()
}

fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(value) => value.to_string(),
        ValueRef::Real(value) => value.to_string(),
        ValueRef::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        ValueRef::Blob(bytes) => format!("\\x{}", hex::encode(bytes)),
    }
}
