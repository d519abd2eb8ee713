//! The [`Database`] trait on Spin's SQLite.
//!
//! The blocking `execute` is used on purpose: it crosses into the host once and returns rows and error together. The
//! streaming one reports success for a statement that failed, and stalls when its rows are not drained. While the
//! blocking call runs, nothing else runs in this instance.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use spin_sdk::sqlite::wit::sqlite;

use domain::Timestamp;
use domain::error::{Error, Reason};
use store::{self, Database, DbError, Row, Statement, Value, call_log, pragma};
use vault::random_bytes;
use web::Purpose;

use super::clock::HostRandom;

/// Label of the state in the manifest.
const STATE_LABEL: &str = "default";
/// Label of the call log in the manifest.
const CALLS_LABEL: &str = "calls";

/// Longest wait for a lock, in seconds; as long as Spin lets SQLite wait.
const LOCK_SECS: u64 = 5;

/// Pauses between two attempts to get a lock, in microseconds: one commit takes about a millisecond.
const LOCK_PAUSE_US: std::ops::Range<u64> = 300..2_300;

/// Most idle connections of each kind that an instance keeps. Each is a file handle of the host. An open connection
/// also keeps SQLite from deleting the write-ahead log after every request.
const MAX_IDLE_CONNECTIONS: usize = 16;

/// Texts by which SQLite and libSQL report that another connection holds the lock.
const BUSY_WORDS: [&str; 3] = ["database is locked", "database table is locked", "SQLITE_BUSY"];

fn pragmas(purpose: Purpose) -> &'static [Statement] {
    match purpose {
        Purpose::State => &[pragma::WAIT_SHORTLY_FOR_LOCKS],
        Purpose::Journal | Purpose::Calls => {
            &[pragma::WAIT_SHORTLY_FOR_LOCKS, pragma::DO_NOT_WAIT_FOR_THE_DISK]
        }
    }
}

thread_local! {
    // One pool for each purpose.
    static IDLE: [RefCell<Vec<sqlite::Connection>>; 3] =
        const { [RefCell::new(Vec::new()), RefCell::new(Vec::new()), RefCell::new(Vec::new())] };
    static SCHEMA_IS_CURRENT: Cell<bool> = const { Cell::new(false) };
    static LOG_IS_SET_UP: Cell<bool> = const { Cell::new(false) };
}

/// A connection that one request uses alone. When it is dropped it returns to the instance's pool, unless a
/// transaction is still open: then it is closed, which rolls back.
pub(crate) struct Connection {
    inner: Option<sqlite::Connection>,
    purpose: Purpose,
    in_transaction: Cell<bool>,
}

impl Connection {
    /// Takes an idle connection, or opens one. Checks once per instance that the schema is this program's, and brings
    /// an older database up to it.
    ///
    /// # Errors
    /// [`Reason::Unavailable`] when the database cannot be opened, and the errors of `store::migrate`.
    pub(crate) async fn take(now: Timestamp, purpose: Purpose) -> Result<Self, Error> {
        let idle = IDLE.with(|pools| pools[purpose as usize].borrow_mut().pop());
        let connection = match idle {
            Some(inner) => Self::of(inner, purpose),
            None => Self::open(purpose).await?,
        };
        if purpose == Purpose::Calls {
            if !LOG_IS_SET_UP.get() {
                call_log::set_up(&connection).await?;
                LOG_IS_SET_UP.set(true);
            }
        } else if !SCHEMA_IS_CURRENT.get() {
            store::migrate(&connection, now).await?;
            SCHEMA_IS_CURRENT.set(true);
        }
        Ok(connection)
    }

    fn of(inner: sqlite::Connection, purpose: Purpose) -> Self {
        Self {
            inner: Some(inner),
            purpose,
            in_transaction: Cell::new(false),
        }
    }

