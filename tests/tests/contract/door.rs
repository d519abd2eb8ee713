//! A platform without gateway, with a stopped clock, two clients, chips and numbers; and a way to send it anything.

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
use xieka_tests::{alone, reuse};

/// 2026-07-01T08:00:00+08:00, in milliseconds since 1970.
const START: i64 = 1_782_864_000_000;

/// An account of a business system.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: String,
}

/// A running platform.
pub(crate) struct Door {
    pub(crate) host: Host,
    pub(crate) secrets: Secrets,
    pub(crate) inventory: Inventory,
    /// A client with every permission; all chips are its.
    pub(crate) one: Account,
    /// Another client with every permission and nothing else.
    pub(crate) other: Account,
    now: Arc<AtomicI64>,
    client: Client<HttpConnector, Full<Bytes>>,
    folder: tempfile::TempDir,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) fn reason(&self) -> &str {
        self.body["reason"].as_str().unwrap_or("none")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A request under construction.
#[derive(Clone, Default)]
pub(crate) struct Sent {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Sent {
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

/// Sixteen requests at a time in one instance, or an instance for each request.
pub(crate) fn reuses() -> [Reuse; 2] {
    [Reuse::default(), alone()]
}

impl Door {
    pub(crate) async fn open() -> Self {
        Self::open_with(reuse(), &[]).await
    }

    /// With `count` chips and numbers of province 37.
    pub(crate) async fn open_with(reuse: Reuse, variables: &[(&str, &str)]) -> Self {
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
        let blank = Account {
            id: String::new(),
            secret: String::new(),
            token: String::new(),
        };
        let mut door = Self {
            host,
            secrets,
            inventory,
            one: blank.clone(),
            other: blank,
            now,
            client: Client::builder(TokioExecutor::new()).build_http(),
            folder,
        };
        door.one = door.account("127.0.0.1/32").await;
        door.other = door.account("127.0.0.1/32").await;
        let chips = format!("/admin/v1/chips:import?client_id={}", door.one.id);
        for (path, csv) in [
            (chips.as_str(), door.inventory.chips_csv().unwrap()),
            ("/admin/v1/numbers:import", door.inventory.numbers_csv().unwrap()),
        ] {
            let report = door
                .send(Sent::post(path, "text/csv", csv).bearer(&door.admin()))
                .await;
            assert_eq!(
                (report.status, &report.body["rejected"]),
                (200, &json!(0)),
                "{}",
                report.text
            );
        }
        door
    }

    /// A second platform on the same database.
    pub(crate) async fn second(&self) -> Host {
        let launch = launch(&self.folder, &self.secrets, &self.now, reuse());
        launch.platform().await.unwrap()
    }

    /// A new client with every permission.
    pub(crate) async fn account(&self, ips: &str) -> Account {
        let permissions: Vec<_> = Permission::ALL
            .iter()
            .map(|permission| permission.code())
            .collect();
        let made = self
            .admin_post(
                "/admin/v1/clients",
                json!({"name": "c", "phone": "13800000000", "ips": [ips], "permissions": permissions}),
            )
            .await;
        let text = |field: &str| made.body[field].as_str().unwrap().to_owned();
        let mut account = Account {
            id: text("client_id"),
            secret: text("client_secret"),
            token: String::new(),
        };
        if ips.starts_with("127.0.0.1") {
            account.token = self.token(&account.id, &account.secret).await;
        }
        account
    }

    pub(crate) async fn token(&self, id: &str, secret: &str) -> String {
        let taken = self
            .send(Sent::get(format!(
                "/v1/token?client_id={id}&client_secret={secret}"
            )))
            .await;
        taken.body["token"].as_str().expect(&taken.text).to_owned()
    }

    pub(crate) fn admin(&self) -> String {
        self.secret("admin_secret")
    }

    pub(crate) fn secret(&self, name: &str) -> String {
        let name = format!("SPIN_VARIABLE_{}", name.to_uppercase());
        self.secrets.get(&name).unwrap().to_owned()
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("sqlite_db.db")
    }

    pub(crate) fn now(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    pub(crate) fn pass(&self, ms: i64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) fn eid(&self, chip: usize) -> &str {
        &self.inventory.chips[chip].eid
    }

    pub(crate) async fn admin_post(&self, path: &str, body: Value) -> Reply {
        let sent = Sent::post(path, "application/json", body.to_string()).bearer(&self.admin());
        let reply = self.send(sent).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        reply
    }

    pub(crate) async fn admin_get(&self, path: &str) -> Value {
        let reply = self.send(Sent::get(path).bearer(&self.admin())).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        reply.body
    }

    /// Applies for a chip and returns the task.
    pub(crate) async fn applied(&self, chip: usize) -> String {
        let target = format!(
            "/v1/write/apply?eid={}&write_type=1&province_code=37",
            self.eid(chip)
        );
        let reply = self.send(Sent::get(target).bearer(&self.one.token)).await;
        reply.body["task_id"].as_str().expect(&reply.text).to_owned()
    }

    /// Lets a gateway open a session for a chip.
    pub(crate) async fn session(&self, chip: usize) -> (String, Reply) {
        self.open_session(self.eid(chip)).await
    }

    /// Lets a gateway open a session for the chip with this EID.
    pub(crate) async fn session_of(&self, eid: &str) -> String {
        let (id, reply) = self.open_session(eid).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        id
    }

    async fn open_session(&self, eid: &str) -> (String, Reply) {
        let id = format!(
            "0190a5b0-0000-7000-8000-{:012x}",
            self.now.fetch_add(1, Ordering::SeqCst)
        );
        let body =
            json!({"session_id": id, "eid": eid, "peer": "192.0.2.1:1", "agent": null, "resumed": false});
        (id, self.gateway("/internal/gateway/sessions", &body).await)
    }

    pub(crate) async fn report(&self, session: &str, event: Value) {
        let body =
            json!({"session_id": session, "seq": 1, "event": event, "bytes_up": 100, "bytes_down": 550});
        let reply = self.gateway("/internal/gateway/report", &body).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }

    async fn gateway(&self, path: &str, body: &Value) -> Reply {
        let sent = Sent::post(path, "application/json", body.to_string());
        self.send(sent.bearer(&self.secret("gateway_secret"))).await
    }

    /// Applies for a chip, writes it and verifies it.
    pub(crate) async fn written(&self, chip: usize) -> String {
        let task = self.applied(chip).await;
        let (session, _) = self.session(chip).await;
        self.report(&session, json!({"kind": "written"})).await;
        let (session, _) = self.session(chip).await;
        self.report(&session, json!({"kind": "verified"})).await;
        task
    }

    pub(crate) async fn send(&self, sent: Sent) -> Reply {
        self.send_to(&self.host, sent).await
    }

    pub(crate) async fn send_to(&self, host: &Host, sent: Sent) -> Reply {
        let mut request = Request::builder().method(sent.method.as_str()).uri(format!(
            "http://{}{}",
            host.addr(),
            sent.target
        ));
        for (name, value) in &sent.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(sent.body))).unwrap();
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

    pub(crate) async fn close(self) {
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
