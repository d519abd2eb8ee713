//! The trait that runs every statement, and the texts that a statement has.

use super::{DbError, Row, Value};

/// What reads the text of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// SQLite, and libSQL.
    Sqlite,
    /// PostgreSQL, and what speaks its protocol.
    Postgres,
}

/// A statement of this crate. No other crate can make one, so none runs SQL of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    sqlite: &'static str,
    postgres: &'static str,
}

impl Statement {
    /// A statement for which the engines need different texts, with the same parameters. An engine for which the text is
    /// empty has nothing to run.
    pub(crate) const fn new(sqlite: &'static str, postgres: &'static str) -> Self {
        Self { sqlite, postgres }
    }

    /// A statement that only SQLite needs.
    pub(crate) const fn of_sqlite(text: &'static str) -> Self {
        Self::new(text, "")
    }

    /// A statement that only PostgreSQL needs, such as the lock of a row: SQLite has one writer.
    pub(crate) const fn of_postgres(text: &'static str) -> Self {
        Self::new("", text)
    }

    /// What SQLite runs of it.
    pub(crate) const fn on_sqlite(self) -> Self {
        Self::of_sqlite(self.sqlite)
    }

    /// The same with another name in place of `name`. The texts stay in memory.
    pub(crate) fn with(self, name: &str, other: &str) -> Self {
        let replaced = |text: &str| -> &'static str { Box::leak(text.replace(name, other).into_boxed_str()) };
        let sqlite = replaced(self.sqlite);
        if self.sqlite == self.postgres {
            return Self::new(sqlite, sqlite);
        }
        Self::new(sqlite, replaced(self.postgres))
    }

    /// The SQL text for an engine. Where it is empty the engine has nothing to run, and there are no rows.
    #[must_use]
    pub const fn text(self, engine: Engine) -> &'static str {
        match engine {
            Engine::Sqlite => self.sqlite,
            Engine::Postgres => self.postgres,
        }
    }

    /// The first word of the text, which is the same for every engine that has one.
    #[must_use]
    pub fn first_word(self) -> &'static str {
        let text = if self.sqlite.is_empty() {
            self.postgres
        } else {
            self.sqlite
        };
        text.split_ascii_whitespace().next().unwrap_or_default()
    }
}

/// One connection. A transaction belongs to one connection, so a connection serves one request at a
/// time; dropping a connection rolls its open transaction back.
#[expect(
    async_fn_in_trait,
    reason = "components are single-threaded: no Send bound is wanted"
)]
pub trait Database {
    /// Runs one statement and returns all its rows.
    ///
    /// # Errors
    /// [`DbError`] when the statement did not run.
    async fn execute(&self, statement: Statement, params: &[Value]) -> Result<Vec<Row>, DbError>;
}

/// A statement, or the one text that it has for every engine.
pub(crate) trait Sql: Copy {
    /// The statement.
    fn statement(self) -> Statement;
}

impl Sql for Statement {
    fn statement(self) -> Statement {
        self
    }
}

impl Sql for &'static str {
    fn statement(self) -> Statement {
        Statement::new(self, self)
    }
}

/// Runs the statements of this crate.
pub(crate) trait Run: Database {
    /// Runs `sql` and returns all its rows.
    fn run(&self, sql: impl Sql, params: &[Value]) -> impl Future<Output = Result<Vec<Row>, DbError>> {
        self.execute(sql.statement(), params)
    }
}

impl<D: Database> Run for D {}
