//! The [`Database`] trait on tokio-postgres, for native processes and tests.
//!
//! A transaction never outlives the one that began it: a connection whose transaction is open is closed instead of given
//! back, one that is taken out of the pool is rolled back first, and a transaction cannot begin inside another one.

use std::cell::Cell;
use std::error::Error as _;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked};
use tokio_postgres::{Config, NoTls, Socket};

use super::{Database, DbError, Engine, Row, Statement, Value};

/// How long the server has to take a connection, and a request waits for one of the pool.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// After this time without a statement the server ends a transaction, in milliseconds: its process may be gone.
const IDLE_IN_TRANSACTION_MS: u32 = 10_000;

/// Connections to one PostgreSQL database.
#[derive(Clone)]
pub struct PostgresPool(Pool);

impl PostgresPool {
    /// A pool of at most `most` connections to the database at `address`: `postgres://…`, or `key=value …`. Opens none
    /// yet.
    ///
    /// # Errors
    /// [`DbError::Failed`] when the address cannot be read.
    pub fn new(address: &str, most: usize) -> Result<Self, DbError> {
        Self::over(address, most, NoTls)
    }

    /// The same over connections that `tls` encrypts where address and server want it.
    ///
    /// # Errors
    /// [`DbError::Failed`] when the address cannot be read.
    pub fn over<T>(address: &str, most: usize, tls: T) -> Result<Self, DbError>
    where
        T: MakeTlsConnect<Socket> + Clone + Sync + Send + 'static,
        T::Stream: Sync + Send,
        T::TlsConnect: Sync + Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        // The error names the part that is wrong, never its value.
        let mut config: Config = address.parse().map_err(failed)?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        let options = config.get_options().unwrap_or_default();
        let options = format!("{options} -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_MS}");
        config.options(options.trim_start());
        let manager = ManagerConfig {
            recycling_method: RecyclingMethod::Custom("ROLLBACK".to_owned()),
        };
        Pool::builder(Manager::from_config(config, tls, manager))
            .max_size(most)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(CONNECT_TIMEOUT))
            .create_timeout(Some(CONNECT_TIMEOUT))
            .recycle_timeout(Some(CONNECT_TIMEOUT))
            .build()
            .map(Self)
            .map_err(|error| DbError::Failed(error.to_string()))
    }

    /// Takes an idle connection, or opens one.
    ///
    /// # Errors
    /// [`DbError::Busy`] when the server is not reached or takes no connection more, and when every connection of the
    /// pool is in use for too long; [`DbError::Failed`] when the server refuses the user or the database.
    pub async fn take(&self) -> Result<Postgres, DbError> {
        let client = self.0.get().await.map_err(|error| match error {
            PoolError::Backend(error) => failed(error),
            error => DbError::Busy(error.to_string()),
        })?;
        Ok(Postgres {
            client: Some(client),
            transaction: Cell::new(Transaction::None),
        })
    }
}

/// What is known of the transaction of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Transaction {
    None,
    Open,
    /// A statement failed: the engine carries none out until the rollback, and answers a commit with one.
    Failed,
}

/// One connection, which its user has alone.
pub struct Postgres {
    client: Option<Object>,
    transaction: Cell<Transaction>,
}

impl Postgres {
    /// The connection itself, for statements that no part of the product has.
    ///
    /// # Errors
    /// [`DbError::Failed`] when it was given back.
    pub fn client(&self) -> Result<&Object, DbError> {
        self.client
            .as_ref()
            .ok_or_else(|| DbError::Failed("the connection was given back".to_owned()))
    }

    /// Whether a transaction is open.
    #[must_use]
    pub fn is_in_transaction(&self) -> bool {
        self.transaction.get() != Transaction::None
    }

    /// No transaction that is open can be committed any more.
    #[cfg(feature = "native")]
    pub(crate) fn fail(&self) {
        self.transaction.set(Transaction::Failed);
    }

    async fn run(&self, statement: Statement, params: &[Value]) -> Result<Vec<Row>, DbError> {
        let text = statement.text(Engine::Postgres);
        let client = self.client()?;
        if matches!(statement.first_word(), "BEGIN" | "COMMIT" | "ROLLBACK") {
            // One round trip, and nothing to keep.
            client.batch_execute(text).await.map_err(failed)?;
            return Ok(Vec::new());
        }
        let prepared = client.prepare_cached(text).await.map_err(failed)?;
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|value| value as _).collect();
        let rows = client.query(&prepared, &params).await.map_err(failed)?;
        rows.iter().map(incoming).collect()
    }
}

impl Database for Postgres {
    async fn execute(&self, statement: Statement, params: &[Value]) -> Result<Vec<Row>, DbError> {
        if statement.text(Engine::Postgres).is_empty() {
            return Ok(Vec::new());
        }
        let word = statement.first_word();
        if word == "COMMIT" && self.transaction.get() == Transaction::Failed {
            return Err(DbError::Failed(
                "a statement of the transaction failed".to_owned(),
            ));
        }
        let result = self.run(statement, params).await;
        let before = self.transaction.get();
        self.transaction.set(match (word, result.is_ok()) {
            ("BEGIN", true) => Transaction::Open,
            // One that another user left open: the connection is not used again.
            ("BEGIN", false) => Transaction::Failed,
            ("COMMIT" | "ROLLBACK", true) => Transaction::None,
            (_, false) if before == Transaction::Open => Transaction::Failed,
            _ => before,
        });
        result
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(client) = self.client.take()
            && self.is_in_transaction()
        {
            // Closes the connection, and the server rolls back.
            drop(Object::take(client));
        }
    }
}

// Strict, as Spin is: a whole number is a `bigint` and nothing else.
impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(value) => value.to_sql_checked(ty, out),
            Self::Real(value) => value.to_sql_checked(ty, out),
            Self::Text(value) => value.to_sql_checked(ty, out),
            Self::Blob(value) => value.to_sql_checked(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

pub(crate) fn incoming(row: &tokio_postgres::Row) -> Result<Row, DbError> {
    let values = row.columns().iter().enumerate().map(|(at, column)| {
        let value = match *column.type_() {
            Type::BOOL => row.try_get::<_, Option<bool>>(at).map(Value::from),
            Type::INT2 => row
                .try_get::<_, Option<i16>>(at)
                .map(|value| value.map(i64::from).into()),
            Type::INT4 => row
                .try_get::<_, Option<i32>>(at)
                .map(|value| value.map(i64::from).into()),
            Type::INT8 => row.try_get::<_, Option<i64>>(at).map(Value::from),
            Type::FLOAT8 => row
                .try_get::<_, Option<f64>>(at)
                .map(|value| value.map_or(Value::Null, Value::Real)),
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(at).map(Value::from),
            _ => row.try_get::<_, Option<String>>(at).map(Value::from),
        };
        value.map_err(|error| DbError::Shape(error.to_string()))
    });
    values.collect::<Result<_, _>>().map(Row)
}

/// Names the constraint, table and column that an engine's refusal is about, and never a value.
pub(crate) fn failed(error: tokio_postgres::Error) -> DbError {
    let Some(refusal) = error.as_db_error() else {
        let is_lost = error.is_closed() || error.source().is_some_and(|cause| cause.is::<std::io::Error>());
        let text = match error.source() {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        };
        // A statement whose answer is lost may have been carried out.
        return if is_lost {
            DbError::Busy(text)
        } else {
            DbError::Failed(text)
        };
    };
    let names = [refusal.constraint(), refusal.table(), refusal.column()];
    DbError::of_postgres(
        refusal.code().code(),
        names.into_iter().flatten(),
        refusal.message(),
    )
}
