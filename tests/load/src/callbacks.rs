//! Two thousand callbacks a minute and more to slow receivers, one in ten of which never answers. Measures how long the
//! healthy ones wait, and checks that they receive every callback and no other.
//!
//! Cards fail at an even pace through the interfaces that clients and gateways use. The platform is ticked as a gateway
//! ticks it, shortly after each change.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::routing::post;
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use test_support::postgres_server::PostgresServer;
use tokio::net::TcpListener;
use xieka::api::Api;
use xieka::inventory::{Inventory, SAMPLE_TRANSPORT_KEY, SAMPLE_TRANSPORT_KEY_NAME};
use xieka::secrets::Secrets;
use xieka::stack::Launch;

use crate::generate;
use crate::postgres::DURABLE;
use crate::table::goal;

/// Clients.
const CLIENTS: usize = 20;
/// The receiver of every tenth client never answers.
const DEAD_EVERY: usize = 10;
/// How long a healthy receiver takes to answer.
const ANSWER_TIME: Duration = Duration::from_millis(200);
/// How long a gateway waits after a change before it ticks (the debounce of ota-gateway).
const DEBOUNCE: Duration = Duration::from_millis(50);
/// Cards in work at the same time.
const WORKERS: usize = 8;
/// How long the last arrivals may take.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// The database on a PostgreSQL server.
const DATABASE_NAME: &str = "callbacks";
/// The longest wait that the histogram holds, in milliseconds.
const LONGEST_MS: u64 = 600_000;

#[derive(Default)]
struct Receivers {
    /// First arrival of each task at a healthy receiver.
    first: Mutex<BTreeMap<String, Instant>>,
    arrivals: AtomicUsize,
    /// Calls at receivers that never answer.
    at_dead: AtomicUsize,
}

fn is_dead(client: usize) -> bool {
    client.is_multiple_of(DEAD_EVERY)
}

async fn receive(State(all): State<Arc<Receivers>>, Path(client): Path<usize>, body: Bytes) -> String {
    let now = Instant::now();
    if is_dead(client) {
        all.at_dead.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs(3_600)).await;
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let task = body["task_id"].as_str().unwrap_or("none").to_owned();
    all.arrivals.fetch_add(1, Ordering::Relaxed);
    if let Ok(mut first) = all.first.lock() {
        first.entry(task).or_insert(now);
    }
    tokio::time::sleep(ANSWER_TIME).await;
    json!({"code": 200, "message": "接收成功"}).to_string()
}

/// A client with its token and chips.
struct Account {
    token: String,
    eids: Vec<String>,
}

/// The platform's interface and its clients.
struct CallbackLoad {
    api: Api,
    secrets: Secrets,
    accounts: Vec<Account>,
    sessions: AtomicUsize,
}

/// Where the platform keeps its state.
pub(crate) enum Database {
    /// A SQLite file of its own.
    Sqlite,
    /// A database on a server of its own, which waits for the disk.
    Postgres(PostgresServer),
}

impl Database {
    /// A new PostgreSQL server.
    pub(crate) fn on_server() -> Result<Self> {
        let server = PostgresServer::start(&DURABLE).context("PostgreSQL from the package postgresql")?;
        server.create_database(DATABASE_NAME);
        Ok(Self::Postgres(server))
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }

    /// Sets the variables with which components find it.
    fn configure(&self, secrets: &mut Secrets) {
        if let Self::Postgres(server) = self {
            secrets.set("SPIN_VARIABLE_DATABASE", server.url(DATABASE_NAME));
            let allowed = format!("postgres://{}", server.address());
            secrets.set("SPIN_VARIABLE_DATABASE_HOST_1", allowed);
        }
    }

    /// The tasks of the callbacks that were not delivered. `folder` is the platform's.
    fn not_delivered(&self, folder: &std::path::Path) -> Result<BTreeSet<String>> {
        const TASKS: &str = "SELECT task_id FROM message WHERE state <> 'delivered'";
        match self {
            Self::Sqlite => {
                let db = rusqlite::Connection::open(folder.join("sqlite_db.db"))?;
                let mut tasks = db.prepare(TASKS)?;
                Ok(tasks.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
            }
            Self::Postgres(server) => Ok(server
                .run_sql(DATABASE_NAME, TASKS)
                .lines()
                .map(str::to_owned)
                .collect()),
        }
    }
}

/// Runs for `minutes` at `rate` callbacks a minute.
pub(crate) async fn callbacks(rate: u32, minutes: u32, database: &Database) -> Result<()> {
    let receivers = Arc::<Receivers>::default();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    let router = Router::new()
        .route("/{client}", post(receive))
        .with_state(receivers.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });

