//! A platform without a gateway, with a clock that the test advances, two clients, chips and numbers.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use domain::Permission;
use edge_host::{Host, Reuse};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use xieka::components;
use xieka::inventory::{Inventory, SAMPLE_TRANSPORT_KEY, SAMPLE_TRANSPORT_KEY_NAME};
use xieka::secrets::Secrets;
use xieka::stack::Launch;
use xieka_tests::{one_request_per_instance, reuse};

/// 2026-07-01T08:00:00+08:00, in milliseconds since 1970.
const START: i64 = 1_782_864_000_000;

/// A business system's credentials and token.
#[derive(Clone)]
pub(crate) struct ClientAccount {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: String,
}

/// A running platform.
pub(crate) struct TestPlatform {
    pub(crate) host: Host,
    pub(crate) secrets: Secrets,
    pub(crate) inventory: Inventory,
    /// A client with every permission; it owns all chips.
    pub(crate) owner: ClientAccount,
    /// Another client with every permission and nothing else.
    pub(crate) other: ClientAccount,
    now: Arc<AtomicI64>,
    client: Client<HttpConnector, Full<Bytes>>,
    folder: tempfile::TempDir,
}

/// A complete response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl Reply {
    /// The reason code of a refusal; "none" for a success.
    pub(crate) fn reason(&self) -> &str {
        self.body["reason"].as_str().unwrap_or("none")
    }

    /// A header's value; empty when it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A request to send.
#[derive(Clone, Default)]
pub(crate) struct TestRequest {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl TestRequest {
    pub(crate) fn get(target: impl Into<String>) -> Self {
        Self {
            method: "GET".into(),
            target: target.into(),
            ..Self::default()
        }
    }

    pub(crate) fn post(target: impl Into<String>, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            method: "POST".into(),
            body: body.into(),
            ..Self::get(target)
        }
        .with("content-type", content_type)
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.with("authorization", format!("Bearer {token}"))
    }

    pub(crate) fn method(mut self, method: &str) -> Self {
        method.clone_into(&mut self.method);
        self
    }
}

/// The application's root, with freshly built components.
pub(crate) fn root() -> PathBuf {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let root = components::application_root().unwrap();
        components::build(&root).unwrap();
        root
    })
    .clone()
}

/// Both policies under test: sixteen requests at a time in one instance, and an instance for each request.
pub(crate) fn reuse_policies() -> [Reuse; 2] {
    [Reuse::default(), one_request_per_instance()]
}

impl TestPlatform {
    /// Starts a platform with the reuse policy of the test run.
    pub(crate) async fn start() -> Self {
        Self::start_with(reuse(), &[]).await
    }

    /// Starts a platform with other application variables.
    pub(crate) async fn start_with(reuse: Reuse, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut secrets = Secrets::generate().unwrap();
        let transport = format!(
            "{SAMPLE_TRANSPORT_KEY_NAME}:{}",
            hex::encode(SAMPLE_TRANSPORT_KEY)
        );
        secrets.set("SPIN_VARIABLE_TRANSPORT_KEYS", transport);
        for (name, value) in variables {
            secrets.set(&format!("SPIN_VARIABLE_{}", name.to_uppercase()), *value);
        }
        let now = Arc::new(AtomicI64::new(START));
        let host = launch(&folder, &secrets, &now, reuse).platform().await.unwrap();
        let inventory = Inventory::generate(1, 24, SAMPLE_TRANSPORT_KEY_NAME, &SAMPLE_TRANSPORT_KEY).unwrap();
        let blank = ClientAccount {
            id: String::new(),
            secret: String::new(),
            token: String::new(),
        };
        let mut platform = Self {
            host,
            secrets,
            inventory,
            owner: blank.clone(),
            other: blank,
            now,
            client: Client::builder(TokioExecutor::new()).build_http(),
            folder,
        };
        platform.owner = platform.create_account("127.0.0.1/32").await;
        platform.other = platform.create_account("127.0.0.1/32").await;
        let chips = format!("/admin/v1/chips:import?client_id={}", platform.owner.id);
        for (path, csv) in [
            (chips.as_str(), platform.inventory.chips_csv().unwrap()),
            (
                "/admin/v1/numbers:import",
                platform.inventory.numbers_csv().unwrap(),
            ),
        ] {
            let report = platform
                .send(TestRequest::post(path, "text/csv", csv).bearer(&platform.admin_secret()))
                .await;
            assert_eq!(
                (report.status, &report.body["rejected"]),
                (200, &json!(0)),
                "{}",
                report.text
            );
        }
        platform
    }

    /// Starts a second platform on the same database.
    pub(crate) async fn start_second_node(&self) -> Host {
        let launch = launch(&self.folder, &self.secrets, &self.now, reuse());
        launch.platform().await.unwrap()
    }

    /// Starts a second platform on the same database, with another value of a secret.
    pub(crate) async fn start_node_with(&self, secret: &str, value: &str) -> Host {
        let mut secrets = self.secrets.clone();
        secrets.set(&format!("SPIN_VARIABLE_{}", secret.to_uppercase()), value);
        let launch = launch(&self.folder, &secrets, &self.now, reuse());
        launch.platform().await.unwrap()
    }

    /// Creates a client with every permission; it gets a token when its addresses include this machine's.
    pub(crate) async fn create_account(&self, ips: &str) -> ClientAccount {
        let permissions: Vec<_> = Permission::ALL
            .iter()
            .map(|permission| permission.code())
            .collect();
        let created = self
            .admin_post(
                "/admin/v1/clients",
                json!({"name": "c", "phone": "13800000000", "ips": [ips], "permissions": permissions}),
            )
            .await;
        let text = |field: &str| created.body[field].as_str().unwrap().to_owned();
        let mut account = ClientAccount {
            id: text("client_id"),
            secret: text("client_secret"),
            token: String::new(),
        };
        if ips.starts_with("127.0.0.1") {
            account.token = self.token(&account.id, &account.secret).await;
        }
        account
    }

