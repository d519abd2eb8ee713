//! The database of a test: SQLite, or PostgreSQL where the environment asks for it.

use std::path::Path;

use store::{Database, DbError, Engine, Row, Sqlite, Statement, Value};

use crate::postgres::PostgresDatabase;
use crate::postgres_server::is_chosen;

/// A database, on one connection.
pub enum TestDb {
    /// SQLite, in memory or in a file.
    Sqlite(Sqlite),
    /// A database of the server of the process.
    Postgres(PostgresDatabase),
}

impl TestDb {
    /// A database of its own, which goes with this value. On SQLite it is empty.
    #[must_use]
    pub fn new() -> Self {
        if is_chosen() {
            Self::Postgres(PostgresDatabase::new())
        } else {
            Self::Sqlite(Sqlite::in_memory().expect("a database in memory"))
        }
    }

    /// The database in a file, or that stands for it.
    #[must_use]
    pub fn in_file(path: &Path) -> Self {
        if is_chosen() {
            Self::Postgres(PostgresDatabase::in_file(path))
        } else {
            Self::Sqlite(Sqlite::open(path).expect("a database file"))
        }
    }

    /// Its engine.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    /// The connection itself, for a test that is about SQLite.
    #[must_use]
    pub fn connection(&self) -> &rusqlite::Connection {
        match self {
            Self::Sqlite(db) => db.connection(),
            Self::Postgres(_) => panic!("this test is about SQLite"),
        }
    }

    /// Whether a transaction is open.
    #[must_use]
    pub fn is_in_transaction(&self) -> bool {
        match self {
            Self::Sqlite(db) => !db.connection().is_autocommit(),
            Self::Postgres(db) => db.connection().is_in_transaction(),
        }
    }

    /// The first column of a query's rows, as text.
    #[must_use]
    pub fn column(&self, sql: &str) -> Vec<String> {
        match self {
            Self::Sqlite(db) => {
                let mut statement = db.connection().prepare(sql).expect(sql);
                let rows = statement.query_map([], |row| row.get(0)).expect(sql);
                rows.collect::<Result<_, _>>().expect(sql)
            }
            Self::Postgres(db) => {
                let rows = db.rows(sql).into_iter();
                rows.map(|row| row.into_iter().next().flatten().expect(sql))
                    .collect()
            }
        }
    }

    /// The single whole number a query gives.
    #[must_use]
    pub fn count(&self, sql: &str) -> i64 {
        match self {
            Self::Sqlite(db) => db.connection().query_row(sql, [], |row| row.get(0)).expect(sql),
            Self::Postgres(_) => match self.column(sql)[0].as_str() {
                "t" => 1,
                "f" => 0,
                number => number.parse().expect(sql),
            },
        }
    }

    /// Runs statements that no operation has.
    pub fn batch(&self, sql: &str) {
        match self {
            Self::Sqlite(db) => db.connection().execute_batch(sql).expect(sql),
            Self::Postgres(db) => db.batch(sql),
        }
    }

    /// Every row of every table.
    #[must_use]
    pub fn dump(&self) -> Vec<String> {
        let tables = self.column(match self {
            Self::Sqlite(_) => "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
            Self::Postgres(_) => "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
        });
        let mut out = Vec::new();
        for table in tables {
            for row in self.rows_of(&table) {
                out.push(format!("{table}: {row}"));
            }
        }
        out.sort();
        out
    }

    fn rows_of(&self, table: &str) -> Vec<String> {
        let sql = format!("SELECT * FROM {table}");
        let connection = match self {
            Self::Sqlite(db) => db.connection(),
            Self::Postgres(db) => {
                let rows = db.rows(&sql).into_iter();
                return rows.map(|row| format!("{row:?}")).collect();
            }
        };
        let mut statement = connection.prepare(&sql).expect("a table");
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            (0..columns)
                .map(|at| row.get_ref(at).map(|value| format!("{value:?}")))
                .collect::<Result<Vec<_>, _>>()
        });
        rows.expect("rows")
            .map(|row| row.expect("a row").join(" | "))
            .collect()
    }
}

impl Default for TestDb {
    fn default() -> Self {
        Self::new()
    }
}

impl Database for TestDb {
    async fn execute(&self, statement: Statement, params: &[Value]) -> Result<Vec<Row>, DbError> {
        match self {
            Self::Sqlite(db) => db.execute(statement, params).await,
            Self::Postgres(db) => db.execute(statement, params).await,
        }
    }
}