    async fn open(purpose: Purpose) -> Result<Self, Error> {
        let label = match purpose {
            Purpose::State | Purpose::Journal => STATE_LABEL,
            Purpose::Calls => CALLS_LABEL,
        };
        let inner = sqlite::Connection::open(label).map_err(unavailable)?;
        let mut connection = Self::of(inner, purpose);
        for &pragma in pragmas(purpose) {
            // Waits for a lock as any statement does: the last connection of another instance holds one while it
            // closes. Other errors are ignored, because an engine may not know the pragma.
            if let Err(busy @ DbError::Busy(_)) = connection.execute(pragma, &[]).await {
                // Closed, not kept: its setup is incomplete.
                connection.inner = None;
                return Err(busy.into());
            }
        }
        Ok(connection)
    }

    fn track_transaction(&self, sql: &str) {
        match sql.split_ascii_whitespace().next() {
            Some("BEGIN") => self.in_transaction.set(true),
            Some("COMMIT" | "ROLLBACK") => self.in_transaction.set(false),
            _ => {}
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(inner) = self.inner.take() else { return };
        if self.in_transaction.get() {
            return;
        }
        IDLE.with(|pools| {
            let mut idle = pools[self.purpose as usize].borrow_mut();
            if idle.len() < MAX_IDLE_CONNECTIONS {
                idle.push(inner);
            }
        });
    }
}

impl Database for Connection {
    async fn execute(&self, statement: Statement, params: &[Value]) -> Result<Vec<Row>, DbError> {
        let Some(inner) = &self.inner else {
            return Err(DbError::Failed("the connection was given back".to_owned()));
        };
        let params: Vec<sqlite::Value> = params.iter().map(outgoing).collect();
        let mut waiting_since = None;
        let result = loop {
            match inner.execute(statement.text(), &params).map_err(failed) {
                // Inside a transaction the lock is held already, so waiting would not help.
                Err(DbError::Busy(text)) if !self.in_transaction.get() => {
                    let since = *waiting_since.get_or_insert_with(Instant::now);
                    if since.elapsed().as_secs() >= LOCK_SECS {
                        return Err(DbError::Busy(text));
                    }
                    spin_sdk::time::sleep(lock_pause()).await;
                }
                result => break result?,
            }
        };
        self.track_transaction(statement.text());
        Ok(result.rows.into_iter().map(incoming).collect())
    }
}

/// A random pause, so that waiting instances do not retry at the same time.
fn lock_pause() -> Duration {
    let [low, high] = random_bytes::<2>(&HostRandom);
    let span = LOCK_PAUSE_US.end - LOCK_PAUSE_US.start;
    Duration::from_micros(LOCK_PAUSE_US.start + u64::from(u16::from_be_bytes([high, low])) % span)
}

fn outgoing(value: &Value) -> sqlite::Value {
    match value {
        Value::Null => sqlite::Value::Null,
        Value::Integer(value) => sqlite::Value::Integer(*value),
        Value::Real(value) => sqlite::Value::Real(*value),
        Value::Text(value) => sqlite::Value::Text(value.clone()),
        Value::Blob(value) => sqlite::Value::Blob(value.clone()),
    }
}

fn incoming(row: sqlite::RowResult) -> Row {
    let values = row.values.into_iter().map(|value| match value {
        sqlite::Value::Null => Value::Null,
        sqlite::Value::Integer(value) => Value::Integer(value),
        sqlite::Value::Real(value) => Value::Real(value),
        sqlite::Value::Text(value) => Value::Text(value),
        sqlite::Value::Blob(value) => Value::Blob(value),
    });
    Row(values.collect())
}

fn failed(error: sqlite::Error) -> DbError {
    let text = error.to_string();
    if BUSY_WORDS.iter().any(|words| text.contains(words)) {
        DbError::Busy(text)
    } else {
        DbError::Failed(text)
    }
}

fn unavailable(error: sqlite::Error) -> Error {
    Error::new(Reason::Unavailable).with_cause(error)
}
