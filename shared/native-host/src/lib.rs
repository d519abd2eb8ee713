//! The platform's routers in a native process, on rusqlite: a baseline to compare components with, and a quick way to
//! call a router in a test.
//!
//! It sends no requests to others. Never put it before real callers: an operator runs the components.

#![forbid(unsafe_code)]

mod pool;
mod server;

pub use server::serve;

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use send_wrapper::SendWrapper;

use domain::Timestamp;
use domain::error::Error;
use operations::{Limits, MemoryLimits};
use pool::Pool;
use store::call_log;
use vault::Random;
use web::{Connection, Host, LocalFuture, Purpose, Received, Settings};

/// The file of the call log beside that of the state: `platform.db` has `platform.calls.db`.
fn calls_file(state: &Path) -> PathBuf {
    state.with_extension("calls.db")
}

/// A host on one database file, and one beside it for the call log.
pub struct NativeHost<C, R> {
    settings: Rc<Settings>,
    clock: C,
    random: R,
    pools: [Rc<Pool>; 3],
    limits: MemoryLimits,
    is_log_set_up: Cell<bool>,
    keys_checked_at: Cell<Option<Timestamp>>,
}

impl<C: Fn() -> Timestamp, R: Random> NativeHost<C, R> {
    /// A host on the database in `file`, which has the current schema.
    pub fn new(file: PathBuf, settings: Settings, clock: C, random: R) -> Self {
        Self {
            settings: Rc::new(settings),
            clock,
            random,
            pools: [Purpose::State, Purpose::Journal, Purpose::Calls].map(|purpose| {
                let file = match purpose {
                    Purpose::Calls => calls_file(&file),
                    Purpose::State | Purpose::Journal => file.clone(),
                };
                Pool::new(file, purpose)
            }),
            is_log_set_up: Cell::new(false),
            keys_checked_at: Cell::new(None),
            limits: MemoryLimits::new(),
        }
    }
}

impl<C: Fn() -> Timestamp, R: Random> Host for NativeHost<C, R> {
    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    fn random(&self) -> &dyn Random {
        &self.random
    }

    fn settings(&self) -> LocalFuture<'_, Result<Rc<Settings>, Error>> {
        Box::pin(std::future::ready(Ok(Rc::clone(&self.settings))))
    }

    fn connection(&self, purpose: Purpose) -> LocalFuture<'_, Result<Connection, Error>> {
        Box::pin(async move {
            let taken = Pool::take(&self.pools[purpose as usize])?;
            if purpose == Purpose::Calls && !self.is_log_set_up.get() {
                call_log::set_up(&taken).await?;
                self.is_log_set_up.set(true);
            }
            // The keys are those of the state, as in a component.
            let now = self.now();
            let is_checked = |at: Timestamp| store::keys_checked_lately(at, now);
            if purpose != Purpose::Calls && !self.keys_checked_at.get().is_some_and(is_checked) {
                let is_right = store::check_keys(&taken, &self.settings.vault, now).await?;
                self.keys_checked_at.set(is_right.then_some(now));
            }
            Ok(Connection::new(taken))
        })
    }

    fn limits(&self) -> &dyn Limits {
        &self.limits
    }

    fn sleep(&self, time: Duration) -> LocalFuture<'_, ()> {
        Box::pin(tokio::time::sleep(time))
    }

    fn spawn(&self, work: LocalFuture<'static, ()>) {
        tokio::spawn(SendWrapper::new(work));
    }

    fn send(
        &self,
        _: http::Request<Bytes>,
        _: usize,
        _: Duration,
    ) -> LocalFuture<'_, Result<Received, &'static str>> {
        Box::pin(std::future::ready(Err("this host sends no requests")))
    }

    fn log(&self, line: &str) {
        eprintln!("{line}");
    }
}
