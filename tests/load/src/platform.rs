//! A platform to measure: a database with one client, chips and numbers, the components and a bare component in
//! edge-host, and the native server on a copy of the database.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, ensure};
use domain::Permission;
use edge_host::{Host, Options, Reuse};
use futures::executor::block_on;
use serde_json::{Value, json};
use store::Sqlite;
use xieka::api::Api;
use xieka::components;
use xieka::secrets::Secrets;
use xieka::stack::TRIAL_CONFIG;

use crate::generate;
use crate::native::Native;

/// Where components are built, below the application's root; a folder for each profile.
const BUILT: &str = "target/wasm32-wasip2";
/// What the manifest says of the components that are measured against.
const BASELINES: &str = r#"
[[trigger.http]]
route = "/hello"
component = "hello"

[component.hello]
source = "BUILT/component/load_hello.wasm"

[[trigger.http]]
route = "/floor/..."
component = "floor"

[component.floor]
source = "BUILT/component/load_floor.wasm"
sqlite_databases = ["default", "calls"]
allowed_outbound_hosts = ["{{ database_host_1 }}"]

[component.floor.variables]
database = "{{ database }}"
"#;
/// How often the opening of the database is measured.
const OPENINGS: usize = 201;

/// Builds the components and returns the path of a manifest that also has those of the baselines.
pub(crate) fn manifest() -> Result<&'static Path> {
    static MANIFEST: OnceLock<PathBuf> = OnceLock::new();
    if let Some(manifest) = MANIFEST.get() {
        return Ok(manifest);
    }
    let root = components::application_root()?;
    components::build(&root)?;
    let built = Command::new("cargo")
        .args(["build", "--target", "wasm32-wasip2", "--profile", "component"])
        .args(["-p", "load-hello", "-p", "load-floor"])
        .current_dir(&root)
        .env("CARGO_TARGET_DIR", root.join("target"))
        .status()?;
    ensure!(built.success(), "the components of the baselines were not built");
    let text = std::fs::read_to_string(root.join(components::MANIFEST))?;
    let built = root.join(BUILT);
    let built = built.to_str().context("a path")?;
    let text = text.replace(&format!("\"{BUILT}/"), &format!("\"{built}/"));
    let path = root.join("target/load-spin.toml");
    std::fs::write(&path, text + BASELINES.replace("BUILT", built).as_str())?;
    Ok(MANIFEST.get_or_init(|| path))
}

/// Names and sizes in bytes of the built components.
pub(crate) fn component_sizes() -> Result<Vec<(String, u64)>> {
    manifest()?;
    components::sizes(&components::application_root()?)
}

/// Lifts a client's limits and takes a token, which every server with these secrets accepts.
pub(crate) async fn token_without_limits(host: &Host, secrets: &Secrets, client: &Value) -> Result<String> {
    let names = Permission::ALL.iter().map(|permission| permission.code());
    let limits: serde_json::Map<_, _> = names
        .chain(["token"])
        .map(|name| (name.to_owned(), json!(1_000_000)))
        .collect();
    let change = json!({"client_id": client["id"], "limits": limits});
    let api = Api::new(format!("http://{}", host.addr()));
    let admin_secret = secrets.get("SPIN_VARIABLE_ADMIN_SECRET")?;
    api.post_json(admin_secret, "/admin/v1/clients:update", &change)
        .await?
        .ok("lifting the limits")?;
    let text = |name: &'static str| client[name].as_str().context(name);
    let credentials = [("client_id", text("id")?), ("client_secret", text("secret")?)];
    let answer = api.get("/v1/token", &credentials).await?.ok("taking a token")?;
    Ok(answer["token"].as_str().context("a token")?.to_owned())
}

/// A running platform and a running native server.
pub(crate) struct MeasuredPlatform {
    pub(crate) host: Host,
    pub(crate) native: Native,
    pub(crate) token: String,
    pub(crate) count: u32,
    secrets: Secrets,
    client: Value,
    file: PathBuf,
    _folder: tempfile::TempDir,
}

impl MeasuredPlatform {
    /// Starts both with `count` chips and numbers of one client, all in one province.
    pub(crate) async fn with(count: u32) -> Result<Self> {
        Self::with_reuse(count, Reuse::default()).await
    }

