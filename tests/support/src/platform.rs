//! The platform as it ships, its components in edge-host, without a gateway: with a clock that the test advances, two
//! clients, chips and numbers.
//!
//! Everything goes over HTTP, as callers see it; a test that reads the database does so beside it. It must not know the
//! routers: what it calls are built components.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use domain::Permission;
use edge_host::{Host, Reuse};
use serde_json::{Value, json};
use xieka::inventory::{Inventory, SAMPLE_TRANSPORT_KEY, SAMPLE_TRANSPORT_KEY_NAME};
use xieka::secrets::Secrets;
use xieka::stack::Launch;

use crate::components::{inventory, reuse, root};
use crate::http::{HttpClient, Reply, TestRequest};
use crate::platform_database::PlatformDatabase;
use crate::postgres_server::PostgresServer;
use crate::settings::START;

/// The runtime configuration of one machine, and the one whose host blocks no network.
const CONFIG: &str = include_str!("../../../runtime-config/local.toml");
const OPEN_CONFIG: &str = include_str!("../../../runtime-config/local-callbacks.toml");
/// Its file in the platform's folder.
const CONFIG_FILE: &str = "runtime.toml";

/// Chips and numbers of a platform.
const CHIPS: u32 = 24;

/// A business system's credentials and token.
#[derive(Clone)]
pub struct ClientAccount {
    /// The `client_id`.
    pub id: String,
    /// The `client_secret`.
    pub secret: String,
    /// A token; empty if none was asked for.
    pub token: String,
}

/// A running platform.
pub struct TestPlatform {
    /// The host that runs the components.
    pub host: Host,
    /// Every secret of the platform.
    pub secrets: Secrets,
    /// The chips and numbers that were imported.
    pub inventory: Inventory,
    /// A client with every permission; it owns all chips.
    pub owner: ClientAccount,
    /// Another client with every permission and nothing else.
    pub other: ClientAccount,
    now: Arc<AtomicI64>,
    client: HttpClient,
    database: PlatformDatabase,
    folder: tempfile::TempDir,
}

impl TestPlatform {
    /// Starts a platform with the reuse policy of the test run.
    pub async fn start() -> Self {
        Self::start_with(reuse(), &[]).await
    }

    /// Starts a platform with other application variables. Its host blocks special-purpose networks, unless callbacks
    /// may go there.
    pub async fn start_with(reuse: Reuse, variables: &[(&str, &str)]) -> Self {
        let config = if ["callback_allow_http", "operator_api"]
            .iter()
            .any(|name| variables.iter().any(|(known, _)| known == name))
        {
            OPEN_CONFIG
        } else {
            CONFIG
        };
        Self::start_on(reuse, variables, config).await
    }

    /// Starts a platform whose host blocks no network.
    pub async fn start_unguarded() -> Self {
        Self::start_on(reuse(), &[], OPEN_CONFIG).await
    }

    /// Starts a platform on this PostgreSQL server.
    pub async fn start_on_postgres(server: &'static PostgresServer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::start_in(folder, PlatformDatabase::on(server), reuse(), &[], CONFIG).await
    }

    async fn start_on(reuse: Reuse, variables: &[(&str, &str)], config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = PlatformDatabase::new(folder.path());
        Self::start_in(folder, database, reuse, variables, config).await
    }