    let folder = tempfile::tempdir()?;
    let mut secrets = generate::secrets()?;
    secrets.set("SPIN_VARIABLE_CALLBACK_ALLOW_HTTP", "true");
    secrets.set("SPIN_VARIABLE_CALLBACK_EXTRA_HOST", format!("http://{addr}"));
    database.configure(&mut secrets);
    let root = xieka::components::application_root()?;
    xieka::components::build(&root)?;
    let host = Launch::on_loopback(root, folder.path().to_owned(), secrets.clone())
        .platform()
        .await?;
    let total = rate as usize * minutes as usize;
    let load = Arc::new(CallbackLoad::prepare(host.addr(), secrets, addr, total).await?);

    let stop = Arc::new(AtomicBool::new(false));
    let ticker = tokio::spawn(tick(load.clone(), stop.clone()));
    let changes = fail_cards(&load, total, Duration::from_secs(60) / rate).await?;
    let healthy: BTreeMap<_, _> = changes
        .iter()
        .filter(|(_, change)| !is_dead(change.client))
        .collect();
    let waiting = Instant::now();
    while receivers.first.lock().map_or(0, |first| first.len()) < healthy.len()
        && waiting.elapsed() < MAX_WAIT
    {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    stop.store(true, Ordering::Relaxed);
    ticker.await??;

    let first = receivers
        .first
        .lock()
        .map_or_else(|_| BTreeMap::new(), |first| first.clone());
    let received: BTreeSet<_> = first.keys().collect();
    let expected: BTreeSet<_> = healthy.keys().copied().collect();
    ensure!(
        received == expected,
        "{} arrived, {} expected",
        received.len(),
        expected.len()
    );
    let mut waits = Histogram::<u64>::new_with_max(LONGEST_MS, 3)?;
    for (task, change) in &healthy {
        let arrived = first.get(*task).context("an arrival")?;
        let wait = arrived.saturating_duration_since(change.at).as_millis();
        waits.record(u64::try_from(wait)?.clamp(1, LONGEST_MS))?;
    }
    kept_for_the_dead(&database.not_delivered(folder.path())?, &changes)?;
    report(database.name(), rate, &changes, &receivers, &waits);
    host.shutdown().await;
    Ok(())
}

fn report(
    engine: &str,
    rate: u32,
    changes: &BTreeMap<String, Change>,
    receivers: &Receivers,
    waits: &Histogram<u64>,
) {
    println!(
        "\n### Callbacks on {engine}: {CLIENTS} receivers that answer in {ANSWER_TIME:?}, 1 in {DEAD_EVERY} dead\n"
    );
    let span = changes.values().map(|change| change.at);
    let span = span
        .clone()
        .max()
        .zip(span.min())
        .map_or(1.0, |(last, first)| (last - first).as_secs_f64());
    let made = changes.len() as f64 / span * 60.0;
    println!(
        "{} cards failed in {span:.0} s; {} arrivals at healthy receivers, {} attempts at dead ones; every callback of a healthy receiver arrived, none was invented, those of the dead are kept",
        changes.len(),
        receivers.arrivals.load(Ordering::Relaxed),
        receivers.at_dead.load(Ordering::Relaxed),
    );
    println!(
        "- from change to first attempt: p50 {} ms, p99 {} ms, longest {} ms",
        waits.value_at_quantile(0.5),
        waits.value_at_quantile(0.99),
        waits.max()
    );
    goal("callbacks a minute", made, f64::from(rate) * 0.98, true);
    goal(
        "p99 from change to first attempt, s",
        waits.value_at_quantile(0.99) as f64 / 1_000.0,
        5.0,
        false,
    );
}

/// The failure of a card.
struct Change {
    client: usize,
    at: Instant,
}

/// Fails cards at an even pace; returns the changes by task.
async fn fail_cards(
    load: &Arc<CallbackLoad>,
    total: usize,
    pace: Duration,
) -> Result<BTreeMap<String, Change>> {
    let (next, started) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let (load, next) = (load.clone(), next.clone());
            tokio::spawn(async move {
                let mut changes = Vec::new();
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= total {
                        return Ok::<_, anyhow::Error>(changes);
                    }
                    let due = started + pace * u32::try_from(n)?;
                    tokio::time::sleep_until(due.into()).await;
                    changes.push(load.fail(n).await?);
                }
            })
        })
        .collect();
    let mut changes = BTreeMap::new();
    for worker in workers {
        changes.extend(worker.await??);
    }
    Ok(changes)
}

