//! The connections of a request. Rows that may be lost in a power failure go over the journal connection; a
//! transaction runs on a durable one, which is taken when the first transaction begins.
//!
//! A connection belongs to one request until it is dropped.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use super::connection::{Connection, Purpose};
use super::host::App;
use domain::error::{Error, Reason};
use store::{Database, DbError, Row, Statement, Value};

/// The database as a request uses it.
pub struct Db(Role);

enum Role {
    Journal(Rc<Connection>),
    Calls {
        app: App,
        taken: OnceCell<Connection>,
    },
    Work {
        journal: Rc<Connection>,
        app: App,
        durable: OnceCell<Connection>,
        in_transaction: Cell<bool>,
    },
}

impl Database for Db {
    async fn execute(&self, statement: Statement, params: &[Value]) -> Result<Vec<Row>, DbError> {
        let (journal, app, durable, in_transaction) = match &self.0 {
            Role::Journal(journal) => return journal.execute(statement, params).await,
            Role::Calls { app, taken } => {
                if taken.get().is_none() {
                    let connection = app.host().connection(Purpose::Calls).await;
                    // A request runs one statement at a time, so nobody set it meanwhile.
                    let _ = taken.set(connection.map_err(failed)?);
                }
                let Some(calls) = taken.get() else {
                    return Err(DbError::Failed("no connection to the call log".to_owned()));
                };
                return calls.execute(statement, params).await;
            }
            Role::Work {
                journal,
                app,
                durable,
                in_transaction,
            } => (journal, app, durable, in_transaction),
        };
        let first_word = statement.first_word();
        let begins = first_word == "BEGIN";
        if !begins && !in_transaction.get() {
            return journal.execute(statement, params).await;
        }
        if durable.get().is_none() {
            let taken = app.host().connection(Purpose::State).await;
            // A request runs one statement at a time, so nobody set it meanwhile.
            let _ = durable.set(taken.map_err(failed)?);
        }
        let Some(durable) = durable.get() else {
            return Err(DbError::Failed("no durable connection".to_owned()));
        };
        if first_word == "ROLLBACK" {
            // It fails where the engine has rolled back already: then, too, the transaction is over.
            in_transaction.set(false);
        }
        let rows = durable.execute(statement, params).await?;
        if begins {
            in_transaction.set(true);
        } else if first_word == "COMMIT" {
            in_transaction.set(false);
        }
        Ok(rows)
    }
}

/// The connections of one request.
pub(crate) struct Connections {
    /// Reads and transactions.
    pub(crate) work: Db,
    /// Job log, retention.
    pub(crate) journal: Db,
    /// Call log.
    pub(crate) calls: Db,
}

impl Connections {
    /// Whether a transaction was begun.
    pub(crate) fn has_transaction(&self) -> bool {
        matches!(&self.work.0, Role::Work { durable, .. } if durable.get().is_some())
    }

    /// Takes the journal connection; the others are taken when they are needed.
    pub(crate) async fn take(app: &App) -> Result<Self, Error> {
        let journal = Rc::new(app.host().connection(Purpose::Journal).await?);
        Ok(Self {
            work: Db(Role::Work {
                journal: Rc::clone(&journal),
                app: app.clone(),
                durable: OnceCell::new(),
                in_transaction: Cell::new(false),
            }),
            journal: Db(Role::Journal(journal)),
            calls: Db(Role::Calls {
                app: app.clone(),
                taken: OnceCell::new(),
            }),
        })
    }
}

fn failed(error: Error) -> DbError {
    if error.reason() == Reason::Unavailable {
        DbError::Busy(error.to_string())
    } else {
        DbError::Failed(error.to_string())
    }
}