    /// Starts both, with a reuse policy of the platform's instances.
    pub(crate) async fn with_reuse(count: u32, reuse: Reuse) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let secrets = generate::secrets()?;
        let state = folder.path().join("platform");
        std::fs::create_dir(&state)?;
        let file = state.join("sqlite_db.db");
        let client = generate::fill(&file, &secrets, count).await?;
        // The native server works on a database of its own, in the same state.
        let copy = folder.path().join("native.db");
        std::fs::copy(&file, &copy)?;
        let native = Native::start(&copy, &secrets)?;
        let host = edge_host::start(Options {
            manifest: manifest()?.to_owned(),
            runtime_config: Some(components::application_root()?.join(TRIAL_CONFIG)),
            state_dir: state,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            variables: secrets.spin_variables(),
            reuse,
            ..Options::default()
        })
        .await?;
        let mut platform = Self {
            host,
            native,
            token: String::new(),
            count,
            secrets,
            client,
            file,
            _folder: folder,
        };
        platform.token = token_without_limits(&platform.host, &platform.secrets, &platform.client).await?;
        platform.native.lift_limits()?;
        Ok(platform)
    }

    /// The secret of the administrator.
    pub(crate) fn admin_secret(&self) -> Result<String> {
        Ok(self.secrets.get("SPIN_VARIABLE_ADMIN_SECRET")?.to_owned())
    }

    /// The identifier of the client.
    pub(crate) fn client_id(&self) -> Result<&str> {
        self.client["id"].as_str().context("an id")
    }

    /// The secret of a tick of the periodic work.
    pub(crate) fn cron_secret(&self) -> Result<String> {
        Ok(self.secrets.get("SPIN_VARIABLE_CRON_SECRET")?.to_owned())
    }

    /// Retires `count` numbers of the pool.
    pub(crate) fn retire(&self, count: usize) -> Result<()> {
        let db = rusqlite::Connection::open(&self.file)?;
        let some = "UPDATE number SET status = 'retired' WHERE iccid_index IN (SELECT iccid_index FROM number LIMIT ?1)";
        ensure!(
            db.execute(some, [i64::try_from(count)?])? == count,
            "too few numbers"
        );
        Ok(())
    }

    /// How many numbers are reserved, and for how many chips.
    pub(crate) fn reserved(&self) -> Result<(usize, usize)> {
        let db = rusqlite::Connection::open(&self.file)?;
        let count = "SELECT count(*), count(DISTINCT eid_index) FROM number WHERE status = 'reserved'";
        let read = |at: usize| move |row: &rusqlite::Row<'_>| row.get::<_, i64>(at);
        let (numbers, chips) = (
            db.query_row(count, [], read(0))?,
            db.query_row(count, [], read(1))?,
        );
        Ok((usize::try_from(numbers)?, usize::try_from(chips)?))
    }

    /// How many rows of the call log there are for refused calls, and for how many calls they stand.
    pub(crate) fn refused_calls(&self) -> Result<(u64, u64)> {
        let db = rusqlite::Connection::open(self.file.with_file_name("calls.db"))?;
        let mut days = db.prepare("SELECT day FROM call_log_day")?;
        let days = days.query_map([], |row| row.get::<_, i64>(0))?;
        let (mut rows, mut calls) = (0, 0);
        for day in days {
            let count = format!(
                "SELECT count(*), coalesce(sum(coalesce(calls, 1)), 0) FROM call_log_{} WHERE code <> 200",
                day?
            );
            let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
            let found = db.query_row(&count, [], read)?;
            rows += u64::try_from(found.0)?;
            calls += u64::try_from(found.1)?;
        }
        Ok((rows, calls))
    }

    /// Opens the platform's database and reads its schema, as a component does first.
    pub(crate) fn open_database(&self) -> Result<Sqlite> {
        let db = Sqlite::open(&self.file)?;
        block_on(store::check(&db)).map_err(|problem| anyhow!("{problem}"))?;
        Ok(db)
    }

    /// The median time of [`Self::open_database`], in milliseconds, closing not included.
    pub(crate) fn opening_ms(&self) -> Result<f64> {
        let mut times = Vec::new();
        for _ in 0..OPENINGS {
            let started = Instant::now();
            let db = self.open_database()?;
            times.push(started.elapsed());
            drop(db);
        }
        times.sort_unstable();
        Ok(times[OPENINGS / 2].as_secs_f64() * 1_000.0)
    }

    /// Stops the platform.
    pub(crate) async fn shutdown(self) {
        self.host.shutdown().await;
    }
}
