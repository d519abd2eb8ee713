//! What a status query costs a host: statements, counters and rows of the call log.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where it goes wrong, helpers included"
)]

use std::cell::Cell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use domain::Timestamp;
use domain::error::Error;
use operations::Limits;
use serde_json::json;
use store::{Database, DbError, Row, Sqlite, Statement, Value};
use test_support::http::TestRequest;
use test_support::router::{StillHost, TestDatabase, TestRouter};
use test_support::settings::variables;
use vault::Random;
use web::{Connection, Host, LocalFuture, Purpose, Received, Settings, Variables};

const CHIPS: &str = include_str!("../../../cli/samples/chips.csv");
const EID: &str = "89086030202200000000000000000123";

/// What requests have cost.
#[derive(Default)]
struct Costs {
    statements: Cell<u32>,
    connections_to_the_call_log: Cell<u32>,
    increments: Cell<u32>,
}

fn add_one(count: &Cell<u32>) {
    count.set(count.get() + 1);
}

/// A host that counts what crosses into it.
struct CountingHost {
    inner: StillHost,
    file: PathBuf,
    costs: Rc<Costs>,
}

/// A connection to the state whose statements are counted.
struct Counted(Sqlite, Rc<Costs>);

impl Database for Counted {
    async fn execute(&self, statement: Statement, params: &[Value]) -> Result<Vec<Row>, DbError> {
        add_one(&self.1.statements);
        self.0.execute(statement, params).await
    }
}

impl Limits for CountingHost {
    fn increment(&self, key: &str, delta: i64) -> Option<i64> {
        add_one(&self.costs.increments);
        self.inner.limits().increment(key, delta)
    }

    fn keys(&self) -> Vec<String> {
        self.inner.limits().keys()
    }

    fn delete(&self, keys: &[String]) {
        self.inner.limits().delete(keys);
    }
}

impl Host for CountingHost {
    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    fn random(&self) -> &dyn Random {
        self.inner.random()
    }

    fn settings(&self) -> LocalFuture<'_, Result<Rc<Settings>, Error>> {
        self.inner.settings()
    }

    fn connection(&self, purpose: Purpose) -> LocalFuture<'_, Result<Connection, Error>> {
        if purpose == Purpose::Calls {
            add_one(&self.costs.connections_to_the_call_log);
            return self.inner.connection(purpose);
        }
        let db = Sqlite::open(&self.file).unwrap();
        let counted = Connection::new(Counted(db, Rc::clone(&self.costs)));
        Box::pin(std::future::ready(Ok(counted)))
    }

    fn limits(&self) -> &dyn Limits {
        self
    }

    fn sleep(&self, time: Duration) -> LocalFuture<'_, ()> {
        self.inner.sleep(time)
    }

    fn spawn(&self, work: LocalFuture<'static, ()>) {
        self.inner.spawn(work);
    }

    fn send(
        &self,
        request: http::Request<Bytes>,
        max_bytes: usize,
        time: Duration,
    ) -> LocalFuture<'_, Result<Received, &'static str>> {
        self.inner.send(request, max_bytes, time)
    }

    fn log(&self, line: &str) {
        self.inner.log(line);
    }
}

/// The chips of the sample, of a client that holds this token.
async fn platform() -> (TestRouter, Rc<Costs>, String) {
    let routes = write_status_router::router()
        .merge(clients_router::router())
        .merge(imports_router::router())
        .merge(token_router::router());
    let database = TestDatabase::new().await;
    let costs = Rc::<Costs>::default();
    let host = CountingHost {
        inner: database.host_with(&Variables {
            call_log_interval_ms: Some("1000".to_owned()),
            ..variables()
        }),
        file: database.file(),
        costs: Rc::clone(&costs),
    };
    let router = TestRouter::on(database, routes, host);
    let client = json!({
        "name": "甲", "phone": "13800000000", "ips": ["203.0.113.0/24"], "permissions": ["write.status"],
    });
    let client = router.post("/admin/v1/clients", &client).await;
    let text = |name: &str| client[name].as_str().unwrap().to_owned();
    let (id, secret) = (text("client_id"), text("client_secret"));
    let imported = router
        .import(&format!("/admin/v1/chips:import?client_id={id}"), CHIPS)
        .await;
    assert_eq!(imported["rejected"], 0, "{imported}");
    let path = format!("/v1/token?client_id={id}&client_secret={secret}");
    let token = router.send(TestRequest::get(path)).await.body["token"].clone();
    (router, costs, token.as_str().unwrap().to_owned())
}

// §7.2.2.3, §7.1.2
#[tokio::test]
async fn a_status_query_costs_two_statements_and_a_sixteenth_of_an_increment() {
    let (router, costs, token) = platform().await;
    let ask = async || {
        let request = TestRequest::get(format!("/v1/write/status?eid={EID}")).bearer(&token);
        let reply = router.send(request).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.header("ratelimit").to_owned()
    };
    // The first one of an instance knows nothing of what the client has left, and leases nothing.
    assert_eq!(ask().await, "\"write.status\";r=2999;t=60");
    for count in [
        &costs.statements,
        &costs.increments,
        &costs.connections_to_the_call_log,
    ] {
        count.set(0);
    }
    for left in (2_967..2_999).rev() {
        assert_eq!(ask().await, format!("\"write.status\";r={left};t=60"));
    }
    assert_eq!(
        (
            costs.statements.get(),
            costs.increments.get(),
            costs.connections_to_the_call_log.get()
        ),
        (2 * 32, 2, 0),
        "statements, increments, connections to the call log"
    );
}
