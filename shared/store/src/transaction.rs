//! Transactions: committed as a whole or rolled back as a whole.

use std::cell::{Cell, RefCell};

use super::together::{self, Write};
use super::{Database, DbError, Row, Run as _, Sql, Statement, Value};

// IMMEDIATE: a transaction that starts as a reader and then writes fails at once when another one wrote in between.
// Taking the write lock first waits instead.
// NOT DEFERRABLE is what every transaction is. PostgreSQL refuses it inside a transaction that another user of the
// connection left open, where a plain BEGIN would only warn.
const BEGIN: Statement = Statement::new("BEGIN IMMEDIATE", "BEGIN NOT DEFERRABLE");
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";

/// Most runs of a transaction that the engine asks to repeat. After them it fails with [`DbError::Retryable`].
const MAX_TRANSACTION_RUNS: u32 = 5;

/// A transaction in progress on a connection. Only [`transaction`] makes one. Functions that write take a `&Tx`, so
/// that nothing is written outside a transaction.
pub struct Tx<'a, D> {
    db: &'a D,
    // Set when the engine asks for another run, even if the body ignores the failure.
    must_rerun: Cell<bool>,
    // Writes whose rows nobody waits for, in their order.
    later: RefCell<Vec<Write>>,
    // Set when they failed, even if the body ignores the failure.
    has_failed: Cell<bool>,
}

impl<'a, D> Tx<'a, D> {
    fn on(db: &'a D) -> Self {
        Self {
            db,
            must_rerun: Cell::new(false),
            later: RefCell::default(),
            has_failed: Cell::new(false),
        }
    }

    fn noted<T>(&self, result: Result<T, DbError>) -> Result<T, DbError> {
        if matches!(result, Err(DbError::Retryable(_))) {
            self.must_rerun.set(true);
        }
        result
    }
}

impl<D: Database> Tx<'_, D> {
    /// Writes before the next statement that somebody waits for, or before the commit. PostgreSQL carries out in one
    /// statement what waits together (see [`super::together`]); so what writes a table, by its `name`, waits for what
    /// wrote it before.
    pub(crate) async fn later(
        &self,
        name: &'static str,
        sql: impl Sql,
        params: Vec<Value>,
    ) -> Result<(), DbError> {
        self.put_off(name, sql, params, false).await
    }

    /// The same for a write that fails with [`DbError::Missed`], and with it the transaction, when it finds no row. Its
    /// text ends in RETURNING.
    pub(crate) async fn later_guarded(
        &self,
        name: &'static str,
        sql: impl Sql,
        params: Vec<Value>,
    ) -> Result<(), DbError> {
        self.put_off(name, sql, params, true).await
    }

    async fn put_off(
        &self,
        name: &'static str,
        sql: impl Sql,
        params: Vec<Value>,
        is_guarded: bool,
    ) -> Result<(), DbError> {
        if self.later.borrow().iter().any(|write| write.name == name) {
            self.write().await?;
        }
        self.later.borrow_mut().push(Write {
            name,
            sql: sql.statement(),
            params,
            is_guarded,
        });
        Ok(())
    }

    /// Carries out what was put off, if a write of the table is among it whose first parameter is another one.
    pub(crate) async fn write_of_others(&self, name: &str, first: &Value) -> Result<(), DbError> {
        let is_other = |write: &Write| write.name == name && write.params.first() != Some(first);
        if self.later.borrow().iter().any(is_other) {
            self.write().await?;
        }
        Ok(())
    }

    /// Carries out what was put off.
    async fn write(&self) -> Result<(), DbError> {
        let writes = self.later.take();
        if writes.is_empty() {
            return Ok(());
        }
        let result = together::write(self.db, writes).await;
        self.has_failed.set(self.has_failed.get() || result.is_err());
        self.noted(result)
    }
}

impl<D: Database> Database for Tx<'_, D> {
    async fn execute(&self, statement: Statement, params: &[Value]) -> Result<Vec<Row>, DbError> {
        self.write().await?;
        self.noted(self.db.execute(statement, params).await)
    }
}

