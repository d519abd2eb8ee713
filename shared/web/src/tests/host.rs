//! A host for tests: a database in memory, a clock and randomness that the test owns, and a log that it can read.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use futures::executor::block_on;
use http::Request;

use crate::outbound::BLOCKED;
use crate::{App, Connection, Host, LocalFuture, Purpose, Received, Settings, Variables};
use domain::error::{Error, Reason};
use domain::{ClientId, Timestamp, special_addresses};
use operations::{
    CallFilter, Context, Limits, MemoryLimits, NewClient, Verified, create_client, issue_token, search_calls,
    verify_token,
};
use store::call_log::CallRow;
use store::{Database, DbError, Row, Sqlite, Statement, Value, migrate};
use vault::{Random, Zeroizing};

/// The time of every test until it says otherwise.
pub(crate) const NOW: Timestamp = Timestamp(1_782_864_000_000);

/// The secret of internal interfaces in these tests.
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// The transport key `t`: the key encryption key of RFC 3394 §4.6.
const KEY_ENCRYPTION_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// The byte that the generator fills first.
const FIRST_RANDOM_BYTE: u8 = 0xab;

pub(crate) fn variables() -> Variables {
    Variables {
        sealing_keys: Some(Zeroizing::new(format!("1:{}", "11".repeat(32)))),
        index_key: Zeroizing::new("22".repeat(32)),
        home_key: Some(Zeroizing::new("44".repeat(32))),
        token_key: Some(Zeroizing::new("33".repeat(32))),
        secret: Some(Zeroizing::new(SECRET.to_owned())),
        time_zone: Some("Asia/Shanghai".to_owned()),
        transport_keys: Some(Zeroizing::new(format!("t:{KEY_ENCRYPTION_KEY}"))),
        trusted_proxies: Some("10.0.0.0/8".to_owned()),
        ..Variables::default()
    }
}

/// Randomness that can be compared: each filling repeats one byte, and the next filling the next one.
struct Counting {
    next: Cell<u8>,
    step: Cell<u8>,
}

impl Random for Counting {
    fn fill(&self, out: &mut [u8]) {
        let byte = self.next.get();
        out.fill(byte);
        self.next.set(byte.wrapping_add(self.step.get()));
    }
}

/// The host. A copy is the same host.
#[derive(Clone)]
pub(crate) struct TestHost(Rc<State>);

struct State {
    db: Rc<Sqlite>,
    settings: Rc<Settings>,
    now: Cell<Timestamp>,
    random: Counting,
    is_configured: Cell<bool>,
    is_reachable: Cell<bool>,
    connections: Cell<usize>,
    statements: Rc<Cell<usize>>,
    waits: RefCell<Vec<Duration>>,
    lines: RefCell<Vec<String>>,
    spawned: RefCell<Vec<LocalFuture<'static, ()>>>,
    limits: MemoryLimits,
    blocked: Cell<bool>,
    sent: RefCell<Vec<String>>,
}

impl TestHost {
    pub(crate) fn new() -> Self {
        Self::configured(&variables())
    }

    pub(crate) fn configured(variables: &Variables) -> Self {
        let db = Rc::new(Sqlite::in_memory().unwrap());
        block_on(migrate(&*db, NOW)).unwrap();
        Self(Rc::new(State {
            db,
            settings: Rc::new(Settings::from_variables(variables).unwrap()),
            now: Cell::new(NOW),
            random: Counting {
                next: Cell::new(FIRST_RANDOM_BYTE),
                step: Cell::new(1),
            },
            is_configured: Cell::new(true),
            is_reachable: Cell::new(true),
            connections: Cell::new(0),
            statements: Rc::default(),
            waits: RefCell::default(),
            lines: RefCell::default(),
            spawned: RefCell::default(),
            limits: MemoryLimits::new(),
            blocked: Cell::new(false),
            sent: RefCell::default(),
        }))
    }

    pub(crate) fn app(&self) -> App {
        App::new(self.clone())
    }