    /// Takes a token.
    pub(crate) async fn token(&self, id: &str, secret: &str) -> String {
        let answer = self
            .send(TestRequest::get(format!(
                "/v1/token?client_id={id}&client_secret={secret}"
            )))
            .await;
        answer.body["token"].as_str().expect(&answer.text).to_owned()
    }

    /// The administrator's secret.
    pub(crate) fn admin_secret(&self) -> String {
        self.secret("admin_secret")
    }

    /// The value of a secret variable, such as `cron_secret`.
    pub(crate) fn secret(&self, name: &str) -> String {
        let name = format!("SPIN_VARIABLE_{}", name.to_uppercase());
        self.secrets.get(&name).unwrap().to_owned()
    }

    /// The path of the database file.
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("sqlite_db.db")
    }

    /// The platform's time, in milliseconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    /// Moves the platform's clock by so many milliseconds.
    pub(crate) fn advance_clock(&self, ms: i64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
    }

    /// The EID of a chip, by its index in the inventory.
    pub(crate) fn eid(&self, chip: usize) -> &str {
        &self.inventory.chips[chip].eid
    }

    /// Sends a document as an administrator; the answer must be 200.
    pub(crate) async fn admin_post(&self, path: &str, body: Value) -> Reply {
        let request =
            TestRequest::post(path, "application/json", body.to_string()).bearer(&self.admin_secret());
        let reply = self.send(request).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        reply
    }

    /// Reads a document as an administrator; the answer must be 200.
    pub(crate) async fn admin_get(&self, path: &str) -> Value {
        let reply = self
            .send(TestRequest::get(path).bearer(&self.admin_secret()))
            .await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        reply.body
    }

    /// Applies for a chip and returns the task's id.
    pub(crate) async fn apply(&self, chip: usize) -> String {
        let target = format!(
            "/v1/write/apply?eid={}&write_type=1&province_code=37",
            self.eid(chip)
        );
        let reply = self
            .send(TestRequest::get(target).bearer(&self.owner.token))
            .await;
        reply.body["task_id"].as_str().expect(&reply.text).to_owned()
    }

    /// Opens a gateway session for the chip at this index and returns its id.
    pub(crate) async fn open_session_at(&self, chip: usize) -> (String, Reply) {
        self.request_session(self.eid(chip)).await
    }

    /// Opens a gateway session for the chip with this EID and returns its id; the answer must be 200.
    pub(crate) async fn open_session(&self, eid: &str) -> String {
        let (id, reply) = self.request_session(eid).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        id
    }

    async fn request_session(&self, eid: &str) -> (String, Reply) {
        let id = format!(
            "0190a5b0-0000-7000-8000-{:012x}",
            self.now.fetch_add(1, Ordering::SeqCst)
        );
        let body =
            json!({"session_id": id, "eid": eid, "peer": "192.0.2.1:1", "agent": null, "resumed": false});
        (
            id,
            self.post_as_gateway("/internal/gateway/sessions", &body).await,
        )
    }

    /// Reports an event of a session as a gateway does; the answer must be 200.
    pub(crate) async fn report(&self, session: &str, event: Value) {
        let body =
            json!({"session_id": session, "seq": 1, "event": event, "bytes_up": 100, "bytes_down": 550});
        let reply = self.post_as_gateway("/internal/gateway/report", &body).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }

    async fn post_as_gateway(&self, path: &str, body: &Value) -> Reply {
        let request = TestRequest::post(path, "application/json", body.to_string());
        self.send(request.bearer(&self.secret("gateway_secret"))).await
    }

    /// Applies for a chip, writes and verifies it, and returns the task's id.
    pub(crate) async fn write_card(&self, chip: usize) -> String {
        let task = self.apply(chip).await;
        let (session, _) = self.open_session_at(chip).await;
        self.report(&session, json!({"kind": "written"})).await;
        let (session, _) = self.open_session_at(chip).await;
        self.report(&session, json!({"kind": "verified"})).await;
        task
    }

    /// Sends a request and reads the whole response.
    pub(crate) async fn send(&self, request: TestRequest) -> Reply {
        self.send_to(&self.host, request).await
    }

    /// Sends a request to one of several nodes.
    pub(crate) async fn send_to(&self, host: &Host, request: TestRequest) -> Reply {
        let mut builder = Request::builder().method(request.method.as_str()).uri(format!(
            "http://{}{}",
            host.addr(),
            request.target
        ));
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let request = builder.body(Full::new(Bytes::from(request.body))).unwrap();
        let response = self.client.request(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        }
    }

    /// Stops the platform.
    pub(crate) async fn shutdown(self) {
        self.host.shutdown().await;
    }
}

fn launch(folder: &tempfile::TempDir, secrets: &Secrets, now: &Arc<AtomicI64>, reuse: Reuse) -> Launch {
    let mut launch = Launch::on_loopback(root(), folder.path().to_owned(), secrets.clone());
    launch.logs = edge_host::Logs::Files(folder.path().join("log"));
    launch.reuse = reuse;
    let now = now.clone();
    launch.clock = Some(Arc::new(move || {
        let millis = u64::try_from(now.load(Ordering::SeqCst)).unwrap();
        UNIX_EPOCH + Duration::from_millis(millis)
    }));
    launch
}
