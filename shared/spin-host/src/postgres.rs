//! The [`Database`] trait on PostgreSQL, through Spin.
//!
//! Spin gives a connection back to its pool with whatever transaction is open on it, and the next one to get it would
//! commit what another began. Therefore: every connection is rolled back when it is opened; a transaction begins with
//! a statement that fails inside another one; a connection whose transaction may be open is rolled back before it is
//! dropped, without waiting for anything else; and the server ends a transaction that nobody goes on with, which the
//! address asks for (`web::Settings`).
//!
//! Never the plain `query`: it does not return when there is no row, and loses the server's code. An error may come only
//! after the last row.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use spin_sdk::pg::wit::postgres::{Connection, DbValue, Error, ParameterValue, QueryError};
use store::{Database, DbError, Engine, Row, Statement, Value};

/// Longest time until a connection is open, from the first attempt on. Callers are answered 503 then.
const OPEN_TIME: Duration = Duration::from_secs(2);

/// Pause before a server that refused a connection is asked again.
const ROOM_PAUSE: Duration = Duration::from_millis(50);

/// Part of the host's text when a server was reached and refused: it has room for no other connection, or is just
/// starting. Its code is not in the text, and its words are in its language.
const REFUSED: &str = "db error";

/// How long an instance keeps a connection that nobody uses. All components share the connections that the server has
/// room for, and requests that follow each other closely need not open one each.
const KEPT: Duration = Duration::from_millis(50);

/// Most connections that an instance keeps: as many as the requests that it answers at once.
const MAX_KEPT: usize = 16;

thread_local! {
    /// Connections without a transaction, each with the time since when nobody uses it.
    static IDLE: RefCell<Vec<(Instant, Session)>> = const { RefCell::new(Vec::new()) };
    static CLOSER_RUNS: Cell<bool> = const { Cell::new(false) };
}

/// What is known of the transaction of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Transaction {
    None,
    Open,
    /// A statement failed: the engine carries none out until the rollback, and answers a commit with one.
    Failed,
    /// A statement runs, or ended nobody knows how.
    Unknown,
}

/// A connection of its user alone.
struct Session {
    connection: Connection,
    transaction: Transaction,
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.transaction != Transaction::None {
            // It fails when the connection is lost; then the server has rolled back.
            let _ = self.connection.execute("ROLLBACK", &[]);
        }
    }
}

/// The database as one request uses it. Each statement borrows a connection of the instance, or opens one; a transaction
/// keeps its connection until it ends. So a request holds one at most, and none while it waits for one.
pub(crate) struct Postgres {
    address: String,
    /// The connection of the transaction that is open.
    held: RefCell<Option<Session>>,
}

impl Postgres {
    /// The database at an address `postgres://…`. Connects to nothing.
    pub(crate) fn new(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            held: RefCell::new(None),
        }
    }

    /// The connection of the open transaction, an idle one, or a new one.
    async fn borrow(&self) -> Result<Session, DbError> {
        if let Some(held) = self.held.take() {
            return Ok(held);
        }
        let idle = IDLE.with_borrow_mut(Vec::pop);
        match idle {
            // A busy instance may have kept it for longer than the server keeps a connection.
            Some((since, session)) if since.elapsed() < KEPT * 4 => Ok(session),
            old => {
                drop(old);
                self.open().await
            }
        }
    }

    /// Opens a connection and rolls back what its former user left.
    async fn open(&self) -> Result<Session, DbError> {
        let started = Instant::now();
        let opening = async {
            loop {
                match Connection::open_async(self.address.clone()).await {
                    Ok(connection) => {
                        let mut session = Session {
                            connection,
                            transaction: Transaction::Unknown,
                        };
                        session.run_without_rows("ROLLBACK").await?;
                        session.transaction = Transaction::None;
                        return Ok(session);
                    }
                    Err(Error::ConnectionFailed(text))
                        if text.contains(REFUSED) && started.elapsed() + ROOM_PAUSE < OPEN_TIME =>
                    {
                        spin_sdk::time::sleep(ROOM_PAUSE).await;
                    }
                    Err(Error::ConnectionFailed(text)) => return Err(DbError::Busy(text)),
                    Err(error) => return Err(failed(error)),
                }
            }
        };
        let no_connection = || DbError::Busy("no connection in time".to_owned());
        within(OPEN_TIME, opening)
            .await
            .unwrap_or_else(|| Err(no_connection()))
    }

    fn give_back(&self, session: Session) {
        match session.transaction {
            Transaction::None => keep(session),
            Transaction::Open | Transaction::Failed => {
                self.held.replace(Some(session));
            }
            Transaction::Unknown => drop(session),
        }
    }
}

impl Database for Postgres {
    async fn execute(&self, statement: Statement, params: &[Value]) -> Result<Vec<Row>, DbError> {
        let text = statement.text(Engine::Postgres);
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let mut session = self.borrow().await?;
        let word = statement.first_word();
        let before = session.transaction;
        let result = if (word, before) == ("COMMIT", Transaction::Failed) {
            Err(DbError::Failed(
                "a statement of the transaction failed".to_owned(),
            ))
        } else {
            // Whoever stops waiting leaves the statement running.
            session.transaction = Transaction::Unknown;
            match word {
                "BEGIN" | "COMMIT" | "ROLLBACK" => session.run_without_rows(text).await,
                _ => session.run(text, params.iter().map(outgoing).collect()).await,
            }
        };
        session.transaction = transaction_after(before, word, result.is_ok());
        self.give_back(session);
        result
    }
}

