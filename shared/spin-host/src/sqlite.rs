//! The [`Database`] trait on Spin's SQLite.
//!
//! The blocking `execute` is used on purpose: it crosses into the host once and returns rows and error together. The
//! streaming one reports success for a statement that failed, and stalls when its rows are not drained. While the
//! blocking call runs, nothing else runs in this instance.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use spin_sdk::sqlite::wit::sqlite;

use store::{Database, DbError, Engine, Row, Statement, Value, pragma};
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
    const DURABLE: &[Statement] = &[pragma::COPY_THE_LOG_LATER, pragma::WAIT_SHORTLY_FOR_LOCKS];
    const JOURNAL: &[Statement] = &[
        pragma::DO_NOT_WAIT_FOR_THE_DISK,
        pragma::COPY_THE_LOG_LATER,
        pragma::WAIT_SHORTLY_FOR_LOCKS,
    ];
    match purpose {
        Purpose::State => DURABLE,
        Purpose::Journal | Purpose::Calls => JOURNAL,
    }
}

thread_local! {
    // One pool for each purpose.
    static IDLE: [RefCell<Vec<sqlite::Connection>>; 3] =
        const { [RefCell::new(Vec::new()), RefCell::new(Vec::new()), RefCell::new(Vec::new())] };
}

/// The database as one request uses it. Each statement borrows a connection of the instance's pool, a transaction keeps
/// one until it ends: requests that wait for a lock hold none, so that an instance opens few. When it is dropped inside a
/// transaction, that connection is closed, which rolls back.
pub(crate) struct Sqlite {
    purpose: Purpose,
    /// The connection of the transaction that is open.
    held: RefCell<Option<sqlite::Connection>>,
}

impl Sqlite {
    pub(crate) fn new(purpose: Purpose) -> Self {
        Self {
            purpose,
            held: RefCell::new(None),
        }
    }

    /// The connection of the open transaction, an idle one, or a new one.
    fn borrow(&self) -> Result<sqlite::Connection, DbError> {
        if let Some(held) = self.held.take() {
            return Ok(held);
        }
        let idle = IDLE.with(|pools| pools[self.purpose as usize].borrow_mut().pop());
        idle.map_or_else(|| open(self.purpose), Ok)
    }

    fn give_back(&self, connection: sqlite::Connection, in_transaction: bool) {
        if in_transaction {
            self.held.replace(Some(connection));
            return;
        }
        IDLE.with(|pools| {
            let mut idle = pools[self.purpose as usize].borrow_mut();
            if idle.len() < MAX_IDLE_CONNECTIONS {
                idle.push(connection);
            }
        });
    }
}

/// Opens a connection and sets it up. The engine's own patience, which ends with the setup, covers the lock that the last
/// connection of another instance holds while it closes.
fn open(purpose: Purpose) -> Result<sqlite::Connection, DbError> {
    let label = match purpose {
        Purpose::State | Purpose::Journal => STATE_LABEL,
        Purpose::Calls => CALLS_LABEL,
    };
    let connection = sqlite::Connection::open(label).map_err(|error| DbError::Busy(error.to_string()))?;
    for pragma in pragmas(purpose) {
        // Other errors are ignored, because an engine may not know the pragma.
        if let Err(busy @ DbError::Busy(_)) = connection
            .execute(pragma.text(Engine::Sqlite), &[])
            .map_err(failed)
        {
            return Err(busy);
        }
    }
    Ok(connection)
}

impl Database for Sqlite {
    async fn execute(&self, statement: Statement, params: &[Value]) -> Result<Vec<Row>, DbError> {
        let text = statement.text(Engine::Sqlite);
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let params: Vec<sqlite::Value> = params.iter().map(outgoing).collect();
        let was_in_transaction = self.held.borrow().is_some();
        let mut waiting_since = None;
        let result = loop {
            let connection = self.borrow()?;
            let result = connection.execute(text, &params).map_err(failed);
            let is_open = is_transaction_open(was_in_transaction, statement, result.is_ok());
            self.give_back(connection, is_open);
            match result {
                // Inside a transaction the lock is held already, so waiting would not help.
                Err(DbError::Busy(text)) if !was_in_transaction => {
                    let since = *waiting_since.get_or_insert_with(Instant::now);
                    if since.elapsed().as_secs() >= LOCK_SECS {
                        return Err(DbError::Busy(text));
                    }
                    spin_sdk::time::sleep(lock_pause()).await;
                }
                result => break result?,
            }
        };
        Ok(result.rows.into_iter().map(incoming).collect())
    }
}

/// Whether a transaction is open after a statement. A rollback that fails leaves one, so that the connection is closed.
fn is_transaction_open(before: bool, statement: Statement, succeeded: bool) -> bool {
    match statement.first_word() {
        "BEGIN" if succeeded => true,
        "COMMIT" | "ROLLBACK" if succeeded => false,
        _ => before,
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
