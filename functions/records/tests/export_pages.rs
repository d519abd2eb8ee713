//! What an export holds between its pages, and what it says when one of them cannot be read.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where it goes wrong, helpers included"
)]

use std::cell::Cell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use domain::Timestamp;
use domain::error::{Error, Reason};
use http::Request;
use http_body_util::BodyExt as _;
use operations::Limits;
use serde_json::Value;
use store::{Database, DbError, Row, Sqlite, Statement};
use test_support::inventory::{ChipCsv, chip_csv};
use test_support::router::{StillHost, TestDatabase, TestRouter};
use test_support::settings::SECRET;
use tower_service::Service as _;
use vault::Random;
use web::{App, Connection, Host, LocalFuture, Purpose, Received, Settings, service};

/// Chips: three pages.
const COUNT: u32 = 450;
const EXPORT: &str = "/admin/v1/chips:export?format=ndjson";

/// Connections that are in use, and whether there are more.
#[derive(Clone, Default)]
struct Connections {
    live: Rc<Cell<usize>>,
    are_gone: Rc<Cell<bool>>,
}

/// A connection that is counted.
struct Counted {
    database: Sqlite,
    live: Rc<Cell<usize>>,
}

impl Database for Counted {
    async fn execute(&self, statement: Statement, params: &[store::Value]) -> Result<Vec<Row>, DbError> {
        self.database.execute(statement, params).await
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.live.set(self.live.get() - 1);
    }
}

/// A host that counts its connections.
struct CountingHost {
    host: StillHost,
    file: PathBuf,
    connections: Connections,
}

impl Host for CountingHost {
    fn now(&self) -> Timestamp {
        self.host.now()
    }

    fn random(&self) -> &dyn Random {
        self.host.random()
    }

    fn settings(&self) -> LocalFuture<'_, Result<Rc<Settings>, Error>> {
        self.host.settings()
    }

    fn connection(&self, purpose: Purpose) -> LocalFuture<'_, Result<Connection, Error>> {
        // The call log is written later, by a task of its own.
        if purpose == Purpose::Calls {
            return self.host.connection(purpose);
        }
        let Connections { live, are_gone } = self.connections.clone();
        let taken = if are_gone.get() {
            Err(Reason::Unavailable.into())
        } else {
            live.set(live.get() + 1);
            let database = Sqlite::open(&self.file).unwrap();
            Ok(Connection::new(Counted { database, live }))
        };
        Box::pin(std::future::ready(taken))
    }

    fn limits(&self) -> &dyn Limits {
        self.host.limits()
    }

    fn sleep(&self, time: Duration) -> LocalFuture<'_, ()> {
        self.host.sleep(time)
    }

    // Rows of the call log are of no concern here.
    fn spawn(&self, _: LocalFuture<'static, ()>) {}

    fn send(
        &self,
        request: Request<Bytes>,
        max_bytes: usize,
        time: Duration,
    ) -> LocalFuture<'_, Result<Received, &'static str>> {
        self.host.send(request, max_bytes, time)
    }

    fn log(&self, line: &str) {
        self.host.log(line);
    }
}

/// A router over a database with chips; its connections; what keeps the database.
async fn exporting() -> (Router, Connections, TestRouter) {
    let database = TestDatabase::new().await;
    let connections = Connections::default();
    let counting = CountingHost {
        host: database.host(),
        file: database.file(),
        connections: connections.clone(),
    };
    let host = database.host();
    let routes = imports_router::router().merge(clients_router::router());
    let platform = TestRouter::on(database, routes, host);
    let client = serde_json::json!({
        "name": "甲", "phone": "13800000000", "ips": ["203.0.113.0/24"], "permissions": ["write.apply"],
    });
    let client = platform.post("/admin/v1/clients", &client).await;
    let path = format!(
        "/admin/v1/chips:import?client_id={}",
        client["client_id"].as_str().unwrap()
    );
    let chips: Vec<_> = (1..=COUNT).map(ChipCsv::new).collect();
    let report = platform.import(&path, &chip_csv(&chips)).await;
    assert_eq!(report["imported"], COUNT, "{report}");
    let router = service(records_router::router(), App::new(counting));
    (router, connections, platform)
}

/// The body of an answer, of which nothing is read yet.
async fn body_of(router: &Router, path: &str) -> Body {
    let request = Request::get(path)
        .header("authorization", format!("Bearer {SECRET}"))
        .header("spin-client-addr", "203.0.113.9:51000")
        .body(Body::empty());
    let response = router.clone().call(request.unwrap()).await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    response.into_body()
}

/// The next part of a body, as the documents in its lines.
async fn part(body: &mut Body) -> Option<Vec<Value>> {
    let bytes = body.frame().await?.unwrap().into_data().unwrap();
    let lines = std::str::from_utf8(&bytes).unwrap().lines();
    Some(lines.map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[tokio::test]
async fn an_export_reads_a_page_when_its_caller_takes_it_and_holds_no_connection_meanwhile() {
    let (router, connections, _platform) = exporting().await;
    let mut body = body_of(&router, EXPORT).await;
    assert_eq!(connections.live.get(), 0, "before the first part");
    let (mut parts, mut rows) = (0, 0);
    while let Some(lines) = part(&mut body).await {
        assert_eq!(connections.live.get(), 0, "after part {parts}");
        parts += 1;
        rows += lines.iter().filter(|line| line["end"].is_null()).count();
    }
    assert_eq!((parts, rows), (3, COUNT as usize));
    // Nor does one whose caller has gone.
    let mut body = body_of(&router, EXPORT).await;
    part(&mut body).await.unwrap();
    drop(body);
    assert_eq!(connections.live.get(), 0);
}

#[tokio::test]
async fn an_export_that_cannot_go_on_says_so_and_another_goes_on_where_it_ended() {
    let (router, connections, _platform) = exporting().await;
    let mut body = body_of(&router, EXPORT).await;
    let mut rows = part(&mut body).await.unwrap();
    connections.are_gone.set(true);
    let end = part(&mut body).await.unwrap();
    assert!(part(&mut body).await.is_none());
    let [end] = end.as_slice() else { panic!("{end:?}") };
    let end = &end["end"];
    assert_eq!(
        (&end["complete"], &end["rows"], &end["reason"]),
        (&false.into(), &rows.len().into(), &"unavailable".into())
    );
    assert!(
        end["message"].as_str().unwrap().starts_with("服务暂不可用"),
        "{end}"
    );
    connections.are_gone.set(false);
    let path = format!("{EXPORT}&cursor={}", end["next"].as_str().unwrap());
    let mut body = body_of(&router, &path).await;
    while let Some(lines) = part(&mut body).await {
        rows.extend(lines);
    }
    assert_eq!(rows.pop().unwrap()["end"]["complete"], true);
    assert_eq!(rows.len(), COUNT as usize);
}

#[tokio::test]
async fn an_export_whose_first_page_cannot_be_read_is_refused() {
    let (router, connections, _platform) = exporting().await;
    connections.are_gone.set(true);
    let request = Request::get(EXPORT)
        .header("authorization", format!("Bearer {SECRET}"))
        .header("spin-client-addr", "203.0.113.9:51000")
        .body(Body::empty());
    let response = router.clone().call(request.unwrap()).await.unwrap();
    assert_eq!(response.status(), 503);
}