async fn tick(load: Arc<CallbackLoad>, stop: Arc<AtomicBool>) -> Result<()> {
    let cron = load.secrets.get("SPIN_VARIABLE_CRON_SECRET")?.to_owned();
    while !stop.load(Ordering::Relaxed) {
        load.api
            .post_json(&cron, "/internal/cron", &Value::Null)
            .await?
            .ok("ticking")?;
        tokio::time::sleep(DEBOUNCE).await;
    }
    Ok(())
}

/// Checks that each callback to a dead receiver is still stored.
fn kept_for_the_dead(kept: &BTreeSet<String>, changes: &BTreeMap<String, Change>) -> Result<()> {
    let dead = changes.iter().filter(|(_, change)| is_dead(change.client));
    let lost = dead.filter(|(task, _)| !kept.contains(*task)).count();
    ensure!(lost == 0, "{lost} callbacks to dead receivers are gone");
    Ok(())
}

impl CallbackLoad {
    async fn prepare(
        platform: SocketAddr,
        secrets: Secrets,
        receivers: SocketAddr,
        total: usize,
    ) -> Result<Self> {
        let api = Api::new(format!("http://{platform}"));
        let admin = secrets.get("SPIN_VARIABLE_ADMIN_SECRET")?.to_owned();
        let each = u32::try_from(total.div_ceil(CLIENTS))?;
        let limits = json!({"write.apply": 1_000_000});
        let mut accounts = Vec::new();
        for client in 0..CLIENTS {
            let new = json!({"name": "load", "phone": "13800000000", "ips": ["127.0.0.1"],
                "permissions": ["write.apply"], "callback_url": format!("http://{receivers}/{client}")});
            let created = api
                .post_json(&admin, "/admin/v1/clients", &new)
                .await?
                .ok("a client")?;
            let text = |name: &str| created[name].as_str().unwrap_or_default().to_owned();
            let (id, secret) = (text("client_id"), text("client_secret"));
            let change = json!({"client_id": id, "limits": limits});
            api.post_json(&admin, "/admin/v1/clients:update", &change)
                .await?
                .ok("limits")?;
            let first = 1 + each * u32::try_from(client)?;
            let part = Inventory::generate(first, each, SAMPLE_TRANSPORT_KEY_NAME, &SAMPLE_TRANSPORT_KEY)?;
            let owner = [("client_id", id.as_str())];
            api.post_csv(&admin, "/admin/v1/chips:import", &owner, part.chips_csv()?)
                .await?
                .ok("chips")?;
            api.post_csv(&admin, "/admin/v1/numbers:import", &[], part.numbers_csv()?)
                .await?
                .ok("numbers")?;
            let credentials = [("client_id", id.as_str()), ("client_secret", secret.as_str())];
            let taken = api.get("/v1/token", &credentials).await?.ok("a token")?;
            accounts.push(Account {
                token: taken["token"].as_str().context("a token")?.to_owned(),
                eids: part.chips.into_iter().map(|chip| chip.eid).collect(),
            });
        }
        Ok(Self {
            api,
            secrets,
            accounts,
            sessions: AtomicUsize::new(0),
        })
    }

    /// Applies for the n-th card, opens its session and fails it.
    async fn fail(&self, n: usize) -> Result<(String, Change)> {
        let client = n % CLIENTS;
        let account = &self.accounts[client];
        let eid = account.eids[n / CLIENTS].as_str();
        let query = [
            ("token", account.token.as_str()),
            ("eid", eid),
            ("write_type", "1"),
            ("province_code", "37"),
        ];
        let applied = self.api.get("/v1/write/apply", &query).await?.ok("applying")?;
        let gateway = self.secrets.get("SPIN_VARIABLE_GATEWAY_SECRET")?;
        let number = self.sessions.fetch_add(1, Ordering::Relaxed);
        let session = format!("0190a5b0-0000-7000-8000-{number:012x}");
        let open = json!({"session_id": session, "eid": eid, "peer": "192.0.2.1:1", "agent": null, "resumed": false});
        self.api
            .post_json(gateway, "/internal/gateway/sessions", &open)
            .await?
            .ok("a session")?;
        let failed =
            json!({"kind": "failed", "failure": "card_error", "detail": "6F00", "chip_fault": false});
        let report =
            json!({"session_id": session, "seq": 1, "event": failed, "bytes_up": 100, "bytes_down": 100});
        self.api
            .post_json(gateway, "/internal/gateway/report", &report)
            .await?
            .ok("a report")?;
        let task = applied["task_id"].as_str().context("a task")?.to_owned();
        let at = Instant::now();
        Ok((task, Change { client, at }))
    }
}
