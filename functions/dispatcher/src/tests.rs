//! A tick in this process: the router of the dispatcher, and behind it that of `maintenance`.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderValue, Request};
use http_body_util::BodyExt as _;
use native_host::NativeHost;
use serde_json::{Value, json};
use store::{Sqlite, migrate};
use tempfile::TempDir;
use tower_service::Service as _;
use vault::{Random, Zeroizing};

use super::{MAINTENANCE_PATH, router};
use domain::Timestamp;
use domain::error::Error;
use web::{App, Connection, Durability, Host, LocalFuture, Received, Settings, Variables, service};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const NOW: Timestamp = Timestamp(1_782_864_000_000);
const PEER: HeaderValue = HeaderValue::from_static("127.0.0.1:1");

/// Randomness that repeats.
struct Repeating;

impl Random for Repeating {
    fn fill(&self, out: &mut [u8]) {
        out.fill(0xab);
    }
}

type Native = NativeHost<fn() -> Timestamp, Repeating>;

fn native(file: &Path) -> Native {
    let settings = Settings::from_variables(&Variables {
        sealing_keys: Some(Zeroizing::new(format!("1:{}", "11".repeat(32)))),
        index_key: Zeroizing::new("22".repeat(32)),
        secret: Some(Zeroizing::new(SECRET.to_owned())),
        time_zone: Some("Asia/Shanghai".to_owned()),
        ..Variables::default()
    });
    NativeHost::new(file.to_owned(), settings.unwrap(), || NOW, Repeating)
}

/// The host of the dispatcher, which reaches `maintenance` if there is one.
struct Application {
    native: Native,
    maintenance: Option<Router>,
}

impl Host for Application {
    fn now(&self) -> Timestamp {
        self.native.now()
    }

    fn random(&self) -> &dyn Random {
        self.native.random()
    }

    fn settings(&self) -> LocalFuture<'_, Result<Rc<Settings>, Error>> {
        self.native.settings()
    }

    fn connection(&self, durability: Durability) -> LocalFuture<'_, Result<Connection, Error>> {
        self.native.connection(durability)
    }

    fn sleep(&self, time: Duration) -> LocalFuture<'_, ()> {
        self.native.sleep(time)
    }

    fn send(
        &self,
        request: Request<Bytes>,
        _: usize,
        _: Duration,
    ) -> LocalFuture<'_, Result<Received, &'static str>> {
        let maintenance = self.maintenance.clone();
        Box::pin(async move {
            let mut maintenance = maintenance.ok_or("refused")?;
            assert_eq!(request.uri().host(), Some("maintenance.spin.internal"));
            let (status, body) = exchange(&mut maintenance, request.map(Body::from)).await;
            Ok(Received {
                status,
                headers: http::HeaderMap::new(),
                body: Ok(body.to_vec()),
            })
        })
    }

    fn log(&self, line: &str) {
        self.native.log(line);
    }
}

async fn exchange(router: &mut Router, mut request: Request<Body>) -> (u16, Bytes) {
    request.headers_mut().insert("spin-client-addr", PEER);
    let response = router.call(request).await.unwrap();
    let status = response.status().as_u16();
    (status, response.into_body().collect().await.unwrap().to_bytes())
}

/// The application, with or without `maintenance`, on a new database.
struct Fixture {
    dispatcher: Router,
    _directory: TempDir,
}

impl Fixture {
    async fn new(with_maintenance: bool) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("xieka.db");
        migrate(&Sqlite::open(&file).unwrap(), NOW).await.unwrap();
        let maintenance =
            with_maintenance.then(|| service(maintenance_router::router(), App::new(native(&file))));
        let application = Application {
            native: native(&file),
            maintenance,
        };
        Self {
            dispatcher: service(router(), App::new(application)),
            _directory: directory,
        }
    }

    async fn get(&mut self, query: &str) -> (u16, String) {
        let request = Request::get(format!("/internal/cron?{query}"));
        let (status, body) = exchange(&mut self.dispatcher, request.body(Body::empty()).unwrap()).await;
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn tick(&mut self) -> (u16, String) {
        self.get(&format!("key={SECRET}")).await
    }
}

#[tokio::test]
async fn a_tick_runs_every_job_that_is_due_and_the_next_one_only_sends_messages() {
    let mut fixture = Fixture::new(true).await;
    let (status, answer) = fixture.tick().await;
    assert_eq!(status, 200, "{answer}");
    let idle = r#"{"done":0,"more":false}"#;
    let jobs = [
        "incident_clocks",
        "ip_throttles",
        "messages",
        "monthly_review",
        "pools",
        "retention",
        "stuck_tasks",
        "temporary_numbers",
    ];
    let jobs = jobs.map(|name| format!("\"{name}\":{idle}")).join(",");
    let head = r#"{"code":200,"message":"成功","delivered":0,"retrying":0,"dead":0,"jobs":{"#;
    assert_eq!(answer, format!("{head}{jobs}}},\"more\":false}}"));
    let (_, answer) = fixture.tick().await;
    assert_eq!(answer, format!("{head}\"messages\":{idle}}},\"more\":false}}"));
}

#[tokio::test]
async fn a_maintenance_that_does_not_answer_is_named_and_messages_are_sent_all_the_same() {
    let (status, answer) = Fixture::new(false).await.tick().await;
    assert_eq!(status, 200);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let expected = json!({
        "maintenance": {"failed": "unavailable"},
        "messages": {"done": 0, "more": false},
    });
    assert_eq!((&answer["jobs"], &answer["more"]), (&expected, &json!(false)));
}

#[tokio::test]
async fn a_timer_shows_its_secret_and_no_other_parameter() {
    let mut fixture = Fixture::new(false).await;
    for (query, status, reason) in [
        ("key=wrong", 401, "credential_wrong"),
        (&*format!("key={SECRET}&colour=red"), 400, "parameter_unknown"),
    ] {
        let (code, answer) = fixture.get(query).await;
        assert_eq!(code, status, "{answer}");
        assert!(answer.contains(reason), "{answer}");
    }
}

#[test]
fn the_path_of_maintenance_is_that_of_its_router() {
    let router = maintenance_router::router();
    assert!(router.into_openapi().paths.paths.contains_key(MAINTENANCE_PATH));
}