fn transaction_after(before: Transaction, word: &str, succeeded: bool) -> Transaction {
    match (word, succeeded) {
        ("BEGIN", true) => Transaction::Open,
        ("COMMIT" | "ROLLBACK", true) => Transaction::None,
        (_, true) => before,
        // The rollback that follows a failure ends what is left.
        (word, false) if before != Transaction::None && word != "ROLLBACK" => Transaction::Failed,
        // Also a lost connection, and a transaction of another user.
        _ => Transaction::Unknown,
    }
}

impl Session {
    /// Runs a statement that has no rows: one call of the host, where one that has some is a call, a stream and an
    /// outcome.
    async fn run_without_rows(&self, text: &str) -> Result<Vec<Row>, DbError> {
        let running = self.connection.execute_async(text.to_owned(), Vec::new());
        running.await.map(|_| Vec::new()).map_err(failed)
    }

    /// Runs a statement and collects its rows.
    async fn run(&self, text: &str, params: Vec<ParameterValue>) -> Result<Vec<Row>, DbError> {
        let running = self.connection.query_async(text.to_owned(), params);
        let (_, mut stream, outcome) = running.await.map_err(failed)?;
        let mut rows = Vec::new();
        while let Some(row) = stream.next().await {
            rows.push(row);
        }
        outcome.await.map_err(failed)?;
        rows.into_iter().map(incoming).collect()
    }
}

/// Keeps a connection for the next statement of any request, for a short time.
fn keep(session: Session) {
    let surplus = IDLE.with_borrow_mut(|idle| {
        if idle.len() < MAX_KEPT {
            idle.push((Instant::now(), session));
            None
        } else {
            Some(session)
        }
    });
    drop(surplus);
    if !CLOSER_RUNS.replace(true) {
        spin_sdk::wasip3::spawn(close_idle());
    }
}

/// Gives idle connections back to the host, and ends when there are none.
async fn close_idle() {
    loop {
        spin_sdk::time::sleep(KEPT).await;
        let (old, is_empty) = IDLE.with_borrow_mut(|idle| {
            let old: Vec<_> = idle
                .extract_if(.., |(since, _)| since.elapsed() >= KEPT)
                .collect();
            (old, idle.is_empty())
        });
        drop(old);
        if is_empty {
            CLOSER_RUNS.set(false);
            return;
        }
    }
}

/// The result of `work`, or `None` if it takes longer.
async fn within<T>(time: Duration, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut sleep = pin!(spin_sdk::time::sleep(time));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => sleep.as_mut().poll(context).map(|()| None),
    })
    .await
}

fn outgoing(value: &Value) -> ParameterValue {
    match value {
        Value::Null => ParameterValue::DbNull,
        Value::Integer(value) => ParameterValue::Int64(*value),
        Value::Real(value) => ParameterValue::Floating64(*value),
        Value::Text(value) => ParameterValue::Str(value.clone()),
        Value::Blob(value) => ParameterValue::Binary(value.clone()),
    }
}

fn incoming(row: Vec<DbValue>) -> Result<Row, DbError> {
    let values = row.into_iter().map(|value| {
        Ok(match value {
            DbValue::DbNull => Value::Null,
            DbValue::Boolean(value) => Value::Integer(value.into()),
            DbValue::Int16(value) => Value::Integer(value.into()),
            DbValue::Int32(value) => Value::Integer(value.into()),
            DbValue::Int64(value) => Value::Integer(value),
            DbValue::Floating64(value) => Value::Real(value),
            DbValue::Str(value) => Value::Text(value),
            DbValue::Binary(value) => Value::Blob(value),
            _ => return Err(DbError::Shape("a value of a type that is not used".to_owned())),
        })
    });
    values.collect::<Result<_, _>>().map(Row)
}

/// Names the constraint, table and column that the server's refusal is about, and never a value.
fn failed(error: Error) -> DbError {
    let refusal = match error {
        Error::QueryFailed(QueryError::DbError(refusal)) => refusal,
        // A statement whose answer is lost may have been carried out.
        Error::QueryFailed(QueryError::Text(text)) if is_lost(&text) => return DbError::Busy(text),
        Error::QueryFailed(QueryError::Text(text))
        | Error::ConnectionFailed(text)
        | Error::BadParameter(text)
        | Error::ValueConversionFailed(text)
        | Error::Other(text) => return DbError::Failed(text),
    };
    let is_name = |name: &str| matches!(name, "constraint" | "table" | "column");
    let names = refusal.extras.iter().filter(|(name, _)| is_name(name));
    DbError::of_postgres(
        &refusal.code,
        names.map(|(_, value)| value.as_str()),
        &refusal.message,
    )
}

/// Whether the host's text for an error says that the connection is gone.
fn is_lost(text: &str) -> bool {
    ["kind: Closed", "kind: Io"]
        .iter()
        .any(|kind| text.contains(kind))
}