    async fn start_in(
        folder: tempfile::TempDir,
        database: PlatformDatabase,
        reuse: Reuse,
        variables: &[(&str, &str)],
        config: &str,
    ) -> Self {
        // Paths in it are relative to the folder.
        let config = config.replace(".spin/", "");
        std::fs::write(folder.path().join(CONFIG_FILE), config).unwrap();
        let mut secrets = Secrets::generate().unwrap();
        let transport = format!(
            "{SAMPLE_TRANSPORT_KEY_NAME}:{}",
            hex::encode(SAMPLE_TRANSPORT_KEY)
        );
        secrets.set("SPIN_VARIABLE_TRANSPORT_KEYS", transport);
        // Every row of the call log is there when its call has been answered.
        secrets.set("SPIN_VARIABLE_CALL_LOG_INTERVAL_MS", "0");
        // Tests power chips up again within seconds, also after failures.
        secrets.set("SPIN_VARIABLE_POWER_UP_GAP_SECS", "0");
        // Tests move the clock by days; those of a clock that jumps say so.
        secrets.set("SPIN_VARIABLE_CLOCK_TRUSTED", "true");
        for (name, value) in variables {
            secrets.set(&format!("SPIN_VARIABLE_{}", name.to_uppercase()), *value);
        }
        database.configure(&mut secrets);
        let now = Arc::new(AtomicI64::new(START));
        let host = launch(folder.path(), &secrets, &now, reuse)
            .platform()
            .await
            .unwrap();
        let blank = ClientAccount {
            id: String::new(),
            secret: String::new(),
            token: String::new(),
        };
        let mut platform = Self {
            host,
            secrets,
            inventory: inventory(CHIPS),
            owner: blank.clone(),
            other: blank,
            now,
            client: HttpClient::default(),
            database,
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
    pub async fn start_second_node(&self) -> Host {
        let launch = launch(self.folder(), &self.secrets, &self.now, reuse());
        launch.platform().await.unwrap()
    }

    /// Starts a second platform on the same database, with other values of these secrets.
    pub async fn start_node_with(&self, changed: &[(&str, &str)]) -> Host {
        let mut secrets = self.secrets.clone();
        for (name, value) in changed {
            secrets.set(&format!("SPIN_VARIABLE_{}", name.to_uppercase()), *value);
        }
        let launch = launch(self.folder(), &secrets, &self.now, reuse());
        launch.platform().await.unwrap()
    }

    /// Starts a second platform that cannot open the database.
    pub async fn start_node_without_database(&self) -> Host {
        let folder = self.folder.path().join("unreachable");
        std::fs::create_dir(&folder).unwrap();
        std::fs::copy(self.folder.path().join(CONFIG_FILE), folder.join(CONFIG_FILE)).unwrap();
        let mut secrets = self.secrets.clone();
        self.database.configure_unreachable(&folder, &mut secrets);
        launch(&folder, &secrets, &self.now, reuse())
            .platform()
            .await
            .unwrap()
    }

    /// Creates a client with every permission; it gets a token when its addresses include this machine's.
    pub async fn create_account(&self, ips: &str) -> ClientAccount {
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
    pub async fn token(&self, id: &str, secret: &str) -> String {
        let answer = self
            .send(TestRequest::get(format!(
                "/v1/token?client_id={id}&client_secret={secret}"
            )))
            .await;
        answer.body["token"].as_str().expect(&answer.text).to_owned()
    }

    /// The administrator's secret.
    #[must_use]
    pub fn admin_secret(&self) -> String {
        self.secret("admin_secret")
    }

    /// The value of a secret variable, such as `cron_secret`.
    #[must_use]
    pub fn secret(&self, name: &str) -> String {
        let name = format!("SPIN_VARIABLE_{}", name.to_uppercase());
        self.secrets.get(&name).unwrap().to_owned()
    }

    /// The folder of its files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The path of the database file, for a test that is about SQLite.
    #[must_use]
    pub fn database_file(&self) -> PathBuf {
        PlatformDatabase::file(self.folder.path())
    }

    /// Runs statements on the database that no operation has.
    pub fn batch(&self, sql: &str) {
        self.database.batch(sql);
    }

    /// The rows of a query, each value as text; NULL is empty.
    #[must_use]
    pub fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        self.database.rows(sql)
    }

    /// The columns with sealed values, as table and column.
    #[must_use]
    pub fn sealed_columns(&self) -> Vec<(String, String)> {
        self.database.columns_like("%sealed%")
    }

    /// The number that a query finds.
    #[must_use]
    pub fn number(&self, sql: &str) -> i64 {
        number(&self.rows(sql), sql)
    }

    /// The rows of a query of the call log.
    #[must_use]
    pub fn call_rows(&self, sql: &str) -> Vec<Vec<String>> {
        self.database.call_rows(sql)
    }

    /// How many rows of the call log meet a condition.
    #[must_use]
    pub fn count_calls(&self, condition: &str) -> i64 {
        self.sum_calls("COUNT(*)", condition)
    }

    /// A sum over the rows of the call log that meet a condition, in whichever table of a day they are.
    #[must_use]
    pub fn sum_calls(&self, what: &str, condition: &str) -> i64 {
        let days = self.call_rows("SELECT day FROM call_log_day");
        let sum = |day: &Vec<String>| {
            let sql = format!(
                "SELECT COALESCE({what}, 0) FROM call_log_{} WHERE {condition}",
                day[0]
            );
            number(&self.call_rows(&sql), &sql)
        };
        days.iter().map(sum).sum()
    }

    /// The platform's time, in milliseconds since 1970.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    /// Moves the platform's clock by so many milliseconds.
    pub fn advance_clock(&self, ms: i64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
    }

    /// The EID of a chip, by its index in the inventory.
    #[must_use]
    pub fn eid(&self, chip: usize) -> &str {
        &self.inventory.chips[chip].eid
    }

    /// Sends a document as an administrator; the answer must be 200.
    pub async fn admin_post(&self, path: &str, body: Value) -> Reply {
        let request = TestRequest::document(path, &body).bearer(&self.admin_secret());
        let reply = self.send(request).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        reply
    }

    /// Reads a document as an administrator; the answer must be 200.
    pub async fn admin_get(&self, path: &str) -> Value {
        let reply = self
            .send(TestRequest::get(path).bearer(&self.admin_secret()))
            .await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        reply.body
    }

    /// Applies for a chip and returns the task's id.
    pub async fn apply(&self, chip: usize) -> String {
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
    pub async fn open_session_at(&self, chip: usize) -> (String, Reply) {
        self.request_session(self.eid(chip)).await
    }

    /// Opens a gateway session for the chip with this EID and returns its id; the answer must be 200.
    pub async fn open_session(&self, eid: &str) -> String {
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
    pub async fn report(&self, session: &str, event: Value) {
        let body =
            json!({"session_id": session, "seq": 1, "event": event, "bytes_up": 100, "bytes_down": 550});
        let reply = self.post_as_gateway("/internal/gateway/report", &body).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }

    async fn post_as_gateway(&self, path: &str, body: &Value) -> Reply {
        let request = TestRequest::document(path, body);
        self.send(request.bearer(&self.secret("gateway_secret"))).await
    }

    /// Applies for a chip, writes and verifies it, and returns the task's id.
    pub async fn write_card(&self, chip: usize) -> String {
        let task = self.apply(chip).await;
        let (session, _) = self.open_session_at(chip).await;
        self.report(&session, json!({"kind": "written"})).await;
        let (session, _) = self.open_session_at(chip).await;
        self.report(&session, json!({"kind": "verified"})).await;
        task
    }

    /// Sends a request and reads the whole response.
    pub async fn send(&self, request: TestRequest) -> Reply {
        self.send_to(&self.host, request).await
    }

    /// Sends a request to one of several nodes.
    pub async fn send_to(&self, host: &Host, request: TestRequest) -> Reply {
        self.client.send(host.addr(), request).await
    }

    /// Stops the platform.
    pub async fn shutdown(self) {
        self.host.shutdown().await;
    }
}

fn number(rows: &[Vec<String>], sql: &str) -> i64 {
    rows[0][0].parse().expect(sql)
}

fn launch(folder: &Path, secrets: &Secrets, now: &Arc<AtomicI64>, reuse: Reuse) -> Launch {
    let mut launch = Launch::on_loopback(root(), folder.to_owned(), secrets.clone());
    launch.logs = edge_host::Logs::Files(folder.join("log"));
    launch.runtime_config = folder.join(CONFIG_FILE);
    launch.reuse = reuse;
    let now = now.clone();
    launch.clock = Some(Arc::new(move || {
        let millis = u64::try_from(now.load(Ordering::SeqCst)).unwrap();
        UNIX_EPOCH + Duration::from_millis(millis)
    }));
    launch
}
