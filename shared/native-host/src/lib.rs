//! The platform's routers in a native process, on rusqlite: a baseline to compare components with, and a quick way to
//! call a router in a test.
//!
//! It sends no requests to others. Never put it before real callers: an operator runs the components.

#![forbid(unsafe_code)]

mod pool;
mod server;

pub use server::serve;

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use send_wrapper::SendWrapper;

use domain::Timestamp;
use domain::error::Error;
use operations::{Limits, MemoryLimits};
use pool::Pool;
use vault::Random;
use web::{Connection, Durability, Host, LocalFuture, Received, Settings};

/// A host on one database file.
pub struct NativeHost<C, R> {
    settings: Rc<Settings>,
    clock: C,
    random: R,
    pools: [Rc<Pool>; 2],
    limits: MemoryLimits,
}

impl<C: Fn() -> Timestamp, R: Random> NativeHost<C, R> {
    /// A host on the database in `file`, which has the current schema.
    pub fn new(file: PathBuf, settings: Settings, clock: C, random: R) -> Self {
        Self {
            settings: Rc::new(settings),
            clock,
            random,
            pools: [Durability::Full, Durability::Process]
                .map(|durability| Pool::new(file.clone(), durability)),
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

    fn connection(&self, durability: Durability) -> LocalFuture<'_, Result<Connection, Error>> {
        let taken = Pool::take(&self.pools[durability as usize]);
        Box::pin(std::future::ready(taken.map(Connection::new)))
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