/// Runs `body` in one transaction: committed when it succeeds, rolled back when it fails or when the commit does. No
/// transaction is left open.
///
/// When the engine rolls the transaction back because it conflicts with another one, `body` runs again in a new one,
/// at most `MAX_TRANSACTION_RUNS` times in all. So `body` must change nothing but the database. A commit whose
/// answer is lost is not repeated: it may have taken effect.
///
/// # Errors
/// Those of `body`; [`DbError`] when the transaction cannot be begun or committed.
pub async fn transaction<D, T, E>(db: &D, body: impl AsyncFn(&Tx<'_, D>) -> Result<T, E>) -> Result<T, E>
where
    D: Database,
    E: From<DbError>,
{
    let mut runs = 0;
    loop {
        runs += 1;
        let tx = Tx::on(db);
        let result = run_once(&tx, &body).await;
        if result.is_ok() || !tx.must_rerun.get() || runs >= MAX_TRANSACTION_RUNS {
            return result;
        }
    }
}

async fn run_once<D, T, E>(tx: &Tx<'_, D>, body: &impl AsyncFn(&Tx<'_, D>) -> Result<T, E>) -> Result<T, E>
where
    D: Database,
    E: From<DbError>,
{
    tx.run(BEGIN, &[]).await?;
    let result = match body(tx).await {
        // The body ignored the failure; work that the engine rolled back must not count as done.
        Ok(_) if tx.must_rerun.get() => {
            Err(DbError::Retryable("a statement was rolled back".to_owned()).into())
        }
        Ok(_) if tx.has_failed.get() => Err(DbError::Failed("a write has failed".to_owned()).into()),
        Ok(value) => tx.run(COMMIT, &[]).await.map(|_| value).map_err(E::from),
        Err(error) => Err(error),
    };
    if result.is_err() {
        tx.later.borrow_mut().clear();
        // The first error is the one to report. A rollback fails only when the engine has rolled back already or the
        // connection is lost; then no transaction is open either.
        let _ = tx.run(ROLLBACK, &[]).await;
    }
    result
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use futures::executor::block_on;

    use super::{MAX_TRANSACTION_RUNS, transaction};
    use crate::{Database, DbError, Row, Run as _, Statement, Value};

    /// An engine that runs nothing and fails the first statements whose text is `at` with these failures.
    struct Engine {
        at: &'static str,
        failures: RefCell<Vec<DbError>>,
        seen: RefCell<Vec<&'static str>>,
    }

    impl Engine {
        fn failing(at: &'static str, failures: &[DbError]) -> Self {
            Self {
                at,
                failures: RefCell::new(failures.to_vec()),
                seen: RefCell::default(),
            }
        }
    }

    impl Database for Engine {
        async fn execute(&self, statement: Statement, _: &[Value]) -> Result<Vec<Row>, DbError> {
            let text = statement.text(crate::Engine::Sqlite);
            self.seen.borrow_mut().push(text);
            if text == self.at {
                return self.failures.borrow_mut().pop().map_or(Ok(Vec::new()), Err);
            }
            Ok(Vec::new())
        }
    }

    fn retryable() -> DbError {
        DbError::Retryable("40001".to_owned())
    }

    #[test]
    fn a_transaction_that_the_engine_gave_up_runs_again() {
        for at in ["COMMIT", "INSERT"] {
            let engine = Engine::failing(at, &[retryable()]);
            let runs = Cell::new(0);
            let result = block_on(transaction(&engine, async |tx| {
                runs.set(runs.get() + 1);
                tx.run("INSERT", &[]).await
            }));
            assert!(result.is_ok());
            assert_eq!(runs.get(), 2);
            assert_eq!(engine.seen.borrow().last(), Some(&"COMMIT"));
            assert!(engine.seen.borrow().contains(&"ROLLBACK"));
        }
    }

    #[test]
    fn a_body_that_overlooks_such_a_failure_runs_again_all_the_same() {
        let engine = Engine::failing("INSERT", &[retryable()]);
        let result = block_on(transaction(&engine, async |tx| {
            let _ = tx.run("INSERT", &[]).await;
            Ok::<_, DbError>(())
        }));
        assert!(result.is_ok());
        let begun = engine
            .seen
            .borrow()
            .iter()
            .filter(|sql| **sql == "BEGIN IMMEDIATE")
            .count();
        assert_eq!(begun, 2);
    }

    #[test]
    fn it_is_not_run_for_ever() {
        let engine = Engine::failing("COMMIT", &vec![retryable(); 100]);
        let runs = Cell::new(0);
        let result = block_on(transaction(&engine, async |_| {
            runs.set(runs.get() + 1);
            Ok::<_, DbError>(())
        }));
        assert_eq!(result, Err(retryable()));
        assert_eq!(runs.get(), MAX_TRANSACTION_RUNS);
    }

    #[test]
    fn a_commit_that_failed_otherwise_may_have_been_carried_out_and_is_not_repeated() {
        for failure in [
            DbError::Failed("connection lost".to_owned()),
            DbError::Busy("locked".to_owned()),
        ] {
            let engine = Engine::failing("COMMIT", std::slice::from_ref(&failure));
            let runs = Cell::new(0);
            let result = block_on(transaction(&engine, async |_| {
                runs.set(runs.get() + 1);
                Ok::<_, DbError>(())
            }));
            assert_eq!((result, runs.get()), (Err(failure), 1));
        }
    }
}