    pub(crate) fn context(&self) -> Context<'_, Sqlite> {
        let State { db, settings, .. } = &*self.0;
        let now = self.0.now.get();
        Context::new(
            (&**db, &**db),
            &settings.vault,
            now,
            &self.0.random,
            &settings.zone,
        )
        .limiting(&self.0.limits)
    }

    pub(crate) fn set_time(&self, now: Timestamp) {
        self.0.now.set(now);
    }

    /// The settings can no longer be read.
    pub(crate) fn lose_settings(&self) {
        self.0.is_configured.set(false);
    }

    /// The database can no longer be opened.
    pub(crate) fn lose_database(&self) {
        self.0.is_reachable.set(false);
    }

    /// The host connects to no special-purpose network.
    pub(crate) fn block_networks(&self) {
        self.0.blocked.set(true);
    }

    /// Where requests went.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.0.sent.borrow().clone()
    }

    /// Every filling with random bytes repeats the last one.
    pub(crate) fn repeat_randomness(&self) {
        self.0.random.step.set(0);
    }

    /// How many connections were taken.
    pub(crate) fn connections(&self) -> usize {
        self.0.connections.get()
    }

    /// How many statements requests have run.
    pub(crate) fn statements(&self) -> usize {
        self.0.statements.get()
    }

    /// The waits that were asked for.
    pub(crate) fn waits(&self) -> Vec<Duration> {
        self.0.waits.borrow().clone()
    }

    /// Finishes what goes on after requests. Returns how many works there were.
    pub(crate) fn finish(&self) -> usize {
        let spawned = self.0.spawned.take();
        spawned.into_iter().map(block_on).count()
    }

    /// The lines of the operator's log.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lines.borrow().clone()
    }

    /// The call log, the latest call first.
    pub(crate) fn calls(&self) -> Vec<CallRow> {
        self.calls_that(&CallFilter::default())
    }

    /// The calls that match, the latest first.
    pub(crate) fn calls_that(&self, filter: &CallFilter<'_>) -> Vec<CallRow> {
        let filter = CallFilter {
            limit: 100,
            ..filter.clone()
        };
        // Those of this very moment too.
        let context = self.context().at(NOW.plus(1));
        block_on(search_calls(&context, &filter)).unwrap().calls
    }

    /// A new client that may call from 203.0.113.0/28, and its token.
    pub(crate) fn add_client(&self, permissions: &[&str]) -> (ClientId, String) {
        let permissions: Vec<String> = permissions.iter().map(|code| (*code).to_owned()).collect();
        let new = NewClient {
            name: "client",
            phone: "13800000000",
            ips: &["203.0.113.0/28".to_owned()],
            permissions: &permissions,
            callback_url: None,
            allow_http_callback: false,
        };
        let context = self.context();
        block_on(async {
            let made = create_client(&context, &new).await.unwrap();
            let (id, from) = (made.client_id, [203, 0, 113, 1].into());
            let issued = issue_token(&context, id.as_str(), &made.client_secret, from).await;
            (id, issued.unwrap().token)
        })
    }

    /// A new client, as the token layer knows it.
    pub(crate) fn add_verified(&self, permissions: &[&str]) -> Verified {
        let (_, token) = self.add_client(permissions);
        block_on(verify_token(&self.context(), &token, [203, 0, 113, 9].into())).unwrap()
    }
}

impl Host for TestHost {
    fn now(&self) -> Timestamp {
        self.0.now.get()
    }

    fn random(&self) -> &dyn Random {
        &self.0.random
    }

    fn settings(&self) -> LocalFuture<'_, Result<Rc<Settings>, Error>> {
        Box::pin(async {
            if self.0.is_configured.get() {
                Ok(Rc::clone(&self.0.settings))
            } else {
                Err(Error::internal("variable time_zone: not set"))
            }
        })
    }

    fn connection(&self, _: Purpose) -> LocalFuture<'_, Result<Connection, Error>> {
        Box::pin(async {
            if !self.0.is_reachable.get() {
                return Err(Error::new(Reason::Unavailable).with_cause("the database is gone"));
            }
            self.0.connections.set(self.0.connections.get() + 1);
            Ok(Connection::new(Shared {
                db: Rc::clone(&self.0.db),
                statements: Rc::clone(&self.0.statements),
            }))
        })
    }

    fn limits(&self) -> &dyn Limits {
        &self.0.limits
    }

    /// Time passes at once, so what is ready comes first and what never comes is too late.
    fn sleep(&self, time: Duration) -> LocalFuture<'_, ()> {
        self.0.waits.borrow_mut().push(time);
        Box::pin(std::future::ready(()))
    }

    /// It goes on when the test says so.
    fn spawn(&self, work: LocalFuture<'static, ()>) {
        self.0.spawned.borrow_mut().push(work);
    }

    fn send(
        &self,
        request: Request<Bytes>,
        _: usize,
        _: Duration,
    ) -> LocalFuture<'_, Result<Received, &'static str>> {
        let host = request.uri().host().unwrap_or_default();
        self.0.sent.borrow_mut().push(host.to_owned());
        let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        let is_special = address.is_ok_and(|address| special_addresses().any(|special| special == address));
        let problem = if self.0.blocked.get() && is_special {
            BLOCKED
        } else {
            "nobody is there"
        };
        Box::pin(std::future::ready(Err(problem)))
    }

    fn log(&self, line: &str) {
        self.0.lines.borrow_mut().push(line.to_owned());
    }
}

/// The one database, as a connection.
struct Shared {
    db: Rc<Sqlite>,
    statements: Rc<Cell<usize>>,
}

impl Database for Shared {
    async fn execute(&self, statement: Statement, params: &[Value]) -> Result<Vec<Row>, DbError> {
        self.statements.set(self.statements.get() + 1);
        self.db.execute(statement, params).await
    }
}
