//! A database that can be made to fail, statement by statement.
//!
//! Stands for an engine that loses a statement or rolls a transaction back, or on which another call was faster. It must not change what a statement does
//! that it lets through.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use store::{Database, DbError, Row, Statement, Value};

use crate::test_db::TestDb;

/// The environment variable that names the statement with which the engine rolls the first run of every transaction back, so that it runs again:
/// `commit`, or `read` for a read that it has not failed yet.
pub const RERUN_AT: &str = "XIEKA_TEST_RERUN_AT";

/// Where the first run of a transaction is rolled back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RerunAt {
    Nothing,
    Commit,
    Read,
}

impl RerunAt {
    fn from_environment() -> Self {
        match std::env::var(RERUN_AT).as_deref() {
            Ok("commit") => Self::Commit,
            Ok("read") => Self::Read,
            _ => Self::Nothing,
        }
    }
}

/// A connection that checks every statement's parameters and can fail the n-th statement, or let it find no row.
pub struct FaultInjectingDb {
    /// The database itself.
    pub inner: TestDb,
    count: Cell<usize>,
    fail_at: Cell<Option<usize>>,
    miss_at: Cell<Option<usize>>,
    missed: Cell<Option<&'static str>>,
    rerun_at: RerunAt,
    in_transaction: Cell<bool>,
    // Whether the engine has rolled the open transaction back once.
    rolled_back: Cell<bool>,
    reads_failed: RefCell<BTreeSet<&'static str>>,
    /// Every statement, in order.
    pub seen: RefCell<Vec<&'static str>>,
}

impl FaultInjectingDb {
    /// A connection that fails nothing but what the environment variable [`RERUN_AT`] says.
    #[must_use]
    pub fn new(inner: TestDb) -> Self {
        Self {
            inner,
            count: Cell::new(0),
            fail_at: Cell::new(None),
            miss_at: Cell::new(None),
            missed: Cell::new(None),
            rerun_at: RerunAt::from_environment(),
            in_transaction: Cell::new(false),
            rolled_back: Cell::new(false),
            reads_failed: RefCell::default(),
            seen: RefCell::new(Vec::new()),
        }
    }

    /// Whether the engine rolls the transaction back at this statement, once for each transaction.
    fn rolls_back(&self, sql: &'static str) -> bool {
        let word = sql.split_whitespace().next().unwrap_or_default();
        let rolls_back = self.in_transaction.get()
            && !self.rolled_back.get()
            && match self.rerun_at {
                RerunAt::Nothing => false,
                RerunAt::Commit => word == "COMMIT",
                RerunAt::Read => word == "SELECT" && self.reads_failed.borrow_mut().insert(sql),
            };
        match word {
            _ if rolls_back => self.rolled_back.set(true),
            "BEGIN" => self.in_transaction.set(true),
            "COMMIT" => {
                self.in_transaction.set(false);
                self.rolled_back.set(false);
            }
            "ROLLBACK" => self.in_transaction.set(false),
            _ => {}
        }
        rolls_back
    }

    /// From now on the `n`-th statement (from 1) fails without being carried out; `None` stops that.
    pub fn fail_at(&self, n: Option<usize>) {
        self.count.set(0);
        self.fail_at.set(n);
    }

    /// From now on the `n`-th statement (from 1), if it writes, finds no row that it could change: it is not carried
    /// out and answers none. `None` stops that.
    pub fn miss_at(&self, n: Option<usize>) {
        self.count.set(0);
        self.miss_at.set(n);
        self.missed.set(None);
    }

    /// The statement that found no row since [`Self::miss_at`] was called.
    #[must_use]
    pub fn missed(&self) -> Option<&'static str> {
        self.missed.get()
    }

    /// How many statements were run since [`Self::fail_at`] or [`Self::miss_at`] was called.
    #[must_use]
    pub fn statements(&self) -> usize {
        self.count.get()
    }
}

impl Database for FaultInjectingDb {
    async fn execute(&self, statement: Statement, params: &[Value]) -> Result<Vec<Row>, DbError> {
        let sql = statement.text(self.inner.engine());
        if sql.is_empty() {
            return Ok(Vec::new());
        }
        assert_eq!(parameters(sql), params.len(), "parameters of {sql}");
        self.seen.borrow_mut().push(sql);
        self.count.set(self.count.get() + 1);
        if self.fail_at.get() == Some(self.count.get()) {
            return Err(DbError::Failed(format!(
                "statement {} was made to fail",
                self.count.get()
            )));
        }
        // PostgreSQL carries out several writes in one statement.
        let writes = ["UPDATE", "INSERT"]
            .iter()
            .any(|word| sql.starts_with(word) || sql.contains(&format!(" AS ({word} ")));
        if writes && self.miss_at.get() == Some(self.count.get()) {
            self.missed.set(Some(sql));
            return Ok(Vec::new());
        }
        if self.rolls_back(sql) {
            self.inner.batch("ROLLBACK");
            self.in_transaction.set(false);
            return Err(DbError::Retryable("the first run was rolled back".to_owned()));
        }
        self.inner.execute(statement, params).await
    }
}

/// How many parameters a statement has. They must first appear in ascending order, because SQLite numbers `$n` by
/// appearance and PostgreSQL by its number.
pub fn parameters(sql: &str) -> usize {
    let mut highest = 0;
    for part in sql.split('$').skip(1) {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        let number: usize = digits.parse().expect("a number after $");
        assert!(number <= highest + 1, "${number} appears too early in {sql}");
        highest = highest.max(number);
    }
    highest
}
